//! What the tests of this layer share: a small public-key infrastructure whose every detail can be
//! spoilt, and hand-made DER for what no tool would make.

mod authorities;
mod certificates;
mod chains;
mod leaves;
mod norway;
mod ocsp;
mod organizations;
mod public_keys;
mod revocation_lists;
mod rsa_keys;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CustomExtension,
    DistinguishedName, DnType, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PublicKeyData,
    RevocationReason, RevokedCertParams, SerialNumber, SignatureAlgorithm,
};
use time::OffsetDateTime;

use crate::clock::Timestamp;
use crate::domain::trust::TrustEnvironment;
use crate::pki::chain::CertificateChain;
use crate::pki::error::PkiError;
use crate::pki::trust_set::{
    OrganizationRule, PolicyRule, RevocationPolicy, SerialNumberRule, TrustRules, TrustSet,
    TrustSetSource, VerifiedChain,
};

/// The organization that test leaves name.
pub(super) const ORGANIZATION: &str = "991825827";
/// The policy that test leaves are issued under.
pub(super) const POLICY: &str = "2.16.578.1.1.1.1.100";
const CLIENT_AUTHENTICATION: &str = "1.3.6.1.5.5.7.3.2";
/// The serial number of test leaves.
pub(super) const LEAF_SERIAL: &[u8] = &[0x11, 0x22];
/// The serial number of the test intermediate.
pub(super) const CA_SERIAL: &[u8] = &[0x7a];

/// A moment at which everything that is not spoilt is valid.
pub(super) fn now() -> Timestamp {
    at("2025-06-01T12:00:00Z")
}

pub(super) fn at(text: &str) -> Timestamp {
    Timestamp::from_rfc3339(text).unwrap()
}

pub(super) fn moment(text: &str) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(at(text).seconds()).unwrap()
}

/// An authority that signs what it is told to.
pub(super) struct Authority {
    pub(super) key: KeyPair,
    pub(super) params: CertificateParams,
    pub(super) der: Vec<u8>,
}

impl Authority {
    pub(super) fn root(name: &str, spoil: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = authority_params(name);
        spoil(&mut params);
        let key = KeyPair::generate().unwrap();
        let der = params.self_signed(&key).unwrap().der().to_vec();
        Self { key, params, der }
    }

    pub(super) fn below(&self, name: &str, spoil: impl FnOnce(&mut CertificateParams)) -> Self {
        self.certify(KeyPair::generate().unwrap(), name, spoil)
    }

    /// Certifies an authority that has a key already.
    pub(super) fn certify(
        &self,
        key: KeyPair,
        name: &str,
        spoil: impl FnOnce(&mut CertificateParams),
    ) -> Self {
        let mut params = authority_params(name);
        params.serial_number = Some(SerialNumber::from_slice(CA_SERIAL));
        spoil(&mut params);
        let der = params.signed_by(&key, &self.issuer()).unwrap().der().to_vec();
        Self { key, params, der }
    }

    /// A leaf with a key of its own.
    pub(super) fn leaf(&self, spoil: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
        self.leaf_with_key(&KeyPair::generate().unwrap(), spoil)
    }

    pub(super) fn leaf_with_key(
        &self,
        key: &impl PublicKeyData,
        spoil: impl FnOnce(&mut CertificateParams),
    ) -> Vec<u8> {
        let mut params = leaf_params();
        spoil(&mut params);
        params.signed_by(key, &self.issuer()).unwrap().der().to_vec()
    }

    /// A revocation list of June 2025 without entries.
    pub(super) fn crl(&self, spoil: impl FnOnce(&mut CertificateRevocationListParams)) -> Vec<u8> {
        let mut params = CertificateRevocationListParams {
            this_update: moment("2025-06-01T00:00:00Z"),
            next_update: moment("2025-06-08T00:00:00Z"),
            crl_number: SerialNumber::from(7_u64),
            issuing_distribution_point: None,
            revoked_certs: Vec::new(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        spoil(&mut params);
        params.signed_by(&self.issuer()).unwrap().der().to_vec()
    }

    pub(super) fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &self.key)
    }
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = moment("2020-01-01T00:00:00Z");
    params.not_after = moment("2040-01-01T00:00:00Z");
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn leaf_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = moment("2025-01-01T00:00:00Z");
    params.not_after = moment("2026-01-01T00:00:00Z");
    params.serial_number = Some(SerialNumber::from_slice(LEAF_SERIAL));
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "A consumer");
    params
        .distinguished_name
        .push(DnType::CustomDnType(vec![2, 5, 4, 97]), format!("NTRNO-{ORGANIZATION}"));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.custom_extensions.push(policies(&[POLICY]));
    params
}

/// A certificatePolicies extension.
pub(super) fn policies(oids: &[&str]) -> CustomExtension {
    let members = oids.iter().map(|oid| sequence(&[object_identifier(oid)])).collect::<Vec<_>>();
    CustomExtension::from_oid_content(&[2, 5, 29, 32], sequence(&members))
}

/// An entry of a revocation list.
pub(super) fn revoked(serial: &[u8], reason: RevocationReason) -> RevokedCertParams {
    RevokedCertParams {
        serial_number: SerialNumber::from_slice(serial),
        revocation_time: moment("2025-05-01T00:00:00Z"),
        reason_code: Some(reason),
        invalidity_date: None,
    }
}

/// A root, an intermediate below it, and what a trust set makes of them.
pub(super) struct World {
    pub(super) root: Authority,
    pub(super) ca: Authority,
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(|_| {}, |_| {})
    }

    pub(super) fn with(
        spoil_root: impl FnOnce(&mut CertificateParams),
        spoil_ca: impl FnOnce(&mut CertificateParams),
    ) -> Self {
        let root = Authority::root("Test root", spoil_root);
        let ca = root.below("Test CA", spoil_ca);
        Self { root, ca }
    }

    /// The strictest rules, without revocation lists.
    pub(super) fn rules() -> TrustRules {
        TrustRules {
            policies: PolicyRule::OneOf(vec![POLICY.to_owned()]),
            extended_key_usages: vec![CLIENT_AUTHENTICATION.to_owned()],
            organization: OrganizationRule::Required { serial_number: SerialNumberRule::Ignore },
            revocation: RevocationPolicy::NotChecked,
        }
    }

    /// A trust set of the root alone.
    pub(super) fn trust(&self, change: impl FnOnce(&mut TrustSetSource)) -> TrustSet {
        let mut source = TrustSetSource {
            name: "test".to_owned(),
            environment: TrustEnvironment::Test,
            anchors_pem: pem("CERTIFICATE", &self.root.der),
            intermediates_pem: Vec::new(),
            crls: Vec::new(),
            rules: Self::rules(),
        };
        change(&mut source);
        // Loaded a month before it judges, so that what ends in between was there.
        TrustSet::load(source, at("2025-05-01T00:00:00Z")).unwrap()
    }

    /// Judges a leaf that is sent with the intermediate.
    pub(super) fn judge(&self, leaf: Vec<u8>) -> Result<VerifiedChain, PkiError> {
        self.judge_at(leaf, now())
    }

    pub(super) fn judge_at(
        &self,
        leaf: Vec<u8>,
        now: Timestamp,
    ) -> Result<VerifiedChain, PkiError> {
        let chain = CertificateChain::from_der(vec![leaf, self.ca.der.clone()])?;
        let trust = self.trust(|_| {});
        let verdict = trust.verify(&chain, now);
        // Whatever the server says, the report says too.
        let report = trust.report(&chain, now);
        assert_eq!(report.accepted, verdict.is_ok());
        assert_eq!(report.accepted, report.checks.iter().all(|check| check.passed), "{report:?}");
        verdict
    }
}

/// The name of the check that refuses.
pub(super) fn refused_by<T: std::fmt::Debug>(verdict: Result<T, PkiError>) -> &'static str {
    verdict.unwrap_err().check_name()
}

pub(super) fn pem(label: &str, der: &[u8]) -> Vec<u8> {
    use base64::Engine as _;
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n")).into_bytes()
}

/// A public key of any content, for certificates that no authority should issue.
pub(super) struct RawKey {
    pub(super) bytes: Vec<u8>,
    pub(super) algorithm: &'static SignatureAlgorithm,
}

impl PublicKeyData for RawKey {
    fn der_bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}

pub(super) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut bytes = vec![tag];
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => bytes.push(short),
        _ => {
            let octets: Vec<u8> =
                length.to_be_bytes().into_iter().skip_while(|&octet| octet == 0).collect();
            bytes.push(0x80 | u8::try_from(octets.len()).unwrap());
            bytes.extend(octets);
        }
    }
    bytes.extend(content);
    bytes
}

pub(super) fn sequence(members: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &members.concat())
}

pub(super) fn object_identifier(dotted: &str) -> Vec<u8> {
    let arcs: Vec<u64> = dotted.split('.').map(|arc| arc.parse().unwrap()).collect();
    let mut content = Vec::new();
    for arc in std::iter::once(arcs[0] * 40 + arcs[1]).chain(arcs[2..].iter().copied()) {
        let groups = (0..10).rev().map(|i| arc >> (7 * i)).skip_while(|&group| group == 0);
        let groups: Vec<u64> = groups.collect();
        let last = groups.len().max(1) - 1;
        for (i, group) in groups.iter().enumerate() {
            let low = u8::try_from(group & 0x7f).unwrap();
            content.push(if i == last { low } else { low | 0x80 });
        }
        if groups.is_empty() {
            content.push(0);
        }
    }
    tlv(0x06, &content)
}

/// A non-negative INTEGER of big-endian octets.
pub(super) fn integer(octets: &[u8]) -> Vec<u8> {
    let mut content: Vec<u8> = octets.iter().copied().skip_while(|&octet| octet == 0).collect();
    if content.first().is_none_or(|&first| first >= 0x80) {
        content.insert(0, 0);
    }
    tlv(0x02, &content)
}
