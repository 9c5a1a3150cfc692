//! Right assertions to begin from, one of each kind of key.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use josekit::jwk::Jwk;
use josekit::jwk::alg::ec::{EcCurve, EcKeyPair};
use josekit::jwk::alg::ed::{EdCurve, EdKeyPair};
use josekit::jwk::alg::rsa::RsaKeyPair;
use josekit::jws::{self, ES256, EdDSA, JwsHeader, JwsSigner, PS256, RS256};
use portvakt::domain::algorithm::Algorithm;
use portvakt::keys::client_jwk::ClientJwk;
use portvakt::pki::public_key::PublicKey;
use portvakt::token::jws::UnverifiedAssertion;

/// A client's key, and two assertions that it has signed.
pub(crate) struct Signed {
    pub(crate) key: PublicKey,
    pub(crate) assertion: String,
    pub(crate) other: String,
    /// Signed just as well, under headers that name any other algorithm.
    pub(crate) mislabelled: Vec<String>,
}

/// RS256, PS256, ES256 and `EdDSA`.
pub(crate) static SIGNED: LazyLock<Vec<Signed>> = LazyLock::new(|| {
    let rsa = RsaKeyPair::generate(2048).unwrap().to_jwk_key_pair();
    let ec = EcKeyPair::generate(EcCurve::P256).unwrap().to_jwk_key_pair();
    let ed = EdKeyPair::generate(EdCurve::Ed25519).unwrap().to_jwk_key_pair();
    vec![
        sign(&rsa, "RS256", &RS256.signer_from_jwk(&rsa).unwrap()),
        sign(&rsa, "PS256", &PS256.signer_from_jwk(&rsa).unwrap()),
        sign(&ec, "ES256", &ES256.signer_from_jwk(&ec).unwrap()),
        sign(&ed, "EdDSA", &EdDSA.signer_from_jwk(&ed).unwrap()),
    ]
});

fn sign(jwk: &Jwk, algorithm: &str, signer: &dyn JwsSigner) -> Signed {
    let mut public = jwk.to_public_key().unwrap();
    public.set_key_id("a-key");
    public.set_algorithm(algorithm);
    let mut header = JwsHeader::new();
    header.set_key_id("a-key");
    let sign = |claims: &str| jws::serialize_compact(claims.as_bytes(), &header, signer).unwrap();
    let mislabelled = Algorithm::ALL.map(Algorithm::name).into_iter().chain(["none", "HS256"]);
    let mislabelled = mislabelled.filter(|name| *name != algorithm).map(|name| {
        let header = format!(r#"{{"alg":"{name}","kid":"a-key"}}"#);
        let message = format!("{}.e30", URL_SAFE_NO_PAD.encode(header));
        let signature = signer.sign(message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    });
    Signed {
        mislabelled: mislabelled.collect(),
        key: ClientJwk::parse(public.to_string().as_bytes()).unwrap().key,
        assertion: sign(r#"{"iss":"a-client","jti":"1","scope":"a:b"}"#),
        other: sign(r#"{"iss":"a-client","jti":"2","scope":"a:b"}"#),
    }
}

impl Signed {
    /// Whether the text is an assertion with a right signature of the key.
    pub(crate) fn accepts(&self, text: &str) -> bool {
        UnverifiedAssertion::parse(text).and_then(|read| read.verify(&self.key)).is_ok()
    }
}
