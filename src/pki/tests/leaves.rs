//! What is asked of the leaf alone: attacks D01, D02, D32 to D36, D53 to D55.

use rcgen::{BasicConstraints, CertificateParams, CustomExtension, IsCa, KeyUsagePurpose};

use super::{World, at, moment, now, policies, refused_by, tlv};
use crate::pki::certificate::CertificateError;
use crate::pki::chain::CertificateChain;
use crate::pki::error::PkiError;
use crate::pki::trust_set::{OrganizationRule, PolicyRule, SerialNumberRule};

#[test]
fn both_ends_of_the_validity_are_inside_it() {
    let world = World::new();
    let leaf = world.ca.leaf(|p| {
        p.not_before = moment("2025-03-01T08:00:00Z");
        p.not_after = moment("2025-04-01T08:00:00Z");
    });
    for inside in ["2025-03-01T08:00:00Z", "2025-04-01T08:00:00Z"] {
        assert!(world.judge_at(leaf.clone(), at(inside)).is_ok(), "{inside}");
    }
    let early = world.judge_at(leaf.clone(), at("2025-03-01T07:59:59Z")).unwrap_err();
    assert!(matches!(early, PkiError::NotYetValid { .. }), "{early}");
    let late = world.judge_at(leaf, at("2025-04-01T08:00:01Z")).unwrap_err();
    assert!(
        late.to_string()
            .ends_with("expired at 2025-04-01T08:00:00Z, and it is 2025-04-01T08:00:01Z")
    );
}

#[test]
fn refuses_a_leaf_that_is_a_ca() {
    let world = World::new();
    let leaf = world.ca.leaf(|p| p.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    assert_eq!(world.judge(leaf).unwrap_err(), PkiError::LeafIsAuthority);
}

#[test]
fn asks_for_a_key_usage_that_signs() {
    use KeyUsagePurpose::{
        ContentCommitment, DataEncipherment, DigitalSignature, KeyAgreement, KeyCertSign,
        KeyEncipherment,
    };
    let world = World::new();
    for (usages, accepted) in [
        (vec![DigitalSignature], true),
        (vec![ContentCommitment], true),
        (vec![DigitalSignature, KeyEncipherment], true),
        (vec![], false),
        (vec![KeyEncipherment], false),
        (vec![KeyEncipherment, DataEncipherment, KeyAgreement], false),
        (vec![KeyCertSign], false),
        (vec![DigitalSignature, KeyCertSign], false),
    ] {
        let leaf = world.ca.leaf(|p| p.key_usages.clone_from(&usages));
        let verdict = world.judge(leaf);
        assert_eq!(verdict.is_ok(), accepted, "{usages:?}");
        if !accepted {
            assert_eq!(refused_by(verdict), "key usage");
        }
    }
}

#[test]
fn refuses_an_empty_key_usage() {
    let world = World::new();
    let leaf = world.ca.leaf(|p| {
        p.key_usages.clear();
        let empty = CustomExtension::from_oid_content(&[2, 5, 29, 15], tlv(0x03, &[0x00]));
        p.custom_extensions.push(empty);
    });
    let error = world.judge(leaf).unwrap_err();
    assert_eq!(error, PkiError::KeyUsage { found: "empty".to_owned() });
}

#[test]
fn a_leaf_with_extended_key_usages_needs_one_that_is_configured() {
    use rcgen::ExtendedKeyUsagePurpose::{
        Any, ClientAuth, CodeSigning, EmailProtection, OcspSigning, ServerAuth,
    };
    let world = World::new();
    for (purposes, accepted) in [
        (vec![ClientAuth], true),
        (vec![ServerAuth, ClientAuth, EmailProtection], true),
        (vec![ServerAuth], false),
        (vec![CodeSigning], false),
        (vec![OcspSigning], false),
        (vec![Any], false),
    ] {
        let shown = format!("{purposes:?}");
        let verdict = world.judge(world.ca.leaf(|p| p.extended_key_usages = purposes));
        assert_eq!(verdict.is_ok(), accepted, "{shown}");
        if !accepted {
            assert_eq!(refused_by(verdict), "extended key usage");
        }
    }
}

#[test]
fn refuses_an_empty_extended_key_usage() {
    let world = World::new();
    let leaf = world.ca.leaf(|p| {
        let empty = CustomExtension::from_oid_content(&[2, 5, 29, 37], tlv(0x30, &[]));
        p.custom_extensions.push(empty);
    });
    assert!(world.judge(leaf).is_err());
}

#[test]
fn accepts_a_seal_without_extended_key_usage() {
    let world = World::new();
    let leaf = world.ca.leaf(|p| p.key_usages = vec![KeyUsagePurpose::ContentCommitment]);
    assert!(world.judge(leaf).is_ok());
}

#[test]
fn refuses_unknown_critical_extensions() {
    let world = World::new();
    let leaf = world.ca.leaf(|p| {
        let mut extension =
            CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99999, 7], tlv(0x05, &[]));
        extension.set_criticality(true);
        p.custom_extensions.push(extension);
    });
    assert_eq!(
        world.judge(leaf).unwrap_err(),
        PkiError::Malformed {
            position: 1,
            reason: CertificateError::UnknownCritical("1.3.6.1.4.1.99999.7".to_owned()),
        }
    );
}

#[test]
fn policies_are_compared_whole_or_by_prefix_of_components() {
    let world = World::new();
    for (configured, issued, accepted) in [
        ("2.16.578.1.26", &["2.16.578.1.26"][..], true),
        ("2.16.578.1.26", &["0.4.0.2042.1.1", "2.16.578.1.26"], true),
        ("2.16.578.1.26", &["2.16.578.1.26.1"], false),
        ("2.16.578.1.26.*", &["2.16.578.1.26.1.3"], true),
        ("2.16.578.1.26.*", &["2.16.578.1.26"], false),
        ("2.16.578.1.2.*", &["2.16.578.1.26.1"], false),
        ("2.16.578.1.26", &["2.5.29.32.0"], false),
        ("2.5.29.32.0", &["2.5.29.32.0"], false),
        ("2.5.29.*", &["2.5.29.32.0"], false),
        ("2.16.578.1.26", &[], false),
    ] {
        let leaf = world.ca.leaf(|p: &mut CertificateParams| {
            p.custom_extensions.clear();
            if !issued.is_empty() {
                p.custom_extensions.push(policies(issued));
            }
        });
        let trust = world.trust(|s| {
            s.rules.policies = PolicyRule::OneOf(vec![configured.to_owned()]);
        });
        let chain = CertificateChain::from_der(vec![leaf, world.ca.der.clone()]).unwrap();
        let verdict = trust.verify(&chain, now());
        assert_eq!(verdict.is_ok(), accepted, "{configured} {issued:?}");
        if !accepted {
            assert_eq!(refused_by(verdict), "policy");
        }
    }
}

#[test]
fn every_policy_is_accepted_when_none_is_asked_for() {
    let world = World::new();
    let trust = world.trust(|s| s.rules.policies = PolicyRule::Any);
    for leaf in [world.ca.leaf(|_| {}), world.ca.leaf(|p| p.custom_extensions.clear())] {
        let chain = CertificateChain::from_der(vec![leaf, world.ca.der.clone()]).unwrap();
        assert!(trust.verify(&chain, now()).is_ok());
    }
}

#[test]
fn a_leaf_names_its_organization_where_one_is_required() {
    let world = World::new();
    let anonymous = world.ca.leaf(|p| {
        p.distinguished_name = rcgen::DistinguishedName::new();
        p.distinguished_name.push(rcgen::DnType::CommonName, "NTRNO-991825827");
    });
    assert_eq!(world.judge(anonymous.clone()).unwrap_err(), PkiError::OrganizationMissing);
    let trust = world.trust(|s| s.rules.organization = OrganizationRule::NotRequired);
    let chain = CertificateChain::from_der(vec![anonymous, world.ca.der.clone()]).unwrap();
    assert_eq!(trust.verify(&chain, now()).unwrap().organization(), None);
    let older = world.ca.leaf(|p| {
        p.distinguished_name = rcgen::DistinguishedName::new();
        p.distinguished_name
            .push(rcgen::DnType::CustomDnType(vec![2, 5, 4, 5]), super::ORGANIZATION);
    });
    assert_eq!(refused_by(world.judge(older.clone())), "organization");
    let chain = CertificateChain::from_der(vec![older, world.ca.der.clone()]).unwrap();
    let trust = world.trust(|s| {
        let serial_number = SerialNumberRule::Accept;
        s.rules.organization = OrganizationRule::Required { serial_number };
    });
    let organization = trust.verify(&chain, now()).unwrap().organization();
    assert_eq!(organization.unwrap().as_str(), super::ORGANIZATION);
}
