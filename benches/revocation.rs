//! What the length of a revocation list costs whoever is not on it: nothing.
//!
//! `judge/<entries>`: a chain is judged afresh (path, every check, the list looked up), as it is when it is seen for the
//! first time or when a new list is there. Both figures are the same as far as the machine can tell; a lookup that grew
//! with the list would show at once, because the rest takes less than a millisecond.
//! `judge/no list` is the same without looking at lists: what the lookup costs is the difference.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use portvakt::clock::Timestamp;
use portvakt::domain::trust::TrustEnvironment;
use portvakt::pki::chain::CertificateChain;
use portvakt::pki::crl::Crl;
use portvakt::pki::trust_set::{
    OrganizationRule, PolicyRule, RevocationPolicy, TrustRules, TrustSet, TrustSetSource,
};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer,
    KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
};
use time::OffsetDateTime;

/// When chains are judged.
const NOW: i64 = 1_800_000_000;

fn benches(criterion: &mut Criterion) {
    let authority = Authority::new();
    let chain = authority.chain();
    let now = Timestamp::from_seconds(NOW);
    let mut group = criterion.benchmark_group("judge");
    group.bench_function("no list", |bencher| {
        let set = authority.set(RevocationPolicy::NotChecked);
        bencher.iter(|| set.verify(black_box(&chain), now).expect("good"));
    });
    for entries in [10, 1_000_000] {
        let set = authority.set(RevocationPolicy::HardFail);
        let list = Crl::read(&authority.list(entries)).expect("a list");
        assert_eq!(list.entries(), usize::try_from(entries).expect("fits"));
        set.take_crl("http://crl.example/", &Arc::new(list), now).expect("taken");
        group.bench_function(format!("{entries} entries"), |bencher| {
            bencher.iter(|| set.verify(black_box(&chain), now).expect("good"));
        });
    }
}

/// An authority that is its own anchor.
struct Authority {
    key: KeyPair,
    params: CertificateParams,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = valid();
        params.distinguished_name.push(DnType::CommonName, "Bench CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("an authority").pem();
        Self { key, params, pem }
    }

    fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &self.key)
    }

    fn chain(&self) -> CertificateChain {
        let mut params = valid();
        params.distinguished_name.push(DnType::CommonName, "A client");
        params.serial_number = Some(SerialNumber::from(u64::MAX));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate().expect("a key");
        let leaf = params.signed_by(&key, &self.issuer()).expect("a certificate");
        CertificateChain::from_der(vec![leaf.der().to_vec()]).expect("a chain")
    }

    fn set(&self, revocation: RevocationPolicy) -> TrustSet {
        let source = TrustSetSource {
            name: "bench".to_owned(),
            environment: TrustEnvironment::Test,
            anchors_pem: self.pem.clone().into_bytes(),
            intermediates_pem: Vec::new(),
            crls: Vec::new(),
            rules: TrustRules {
                policies: PolicyRule::Any,
                extended_key_usages: Vec::new(),
                organization: OrganizationRule::NotRequired,
                revocation,
            },
        };
        TrustSet::load(source, Timestamp::from_seconds(NOW)).expect("a trust set")
    }

    /// A list of so many serial numbers, 16 bytes each, of which none is the client's.
    fn list(&self, entries: u64) -> Vec<u8> {
        let revoked = |number: u64| {
            // Spread, as real ones are.
            let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
            let serial = [&[0x5a][..], &spread[..7], &number.to_be_bytes()].concat();
            RevokedCertParams {
                serial_number: SerialNumber::from_slice(&serial),
                revocation_time: moment(-7_200),
                reason_code: None,
                invalidity_date: None,
            }
        };
        let params = CertificateRevocationListParams {
            this_update: moment(-3_600),
            next_update: moment(86_400),
            crl_number: SerialNumber::from(entries),
            issuing_distribution_point: None,
            revoked_certs: (0..entries).map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer()).expect("a list").der().to_vec()
    }
}

fn valid() -> CertificateParams {
    let mut params = CertificateParams::default();
    (params.not_before, params.not_after) = (moment(-86_400), moment(30 * 86_400));
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
}

/// The moment so many seconds from the one at which chains are judged.
fn moment(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(NOW + seconds).expect("a moment")
}

criterion_group!(all, benches);
criterion_main!(all);
