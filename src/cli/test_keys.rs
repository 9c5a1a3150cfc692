//! Keys and certificates for the tests of the client commands.

use josekit::jwk::Jwk;
use josekit::jwk::KeyPair;
use josekit::jwk::alg::ec::EcKeyPair;
use josekit::jwk::alg::ed::EdKeyPair;
use josekit::jwk::alg::rsa::RsaKeyPair;
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, KeyUsage};
use openssl::x509::{X509, X509Builder, X509Name};

/// An RSA key of the smallest size that is accepted.
pub(super) fn rsa() -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap()
}

/// A key on a curve.
pub(super) fn ec(curve: Nid) -> PKey<Private> {
    let group = EcGroup::from_curve_name(curve).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

/// The private JWK of a key, without `kid` and `alg`.
pub(super) fn jwk(key: &PKey<Private>) -> Jwk {
    let der = key.private_key_to_pkcs8().unwrap();
    match key.id() {
        Id::RSA => RsaKeyPair::from_der(der).unwrap().to_jwk_key_pair(),
        Id::EC => EcKeyPair::from_der(der, None).unwrap().to_jwk_key_pair(),
        _ => EdKeyPair::from_der(der).unwrap().to_jwk_key_pair(),
    }
}

/// A certificate of `subject` for `key`, signed as `issuer` by `issuer_key`.
pub(super) fn certificate(
    subject: &str,
    key: &PKey<Private>,
    issuer: &str,
    issuer_key: &PKey<Private>,
) -> X509 {
    let mut certificate = unsigned(subject, key, issuer);
    certificate.sign(issuer_key, MessageDigest::sha256()).unwrap();
    certificate.build()
}

/// A self-signed certificate of an authority.
pub(super) fn authority(subject: &str, key: &PKey<Private>) -> X509 {
    let mut certificate = unsigned(subject, key, subject);
    let constraints = BasicConstraints::new().critical().ca().build().unwrap();
    certificate.append_extension(constraints).unwrap();
    let usage = KeyUsage::new().critical().key_cert_sign().crl_sign().build().unwrap();
    certificate.append_extension(usage).unwrap();
    certificate.sign(key, MessageDigest::sha256()).unwrap();
    certificate.build()
}

fn unsigned(subject: &str, key: &PKey<Private>, issuer: &str) -> X509Builder {
    let name = |common_name: &str| {
        let mut name = X509Name::builder().unwrap();
        name.append_entry_by_nid(Nid::COMMONNAME, common_name).unwrap();
        name.build()
    };
    let mut certificate = X509::builder().unwrap();
    certificate.set_version(2).unwrap();
    let serial = BigNum::from_u32(7).unwrap().to_asn1_integer().unwrap();
    certificate.set_serial_number(&serial).unwrap();
    certificate.set_subject_name(&name(subject)).unwrap();
    certificate.set_issuer_name(&name(issuer)).unwrap();
    certificate.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    certificate.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
    certificate.set_pubkey(key).unwrap();
    certificate
}
