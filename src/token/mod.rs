//! The token path: what happens to one request, in ten steps.
//!
//! 1. The form is read ([`crate::http`]).
//! 2. The assertion's shape is read under strict limits ([`jws`]).
//! 3. The client is found ([`cache`]).
//! 4. The key is found: registered (`kid`), or that of an enterprise certificate (`x5c`) which leads to an
//!    authority that counts here and is of the client's organization ([`client_key`], [`crate::pki`]).
//! 5. The signature is verified ([`assertion`]).
//! 6. Audience, times and the other claims are checked ([`claims`]).
//! 7. It is decided whether the client may have every scope it asks for ([`access`]).
//! 8. The assertion is spent: one durable insert, before anything is signed ([`replay`]).
//! 9. The access token is made and signed ([`access_token`], [`crate::keys`]).
//! 10. The answer is written ([`crate::http`]).
//!
//! [`issue`] reads like this list. Invariants: a type named *verified* can only be made by the check it is
//! named after; a refused assertion is not spent; nothing is signed that was not spent; what is cached is
//! never older than the change feed ([`feed`]), and when the feed cannot be read no token is issued.

pub mod access;
pub mod access_token;
pub mod assertion;
pub mod cache;
pub mod claims;
pub mod client_key;
pub mod feed;
pub mod issue;
pub mod jws;
pub mod refusal;
pub mod replay;
pub mod trail;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::{Clock, Random};
use crate::domain::client::ClientStatus;
use crate::keys::SharedKeyRing;
use crate::token::access_token::{AccessToken, TokenProfile};
use crate::token::cache::Caches;
use crate::token::claims::GrantRules;
use crate::token::client_key::{EnterpriseCertificates, KeyedClient};
use crate::token::feed::Feed;
use crate::token::jws::UnverifiedAssertion;
use crate::token::refusal::Refusal;
use crate::token::replay::Replay;

/// Bytes of a token's `jti`: 43 characters of base64url, as in Maskinporten's tokens.
const JTI_BYTES: usize = 32;

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
    /// The follower that keeps the caches right.
    pub feed: Arc<Feed>,
    /// The authorities whose certificates count.
    pub certificates: EnterpriseCertificates,
    /// The register of spent assertions.
    pub replay: Replay,
    /// The keys that sign.
    pub keys: SharedKeyRing,
}

impl Issuer {
    /// The active client that the assertion claims to be from. What it claims is proved later.
    async fn client(
        &self,
        request: &TokenRequest<'_>,
        assertion: &UnverifiedAssertion<'_>,
    ) -> Result<Arc<KeyedClient>, Refusal> {
        let issuer = assertion.issuer()?;
        if request.client_id.is_some_and(|client_id| client_id != issuer) {
            return Err(Refusal::ClientMismatch);
        }
        let id = issuer.parse().map_err(|_| Refusal::UnknownClient)?;
        let client = self.caches.client(&id).await?;
        let active = client.filter(|client| client.client.status == ClientStatus::Active);
        active.ok_or(Refusal::UnknownClient)
    }

    fn new_jti(&self) -> String {
        let mut bytes = [0; JTI_BYTES];
        self.random.fill(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn sign(&self, token: &AccessToken<'_>) -> Result<String, Refusal> {
        let unavailable = |cause: &dyn ToString| Refusal::Unavailable { cause: cause.to_string() };
        let claims = token.to_json().map_err(|error| unavailable(&error))?;
        self.keys.sign(&claims).map_err(|error| unavailable(&error))
    }
}
