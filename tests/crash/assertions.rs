//! Assertions of the client of a test server, signed before they are needed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use josekit::jwk::Jwk;
use josekit::jws::alg::rsassa::RsassaJwsSigner;
use josekit::jws::{JwsHeader, RS256, serialize_compact};
use portvakt::clock::{Clock as _, SystemClock};
use serde_json::json;

/// Seconds that an assertion lives.
const LIFETIME_SECONDS: i64 = 110;

/// An assertion and what the ledger wants to know of it.
#[derive(Clone, Debug)]
pub(crate) struct Assertion {
    pub(crate) jti: Arc<str>,
    pub(crate) text: Arc<str>,
    /// Seconds since 1970.
    pub(crate) expires_at: i64,
}

/// Signs with the key that `dev.env` holds.
pub(crate) struct Signer {
    key: RsassaJwsSigner,
    issuer: String,
    made: AtomicUsize,
}

impl Signer {
    pub(crate) fn new(private_jwk: &str, issuer: &str) -> Self {
        let jwk = Jwk::from_bytes(private_jwk).unwrap();
        let key = RS256.signer_from_jwk(&jwk).unwrap();
        Self { key, issuer: issuer.to_owned(), made: AtomicUsize::new(0) }
    }

    /// An assertion like no other.
    pub(crate) fn assertion(&self, client: &str, scope: &str) -> Assertion {
        let iat = SystemClock.now().seconds();
        let expires_at = iat + LIFETIME_SECONDS;
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let jti = format!("crash-{iat}-{number}");
        let claims = json!({
            "aud": self.issuer, "iss": client, "scope": scope,
            "iat": iat, "exp": expires_at, "jti": jti,
        });
        let claims = claims.to_string();
        let text = serialize_compact(claims.as_bytes(), &JwsHeader::new(), &self.key).unwrap();
        Assertion { jti: jti.into(), text: text.into(), expires_at }
    }
}
