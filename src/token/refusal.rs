//! Why a token is refused: every reason, its code, and the sentence the client gets.
//!
//! A sentence names what was seen and what was expected as far as the caller may know it, and never
//! repeats text that the caller sent, unless it has been read into a type that allows no mischief.
//! The private half, for the log, is the `Debug` form.

use thiserror::Error;

use crate::clock::Timestamp;
use crate::domain::algorithm::Algorithm;
use crate::domain::organization::OrganizationNumber;
use crate::domain::scope::{RequestedScopesError, ScopeName};
use crate::token::limit::TooMany;

/// The codes under which Maskinporten documents its refusals.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum MpCode {
    /// MP-011: the assertion cannot be read.
    Mp011,
    /// MP-012: the assertion has been used.
    Mp012,
    /// MP-100: no such client.
    Mp100,
    /// MP-110: wrong audience.
    Mp110,
    /// MP-120: the certificate does not count.
    Mp120,
    /// MP-121: the key has expired.
    Mp121,
    /// MP-122: the certificate is of another organization.
    Mp122,
    /// MP-123: `x5c` cannot be read.
    Mp123,
    /// MP-124: wrong signature.
    Mp124,
    /// MP-130: wrong times.
    Mp130,
    /// MP-200: a scope that the client does not have.
    Mp200,
    /// MP-201: a scope that is not for machines.
    Mp201,
    /// MP-250: the consumer has no access.
    Mp250,
    /// MP-251: the consumer has not delegated.
    Mp251,
    /// MP-301: an unknown type of authorization details.
    Mp301,
    /// MP-302: unknown fields in authorization details.
    Mp302,
    /// MP-303: authorization details that match nothing.
    Mp303,
}

impl MpCode {
    /// Every code.
    pub const ALL: [Self; 17] = [
        Self::Mp011,
        Self::Mp012,
        Self::Mp100,
        Self::Mp110,
        Self::Mp120,
        Self::Mp121,
        Self::Mp122,
        Self::Mp123,
        Self::Mp124,
        Self::Mp130,
        Self::Mp200,
        Self::Mp201,
        Self::Mp250,
        Self::Mp251,
        Self::Mp301,
        Self::Mp302,
        Self::Mp303,
    ];

    /// The code as it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mp011 => "MP-011",
            Self::Mp012 => "MP-012",
            Self::Mp100 => "MP-100",
            Self::Mp110 => "MP-110",
            Self::Mp120 => "MP-120",
            Self::Mp121 => "MP-121",
            Self::Mp122 => "MP-122",
            Self::Mp123 => "MP-123",
            Self::Mp124 => "MP-124",
            Self::Mp130 => "MP-130",
            Self::Mp200 => "MP-200",
            Self::Mp201 => "MP-201",
            Self::Mp250 => "MP-250",
            Self::Mp251 => "MP-251",
            Self::Mp301 => "MP-301",
            Self::Mp302 => "MP-302",
            Self::Mp303 => "MP-303",
        }
    }
}

/// The `error` of RFC 6749 section 5.2 and its extensions that a refusal falls under.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ErrorKind {
    /// `forbidden`, Maskinporten's own.
    Forbidden,
    /// `invalid_authorization_details` (RFC 9396 section 5).
    InvalidAuthorizationDetails,
    /// `invalid_grant`
    InvalidGrant,
    /// `invalid_request`
    InvalidRequest,
    /// `invalid_scope`
    InvalidScope,
    /// `invalid_target` (RFC 8707 section 2).
    InvalidTarget,
    /// `temporarily_unavailable`
    TemporarilyUnavailable,
    /// `temporarily_unavailable` too, through the caller's own doing.
    TooManyRequests,
}

/// Why a token is refused.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum Refusal {
    /// The key is registered for another algorithm than the header names.
    #[error(
        "{AUTHENTICATION} The key is registered for {registered} and the JWT header says {said}."
    )]
    AlgorithmOfKey {
        /// What the key is registered for.
        registered: Algorithm,
        /// What the header names.
        said: Algorithm,
    },
    /// `aud` is not our issuer.
    #[error(
        "{AUTHENTICATION} Invalid JWT claim aud. It must be {expected} and nothing else{hint}."
    )]
    Audience {
        /// Our issuer.
        expected: String,
        /// A word of help for the usual mistakes.
        hint: &'static str,
    },
    /// `authorization_details` is no array of objects with a type.
    #[error(
        "Unknown fields in the authorization details. It must be an array of objects with a type."
    )]
    AuthorizationDetailsShape,
    /// `authorization_details` has a type that this server does not issue.
    #[error(
        "Unknown authorization details type. This server issues no tokens with authorization details."
    )]
    AuthorizationDetailsType,
    /// The certificate does not lead to an authority that counts here, or breaks a rule.
    #[error(
        "{AUTHENTICATION} The JWT is signed with an invalid certificate. Failed check: {check}."
    )]
    Certificate {
        /// The check that failed, in our own words.
        check: &'static str,
        /// All about it, for the log.
        detail: String,
    },
    /// `x5c` is no array of certificates in the right order and form.
    #[error(
        "{AUTHENTICATION} Invalid JWT header x5c. It must be an array of one to six certificates in \
         standard base64 DER, the signing certificate first and each followed by its issuer."
    )]
    CertificateHeader,
    /// No path is known from the certificate to an authority that counts here.
    #[error("{AUTHENTICATION} The JWT is signed with an invalid certificate. Failed check: path.")]
    CertificateOfStranger {
        /// All about it, for the log.
        detail: String,
    },
    /// The certificate is of another organization than the client.
    #[error(
        "Invalid JWT. Invalid organization number for client. Does not match certificate orgno. \
         The certificate is of {certificate}."
    )]
    CertificateOrganization {
        /// The organization of the certificate.
        certificate: OrganizationNumber,
    },
    /// A claim is missing or has a value that it cannot have.
    #[error("Invalid assertion. Invalid JWT claim {name}: {expected}.")]
    Claim {
        /// The claim.
        name: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// The form names another client than the assertion.
    #[error("{AUTHENTICATION} The client_id of the request is not the iss of the assertion.")]
    ClientMismatch,
    /// The consumer has not delegated the scope to the supplier.
    #[error(
        "Consumer {consumer} has not delegated access to the scope {scope} to supplier {supplier}."
    )]
    Delegation {
        /// The organization on whose behalf the token was asked for.
        consumer: OrganizationNumber,
        /// The scope.
        scope: ScopeName,
        /// The organization of the client.
        supplier: OrganizationNumber,
    },
    /// The registered key has expired.
    #[error("{AUTHENTICATION} Expired key. It expired at {expired_at}; register a new one.")]
    ExpiredKey {
        /// When it did.
        expired_at: Timestamp,
    },
    /// The assertion was issued before the fence: it may have been used, and the database has forgotten it.
    #[error(
        "The server cannot tell whether the assertion has been used: its database has gone back to an earlier state. \
         Try again in {retry_after_seconds} s with a new assertion; those issued after {until} are accepted."
    )]
    Fenced {
        /// Up to which `iat` assertions are refused.
        until: Timestamp,
        /// Seconds until a client whose clock is right makes assertions that are accepted.
        retry_after_seconds: u64,
    },
    /// The header asks for something that we do not do.
    #[error("Invalid assertion. {0}")]
    Header(HeaderFault),
    /// The client has keys registered, so it cannot use a certificate.
    #[error(
        "Invalid JWT. The client requires pre-registered jwk and no key identifier (kid) provided"
    )]
    KeyRequired,
    /// The text is no signed JWT.
    #[error(
        "Invalid assertion. Invalid parameter value. The assertion must be a signed JWT: three parts of \
         base64url without padding, the first two JSON objects with each member once."
    )]
    MalformedAssertion,
    /// The consumer has no access to the scope.
    #[error("Consumer has not been granted access to the scope {scope}.")]
    NoAccess {
        /// The scope.
        scope: ScopeName,
    },
    /// `consumer_org` names the client's own organization.
    #[error(
        "Validation of JWT claim failed: The combination consumer_org in claim and delegation scope on \
         client is invalid. consumer_org is the client's own organization; leave it out."
    )]
    OwnConsumer,
    /// The assertion has been used before.
    #[error(
        "Validation of JWT Bearer grant failed. Grant is used before. Make a new assertion, with a new \
         jti, for every token."
    )]
    Replayed,
    /// `resource` is no absolute URI.
    #[error(
        "Invalid resource. It must be one to ten absolute URIs (https, http or urn) without fragment."
    )]
    Resource,
    /// What the assertion asks for cannot be read as scopes.
    #[error("Token request contains invalid scopes for client. Invalid JWT claim scope: {0}.")]
    ScopeClaim(#[from] RequestedScopesError),
    /// The scope is for log-in products only.
    #[error("Token request contains scopes not allowed for maskinporten: {scope}.")]
    ScopeProduct {
        /// The scope.
        scope: ScopeName,
    },
    /// The scope is not one for European businesses, or not active.
    #[error(
        "Token request contains invalid scopes for client, {scope}. It must be an active scope that \
         supports European businesses."
    )]
    ScopeOfBusiness {
        /// The first scope for which this is so.
        scope: ScopeName,
    },
    /// The client does not have the scope, or the scope is not active.
    #[error(
        "Token request contains invalid scopes for client, {scope}. It must be an active scope that has \
         been added to the client."
    )]
    ScopeOfClient {
        /// The first scope for which this is so.
        scope: ScopeName,
    },
    /// The signature is not by the key.
    #[error("{AUTHENTICATION} Invalid JWT signature")]
    Signature,
    /// A time in the claims is wrong.
    #[error("Invalid assertion. {fault} Server time is {now} ({seconds}).", seconds = now.seconds())]
    Time {
        /// What is wrong.
        fault: TimeFault,
        /// Our clock.
        now: Timestamp,
    },
    /// The client asks more often than it may.
    #[error(
        "The client asks for more tokens than it may. Use each token until it expires, and ask again in \
         {} s with a new assertion.",
        .0.retry_after_seconds
    )]
    TooManyRequests(#[from] TooMany),
    /// Something we depend on does not answer.
    #[error("The server cannot decide now. Try again with a new assertion.")]
    Unavailable {
        /// What it is, for the log.
        cause: String,
    },
    /// There is no such client, or it has been deactivated.
    #[error("{AUTHENTICATION} Client not found")]
    UnknownClient,
    /// The client has no key of that id.
    #[error("{AUTHENTICATION} Unknown key identifier (kid) for client.")]
    UnknownKey,
}

/// How the texts of failed client authentication begin.
const AUTHENTICATION: &str = "Invalid assertion. Client authentication failed.";

/// What in the header is refused.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum HeaderFault {
    /// `alg` is missing or not accepted.
    #[error(
        "Invalid JWT header alg. It must be one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, \
         ES384 and EdDSA."
    )]
    Algorithm,
    /// There is neither `kid` nor `x5c`.
    #[error(
        "The JWT header must have kid, for a registered key, or x5c, for an enterprise certificate."
    )]
    NoKey,
    /// A member that changes how a JWT is read.
    #[error("The JWT header has {0}, which is not accepted here.")]
    Refused(&'static str),
    /// There are both `kid` and `x5c`.
    #[error("The JWT header must have either kid or x5c, and it has both.")]
    TwoKeys,
    /// `typ` names another kind of token.
    #[error("Invalid JWT header typ. It must be JWT or absent.")]
    Type,
}

/// What is wrong with a time.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum TimeFault {
    /// `exp` has passed.
    #[error("JWT is expired: exp is {0}. Check the clock of the client.")]
    Expired(i64),
    /// `iat` is ahead of us.
    #[error("Issue time is after now: iat is {0}. Check the clock of the client.")]
    IssuedAhead(i64),
    /// `exp` is too long after `iat`.
    #[error(
        "JWT has too long lifetime: exp - iat is {seen} seconds, and at most {most} are accepted."
    )]
    Lifetime {
        /// The seconds between.
        seen: i64,
        /// The seconds that are accepted.
        most: i64,
    },
    /// `nbf` is ahead of us.
    #[error("JWT is not valid yet: nbf is {0}. Check the clock of the client.")]
    NotYet(i64),
    /// `exp` is before `iat` or `nbf`.
    #[error("JWT is never valid: exp is before iat or nbf.")]
    Order,
}

impl Refusal {
    /// The `error` it falls under.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::AuthorizationDetailsShape | Self::AuthorizationDetailsType => {
                ErrorKind::InvalidAuthorizationDetails
            }
            Self::Delegation { .. } | Self::NoAccess { .. } => ErrorKind::Forbidden,
            Self::MalformedAssertion | Self::OwnConsumer => ErrorKind::InvalidRequest,
            Self::Resource => ErrorKind::InvalidTarget,
            Self::ScopeClaim(_)
            | Self::ScopeOfBusiness { .. }
            | Self::ScopeOfClient { .. }
            | Self::ScopeProduct { .. } => ErrorKind::InvalidScope,
            Self::TooManyRequests(_) => ErrorKind::TooManyRequests,
            Self::Fenced { .. } | Self::Unavailable { .. } => ErrorKind::TemporarilyUnavailable,
            _ => ErrorKind::InvalidGrant,
        }
    }

    /// The code it is documented under, where there is one.
    pub const fn code(&self) -> Option<MpCode> {
        Some(match self {
            Self::Audience { .. } => MpCode::Mp110,
            Self::AuthorizationDetailsShape => MpCode::Mp302,
            Self::AuthorizationDetailsType => MpCode::Mp301,
            Self::Certificate { .. } | Self::CertificateOfStranger { .. } => MpCode::Mp120,
            Self::CertificateHeader => MpCode::Mp123,
            Self::CertificateOrganization { .. } => MpCode::Mp122,
            Self::Delegation { .. } => MpCode::Mp251,
            Self::ExpiredKey { .. } => MpCode::Mp121,
            Self::MalformedAssertion => MpCode::Mp011,
            Self::NoAccess { .. } => MpCode::Mp250,
            Self::Replayed => MpCode::Mp012,
            Self::ScopeClaim(_) | Self::ScopeOfBusiness { .. } | Self::ScopeOfClient { .. } => {
                MpCode::Mp200
            }
            Self::ScopeProduct { .. } => MpCode::Mp201,
            Self::Signature => MpCode::Mp124,
            Self::Time { .. } => MpCode::Mp130,
            Self::UnknownClient => MpCode::Mp100,
            Self::AlgorithmOfKey { .. }
            | Self::Claim { .. }
            | Self::ClientMismatch
            | Self::Fenced { .. }
            | Self::Header(_)
            | Self::KeyRequired
            | Self::OwnConsumer
            | Self::Resource
            | Self::TooManyRequests(_)
            | Self::Unavailable { .. }
            | Self::UnknownKey => return None,
        })
    }
}
