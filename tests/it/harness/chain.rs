//! Public-key infrastructures of which every certificate and list can be spoilt.

use std::fmt::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CustomExtension,
    DistinguishedName, DnType, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PublicKeyData,
    RevocationReason, RevokedCertParams, SerialNumber, SigningKey as _,
};
use time::{Duration, OffsetDateTime};

use crate::harness::CONSUMER;
use crate::harness::caller::Key;
use crate::harness::clock::NOW;
use crate::harness::der::{bit_string, integer, members, object_identifier, sequence, tlv};
use crate::harness::server::put;

/// The policy that good leaves are issued under.
pub(crate) const POLICY: &str = "2.16.578.1.1.1.1.100";
/// The serial number of leaves.
pub(crate) const LEAF_SERIAL: &[u8] = &[0x11, 0x22];
/// The serial number of intermediates.
pub(crate) const CA_SERIAL: &[u8] = &[0x7a];
/// `organizationIdentifier`.
pub(crate) const ORGANIZATION_IDENTIFIER: &str = "2.5.4.97";

/// The moment `seconds` after the test server's.
pub(crate) fn at(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(NOW + seconds).unwrap()
}

/// An authority that signs what it is told to.
pub(crate) struct Authority {
    pub(crate) key: KeyPair,
    pub(crate) params: CertificateParams,
    pub(crate) der: Vec<u8>,
}

/// A leaf and its key.
#[derive(Clone)]
pub(crate) struct Leaf {
    pub(crate) der: Vec<u8>,
    pub(crate) key: Key,
}

impl Authority {
    pub(crate) fn root(name: &str, spoil: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = authority_params(name);
        spoil(&mut params);
        let key = KeyPair::generate().unwrap();
        let der = params.self_signed(&key).unwrap().der().to_vec();
        Self { key, params, der }
    }

    pub(crate) fn below(&self, name: &str, spoil: impl FnOnce(&mut CertificateParams)) -> Self {
        self.certify(KeyPair::generate().unwrap(), name, spoil)
    }

    /// Certifies an authority that has a key already.
    pub(crate) fn certify(
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

    /// A leaf of the consumer on P-256.
    pub(crate) fn leaf(&self, spoil: impl FnOnce(&mut CertificateParams)) -> Leaf {
        let key = KeyPair::generate().unwrap();
        let der = self.certificate(&key, spoil);
        Leaf { der, key: Key::from_pkcs8("ES256", key.serialized_der()) }
    }

    /// The certificate of a leaf with a key of any kind.
    pub(crate) fn certificate(
        &self,
        key: &impl PublicKeyData,
        spoil: impl FnOnce(&mut CertificateParams),
    ) -> Vec<u8> {
        let mut params = leaf_params();
        spoil(&mut params);
        params.signed_by(key, &self.issuer()).unwrap().der().to_vec()
    }

    /// Signs what stands in a certificate or a list anew.
    pub(crate) fn resign(&self, to_be_signed: Vec<u8>) -> Vec<u8> {
        let algorithm = sequence(&[object_identifier("1.2.840.10045.4.3.2")]);
        let signature = self.key.sign(&to_be_signed).unwrap();
        sequence(&[to_be_signed, algorithm, bit_string(&signature)])
    }

    /// A certificate with the members of its inner part changed by hand, and a right signature.
    pub(crate) fn patch(&self, der: &[u8], change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Vec<u8> {
        let mut inner = members(&members(der)[0]);
        change(&mut inner);
        self.resign(sequence(&inner))
    }

    /// A fresh revocation list without entries.
    pub(crate) fn crl(&self, spoil: impl FnOnce(&mut CertificateRevocationListParams)) -> Vec<u8> {
        let mut params = CertificateRevocationListParams {
            this_update: at(-3600),
            next_update: at(24 * 3600),
            crl_number: SerialNumber::from(7_u64),
            issuing_distribution_point: None,
            revoked_certs: Vec::new(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        spoil(&mut params);
        params.signed_by(&self.issuer()).unwrap().der().to_vec()
    }

    /// A revocation list with these entries and extensions, which no tool would sign.
    pub(crate) fn hand_made_crl(&self, entries: &[Vec<u8>], extensions: &[Vec<u8>]) -> Vec<u8> {
        let issuer = members(&members(&self.der)[0])[5].clone();
        let mut inner = vec![
            integer(&[1]),
            sequence(&[object_identifier("1.2.840.10045.4.3.2")]),
            issuer,
            tlv(0x17, b"260601000000Z"),
            tlv(0x17, b"260608000000Z"),
        ];
        if !entries.is_empty() {
            inner.push(sequence(entries));
        }
        inner.push(tlv(0xa0, &sequence(extensions)));
        self.resign(sequence(&inner))
    }

    pub(crate) fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &self.key)
    }
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = at(0) - Duration::days(1000);
    params.not_after = at(0) + Duration::days(3000);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

pub(crate) fn leaf_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = at(0) - Duration::days(100);
    params.not_after = at(0) + Duration::days(300);
    params.serial_number = Some(SerialNumber::from_slice(LEAF_SERIAL));
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "A consumer");
    params
        .distinguished_name
        .push(DnType::CustomDnType(vec![2, 5, 4, 97]), format!("NTRNO-{CONSUMER}"));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.custom_extensions.push(policies(&[POLICY]));
    params
}

/// A `certificatePolicies` extension.
pub(crate) fn policies(oids: &[&str]) -> CustomExtension {
    let members = oids.iter().map(|oid| sequence(&[object_identifier(oid)])).collect::<Vec<_>>();
    CustomExtension::from_oid_content(&[2, 5, 29, 32], sequence(&members))
}

/// An entry of a revocation list.
pub(crate) fn revoked(serial: &[u8], reason: RevocationReason) -> RevokedCertParams {
    RevokedCertParams {
        serial_number: SerialNumber::from_slice(serial),
        revocation_time: at(-7200),
        reason_code: Some(reason),
        invalidity_date: None,
    }
}

/// A root and an intermediate below it.
pub(crate) struct Pki {
    pub(crate) root: Authority,
    pub(crate) ca: Authority,
}

impl Pki {
    pub(crate) fn new(name: &str) -> Self {
        Self::with(name, |_| {}, |_| {})
    }

    pub(crate) fn with(
        name: &str,
        spoil_root: impl FnOnce(&mut CertificateParams),
        spoil_ca: impl FnOnce(&mut CertificateParams),
    ) -> Self {
        let root = Authority::root(&format!("{name} root"), spoil_root);
        let ca = root.below(&format!("{name} CA"), spoil_ca);
        Self { root, ca }
    }
}

/// A trust set of the configuration.
#[derive(Clone)]
pub(crate) struct Trust {
    pub(crate) anchors: Vec<Vec<u8>>,
    pub(crate) intermediates: Vec<Vec<u8>>,
    pub(crate) crls: Vec<Vec<u8>>,
    pub(crate) revocation: &'static str,
    pub(crate) serial_number: bool,
    /// More lines of its section.
    pub(crate) more: String,
}

impl Trust {
    /// Trusts the root and knows the intermediate; revocation is not looked at.
    pub(crate) fn of(pki: &Pki) -> Self {
        Self {
            anchors: vec![pki.root.der.clone()],
            intermediates: vec![pki.ca.der.clone()],
            crls: Vec::new(),
            revocation: "not_checked",
            serial_number: false,
            more: String::new(),
        }
    }

    /// The same for certificates for seals of any country.
    pub(crate) fn european(pki: &Pki) -> Self {
        Self { more: "profile = \"european-seal\"\n".to_owned(), ..Self::of(pki) }
    }

    /// The same, with lists that are fetched from these addresses.
    pub(crate) fn fetching(pki: &Pki, urls: &[String]) -> Self {
        let more = format!("crl_urls = {urls:?}\n");
        Self { more, ..Self::with_crls(pki, Vec::new()) }
    }

    /// The same, with revocation judged by these lists alone.
    pub(crate) fn with_crls(pki: &Pki, crls: Vec<Vec<u8>>) -> Self {
        Self { crls, revocation: "hard_fail", ..Self::of(pki) }
    }

    /// Writes its files, and says what the configuration has about it.
    pub(crate) fn write(&self, folder: &Path, index: usize) -> String {
        let file = |kind: &str, number: usize, bytes: &[u8]| {
            let name = format!("{index}-{kind}-{number}");
            put(&folder.join(&name), bytes);
            format!("\"{name}\"")
        };
        let files = |kind: &str, ders: &[Vec<u8>], label: &str| {
            let written = ders.iter().enumerate().map(|(number, der)| {
                let bytes = if label.is_empty() { der.clone() } else { pem(label, der).into() };
                file(kind, number, &bytes)
            });
            written.collect::<Vec<_>>().join(", ")
        };
        format!(
            "[trust.set{index}]\nanchors = [{}]\nintermediates = [{}]\ncrls = [{}]\n\
             revocation = \"{}\"\npolicies = [\"{POLICY}\"]\n{}{}",
            files("anchor", &self.anchors, "CERTIFICATE"),
            files("intermediate", &self.intermediates, "CERTIFICATE"),
            files("crl", &self.crls, ""),
            self.revocation,
            if self.serial_number { "organization_from_serial_number = true\n" } else { "" },
            self.more,
        )
    }
}

pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in body.as_bytes().chunks(64) {
        let _ = writeln!(text, "{}", std::str::from_utf8(line).unwrap());
    }
    text + &format!("-----END {label}-----\n")
}

/// A public key of any content, for certificates that no authority should issue.
pub(crate) struct RawKey {
    pub(crate) bytes: Vec<u8>,
    pub(crate) algorithm: &'static rcgen::SignatureAlgorithm,
}

impl PublicKeyData for RawKey {
    fn der_bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        self.algorithm
    }
}
