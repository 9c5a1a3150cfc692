//! Paths and the authorities on them: attacks D03, D04, D22 to D31, D40 and D69.

use rcgen::{BasicConstraints, CertificateParams, CustomExtension, IsCa, KeyPair, KeyUsagePurpose};

use super::{Authority, World, at, moment, now, pem, policies, refused_by};
use crate::domain::trust::TrustEnvironment;
use crate::pki::chain::CertificateChain;
use crate::pki::error::PkiError;
use crate::pki::trust_set::{TrustSet, TrustSetError};

fn verify(trust: &TrustSet, ders: &[&[u8]]) -> Result<(), PkiError> {
    let chain = CertificateChain::from_der(ders.iter().map(|der| der.to_vec()).collect())?;
    trust.verify(&chain, now()).map(|_| ())
}

#[test]
fn accepts_a_chain_and_says_what_it_rests_on() {
    let world = World::new();
    let verified = world.judge(world.ca.leaf(|_| {})).unwrap();
    assert_eq!(verified.organization().unwrap().as_str(), super::ORGANIZATION);
    assert_eq!(verified.valid_until(), at("2026-01-01T00:00:00Z"));
    assert_eq!(verified.issuer(), "CN=Test CA");
    assert_eq!(verified.serial_number(), "1122");
}

#[test]
fn builds_the_path_through_configured_intermediates() {
    let world = World::new();
    let trust = world.trust(|s| s.intermediates_pem = pem("CERTIFICATE", &world.ca.der));
    let leaf = world.ca.leaf(|_| {});
    assert_eq!(verify(&trust, &[&leaf]), Ok(()));
    assert_eq!(verify(&trust, &[&leaf, &world.ca.der]), Ok(()));
    assert_eq!(verify(&trust, &[&leaf, &world.ca.der, &world.root.der]), Ok(()));
    let without = world.trust(|_| {});
    assert_eq!(refused_by(verify(&without, &[&leaf])), "path");
}

#[test]
fn refuses_an_expired_intermediate() {
    let world = World::with(|_| {}, |p| p.not_after = moment("2025-05-31T00:00:00Z"));
    let error = world.judge(world.ca.leaf(|_| {})).unwrap_err();
    let expected = at("2025-05-31T00:00:00Z");
    let expired = |subject: &str| subject == "CN=Test CA";
    assert!(
        matches!(&error, PkiError::Expired { subject, not_after, .. } if expired(subject) && *not_after == expected),
        "{error}"
    );
}

#[test]
fn tells_what_ails_a_chain_only_if_it_names_an_authority_that_counts() {
    let world = World::new();
    let ended =
        |name: &str| Authority::root(name, |p| p.not_after = moment("2025-05-31T00:00:00Z"));
    let judged = |authority: &Authority| {
        let leaf = authority.leaf(|_| {});
        verify(&world.trust(|_| {}), &[&leaf, &authority.der]).unwrap_err()
    };
    let stranger = judged(&ended("Stranger"));
    assert!(stranger.is_of_stranger(), "{stranger}");
    let namesake = judged(&ended("Test root"));
    assert!(matches!(namesake, PkiError::Expired { .. }), "{namesake}");
}

#[test]
fn refuses_an_expired_anchor() {
    let world = World::with(|p| p.not_after = moment("2025-05-31T00:00:00Z"), |_| {});
    assert_eq!(refused_by(world.judge(world.ca.leaf(|_| {}))), "anchor");
}

#[test]
fn takes_the_anchor_that_is_in_force_when_one_was_renewed() {
    let world = World::with(|p| p.not_after = moment("2025-05-31T00:00:00Z"), |_| {});
    let mut renewed = world.root.params.clone();
    renewed.not_after = moment("2030-01-01T00:00:00Z");
    let renewed = renewed.self_signed(&world.root.key).unwrap().der().to_vec();
    let trust = world.trust(|s| s.anchors_pem.extend(pem("CERTIFICATE", &renewed)));
    let leaf = world.ca.leaf(|_| {});
    assert_eq!(verify(&trust, &[&leaf, &world.ca.der]), Ok(()));
}

#[test]
fn refuses_a_self_signed_leaf_with_a_perfect_subject() {
    let world = World::new();
    let key = KeyPair::generate().unwrap();
    let leaf = super::leaf_params().self_signed(&key).unwrap().der().to_vec();
    let trust = world.trust(|_| {});
    assert_eq!(refused_by(verify(&trust, &[&leaf])), "path");
    let chain = CertificateChain::from_der(vec![leaf]).unwrap();
    let report = trust.report(&chain, now());
    let failed: Vec<_> = report.checks.iter().filter(|c| !c.passed).map(|c| c.name).collect();
    assert_eq!(failed, ["path", "full chain", "anchor", "basic constraints", "revocation"]);
}

#[test]
fn refuses_a_chain_of_another_authority_with_the_same_names() {
    let (world, impostor) = (World::new(), World::new());
    let leaf = impostor.ca.leaf(|_| {});
    let trust = world.trust(|_| {});
    let verdict = verify(&trust, &[&leaf, &impostor.ca.der, &impostor.root.der]);
    assert_eq!(verdict, Err(PkiError::BadSignature));
    assert_eq!(verify(&trust, &[&leaf, &world.ca.der]), Err(PkiError::BadSignature));
}

#[test]
fn refuses_a_leaf_that_was_issued_by_a_leaf() {
    let world = World::new();
    let middle = world.ca.below("A leaf", |p| {
        p.is_ca = IsCa::ExplicitNoCa;
        p.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    });
    let leaf = middle.leaf(|_| {});
    let trust = world.trust(|_| {});
    let verdict = verify(&trust, &[&leaf, &middle.der, &world.ca.der]);
    assert_eq!(verdict, Err(PkiError::IssuerNotAuthority));
}

#[test]
fn refuses_an_intermediate_without_basic_constraints() {
    let world = World::with(|_| {}, |p| p.is_ca = IsCa::NoCa);
    let verdict = world.judge(world.ca.leaf(|_| {}));
    assert_eq!(verdict.unwrap_err(), PkiError::IssuerNotAuthority);
}

#[test]
fn refuses_an_intermediate_that_may_not_sign_certificates() {
    let world = World::with(|_| {}, |p| p.key_usages = vec![KeyUsagePurpose::CrlSign]);
    let error = world.judge(world.ca.leaf(|_| {})).unwrap_err();
    assert_eq!(error, PkiError::AuthorityKeyUsage { subject: "CN=Test CA".to_owned() });
}

#[test]
fn refuses_a_path_longer_than_an_authority_allows() {
    let world = World::with(|_| {}, |p| p.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)));
    let second = world.ca.below("Second CA", |_| {});
    let trust = world.trust(|_| {});
    let leaf = second.leaf(|_| {});
    assert_eq!(verify(&trust, &[&leaf, &second.der, &world.ca.der]), Err(PkiError::PathLength));
}

#[test]
fn refuses_a_path_of_more_certificates_than_are_read() {
    let world = World::new();
    let mut authorities = vec![world.ca.below("CA 1", |_| {})];
    for i in 2..5 {
        let next = authorities.last().unwrap().below(&format!("CA {i}"), |_| {});
        authorities.push(next);
    }
    let leaf = authorities[2].leaf(|_| {});
    let trust = world.trust(|s| s.intermediates_pem = pem("CERTIFICATE", &world.ca.der));
    let mut ders = vec![&leaf[..]];
    ders.extend([2, 1, 0].map(|i: usize| &authorities[i].der[..]));
    assert_eq!(verify(&trust, &ders), Ok(()));
    let leaf = authorities[3].leaf(|_| {});
    let mut ders = vec![&leaf[..]];
    ders.extend([3, 2, 1, 0].map(|i: usize| &authorities[i].der[..]));
    assert_eq!(verify(&trust, &ders), Err(PkiError::PathLength));
}

#[test]
fn finds_the_good_one_of_two_cross_signed_paths() {
    // The same authority has two certificates from the root; the first may not issue.
    let world = World::new();
    let spoilt = {
        let mut params = world.ca.params.clone();
        params.key_usages = vec![KeyUsagePurpose::CrlSign];
        params.signed_by(&world.ca.key, &world.root.issuer()).unwrap().der().to_vec()
    };
    let leaf = world.ca.leaf(|_| {});
    let trust = world.trust(|_| {});
    assert_eq!(refused_by(verify(&trust, &[&leaf, &spoilt])), "key usage");
    let trust = world.trust(|s| s.intermediates_pem = pem("CERTIFICATE", &world.ca.der));
    assert_eq!(verify(&trust, &[&leaf, &spoilt]), Ok(()));
}

#[test]
fn refuses_the_key_or_the_certificate_of_an_authority_as_a_leaf() {
    let world = World::new();
    let leaf = world.ca.leaf_with_key(&world.root.key, |_| {});
    assert_eq!(
        world.judge(leaf).unwrap_err(),
        PkiError::KeyOfAuthority { subject: "CN=Test root".to_owned() }
    );
    let trust = world.trust(|_| {});
    assert_eq!(refused_by(verify(&trust, &[&world.root.der])), "basic constraints");
    assert_eq!(refused_by(verify(&trust, &[&world.ca.der])), "basic constraints");
}

#[test]
fn refuses_an_intermediate_with_a_weak_key() {
    let world = World::new();
    let three = openssl::bn::BigNum::from_u32(3).unwrap();
    let weak = openssl::rsa::Rsa::generate_with_e(2048, &three).unwrap();
    let weak = openssl::pkey::PKey::from_rsa(weak).unwrap().private_key_to_pem_pkcs8().unwrap();
    let weak = KeyPair::from_pem(std::str::from_utf8(&weak).unwrap()).unwrap();
    let ca = world.root.certify(weak, "Weak CA", |_| {});
    let verdict = verify(&world.trust(|_| {}), &[&ca.leaf(|_| {}), &ca.der]).unwrap_err();
    assert!(
        matches!(&verdict, PkiError::WeakKey { subject, .. } if subject == "CN=Weak CA"),
        "{verdict}"
    );
}

#[test]
fn refuses_an_intermediate_for_purposes_that_are_not_accepted() {
    use rcgen::ExtendedKeyUsagePurpose::{Any, ClientAuth, CodeSigning};
    for (purposes, accepted) in
        [(vec![CodeSigning], false), (vec![CodeSigning, ClientAuth], true), (vec![Any], true)]
    {
        let shown = format!("{purposes:?}");
        let world = World::with(|_| {}, |p| p.extended_key_usages = purposes);
        let verdict = world.judge(world.ca.leaf(|_| {}));
        assert_eq!(verdict.is_ok(), accepted, "{shown}");
        if !accepted {
            assert_eq!(refused_by(verdict), "extended key usage");
        }
    }
}

#[test]
fn refuses_a_policy_that_an_intermediate_may_not_issue_under() {
    let limit = |oids: &'static [&str]| {
        move |p: &mut CertificateParams| p.custom_extensions.push(policies(oids))
    };
    let world = World::with(|_| {}, limit(&["2.16.578.1.99"]));
    assert_eq!(refused_by(world.judge(world.ca.leaf(|_| {}))), "policy");
    for allowed in [&["2.5.29.32.0"][..], &["2.16.578.1.99", super::POLICY]] {
        let world = World::with(|_| {}, limit(allowed));
        assert!(world.judge(world.ca.leaf(|_| {})).is_ok(), "{allowed:?}");
    }
}

#[test]
fn refuses_unknown_critical_extensions_of_an_intermediate() {
    // policyConstraints is one: not processed here, and critical whenever it is used.
    for oid in [&[1, 3, 6, 1, 4, 1, 99999, 1][..], &[2, 5, 29, 36]] {
        let world = World::with(
            |_| {},
            |p| {
                let content = vec![0x30, 0x03, 0x80, 0x01, 0x00];
                let mut extension = CustomExtension::from_oid_content(oid, content);
                extension.set_criticality(true);
                p.custom_extensions.push(extension);
            },
        );
        assert_eq!(refused_by(world.judge(world.ca.leaf(|_| {}))), "chain", "{oid:?}");
    }
}

#[test]
fn refuses_names_outside_the_constraints_of_an_authority() {
    let world = World::with(
        |_| {},
        |p| {
            let mut excluded = rcgen::DistinguishedName::new();
            excluded.push(rcgen::DnType::CountryName, "SE");
            p.name_constraints = Some(rcgen::NameConstraints {
                permitted_subtrees: Vec::new(),
                excluded_subtrees: vec![rcgen::GeneralSubtree::DirectoryName(excluded)],
            });
        },
    );
    assert_eq!(world.judge(world.ca.leaf(|_| {})).unwrap_err(), PkiError::NameConstraints);
}

#[test]
fn a_trust_set_that_cannot_work_is_not_loaded() {
    let world = World::new();
    let load = |change: &dyn Fn(&mut crate::pki::trust_set::TrustSetSource)| {
        let mut source = crate::pki::trust_set::TrustSetSource {
            name: "test".to_owned(),
            environment: TrustEnvironment::Test,
            anchors_pem: pem("CERTIFICATE", &world.root.der),
            intermediates_pem: Vec::new(),
            crls: Vec::new(),
            rules: World::rules(),
        };
        change(&mut source);
        TrustSet::load(source, now()).map(|_| ()).unwrap_err()
    };
    let leaf = world.ca.leaf(|_| {});
    let no_issuer = Authority::root("Odd", |p| p.key_usages = vec![KeyUsagePurpose::CrlSign]).der;
    assert!(matches!(load(&|s| s.anchors_pem.clear()), TrustSetError::NoAnchors { .. }));
    assert!(matches!(
        load(&|s| s.anchors_pem = pem("CERTIFICATE", &leaf)),
        TrustSetError::Authority { role: "anchor", position: 1, .. }
    ));
    let unmarked = Authority::root("Odd", |p| {
        p.is_ca = IsCa::NoCa;
        p.key_usages.clear();
    });
    assert!(matches!(
        load(&|s| s.anchors_pem.extend(pem("CERTIFICATE", &unmarked.der))),
        TrustSetError::Authority { role: "anchor", position: 2, .. }
    ));
    assert!(matches!(
        load(&|s| s.intermediates_pem = pem("CERTIFICATE", &no_issuer)),
        TrustSetError::Authority { role: "intermediate", .. }
    ));
    assert!(matches!(
        load(&|s| s.anchors_pem = pem("CERTIFICATE", b"0")),
        TrustSetError::Certificate { .. }
    ));
    assert!(matches!(
        load(&|s| s.anchors_pem.extend(pem("PRIVATE KEY", b"0"))),
        TrustSetError::Pem { .. }
    ));
    assert!(matches!(
        load(&|s| s.anchors_pem.extend(b"-----BEGIN CERTIFICATE-----\nMII")),
        TrustSetError::Pem { .. }
    ));
    assert!(matches!(load(&|s| s.crls = vec![vec![0x30, 0x00]]), TrustSetError::Crl { .. }));
    assert!(matches!(
        load(&|s| s.rules.extended_key_usages = vec!["clientAuth".to_owned()]),
        TrustSetError::ObjectIdentifier { .. }
    ));
}
