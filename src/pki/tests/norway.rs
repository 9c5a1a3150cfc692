//! Real chains of the two Norwegian authorities.

use std::path::PathBuf;

use super::{at, now, refused_by};
use crate::domain::algorithm::Algorithm;
use crate::domain::trust::TrustEnvironment;
use crate::pki::chain::CertificateChain;
use crate::pki::error::PkiError;
use crate::pki::trust_set::{
    OrganizationRule, PolicyRule, RevocationPolicy, SerialNumberRule, TrustRules, TrustSet,
    TrustSetSource,
};

/// The policies that Maskinporten accepts in its test environment.
const TEST_POLICIES: [&str; 14] = [
    "2.16.578.1.26.1.3.5",
    "2.16.578.1.26.1.3.2",
    "2.16.578.1.26.1.0.3.2",
    "2.16.578.1.29.13.1.1.0",
    "2.16.578.1.29.913.1.1.0",
    "2.16.578.1.29.913.200.1.0",
    "2.16.578.1.29.913.200.*",
    "2.16.578.1.29.913.210.1.0",
    "2.16.578.1.29.913.210.*",
    "2.16.578.1.29.913.220.1.0",
    "2.16.578.1.29.913.220.*",
    "2.16.578.1.29.13.200.*",
    "2.16.578.1.29.13.210.*",
    "2.16.578.1.1.1.1.100",
];

/// The published certificates, or `None` after saying that they are not there.
fn vectors() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "a test asks where its data is")]
    let configured = std::env::var("PORTVAKT_VECTORS").ok().map(PathBuf::from);
    let beside = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/vectors"));
    let folder = configured.unwrap_or(beside).join("norway");
    if folder.is_dir() {
        return Some(folder);
    }
    #[expect(clippy::print_stderr, reason = "whoever runs the tests must know")]
    {
        eprintln!("left out: the Norwegian certificates are not at {}", folder.display());
    }
    None
}

struct Norway(PathBuf);

impl Norway {
    fn read(&self, file: &str) -> Vec<u8> {
        std::fs::read(self.0.join(file)).unwrap()
    }

    fn trust(&self, environment: &str, revocation: RevocationPolicy) -> TrustSet {
        let source = TrustSetSource {
            name: environment.to_owned(),
            environment: TrustEnvironment::from_name(environment).unwrap(),
            anchors_pem: self.read(&format!("roots-{environment}.pem")),
            intermediates_pem: self.read(&format!("intermediates-{environment}.pem")),
            crls: Vec::new(),
            rules: TrustRules {
                policies: PolicyRule::OneOf(TEST_POLICIES.map(str::to_owned).to_vec()),
                extended_key_usages: vec!["1.3.6.1.5.5.7.3.2".to_owned()],
                organization: OrganizationRule::Required {
                    serial_number: SerialNumberRule::Ignore,
                },
                revocation,
            },
        };
        TrustSet::load(source, now()).unwrap()
    }

    /// The leaves, each alone: the intermediates are configured.
    fn leaves(&self) -> Vec<CertificateChain> {
        use rustls_pki_types::CertificateDer;
        use rustls_pki_types::pem::PemObject;
        CertificateDer::pem_slice_iter(&self.read("leaves-test.pem"))
            .map(|leaf| CertificateChain::from_der(vec![leaf.unwrap().to_vec()]).unwrap())
            .collect()
    }
}

/// Of each leaf in the file (a signature, a seal and another signature certificate) a moment inside
/// its validity, and the last one.
const LEAVES: [(&str, &str); 3] = [
    ("2026-01-15T00:00:00Z", "2028-11-28T08:50:28Z"),
    ("2024-06-01T00:00:00Z", "2026-09-05T21:59:00Z"),
    ("2022-06-01T00:00:00Z", "2024-05-21T21:59:00Z"),
];

#[test]
fn judges_real_leaves_by_their_own_time() {
    let Some(norway) = vectors().map(Norway) else { return };
    let trust = norway.trust("test", RevocationPolicy::NotChecked);
    for (chain, (inside, last)) in norway.leaves().iter().zip(LEAVES) {
        let verified = trust.verify(chain, at(inside)).unwrap();
        assert_eq!(verified.organization().unwrap().as_str(), "991825827");
        assert_eq!(verified.valid_until(), at(last));
        assert!(verified.public_key(Algorithm::Rs256).is_ok());
        assert!(trust.report(chain, at(inside)).accepted);
        assert!(trust.verify(chain, at(last)).is_ok());
        let after = trust.verify(chain, at(last).plus_seconds(1)).unwrap_err();
        assert!(matches!(after, PkiError::Expired { .. }), "{after}");
    }
}

#[test]
fn production_and_test_authorities_do_not_vouch_for_each_other() {
    let Some(norway) = vectors().map(Norway) else { return };
    let trust = norway.trust("production", RevocationPolicy::NotChecked);
    for (chain, (inside, _)) in norway.leaves().iter().zip(LEAVES) {
        assert_eq!(refused_by(trust.verify(chain, at(inside))), "path");
    }
}

#[test]
fn without_revocation_lists_a_hard_failing_set_does_not_know() {
    let Some(norway) = vectors().map(Norway) else { return };
    let hard = norway.trust("test", RevocationPolicy::HardFail);
    let soft = norway.trust("test", RevocationPolicy::SoftFail { seconds: 3_600 });
    let leaves = norway.leaves();
    let (inside, _) = LEAVES[0];
    let verdict = hard.verify(&leaves[0], at(inside)).unwrap_err();
    assert!(matches!(verdict, PkiError::RevocationUnknown { .. }), "{verdict}");
    // Nobody has ever told, so there is nothing from which hours could be counted.
    let verdict = soft.verify(&leaves[0], at(inside)).unwrap_err();
    assert!(matches!(verdict, PkiError::RevocationUnknown { .. }), "{verdict}");
}
