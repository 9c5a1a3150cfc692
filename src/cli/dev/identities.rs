//! Who is on a test server: three synthetic organizations, and the clients of each.

use anyhow::Context as _;
use josekit::jwk::Jwk;
use josekit::jwk::alg::ec::EcCurve;
use josekit::jwk::alg::ec::EcKeyPair;
use josekit::jwk::alg::rsa::RsaKeyPair;
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};

/// An organization that exists nowhere else; its number passes modulus 11.
pub(super) struct TestOrganization {
    pub(super) number: &'static str,
    pub(super) name: &'static str,
    /// Whoever has an address there belongs to it.
    pub(super) email_domain: &'static str,
}

/// Owns the scopes.
pub(super) const PROVIDER: TestOrganization = TestOrganization {
    number: "310000108",
    name: "DEV API PROVIDER AS",
    email_domain: "provider.example",
};

/// Has been granted them.
pub(super) const CONSUMER: TestOrganization = TestOrganization {
    number: "310000116",
    name: "DEV CONSUMER AS",
    email_domain: "consumer.example",
};

/// Acts for the consumer.
pub(super) const SUPPLIER: TestOrganization = TestOrganization {
    number: "310000124",
    name: "DEV SUPPLIER AS",
    email_domain: "supplier.example",
};

/// The client of the consumer that uses a registered key.
pub(super) const KEY_CLIENT: &str = "dev-consumer-key-client";

/// The client of the consumer that uses an enterprise certificate.
pub(super) const CERTIFICATE_CLIENT: &str = "dev-consumer-certificate-client";

/// The client of the supplier; it uses an enterprise certificate.
pub(super) const SUPPLIER_CLIENT: &str = "dev-supplier-certificate-client";

/// The client for the admin API.
pub(super) const ADMIN_CLIENT: &str = "dev-admin-client";

/// The people of the test server: their addresses, and what they are. All have the password [`PASSWORD`].
pub(super) const OPERATOR_USER: &str = "operator@provider.example";
pub(super) const PROVIDER_USER: &str = "provider@provider.example";
pub(super) const READER_USER: &str = "reader@provider.example";
pub(super) const CONSUMER_USER: &str = "consumer@consumer.example";
pub(super) const SUPPLIER_USER: &str = "supplier@supplier.example";

/// Everybody's password. It protects nothing here.
pub(super) const PASSWORD: &str = "portvakt-dev-password";

/// The private keys of the clients that have registered one, as JWK.
pub(super) struct Identities {
    pub(super) key_client: Jwk,
    pub(super) admin_client: Jwk,
}

impl Identities {
    /// Makes new keys: RSA for the client that stands for what is in use, a curve for our own.
    pub(super) async fn make() -> anyhow::Result<Self> {
        tokio::task::spawn_blocking(|| {
            let rsa = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
            let rsa = RsaKeyPair::from_der(rsa.serialized_der())?;
            let ec = EcKeyPair::generate(EcCurve::P256)?;
            Ok(Self {
                key_client: named(rsa.to_jwk_key_pair(), "dev-consumer-key-1", "RS256"),
                admin_client: named(ec.to_jwk_key_pair(), "dev-admin-key-1", "ES256"),
            })
        })
        .await
        .context("the keys were not made")?
    }
}

fn named(mut jwk: Jwk, kid: &str, algorithm: &str) -> Jwk {
    jwk.set_key_id(kid);
    jwk.set_algorithm(algorithm);
    jwk.set_key_use("sig");
    jwk
}

/// The half of a key that is registered, with the names of the whole.
pub(super) fn public_half(key: &Jwk) -> anyhow::Result<Jwk> {
    let (kid, algorithm) = (key.key_id().unwrap_or(""), key.algorithm().unwrap_or(""));
    Ok(named(key.to_public_key()?, kid, algorithm))
}
