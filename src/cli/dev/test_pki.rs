//! The test PKI of `portvakt dev`: a root, an intermediate, and enterprise certificates as the vendors ship them.

use anyhow::Context as _;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::PKey;
use openssl::stack::Stack;
use openssl::x509::X509;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertificateRevocationListParams,
    CustomExtension, DistinguishedName, DnType, DnValue, IsCa, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize, SerialNumber,
};
use time::{Duration, OffsetDateTime};

use crate::cli::dev::identities::{CONSUMER, SUPPLIER};
use crate::clock::{Clock as _, SystemClock};

/// The password of the PKCS#12 files. It protects nothing here, but vendors' files always have one.
pub(super) const P12_PASSWORD: &str = "portvakt-dev";

/// The policy that Digdir's own test certificates carry; no real authority uses it.
pub(super) const POLICY: &str = "2.16.578.1.1.1.1.100";

/// `certificatePolicies` with that one policy, in DER.
const POLICY_EXTENSION: [u8; 14] =
    [0x30, 0x0c, 0x30, 0x0a, 0x06, 0x08, 0x60, 0x84, 0x42, 0x01, 0x01, 0x01, 0x01, 0x64];

/// The test PKI as files.
pub(super) struct TestPki {
    pub(super) root: String,
    pub(super) intermediate: String,
    pub(super) crls: String,
    pub(super) intermediate_key: String,
    pub(super) consumer: EnterpriseCertificate,
    pub(super) supplier: EnterpriseCertificate,
}

/// An enterprise certificate in the forms in which organizations get theirs.
pub(super) struct EnterpriseCertificate {
    /// The certificate and the intermediate, PEM.
    pub(super) chain: String,
    /// The private key, PKCS#8 PEM.
    pub(super) key: String,
    /// All of it, PKCS#12.
    pub(super) p12: Vec<u8>,
}

impl TestPki {
    /// Makes a new PKI. Elliptic curves for the authorities, because they are quick to make; RSA for the
    /// certificates, because that is what clients sign with.
    pub(super) fn make() -> anyhow::Result<Self> {
        let now = OffsetDateTime::from_unix_timestamp(SystemClock.now().seconds())?;
        let root_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let root_params = authority("Portvakt dev root", now, 1);
        let root = root_params.self_signed(&root_key)?;
        let root_issuer = Issuer::new(root_params, root_key);
        let intermediate_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let intermediate_key_pem = intermediate_key.serialize_pem();
        let intermediate_params = authority("Portvakt dev enterprise CA", now, 0);
        let intermediate = intermediate_params.signed_by(&intermediate_key, &root_issuer)?;
        let intermediate_issuer = Issuer::new(intermediate_params, intermediate_key);
        let crls = [crl(&root_issuer, now)?, crl(&intermediate_issuer, now)?].concat();
        let (consumer, supplier) = std::thread::scope(|scope| {
            let issue = |organization| {
                enterprise_certificate(organization, now, &intermediate, &intermediate_issuer)
            };
            let consumer = scope.spawn(move || issue(&CONSUMER));
            (consumer.join(), issue(&SUPPLIER))
        });
        Ok(Self {
            root: root.pem(),
            intermediate: intermediate.pem(),
            crls,
            intermediate_key: intermediate_key_pem,
            consumer: consumer.map_err(|_| anyhow::anyhow!("no certificate was made"))??,
            supplier: supplier?,
        })
    }
}

fn authority(name: &str, now: OffsetDateTime, path_length: u8) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = subject(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(path_length));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    (params.not_before, params.not_after) = validity(now, 10);
    params
}

fn enterprise_certificate(
    organization: &crate::cli::dev::identities::TestOrganization,
    now: OffsetDateTime,
    intermediate: &Certificate,
    issuer: &Issuer<'_, KeyPair>,
) -> anyhow::Result<EnterpriseCertificate> {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = subject(organization.name);
    // organizationIdentifier, which names the organization (ETSI EN 319 412-1 section 5.1.4).
    let identifier = DnValue::Utf8String(format!("NTRNO-{}", organization.number));
    params.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 97]), identifier);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::ContentCommitment];
    let policies = CustomExtension::from_oid_content(&[2, 5, 29, 32], POLICY_EXTENSION.to_vec());
    params.custom_extensions = vec![policies];
    (params.not_before, params.not_after) = validity(now, 3);
    let certificate = params.signed_by(&key, issuer)?;
    Ok(EnterpriseCertificate {
        chain: certificate.pem() + &intermediate.pem(),
        key: key.serialize_pem(),
        p12: pkcs12(organization.name, &certificate, &key, intermediate)?,
    })
}

fn pkcs12(
    name: &str,
    certificate: &Certificate,
    key: &KeyPair,
    intermediate: &Certificate,
) -> anyhow::Result<Vec<u8>> {
    let mut authorities = Stack::new()?;
    authorities.push(X509::from_der(intermediate.der())?)?;
    let key = PKey::private_key_from_der(key.serialized_der())?;
    let certificate = X509::from_der(certificate.der())?;
    let mut builder = Pkcs12::builder();
    let p12 = builder.name(name).pkey(&key).cert(&certificate).ca(authorities);
    p12.build2(P12_PASSWORD)?.to_der().context("PKCS#12")
}

fn subject(name: &str) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CountryName, "NO");
    subject.push(DnType::OrganizationName, name);
    subject.push(DnType::CommonName, name);
    subject
}

/// From an hour ago, so that no clock is too early, for some years.
fn validity(now: OffsetDateTime, years: i64) -> (OffsetDateTime, OffsetDateTime) {
    (now - Duration::hours(1), now + Duration::days(365 * years))
}

/// An empty revocation list that stays fresh as long as the authority lives.
fn crl(issuer: &Issuer<'_, KeyPair>, now: OffsetDateTime) -> anyhow::Result<String> {
    let (this_update, next_update) = validity(now, 10);
    let params = CertificateRevocationListParams {
        this_update,
        next_update,
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    Ok(params.signed_by(issuer)?.pem()?)
}
