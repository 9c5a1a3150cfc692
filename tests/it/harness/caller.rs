//! The client side, on OpenSSL: keys, and assertions of which every byte can be chosen.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::{Padding, Rsa};
use openssl::sign::{RsaPssSaltlen, Signer};
use portvakt::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::harness::ISSUER;
use crate::harness::clock::NOW;

/// A private key and the algorithm it is registered for.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) pair: PKey<Private>,
    pub(crate) algorithm: &'static str,
}

impl Key {
    pub(crate) fn generate(algorithm: &'static str) -> Self {
        let pair = match algorithm {
            "RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" => {
                PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap()
            }
            "ES256" => ec(Nid::X9_62_PRIME256V1),
            "ES384" => ec(Nid::SECP384R1),
            "EdDSA" => PKey::generate_ed25519().unwrap(),
            other => panic!("{other}"),
        };
        Self { pair, algorithm }
    }

    /// A key read from PKCS#8.
    pub(crate) fn from_pkcs8(algorithm: &'static str, der: &[u8]) -> Self {
        Self { pair: PKey::private_key_from_pkcs8(der).unwrap(), algorithm }
    }

    /// The public half as a JWK.
    pub(crate) fn jwk(&self, kid: &str) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut jwk = match self.pair.id() {
            Id::RSA => {
                let rsa = self.pair.rsa().unwrap();
                json!({ "kty": "RSA", "n": text(&rsa.n().to_vec()), "e": text(&rsa.e().to_vec()) })
            }
            Id::EC => {
                let (x, y) = self.point();
                let curve = if x.len() == 32 { "P-256" } else { "P-384" };
                json!({ "kty": "EC", "crv": curve, "x": text(&x), "y": text(&y) })
            }
            _ => {
                let x = text(&self.pair.raw_public_key().unwrap());
                json!({ "kty": "OKP", "crv": "Ed25519", "x": x })
            }
        };
        jwk["kid"] = kid.into();
        jwk["alg"] = self.algorithm.into();
        jwk["use"] = "sig".into();
        jwk
    }

    /// The coordinates of an elliptic-curve key.
    fn point(&self) -> (Vec<u8>, Vec<u8>) {
        let key = self.pair.ec_key().unwrap();
        let mut context = openssl::bn::BigNumContext::new().unwrap();
        let form = openssl::ec::PointConversionForm::UNCOMPRESSED;
        let point = key.public_key().to_bytes(key.group(), form, &mut context).unwrap();
        let (x, y) = point[1..].split_at((point.len() - 1) / 2);
        (x.to_vec(), y.to_vec())
    }

    /// Signs as the algorithm of the key says.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.sign_as(self.algorithm, message)
    }

    /// Signs as `algorithm` says, whatever the key is registered for.
    pub(crate) fn sign_as(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let digest = match algorithm.get(2..) {
            Some("384") => MessageDigest::sha384(),
            Some("512") => MessageDigest::sha512(),
            _ => MessageDigest::sha256(),
        };
        match &algorithm[..2] {
            "RS" => {
                let mut signer = Signer::new(digest, &self.pair).unwrap();
                signer.sign_oneshot_to_vec(message).unwrap()
            }
            "PS" => self.sign_pss(digest, digest, RsaPssSaltlen::DIGEST_LENGTH, message),
            "ES" => {
                let key = self.pair.ec_key().unwrap();
                let hash = openssl::hash::hash(digest, message).unwrap();
                let signature = EcdsaSig::sign(&hash, &key).unwrap();
                let width = (i32::try_from(key.group().degree()).unwrap() + 7) / 8;
                let r = signature.r().to_vec_padded(width).unwrap();
                [r, signature.s().to_vec_padded(width).unwrap()].concat()
            }
            _ => {
                let mut signer = Signer::new_without_digest(&self.pair).unwrap();
                signer.sign_oneshot_to_vec(message).unwrap()
            }
        }
    }

    /// Signs with RSASSA-PSS of any kind.
    pub(crate) fn sign_pss(
        &self,
        digest: MessageDigest,
        mask: MessageDigest,
        salt: RsaPssSaltlen,
        message: &[u8],
    ) -> Vec<u8> {
        let mut signer = Signer::new(digest, &self.pair).unwrap();
        signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
        signer.set_rsa_mgf1_md(mask).unwrap();
        signer.set_rsa_pss_saltlen(salt).unwrap();
        signer.sign_oneshot_to_vec(message).unwrap()
    }
}

fn ec(curve: Nid) -> PKey<Private> {
    let group = EcGroup::from_curve_name(curve).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

/// An HMAC, for those who take a public key for a secret.
pub(crate) fn hmac(secret: &[u8], message: &[u8]) -> Vec<u8> {
    let key = PKey::hmac(if secret.is_empty() { &[0] } else { secret }).unwrap();
    Signer::new(MessageDigest::sha256(), &key).unwrap().sign_oneshot_to_vec(message).unwrap()
}

/// A client that can sign.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) client_id: String,
    pub(crate) key: Key,
    /// What its assertions say about the key: `kid` or `x5c`.
    pub(crate) hint: (&'static str, Value),
    /// The scope it asks for.
    pub(crate) scope: &'static str,
    /// The same client with a key or a certificate that is in order, where this one's may not be.
    pub(crate) good: Option<Box<Caller>>,
}

impl Caller {
    /// A good assertion, to be spoilt.
    pub(crate) fn draft(&self) -> Draft {
        let header = json!({ "alg": self.key.algorithm, "typ": "JWT", self.hint.0: self.hint.1 });
        let jti = new_jti();
        let claims = json!({
            "aud": ISSUER,
            "exp": NOW + 60,
            "iat": NOW,
            "iss": self.client_id,
            "jti": jti,
            "scope": self.scope,
        });
        let (caller, signer) = (self.clone(), self.key.clone());
        Draft { caller, signer, header, claims, jti, hostile: Vec::new() }
    }

    /// A good assertion.
    pub(crate) fn assertion(&self) -> String {
        self.draft().sign()
    }
}

/// A text that no other assertion of this run has as its `jti`.
pub(crate) fn new_jti() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("jti-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// An assertion that is being written.
#[derive(Clone)]
pub(crate) struct Draft {
    caller: Caller,
    signer: Key,
    pub(crate) header: Value,
    pub(crate) claims: Value,
    /// The `jti` that the assertion had at first.
    pub(crate) jti: String,
    /// Texts put into it that no answer may repeat.
    pub(crate) hostile: Vec<String>,
}

impl Draft {
    pub(crate) fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        self.note(&value);
        self.header[name] = value;
        self
    }

    pub(crate) fn without_header(mut self, name: &str) -> Self {
        self.header.as_object_mut().unwrap().remove(name);
        self
    }

    pub(crate) fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        self.note(&value);
        self.claims[name] = value;
        self
    }

    pub(crate) fn without_claim(mut self, name: &str) -> Self {
        self.claims.as_object_mut().unwrap().remove(name);
        self
    }

    pub(crate) fn signed_by(mut self, key: &Key) -> Self {
        self.signer = key.clone();
        self
    }

    /// The same, fresh for a server with the real clock.
    pub(crate) fn now(self) -> Self {
        let now = SystemClock.now().seconds();
        self.claim("iat", now).claim("exp", now + 60)
    }

    /// The same with a `jti` of its own.
    pub(crate) fn anew(mut self) -> Self {
        self.jti = new_jti();
        self.claims["jti"] = self.jti.clone().into();
        self
    }

    /// What is not made of the characters of identifiers must never come back.
    fn note(&mut self, value: &Value) {
        if let Some(text) = value.as_str() {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"._:-/".contains(&b);
            if text.len() > 2 && (!text.trim().bytes().all(plain) || text.len() > 255) {
                self.hostile.push(text.to_owned());
            }
        }
    }

    /// The text, with a right signature of the key, whatever the header says.
    pub(crate) fn sign(&self) -> String {
        self.sign_texts(self.header.to_string(), self.claims.to_string())
    }

    /// The text with a header of exactly these bytes.
    pub(crate) fn sign_header(&self, header: impl AsRef<[u8]>) -> String {
        self.sign_texts(header, self.claims.to_string())
    }

    /// The text with claims of exactly these bytes.
    pub(crate) fn sign_claims(&self, claims: impl AsRef<[u8]>) -> String {
        self.sign_texts(self.header.to_string(), claims)
    }

    /// The text of these bytes, with a right signature.
    pub(crate) fn sign_texts(&self, header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
        let message = message(header, claims);
        let signature = self.signer.sign(message.as_bytes());
        with_signature(&message, &signature)
    }

    /// What the signature of the unspoilt text is over.
    pub(crate) fn message(&self) -> String {
        message(self.header.to_string(), self.claims.to_string())
    }

    /// A good assertion with the `jti` of this one.
    pub(crate) fn again(&self) -> String {
        let mut good = self.caller.good.as_deref().unwrap_or(&self.caller).draft();
        good.claims["jti"] = self.jti.clone().into();
        good.sign()
    }
}

/// Header and claims, encoded.
pub(crate) fn message(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
}

/// The compact form.
pub(crate) fn with_signature(message: &str, signature: &[u8]) -> String {
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}
