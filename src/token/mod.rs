//! The token path: what happens to one request, in ten steps.
//!
//! 1. The form is read ([`crate::http`]).
//! 2. The assertion's shape is read under strict limits ([`jws`]).
//! 3. The client is found ([`cache`]).
//! 4. The key is found: registered (`kid`), or that of an enterprise certificate (`x5c`) which leads to an
//!    authority that counts here and is of the client's organization ([`client_key`], [`crate::pki`]), whose responder
//!    may have been asked about it ([`responders`]). A certificate for seals may make a caller by itself, a European
//!    business, which is no client ([`caller`]).
//! 5. The signature is verified ([`assertion`]).
//! 6. Audience, times and the other claims are checked ([`claims`]).
//! 7. It is decided whether the caller may have every scope it asks for ([`access`]), and, for a supplier,
//!    whether its customer has delegated it ([`delegation`]).
//! 8. The assertion is spent: one durable insert, before anything is signed ([`replay`]).
//! 9. The access token is made and signed ([`access_token`], [`crate::keys`]).
//! 10. The answer is written ([`crate::http`]).
//!
//! Between 6 and 7 the request counts against the limit of its caller, if there is one ([`limit`]): not before,
//! because anybody can send what looks like a client's assertion and so could lock it out. For the same reason an
//! assertion that has been spent already does not count: whoever has got hold of one can send it again, and of one
//! that has not been spent could do worse.
//!
//! What is refused leaves a record ([`explain`], [`recorder`]), what is used leaves a note ([`last_use`]), and what is
//! issued is counted ([`token_use`]), off the path of the request.
//!
//! [`issue`] reads like this list. Invariants: a type named *verified* can only be made by the check it is
//! named after; what steps 2 to 7 refuse is not spent; nothing is signed that was not spent; what is cached is
//! at most `feed.stale_seconds_max` behind the change feed ([`feed`]), and beyond that no token is issued but
//! for scopes whose owners allow it in an outage; what a register of delegations elsewhere has said counts for
//! its `cache_seconds`.

pub mod access;
pub mod access_token;
pub mod agreed_clock;
pub mod assertion;
pub(crate) mod background;
pub mod bearer;
pub mod cache;
pub mod caller;
pub mod claims;
pub mod client_key;
pub mod delegation;
pub mod explain;
pub mod feed;
pub mod issue;
pub mod jws;
pub mod last_use;
pub mod limit;
pub mod recorder;
pub mod refusal;
pub mod replay;
pub mod responders;
pub mod token_use;
pub mod trail;

use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, Random};
use crate::domain::client::ClientId;
use crate::domain::european_business::CertificateId;
use crate::keys::SharedKeyRing;
use crate::token::access_token::TokenProfile;
use crate::token::cache::Caches;
use crate::token::claims::GrantRules;
use crate::token::client_key::EnterpriseCertificates;
use crate::token::delegation::DelegationRegisters;
use crate::token::feed::Feed;
use crate::token::last_use::LastUses;
use crate::token::limit::RateLimit;
use crate::token::replay::Replay;
use crate::token::token_use::TokenUses;

/// A token request, as the form had it.
#[derive(Clone, Copy, Debug)]
pub struct TokenRequest<'a> {
    /// The signed JWT.
    pub assertion: &'a str,
    /// The client that the form names, which must then be the one of the assertion.
    pub client_id: Option<&'a str>,
}

/// By which rules tokens are issued.
#[derive(Clone, Debug)]
pub struct IssueRules {
    /// What assertions are held against.
    pub grant: GrantRules,
    /// Seconds that a token lives, at most.
    pub lifetime_seconds_max: u32,
    /// What tokens look like.
    pub profile: TokenProfile,
    /// How long the database may be away while tokens are issued all the same.
    pub outage_max: Duration,
}

/// Issues tokens. Holds all that a request needs, made once when the server starts.
pub struct Issuer {
    /// The rules.
    pub rules: IssueRules,
    /// Who tells the time.
    pub clock: Arc<dyn Clock>,
    /// Where the `jti` of tokens comes from.
    pub random: Arc<dyn Random>,
    /// Clients, scopes, accesses and delegations.
    pub caches: Arc<Caches>,
    /// Who is asked whether a consumer has delegated.
    pub registers: DelegationRegisters,
    /// The follower that keeps the caches right.
    pub feed: Arc<Feed>,
    /// The authorities whose certificates count.
    pub certificates: Arc<EnterpriseCertificates>,
    /// How often one client may ask.
    pub requests: RateLimit<ClientId>,
    /// How often one certificate of a European business may ask.
    pub business_requests: RateLimit<CertificateId>,
    /// The register of spent assertions.
    pub replay: Replay,
    /// Notes what is used.
    pub last_uses: LastUses,
    /// Counts what is issued.
    pub token_uses: TokenUses,
    /// The keys that sign.
    pub keys: SharedKeyRing,
}
