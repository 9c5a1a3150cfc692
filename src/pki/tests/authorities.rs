//! What a trust set refuses when it is loaded, and when its authorities are replaced.

use rcgen::DnType;

use super::{Authority, World, at, moment, now, object_identifier, pem, refused_by, sequence};
use crate::domain::seal::SealKind;
use crate::domain::trust::TrustEnvironment;
use crate::pki::chain::CertificateChain;
use crate::pki::error::PkiError;
use crate::pki::trust_set::{Holder, OrganizationRule, TrustSet, TrustSetError, TrustSetSource};

fn source(anchors_pem: Vec<u8>) -> TrustSetSource {
    TrustSetSource {
        name: "test".to_owned(),
        environment: TrustEnvironment::Test,
        anchors_pem,
        intermediates_pem: Vec::new(),
        crls: Vec::new(),
        rules: World::rules(),
    }
}

fn anchors(authorities: &[&Authority]) -> Vec<u8> {
    authorities.iter().flat_map(|authority| pem("CERTIFICATE", &authority.der)).collect()
}

fn chain(world: &World) -> CertificateChain {
    CertificateChain::from_der(vec![world.ca.leaf(|_| {}), world.ca.der.clone()]).unwrap()
}

#[test]
fn an_anchor_that_has_ended_is_left_out_and_named() {
    let old = World::with(|p| p.not_after = moment("2025-06-01T11:59:59Z"), |_| {});
    let new = World::new();
    let set = TrustSet::load(source(anchors(&[&old.root, &new.root])), now()).unwrap();
    assert_eq!(refused_by(set.verify(&chain(&old), now())), "path");
    assert!(set.verify(&chain(&new), now()).is_ok());
    let warnings = set.warnings(now());
    assert!(warnings.iter().any(|it| it.contains("ended at 2025-06-01T11:59:59Z")), "{warnings:?}");
    let summary = set.summary(now());
    assert_eq!(summary.authorities.len(), 2);
    assert_eq!(summary.first_not_after(), Some(at("2025-06-01T11:59:59Z")));
    assert_ne!(summary.authorities[0].fingerprint, summary.authorities[1].fingerprint);
    // In its last second it counts.
    let last = now().plus_seconds(-1);
    let set = TrustSet::load(source(anchors(&[&old.root])), last).unwrap();
    assert!(set.verify(&chain(&old), last).is_ok());
    // When none is left there is nothing to start with.
    let refused = TrustSet::load(source(anchors(&[&old.root])), now()).map(|_| ()).unwrap_err();
    assert!(matches!(refused, TrustSetError::AnchorsEnded { .. }), "{refused}");
}

#[test]
fn an_anchor_that_is_not_what_it_was_is_refused() {
    let world = World::new();
    let mut changed = world.root.der.clone();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    let refused = TrustSet::load(source(pem("CERTIFICATE", &changed)), now());
    let refused = refused.map(|_| ()).unwrap_err().to_string();
    assert!(refused.contains("not with its own key") && refused.contains("Test root"), "{refused}");
}

#[test]
fn an_intermediate_that_nobody_here_has_issued_is_told() {
    let (world, stranger) = (World::new(), Authority::root("Stranger", |_| {}));
    let lonely = stranger.below("Lonely CA", |_| {});
    let set = world.trust(|source| source.intermediates_pem = anchors(&[&world.ca, &lonely]));
    let warnings = set.warnings(now());
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("Lonely CA was issued by no authority"), "{warnings:?}");
}

#[test]
fn authorities_are_replaced_as_a_whole_or_not_at_all() {
    let (old, new) = (World::new(), World::new());
    let set = TrustSet::load(source(anchors(&[&old.root])), now()).unwrap();
    let (of_old, of_new) = (chain(&old), chain(&new));
    assert!(set.verify(&of_old, now()).is_ok());
    let generation = set.generation();
    for (anchors, intermediates) in [
        (Vec::new(), Vec::new()),
        (b"garbage".to_vec(), Vec::new()),
        (pem("CERTIFICATE", &old.ca.leaf(|_| {})), Vec::new()),
        (anchors(&[&new.root]), pem("CERTIFICATE", b"0")),
    ] {
        assert!(set.replace_authorities(&anchors, &intermediates, &[], now()).is_err());
    }
    assert_eq!(set.generation(), generation);
    assert!(set.verify(&of_old, now()).is_ok());
    set.replace_authorities(&anchors(&[&new.root]), &[], &[], now()).unwrap();
    assert_ne!(set.generation(), generation);
    assert_eq!(refused_by(set.verify(&of_old, now())), "path");
    assert!(set.verify(&of_new, now()).is_ok());
}

#[test]
fn no_authority_counts_for_real_and_for_tests() {
    let (one, other) = (World::new(), World::new());
    let set = |world: &World, name: &str, environment| {
        world.trust(|source| {
            source.name = name.to_owned();
            source.environment = environment;
            source.intermediates_pem = anchors(&[&world.ca]);
        })
    };
    let (production, test) = (TrustEnvironment::Production, TrustEnvironment::Test);
    let refused = |sets: &[TrustSet]| TrustSet::check_all_apart(sets).unwrap_err();
    let apart = [set(&one, "p", production), set(&other, "t", test), set(&one, "q", production)];
    assert_eq!(TrustSet::check_all_apart(&apart), Ok(()));
    for sets in [
        [set(&one, "p", production), set(&one, "t", test)],
        [set(&one, "t", test), set(&one, "p", production)],
    ] {
        let expected = TrustSetError::BothEnvironments {
            subject: "CN=Test root".to_owned(),
            production: "p".to_owned(),
            test: "t".to_owned(),
        };
        assert_eq!(refused(&sets), expected);
    }
    // The same key below another root, and by a file that is changed later.
    let crossed = other.root.certify(
        rcgen::KeyPair::try_from(one.ca.key.serialize_der()).unwrap(),
        "Crossed",
        |_| {},
    );
    let changed = |root: &Authority, intermediates: &[&Authority]| {
        let sets = [set(&one, "p", production), set(&other, "t", test)];
        let pems = (anchors(&[root]), anchors(intermediates));
        sets[1].replace_authorities(&pems.0, &pems.1, &sets, now())
    };
    assert!(matches!(
        changed(&other.root, &[&crossed]),
        Err(TrustSetError::BothEnvironments { .. })
    ));
    assert!(matches!(changed(&one.root, &[]), Err(TrustSetError::BothEnvironments { .. })));
    assert_eq!(changed(&other.root, &[&other.ca]), Ok(()));
}

/// A set that accepts organizations of any country judges a leaf with this identifier and these statements.
fn judged(identifier: &str, statements: &[Vec<u8>]) -> Result<(String, SealKind), PkiError> {
    let world = World::new();
    let set =
        world.trust(|source| source.rules.organization = OrganizationRule::RequiredOfAnyCountry);
    let leaf = world.ca.leaf(|p| {
        p.distinguished_name = rcgen::DistinguishedName::new();
        p.distinguished_name.push(DnType::CommonName, "A seal");
        p.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 97]), identifier);
        let oid = [1, 3, 6, 1, 5, 5, 7, 1, 3];
        let value = sequence(statements);
        p.custom_extensions.push(rcgen::CustomExtension::from_oid_content(&oid, value));
    });
    let chain = CertificateChain::from_der(vec![leaf, world.ca.der.clone()])?;
    let verdict = set.verify(&chain, now());
    let report = set.report(&chain, now());
    assert_eq!(report.accepted, verdict.is_ok());
    let verified = verdict?;
    let Holder::Business(business) = verified.holder() else { panic!("{:?}", verified.holder()) };
    assert_eq!(report.organization_identifier.as_ref(), Some(&business.identifier));
    assert_eq!((report.seal, verified.organization()), (Some(business.seal), None));
    Ok((business.identifier.to_string(), business.seal))
}

#[test]
fn seals_of_every_country_are_known_by_their_identifier_letter_for_letter() {
    let compliance = || sequence(&[object_identifier("0.4.0.1862.1.1")]);
    let kind = |oid: &str| {
        let kinds = sequence(&[object_identifier(oid)]);
        sequence(&[object_identifier("0.4.0.1862.1.6"), kinds])
    };
    let (sign, seal) = (kind("0.4.0.1862.1.6.1"), kind("0.4.0.1862.1.6.2"));
    let swedish = "NTRSE-5560360793";
    let qualified = [compliance(), seal.clone()];
    assert_eq!(judged(swedish, &qualified), Ok((swedish.to_owned(), SealKind::Qualified)));
    let advanced = judged("VATBE-0876866142", &[seal]);
    assert_eq!(advanced, Ok(("VATBE-0876866142".to_owned(), SealKind::Advanced)));
    for identifier in
        ["", "5560360793", "ntrse-5560360793", "PNOSE-194910195664", "NTRSE-", "NTRSE 1"]
    {
        assert_eq!(refused_by(judged(identifier, &qualified)), "organization", "{identifier}");
    }
    assert_eq!(judged(swedish, &[compliance(), sign]), Err(PkiError::NoSeal));
    assert_eq!(judged(swedish, &[compliance()]), Err(PkiError::NoSeal));
}

#[test]
fn a_norwegian_set_does_not_take_other_countries() {
    let world = World::new();
    let verdict = world.judge(world.ca.leaf(|p| {
        p.distinguished_name = rcgen::DistinguishedName::new();
        p.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 97]), "NTRSE-5560360793");
    }));
    assert_eq!(refused_by(verdict), "organization");
}
