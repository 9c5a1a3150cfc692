//! The keys in use: the one that signs, and the set that is published.

use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::JwkSet;

use crate::keys::KeyError;
use crate::keys::signing_key::{SigningKey, TokenType};

/// The keys of one moment. It never changes; rotation puts another in its place.
pub struct KeyRing {
    active: SigningKey,
    header: String,
    jwks: PublishedDocument,
    verifiers: Vec<Verifier>,
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
    /// A ring in which `active` signs and is published together with `others`.
    pub fn new(
        active: SigningKey,
        others: &[SigningKey],
        token_type: TokenType,
    ) -> Result<Self, KeyError> {
        let keys = std::iter::once(&active).chain(others).map(|key| key.jwk().clone()).collect();
        let document = serde_json::to_string(&JwkSet { keys }).map_err(|_| KeyError::Pkcs8)?;
        let jwks = PublishedDocument::new(document);
        let verifiers = std::iter::once(&active).chain(others).map(Verifier::of);
        let verifiers = verifiers.collect::<Result<_, _>>()?;
        Ok(Self { header: active.header(token_type), active, jwks, verifiers })
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

    /// Makes the compact JWS of `payload` with the active key.
    pub fn sign(&self, payload: &[u8]) -> Result<String, KeyError> {
        let ring = self.current();
        ring.active.sign(&ring.header, payload)
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

    /// Whether tokens are signed with the key of that id now.
    pub fn signs_with(&self, kid: &str) -> bool {
        self.current().active.kid() == kid
    }

    fn current(&self) -> Arc<KeyRing> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}
