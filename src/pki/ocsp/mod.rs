//! The status of one certificate from its issuer's responder (RFC 6960): the question, and the judgement of the answer.
//!
//! A responder is asked about one certificate at a time, named by SHA-1 hashes because that is what responders know
//! (RFC 5019 section 2.1.1); the hashes only say which certificate is meant, nothing rests on them. What comes back is
//! read by the rules of DER, and believed only when it is signed by the issuer itself or by one whom the issuer has made
//! its responder. Nothing here knows a network: a [`OcspQuestion`] says what to send and where, and judges the bytes. What
//! responders have told is kept with the trust set that asks them (`known`), and stands beside its lists.

mod known;
mod question;
mod response;
mod trust_set;

pub(in crate::pki) use known::KnownAnswers;
pub use question::{OCSP_KEY_BYTES, OcspKey, OcspQuestion};
pub use trust_set::{OcspOutcome, OcspWanted};

use thiserror::Error;

use crate::clock::Timestamp;
use crate::pki::certificate::CertificateError;
use crate::pki::der::DerError;
use crate::pki::public_key::PublicKeyError;

/// The largest response that is read, in bytes: one status, a signature and a certificate have 2 to 5 KiB.
pub const OCSP_RESPONSE_BYTES_MAX: usize = 64 * 1024;

/// Bytes of a nonce (RFC 9654 section 2.1).
pub const OCSP_NONCE_BYTES: usize = 32;

/// By how many seconds the clock of a responder may be ahead of ours: they sign at the very moment at which they are
/// asked, and an answer must not be lost for a clock that is set once a day.
const CLOCK_SKEW_SECONDS: i64 = 60;

/// What is asked of answers beyond the standard.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OcspRules {
    /// Seconds for which an answer counts, at most, whatever it says itself; and the age of one that does not say
    /// until when it holds.
    pub age_seconds_max: i64,
    /// Whether a nonce that was sent must come back. Responders that sign in advance cannot do it.
    pub nonce_required: bool,
}

/// What a responder says about a certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OcspStatus {
    /// Not revoked.
    Good {
        /// The last moment for which that counts.
        until: Timestamp,
    },
    /// Revoked or on hold.
    Revoked {
        /// The reason that the responder gives.
        reason: &'static str,
    },
}

/// Why an answer tells nothing. None of these is "good".
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum OcspError {
    /// An extension is critical and not one that is processed here, or is there twice.
    #[error("an extension of the answer is critical and unknown, or is there twice")]
    Extension,
    /// The answer is not in the form of RFC 6960.
    #[error("the answer cannot be read: {0}")]
    Form(#[from] DerError),
    /// The nonce is that of another question, or missing where it is required.
    #[error("the nonce of the answer is not that of the question")]
    Nonce,
    /// It is older than the answer that is known (a responder that signs in advance has several to send).
    #[error("the answer is of {seen}, and the one that is known is of {held}")]
    Older {
        /// When the status that is known was right.
        held: Timestamp,
        /// When this one was.
        seen: Timestamp,
    },
    /// It is about other certificates, or says two things about this one.
    #[error("the answer has not exactly one status of the certificate that was asked about")]
    OtherCertificate,
    /// The responder could not or did not want to answer.
    #[error("the responder answered \"{0}\"")]
    Refused(&'static str),
    /// The signature is not that of the responder, or of an algorithm that is not accepted.
    #[error("the signature of the answer does not hold")]
    Signature,
    /// Whoever signed is not the issuer and not a responder of its own.
    #[error("the answer is not signed by the issuer or a responder of its own: {0}")]
    Signer(SignerProblem),
    /// There are more bytes than are read.
    #[error("the answer has {size} bytes; at most {OCSP_RESPONSE_BYTES_MAX} are read")]
    Size {
        /// How many there are.
        size: usize,
    },
    /// It does not hold now.
    #[error("the answer is of {this_update}, to be renewed at {next_update}, and it is {now}")]
    Stale {
        /// When the status was known to be right.
        this_update: Timestamp,
        /// When there is to be a new one: its own word, or what follows from its age.
        next_update: Timestamp,
        /// When it was judged.
        now: Timestamp,
    },
    /// It is signed at a moment that is to come, or before what it tells.
    #[error("the times of the answer contradict each other or our clock")]
    Times,
    /// The responder does not know the certificate.
    #[error("the responder does not know the certificate")]
    Unknown,
}

/// Why somebody does not count as a responder.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum SignerProblem {
    /// Its certificate cannot be read.
    #[error("its certificate is refused: {0}")]
    Certificate(#[from] CertificateError),
    /// Its key is the one that it is to answer for.
    #[error("it would answer for itself")]
    ItsOwn,
    /// It is not in force.
    #[error("its certificate is not in force")]
    NotInForce,
    /// The issuer has not made it a responder.
    #[error("its certificate is not for OCSP (id-kp-OCSPSigning)")]
    NotForOcsp,
    /// It was issued by somebody else.
    #[error("the issuer has not issued its certificate")]
    NotIssued,
    /// There is no certificate of the responder that the answer names.
    #[error("the answer holds no certificate of the responder that it names")]
    NotThere,
    /// It may have been revoked itself, and nobody says that this need not be asked.
    #[error("its certificate may be revoked itself: it is without id-pkix-ocsp-nocheck")]
    Revocable,
    /// Its key is too weak.
    #[error("its key is refused: {0}")]
    WeakKey(PublicKeyError),
}
