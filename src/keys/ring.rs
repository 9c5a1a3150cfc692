//! The keys in use: those that sign in turn, and the set that is published.

use std::cmp::Reverse;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::JwkSet;

use crate::clock::Timestamp;
use crate::keys::KeyError;
use crate::keys::signing_key::{SigningKey, TokenType};

/// The keys in use. It never changes; rotation puts another in its place.
pub struct KeyRing {
    /// Those that tokens are signed with in turn, the last first. There is at least one.
    signers: Vec<Signer>,
    jwks: PublishedDocument,
    verifiers: Vec<Verifier>,
}

/// A key that signs from a moment on, until the next does.
struct Signer {
    signs_from: Timestamp,
    key: SigningKey,
    header: String,
}

/// The public half of a key, to check what it has signed.
struct Verifier {
    kid: String,
    algorithm: jsonwebtoken::Algorithm,
    key: DecodingKey,
}

/// A JSON document that everybody may fetch, ready to be sent.
#[derive(Clone, Debug)]
pub struct PublishedDocument {
    /// The document.
    pub text: Arc<str>,
    /// A validator for caches (RFC 9110 section 8.8.3), with its quotes: it changes when the text does.
    pub etag: Arc<str>,
}

impl PublishedDocument {
    /// The document of that text.
    pub fn new(text: String) -> Self {
        let hash = digest(&SHA256, text.as_bytes());
        let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]));
        Self { text: text.into(), etag: etag.into() }
    }
}

impl KeyRing {
    /// A ring in which `signers` sign in turn, each from its moment on, and are published together with `others`;
    /// nothing when nobody signs.
    pub fn new(
        mut signers: Vec<(Timestamp, SigningKey)>,
        others: &[SigningKey],
        token_type: TokenType,
    ) -> Result<Option<Self>, KeyError> {
        if signers.is_empty() {
            return Ok(None);
        }
        signers.sort_by_key(|(signs_from, _)| Reverse(*signs_from));
        let published = || signers.iter().map(|(_, key)| key).chain(others);
        let keys = published().map(|key| key.jwk().clone()).collect();
        let document = serde_json::to_string(&JwkSet { keys }).map_err(|_| KeyError::Pkcs8)?;
        let jwks = PublishedDocument::new(document);
        let verifiers = published().map(Verifier::of).collect::<Result<_, _>>()?;
        let signers = signers.into_iter().map(|(signs_from, key)| {
            let header = key.header(token_type);
            Signer { signs_from, key, header }
        });
        Ok(Some(Self { signers: signers.collect(), jwks, verifiers }))
    }

    /// The key whose turn it is. Before the first turn, the first: a clock that was set back stops no token.
    fn signer(&self, now: Timestamp) -> Option<&Signer> {
        let begun = self.signers.iter().find(|signer| signer.signs_from <= now);
        begun.or_else(|| self.signers.last())
    }
}

impl Verifier {
    fn of(key: &SigningKey) -> Result<Self, KeyError> {
        Ok(Self {
            kid: key.kid().to_owned(),
            algorithm: key.algorithm().name().parse().map_err(|_| KeyError::Unsupported)?,
            key: DecodingKey::from_jwk(key.jwk()).map_err(|_| KeyError::Pkcs8)?,
        })
    }
}

/// The ring that is in use now; every holder of a clone sees it replaced at the same moment.
#[derive(Clone)]
pub struct SharedKeyRing(Arc<RwLock<Arc<KeyRing>>>);

impl SharedKeyRing {
    /// Puts the first ring into use.
    pub fn new(ring: KeyRing) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(ring))))
    }

    /// Puts another ring into use.
    pub fn replace(&self, ring: KeyRing) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
    }

    /// The key set to publish (RFC 7517 section 5).
    pub fn published(&self) -> PublishedDocument {
        self.current().jwks.clone()
    }

    /// Makes the compact JWS of `payload` with the key whose turn it is at `now`.
    pub fn sign(&self, payload: &[u8], now: Timestamp) -> Result<String, KeyError> {
        let ring = self.current();
        let signer = ring.signer(now).ok_or(KeyError::Signing)?;
        signer.key.sign(&signer.header, payload)
    }

    /// Whether the published key `kid`, used with the algorithm of that name, has made this signature, in
    /// base64url, over `message`. It is checked by another library than the one that signs.
    pub fn verify(&self, kid: &str, algorithm: &str, message: &[u8], signature: &str) -> bool {
        let ring = self.current();
        let verifier = ring.verifiers.iter().find(|verifier| verifier.kid == kid);
        verifier.is_some_and(|verifier| {
            algorithm.parse() == Ok(verifier.algorithm)
                && jsonwebtoken::crypto::verify(
                    signature,
                    message,
                    &verifier.key,
                    verifier.algorithm,
                )
                .is_ok_and(|is_right| is_right)
        })
    }

    fn current(&self) -> Arc<KeyRing> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::algorithm::Algorithm;

    #[test]
    fn keys_sign_in_turn_and_are_published_all_the_while() {
        let at = Timestamp::from_seconds;
        let key = || SigningKey::generate(Algorithm::Es256, 0).unwrap().0;
        let (first, second, other) = (key(), key(), key());
        let kids = [second.kid(), first.kid(), other.kid()].map(str::to_owned);
        let signers = vec![(at(100), first), (at(200), second)];
        let ring = KeyRing::new(signers, &[other], TokenType::Unsaid).unwrap().unwrap();
        let signs = |now| ring.signer(at(now)).unwrap().key.kid().to_owned();
        assert_eq!([signs(99), signs(100), signs(199)], [&*kids[1]; 3]);
        assert_eq!([signs(200), signs(9_999)], [&*kids[0]; 2]);
        let jwks: serde_json::Value = serde_json::from_str(&ring.jwks.text).unwrap();
        let published = jwks["keys"].as_array().unwrap().iter();
        let published: Vec<_> = published.map(|key| key["kid"].as_str().unwrap()).collect();
        assert_eq!(published, kids);
        assert!(KeyRing::new(Vec::new(), &[], TokenType::Unsaid).unwrap().is_none());
    }
}
