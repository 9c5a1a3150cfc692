//! What a client has, and the assertions it makes.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use portvakt::domain::algorithm::Algorithm;
use portvakt::keys::SigningKey;
use portvakt::keys::client_jwk::ClientJwk;
use portvakt::pki::public_key::PublicKey;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, DnValue, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};

use crate::server::{ISSUER, NOW};

/// What the client has: an RSA key that is registered on one client, and an enterprise certificate for it.
pub(crate) struct ClientSide {
    pub(crate) key: SigningKey,
    pub(crate) kid_header: String,
    pub(crate) x5c_header: String,
    pub(crate) root_pem: String,
    pub(crate) intermediate_pem: String,
    next: AtomicU64,
}

impl ClientSide {
    pub(crate) fn new() -> Self {
        let (key, pkcs8) = SigningKey::generate(Algorithm::Rs256, 2048).expect("key");
        let ca = |name: &str| {
            let mut params = CertificateParams::default();
            params.distinguished_name.push(DnType::CommonName, name);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            params
        };
        let root_key = KeyPair::generate().expect("key");
        let root = ca("root").self_signed(&root_key).expect("root");
        let root_issuer = Issuer::new(ca("root"), root_key);
        let intermediate_key = KeyPair::generate().expect("key");
        let intermediate =
            ca("intermediate").signed_by(&intermediate_key, &root_issuer).expect("intermediate");
        let intermediate_issuer = Issuer::new(ca("intermediate"), intermediate_key);
        let leaf_key = KeyPair::try_from(pkcs8.as_slice()).expect("the same key");
        let mut leaf = CertificateParams::default();
        let identifier = DnValue::Utf8String("NTRNO-310000116".to_owned());
        leaf.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 97]), identifier);
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let leaf = leaf.signed_by(&leaf_key, &intermediate_issuer).expect("leaf");
        let x5c = [leaf.der(), intermediate.der()].map(|der| STANDARD.encode(der));
        let encode = |header: serde_json::Value| URL_SAFE_NO_PAD.encode(header.to_string()) + ".";
        Self {
            kid_header: encode(serde_json::json!({ "alg": "RS256", "kid": key.kid() })),
            x5c_header: encode(serde_json::json!({ "alg": "RS256", "x5c": x5c })),
            root_pem: root.pem(),
            intermediate_pem: intermediate.pem(),
            key,
            next: AtomicU64::new(0),
        }
    }

    /// The two ways to name the key, each with its header.
    pub(crate) fn headers(&self) -> [(&'static str, &String); 2] {
        [("kid", &self.kid_header), ("x5c", &self.x5c_header)]
    }

    pub(crate) fn public(&self) -> PublicKey {
        let jwk = serde_json::to_string(self.key.jwk()).expect("JWK");
        ClientJwk::parse(jwk.as_bytes()).expect("fit to register").key
    }

    pub(crate) fn assertion(&self, header: &str) -> String {
        let client = if *header == self.kid_header { "by-kid" } else { "by-x5c" };
        let claims = serde_json::json!({
            "aud": ISSUER, "iss": client, "scope": "bench:it", "iat": NOW, "exp": NOW + 120,
            "jti": format!("bench-{}", self.next.fetch_add(1, Ordering::Relaxed)),
        });
        self.key.sign(header, claims.to_string().as_bytes()).expect("signed")
    }
}
