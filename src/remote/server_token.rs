//! Tokens with which this server proves itself to servers that it asks.
//!
//! They are signed by the same keys as all others, so whoever trusts our issuer can check them. Nobody has asked
//! for them with an assertion, so nothing is decided or spent: that the operator has configured the scope is
//! the decision.

use std::sync::Arc;

use serde::Serialize;

use crate::clock::{Random, Timestamp};
use crate::domain::scope::ScopeName;
use crate::keys::SharedKeyRing;
use crate::token::access_token::new_jti;

/// Seconds that such a token lives: it is made for one question, and this is for clocks that differ.
const LIFETIME_SECONDS: i64 = 30;

/// Mints tokens of this server for one audience.
pub struct ServerTokens {
    /// Who we are.
    pub issuer: String,
    /// Who the tokens are for.
    pub audience: String,
    /// What they allow.
    pub scope: ScopeName,
    /// The keys that sign.
    pub keys: SharedKeyRing,
    /// Where the `jti` of tokens comes from.
    pub random: Arc<dyn Random>,
}

/// The claims, in the order of other tokens. There is no `consumer`, because the server acts for no
/// organization. The `client_id` is our issuer, which the id of no client can be.
#[derive(Serialize)]
struct Claims<'a> {
    scope: &'a str,
    iss: &'a str,
    token_type: &'static str,
    exp: i64,
    iat: i64,
    client_id: &'a str,
    jti: String,
    aud: &'a str,
    sub: &'a str,
}

impl ServerTokens {
    /// A token for one question, or why there is none.
    pub(super) fn mint(&self, now: Timestamp) -> Result<String, String> {
        let claims = Claims {
            scope: self.scope.as_str(),
            iss: &self.issuer,
            token_type: "Bearer",
            exp: now.plus_seconds(LIFETIME_SECONDS).seconds(),
            iat: now.seconds(),
            client_id: &self.issuer,
            jti: new_jti(&*self.random),
            aud: &self.audience,
            sub: &self.issuer,
        };
        let claims = serde_json::to_vec(&claims).map_err(|error| error.to_string())?;
        self.keys.sign(&claims, now).map_err(|error| error.to_string())
    }
}
