//! J11: servers whose TLS certificate is not theirs.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use portvakt::http::TlsKeys;
use portvakt::http::listen::Listener;
use portvakt::remote::outbound::{Names, OutboundRules};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, SanType,
};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};

use super::{fetch, rules};
use crate::harness::chain::{Authority, pem};

/// Every name is this machine.
struct EveryName;

impl Names for EveryName {
    fn look_up(&self, _: &str) -> std::io::Result<Vec<IpAddr>> {
        Ok(vec!["127.0.0.1".parse().unwrap()])
    }
}

/// TLS is judged by the clock of the machine, so its certificates are of now.
#[expect(clippy::disallowed_methods, reason = "the library judges by the clock of the machine")]
fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// A server with a certificate of `authority`; its port.
async fn serve(
    folder: &TempDir,
    authority: &Authority,
    spoil: impl FnOnce(&mut CertificateParams),
) -> u16 {
    let mut params = CertificateParams::default();
    params.not_before = now() - Duration::days(2);
    params.not_after = now() + Duration::days(2);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "crl.example");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.subject_alt_names = vec![name("crl.example")];
    spoil(&mut params);
    let key = KeyPair::generate().unwrap();
    let der = params.signed_by(&key, &authority.issuer()).unwrap().der().to_vec();
    let (chain, private) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    std::fs::write(&chain, pem("CERTIFICATE", &der)).unwrap();
    std::fs::write(&private, key.serialize_pem()).unwrap();
    let keys = TlsKeys::load(chain, private).unwrap();
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), Some(keys), 100).await.unwrap();
    let port = listener.address().unwrap().port();
    let down = format!("http://crl.example:{port}/list");
    let router = Router::new()
        .route("/list", get(|| async { "list" }))
        .route("/down", get(move || async move { Redirect::to(&down) }));
    tokio::spawn(async move { listener.serve(router, std::future::pending()).await });
    port
}

fn name(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

/// An authority that is in force by the clock of the machine.
fn authority(name: &str) -> Authority {
    Authority::root(name, |params| {
        params.not_before = now() - Duration::days(9);
        params.not_after = now() + Duration::days(9);
    })
}

fn trusting(authority: &Authority) -> OutboundRules {
    OutboundRules {
        authorities_pem: vec![pem("CERTIFICATE", &authority.der).into_bytes()],
        ..rules(&["127.0.0.1/32"], Arc::new(EveryName))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_who_its_certificate_says() {
    let folder = TempDir::new().unwrap();
    let root = authority("Outbound root");
    let trusting = trusting(&root);
    let port = serve(&folder, &root, |_| {}).await;
    assert_eq!(
        fetch(&trusting, &format!("https://crl.example:{port}/list")).await.unwrap(),
        b"list"
    );
    let elsewhere = fetch(&trusting, &format!("https://other.example:{port}/list")).await;
    assert!(elsewhere.is_err(), "another name");
    // J05: what was asked over TLS is not asked without.
    let down = fetch(&trusting, &format!("https://crl.example:{port}/down")).await.unwrap_err();
    assert!(down.contains("without TLS"), "{down}");
    let nobody = rules(&["127.0.0.1/32"], Arc::new(EveryName));
    let strange = fetch(&nobody, &format!("https://crl.example:{port}/list")).await;
    assert!(strange.is_err(), "an authority that nobody trusts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_is_spoilt_is_refused() {
    type Spoil = fn(&mut CertificateParams);
    let root = authority("Outbound root");
    let trusting = trusting(&root);
    let wildcard: Spoil = |p| p.subject_alt_names = vec![name("*.crl.example")];
    let rows: [(&str, Spoil, &str, bool); 8] = [
        ("nothing is wrong", |_| {}, "crl.example", true),
        ("a wildcard", wildcard, "lists.crl.example", true),
        ("a wildcard over two levels", wildcard, "a.lists.crl.example", false),
        ("a wildcard over none", wildcard, "crl.example", false),
        ("no name but the common one", |p| p.subject_alt_names.clear(), "crl.example", false),
        ("expired", |p| p.not_after = now() - Duration::days(1), "crl.example", false),
        ("of tomorrow", |p| p.not_before = now() + Duration::days(1), "crl.example", false),
        (
            "of a client",
            |p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth],
            "crl.example",
            false,
        ),
    ];
    for (what, spoil, host, is_right) in rows {
        let folder = TempDir::new().unwrap();
        let port = serve(&folder, &root, spoil).await;
        let found = fetch(&trusting, &format!("https://{host}:{port}/list")).await;
        assert_eq!(found.is_ok(), is_right, "{what}: {found:?}");
    }
    // A certificate of the same name by an authority of the same name.
    let folder = TempDir::new().unwrap();
    let port = serve(&folder, &authority("Outbound root"), |_| {}).await;
    assert!(fetch(&trusting, &format!("https://crl.example:{port}/list")).await.is_err());
}
