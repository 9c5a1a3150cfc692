//! What a client has, and the assertions it makes.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use portvakt::clock::{Clock as _, SystemClock};
use portvakt::domain::algorithm::Algorithm;
use portvakt::keys::SigningKey;
use portvakt::keys::client_jwk::ClientJwk;
use portvakt::pki::public_key::PublicKey;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, DnValue, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};

use crate::server::ISSUER;

/// What the client has: an RSA key that is registered on some clients, and enterprise certificates for it.
pub(crate) struct ClientSide {
    pub(crate) key: SigningKey,
    pub(crate) root_pem: String,
    pub(crate) intermediate_pem: String,
    root: Authority,
    intermediate: Authority,
    leaf_key: KeyPair,
    next: AtomicU64,
}

/// A client, and the header of its assertions, which names the key: encoded, with the dot that follows.
#[derive(Clone)]
pub(crate) struct Means {
    pub(crate) client: String,
    pub(crate) header: String,
}

type Authority = Issuer<'static, KeyPair>;

/// Certificates from the leaf to the root, which is counted and not sent.
#[derive(Clone, Copy)]
pub(crate) enum Chain {
    OfTwo,
    OfThree,
}

impl ClientSide {
    pub(crate) fn new() -> Self {
        let (key, pkcs8) = SigningKey::generate(Algorithm::Rs256, 2048).expect("key");
        let root_key = KeyPair::generate().expect("key");
        let root_pem = authority("root").self_signed(&root_key).expect("root").pem();
        let root = Issuer::new(authority("root"), root_key);
        let intermediate_key = KeyPair::generate().expect("key");
        let intermediate =
            authority("intermediate").signed_by(&intermediate_key, &root).expect("intermediate");
        Self {
            key,
            root_pem,
            intermediate_pem: intermediate.pem(),
            root,
            intermediate: Issuer::new(authority("intermediate"), intermediate_key),
            leaf_key: KeyPair::try_from(pkcs8.as_slice()).expect("the same key"),
            next: AtomicU64::new(0),
        }
    }

    /// The ways to name the key that are measured, each with its name.
    pub(crate) fn means(&self) -> [(&'static str, Means); 3] {
        [
            ("kid", self.by_kid("by-kid")),
            ("x5c", self.by_certificate(Chain::OfThree)),
            ("x5c of 2", self.by_certificate(Chain::OfTwo)),
        ]
    }

    /// By the registered key of that client.
    pub(crate) fn by_kid(&self, client: &str) -> Means {
        let header = serde_json::json!({ "alg": "RS256", "kid": self.key.kid() });
        Means { client: client.to_owned(), header: encoded(&header) }
    }

    /// By a certificate that is made for this call, so that nobody has seen it.
    pub(crate) fn by_certificate(&self, chain: Chain) -> Means {
        let mut leaf = CertificateParams::default();
        let identifier = DnValue::Utf8String("NTRNO-310000116".to_owned());
        leaf.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 97]), identifier);
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        leaf.serial_number = Some((number + 1).into());
        let (authority, above) = match chain {
            Chain::OfTwo => (&self.root, None),
            Chain::OfThree => (&self.intermediate, Some(der_of(&self.intermediate_pem))),
        };
        let leaf = leaf.signed_by(&self.leaf_key, authority).expect("leaf");
        let x5c: Vec<_> =
            [Some(STANDARD.encode(leaf.der())), above].into_iter().flatten().collect();
        let header = serde_json::json!({ "alg": "RS256", "x5c": x5c });
        Means { client: "by-x5c".to_owned(), header: encoded(&header) }
    }

    pub(crate) fn public(&self) -> PublicKey {
        let jwk = serde_json::to_string(self.key.jwk()).expect("JWK");
        ClientJwk::parse(jwk.as_bytes()).expect("fit to register").key
    }

    /// An assertion that lives for two minutes from now.
    pub(crate) fn assertion(&self, means: &Means) -> String {
        let now = SystemClock.now().seconds();
        let claims = serde_json::json!({
            "aud": ISSUER, "iss": means.client, "scope": "bench:it", "iat": now, "exp": now + 120,
            "jti": format!("bench-{}", self.next.fetch_add(1, Ordering::Relaxed)),
        });
        self.key.sign(&means.header, claims.to_string().as_bytes()).expect("signed")
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// The base64 between the lines of a PEM file, which is what stands in `x5c`.
fn der_of(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with("-----")).collect()
}

fn encoded(header: &serde_json::Value) -> String {
    URL_SAFE_NO_PAD.encode(header.to_string()) + "."
}
