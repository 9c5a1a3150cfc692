//! Where a chain leads: validity, anchors, and the authorities between.

use portvakt::clock::Timestamp;
use rcgen::{BasicConstraints, CertificateParams, CustomExtension, IsCa, KeyPair, KeyUsagePurpose};

use super::{REFUSED, UNREADABLE, sent, signed};
use crate::harness::caller::Key;
use crate::harness::chain::{Authority, Leaf, Pki, Trust, at, leaf_params};
use crate::harness::clock::NOW;
use crate::harness::row::{Row, TOKEN, invalid_grant, run};
use crate::harness::server::{TestServer, pki};

/// A row with a leaf below an authority that has been spoilt, and stands below the good root.
fn below(
    id: &'static str,
    what: &str,
    expect: crate::harness::row::Expect,
    spoil: impl FnOnce(&mut CertificateParams),
) -> Row {
    let ca = pki().root.below("Spoilt CA", spoil);
    sent(id, what, &ca.leaf(|_| {}), &[&ca.der], expect)
}

#[tokio::test]
async fn every_certificate_of_a_path_is_in_force() {
    let last_second = Pki::with("Last", |p| p.not_after = at(0), |p| p.not_after = at(0));
    let future = Pki::with("Future", |p| p.not_before = at(1), |_| {});
    let all = [Trust::of(pki()), Trust::of(&last_second), Trust::of(&future)];
    let server = TestServer::with(&all, "").await;
    let leaf = |spoil: fn(&mut CertificateParams)| pki().ca.leaf(spoil);
    let mut rows = [
        sent("D01", "expired a second ago", &leaf(|p| p.not_after = at(-1)), &[], REFUSED),
        sent("D01", "in its last second", &leaf(|p| p.not_after = at(0)), &[], TOKEN),
        sent("D01", "expires in a second", &leaf(|p| p.not_after = at(1)), &[], TOKEN),
        sent("D02", "begins in a second", &leaf(|p| p.not_before = at(1)), &[], REFUSED),
        sent("D02", "begins now", &leaf(|p| p.not_before = at(0)), &[], TOKEN),
        below("D03", "an expired intermediate", REFUSED, |p| p.not_after = at(-1)),
        below("D03", "one that begins in a second", REFUSED, |p| p.not_before = at(1)),
        below("D03", "one in its last second", TOKEN, |p| p.not_after = at(0)),
    ]
    .into_iter()
    .map(|row| row.failing("validity"))
    .collect::<Vec<_>>();
    rows.extend([
        sent("D04", "an anchor to come", &future.ca.leaf(|_| {}), &[], REFUSED).failing("anchor"),
        sent("D04", "an anchor in its last second", &last_second.ca.leaf(|_| {}), &[], TOKEN),
    ]);
    run(&server, rows).await;
}

#[tokio::test]
async fn an_anchor_counts_until_it_ends() {
    let ending = Pki::with("Ending", |p| p.not_after = at(5), |_| {});
    let ended = Pki::with("Ended", |p| p.not_after = at(-1), |_| {});
    let mut both = Trust::of(&ending);
    both.anchors.push(ended.root.der.clone());
    let server = TestServer::with(&[Trust::of(pki()), both], "").await;
    let (leaf, of_ended) = (ending.ca.leaf(|_| {}), ended.ca.leaf(|_| {}));
    let rows = vec![
        sent("D04", "an anchor in force", &leaf, &[], TOKEN),
        sent("D04", "one that had ended before", &of_ended, &[&ended.ca.der], REFUSED)
            .failing("path"),
    ];
    run(&server, rows).await;
    let warnings = server.app.issuer.certificates.sets()[1].warnings(Timestamp::from_seconds(NOW));
    assert!(warnings.iter().any(|it| it.contains("Ended root is refused")), "{warnings:?}");
    server.clock.set(NOW + 6);
    let row = sent("D04", "an anchor that has ended since", &leaf, &[], REFUSED).failing("anchor");
    run(&server, vec![row]).await;
}

#[tokio::test]
async fn a_verified_chain_is_not_remembered_beyond_its_end() {
    // D01, with the cache of chains warm.
    let server = TestServer::start().await;
    let leaf = pki().ca.leaf(|p| p.not_after = at(5));
    run(&server, vec![sent("D01", "in force", &leaf, &[], TOKEN)]).await;
    server.clock.set(NOW + 6);
    let caller = crate::harness::server::certified(&leaf.key, &[&leaf.der]);
    let reply = server.ask(&caller.assertion()).await;
    crate::harness::row::check_refusal(&reply, 400, "invalid_grant", "MP-120").unwrap();
}

#[tokio::test]
async fn only_configured_anchors_count() {
    let server = TestServer::start().await;
    let key = KeyPair::generate().unwrap();
    let der = leaf_params().self_signed(&key).unwrap().der().to_vec();
    let own = Leaf { der, key: Key::from_pkcs8("ES256", key.serialized_der()) };
    let vendor = Pki::new("Buypass Class 3");
    let impostor = Pki::new("Test");
    let (ca, root) = (&pki().ca.der, &pki().root.der);
    let [unknown, copied] = [&vendor, &impostor].map(|pki| pki.ca.leaf(|_| {}));
    let good = pki().ca.leaf(|_| {});
    let rows = vec![
        sent("D22", "self-signed", &own, &[], REFUSED),
        sent("D23", "a vendor's names", &unknown, &[&vendor.ca.der, &vendor.root.der], REFUSED),
        sent("D25", "the names of ours", &copied, &[&impostor.ca.der, &impostor.root.der], REFUSED),
        sent("D25", "the leaf alone", &copied, &[], REFUSED),
        sent("D26", "our own anchor above", &copied, &[ca, root], REFUSED),
        sent("D26", "our own anchor below theirs", &copied, &[&impostor.ca.der, root], REFUSED),
        sent("D26", "the whole good chain", &good, &[ca, root], TOKEN),
        sent("D26", "another root of the same name", &good, &[ca, &impostor.root.der], TOKEN),
    ];
    run(&server, rows.into_iter().map(|row| row.failing("path")).collect()).await;
}

#[tokio::test]
async fn test_certificates_count_in_test_and_others_do_not() {
    // D24
    let (test, production) = (Pki::new("Test environment"), Pki::new("Production"));
    for (trusted, other) in [(&test, &production), (&production, &test)] {
        let server = TestServer::with(&[Trust::of(pki()), Trust::of(trusted)], "").await;
        let rows = vec![
            sent("D24", "its own", &trusted.ca.leaf(|_| {}), &[&trusted.ca.der], TOKEN),
            sent("D24", "the other's", &other.ca.leaf(|_| {}), &[&other.ca.der], REFUSED),
        ];
        run(&server, rows).await;
    }
}

#[tokio::test]
async fn of_two_routes_the_good_one_counts_every_time() {
    // D27: the client sends the spoilt certificate of an authority whose good one is configured.
    let server = TestServer::start().await;
    let leaf = pki().ca.leaf(|_| {});
    let again = |spoil: fn(&mut CertificateParams)| {
        let mut params = pki().ca.params.clone();
        spoil(&mut params);
        params.signed_by(&pki().ca.key, &pki().root.issuer()).unwrap().der().to_vec()
    };
    let expired = again(|p| p.not_after = at(-1));
    let unfit = again(|p| p.key_usages = vec![KeyUsagePurpose::CrlSign]);
    let mut rows = Vec::new();
    for _ in 0..5 {
        rows.push(sent("D27", "an expired route as well", &leaf, &[&expired], TOKEN));
        rows.push(sent("D27", "an unfit route as well", &leaf, &[&unfit], TOKEN));
    }
    run(&server, rows).await;
}

#[tokio::test]
async fn only_authorities_issue() {
    let server = TestServer::start().await;
    let leaf_as_issuer = pki().ca.below("A leaf", |p| {
        p.is_ca = IsCa::ExplicitNoCa;
        p.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    });
    let last =
        pki().root.below("Last CA", |p| p.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)));
    let second = last.below("Second CA", |_| {});
    let (below_leaf, below_second) = (leaf_as_issuer.leaf(|_| {}), second.leaf(|_| {}));
    let odd = |p: &mut CertificateParams| {
        let mut extension =
            CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99999, 7], vec![5, 0]);
        extension.set_criticality(true);
        p.custom_extensions.push(extension);
    };
    let old = version_1();
    let constraints = "basic constraints";
    let authority = pki().ca.leaf(|p| p.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    let rows = vec![
        sent(
            "D28",
            "a leaf as issuer",
            &below_leaf,
            &[&leaf_as_issuer.der, &pki().ca.der],
            REFUSED,
        ),
        below("D29", "no keyCertSign", REFUSED, |p| p.key_usages = vec![KeyUsagePurpose::CrlSign]),
        below("D30", "no basicConstraints", REFUSED, |p| p.is_ca = IsCa::NoCa),
        sent("D30", "version 1", &old.leaf(|_| {}), &[&old.der], UNREADABLE),
        sent("D31", "a path too long", &below_second, &[&second.der, &last.der], REFUSED)
            .failing(constraints),
        sent("D31", "a path just long enough", &last.leaf(|_| {}), &[&last.der], TOKEN),
        sent("D32", "an authority as a leaf", &authority, &[], REFUSED).failing(constraints),
        below("D36", "an unknown critical extension", UNREADABLE, odd),
        below("D52", "excluded names", REFUSED, |p| {
            let mut excluded = rcgen::DistinguishedName::new();
            excluded.push(rcgen::DnType::CommonName, "A consumer");
            p.name_constraints = Some(rcgen::NameConstraints {
                permitted_subtrees: Vec::new(),
                excluded_subtrees: vec![rcgen::GeneralSubtree::DirectoryName(excluded)],
            });
        })
        .failing("path"),
    ];
    run(&server, rows).await;
}

/// An intermediate of version 1: neither the number of a version nor extensions.
fn version_1() -> Authority {
    let good = pki().root.below("Old CA", |_| {});
    let der = pki().root.patch(&good.der, |inner| {
        inner.remove(0);
        inner.pop();
    });
    Authority { der, ..good }
}

#[tokio::test]
async fn the_key_of_an_authority_is_no_client_key() {
    let server = TestServer::start().await;
    let of = |authority: &Authority| Key::from_pkcs8("ES256", authority.key.serialized_der());
    let (root, ca) = (&pki().root, &pki().ca);
    let with_root_key = ca.certificate(&root.key, |_| {});
    let with_ca_key = ca.certificate(&ca.key, |_| {});
    let leaf = ca.leaf(|_| {});
    let rows = vec![
        signed("D69", "the anchor's key", &of(root), &with_root_key, &[], REFUSED),
        signed("D69", "the intermediate's key", &of(ca), &with_ca_key, &[], REFUSED),
        signed("D69", "the anchor itself", &of(root), &root.der, &[], REFUSED),
        signed("D69", "the intermediate itself", &of(ca), &ca.der, &[], REFUSED),
        signed(
            "D70",
            "signed by the issuer",
            &of(ca),
            &leaf.der,
            &[&ca.der],
            invalid_grant("MP-124"),
        ),
    ];
    run(&server, rows).await;
}
