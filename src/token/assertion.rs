//! Step 5: from an assertion that only has the right shape to one that the client has signed.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};

use crate::clock::Timestamp;
use crate::domain::european_business::CertificateId;
use crate::domain::json::Json;
use crate::pki::public_key::PublicKey;
use crate::store::SpentId;
use crate::token::caller::Caller;
use crate::token::claims::{Grant, GrantRules};
use crate::token::jws::{Said, UnverifiedAssertion};
use crate::token::refusal::Refusal;

/// An assertion with a right signature. Only [`UnverifiedAssertion::verify`] makes one.
#[derive(Debug)]
pub struct VerifiedAssertion<'a> {
    signed: &'a [u8],
    said: Arc<Said>,
}

/// What identifies an assertion among all that can still be used.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ReplayId(pub(super) SpentId);

impl ReplayId {
    /// What identifies the answer to one question to an OpenID provider, by the `state` of the question.
    pub fn of_state(state: &str) -> Self {
        // Not the id of a client, which is never empty.
        Self::of("", 3, state.as_bytes())
    }

    fn of(owner: &str, kind: u8, unique: &[u8]) -> Self {
        // A client id has no NUL, so the frame is unambiguous.
        Self::of_parts(&[owner.as_bytes(), &[0, kind], unique])
    }

    /// What a European business has said, known by its certificate. Its `client_id` would not do: two certificates may have
    /// the same serial number, and then one could spend what is the other's.
    fn of_certificate(certificate: CertificateId, kind: u8, unique: &[u8]) -> Self {
        // No id of a client is empty, and a certificate takes 32 octets, so this frame is that of nothing else.
        Self::of_parts(&[&[0, kind], &certificate.0, unique])
    }

    fn of_parts(parts: &[&[u8]]) -> Self {
        let mut hash = Context::new(&SHA256);
        for part in parts {
            hash.update(part);
        }
        let mut id = [0; 32];
        id.copy_from_slice(hash.finish().as_ref());
        Self(id)
    }
}

impl<'a> UnverifiedAssertion<'a> {
    /// The id of the client that it claims to be from (`iss`).
    pub fn claimed_client(&self) -> Result<&str, Refusal> {
        let iss = self.said.claims.member("iss").and_then(Json::as_str);
        let iss = iss.filter(|iss| !iss.is_empty());
        let expected = "it must be the id of the client, as a text";
        iss.ok_or(Refusal::Claim { name: "iss", expected })
    }

    /// Whether the signature is of that key, whoever that belongs to.
    pub(super) fn is_signed_with(&self, key: &PublicKey) -> bool {
        key.algorithm() == self.said.algorithm && key.verify(self.signed, &self.signature).is_ok()
    }

    /// Checks the signature. The key is used with the one algorithm it is bound to, which the header
    /// must name (RFC 8725 section 3.1).
    pub fn verify(self, key: &PublicKey) -> Result<VerifiedAssertion<'a>, Refusal> {
        let (registered, said) = (key.algorithm(), self.said.algorithm);
        if registered != said {
            return Err(Refusal::AlgorithmOfKey { registered, said });
        }
        key.verify(self.signed, &self.signature).map_err(|_| Refusal::Signature)?;
        Ok(VerifiedAssertion { signed: self.signed, said: self.said })
    }
}

impl VerifiedAssertion<'_> {
    /// Checks what it says.
    pub fn check(&self, rules: &GrantRules, now: Timestamp) -> Result<Grant, Refusal> {
        Grant::check(&self.said.claims, rules, now)
    }

    /// What may be spent once: the caller's `jti`, or else what the signature is over. Not the signature
    /// itself, because an ECDSA signature has a twin that is just as right.
    pub fn replay_id(&self, caller: &Caller, grant: &Grant) -> ReplayId {
        match (caller, &grant.jti) {
            (Caller::Client(proven), Some(jti)) => {
                ReplayId::of(proven.client.client.id.as_str(), 1, jti.as_bytes())
            }
            (Caller::Client(proven), None) => {
                ReplayId::of(proven.client.client.id.as_str(), 2, self.signed)
            }
            (Caller::Business(business), Some(jti)) => {
                ReplayId::of_certificate(business.certificate, 4, jti.as_bytes())
            }
            (Caller::Business(business), None) => {
                ReplayId::of_certificate(business.certificate, 5, self.signed)
            }
        }
    }
}
