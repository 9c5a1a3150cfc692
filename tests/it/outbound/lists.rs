//! Revocation lists that a running server fetches: what counts, what does not, and what is left when their host is gone.

use std::time::Duration;

use rcgen::RevocationReason::KeyCompromise;
use rcgen::{CrlDistributionPoint, SerialNumber};
use serde_json::Value;

use super::host::{Act, Host};
use crate::harness::caller::Caller;
use crate::harness::chain::{LEAF_SERIAL, Pki, Trust, at, revoked};
use crate::harness::clock::{NOW, tick};
use crate::harness::row::check_refusal;
use crate::harness::server::{TestServer, certified};

/// Looks for new lists every second, which stands for the ten minutes of production.
const EVERY_SECOND: &str = "[revocation_lists]\nrefresh_seconds = 1\nfetch_seconds_max = 2\n";

/// How long a change may take to be seen: the interval, a fetch, and a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(15);

/// An authority that publishes lists, and a client of its.
struct Published {
    pki: Pki,
    host: Host,
    caller: Caller,
}

impl Published {
    async fn start(name: &str) -> Self {
        let pki = Pki::new(name);
        let leaf = pki.ca.leaf(|_| {});
        let caller = certified(&leaf.key, &[&leaf.der]);
        let published = Self { host: Host::start().await, caller, pki };
        published.host.act("/root", Act::Publish(published.pki.root.crl(|_| {})));
        published.host.act("/ca", Act::Publish(published.list(7, false)));
        published
    }

    /// A list of the intermediate, which may revoke the client's certificate.
    fn list(&self, number: u64, is_revoking: bool) -> Vec<u8> {
        self.pki.ca.crl(|p| {
            p.crl_number = SerialNumber::from(number);
            if is_revoking {
                p.revoked_certs.push(revoked(LEAF_SERIAL, KeyCompromise));
            }
        })
    }

    fn trust(&self) -> Trust {
        Trust::fetching(&self.pki, &[self.host.url("/root"), self.host.url("/ca")])
    }

    async fn server(&self) -> TestServer {
        TestServer::with(&[self.trust()], EVERY_SECOND).await
    }

    /// Waits until asking comes to `status`. No request may wait for a list meanwhile.
    async fn until(&self, server: &TestServer, status: u16) {
        let began = tick();
        loop {
            let found = self.ask(server).await;
            if found == status {
                return;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "{found} and not {status}: {}",
                state(server).await
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn ask(&self, server: &TestServer) -> u16 {
        let reply = server.ask(&self.caller.assertion()).await;
        assert!(reply.took < Duration::from_secs(2), "a request waited for {:?}", reply.took);
        match reply.status {
            400 => check_refusal(&reply, 400, "invalid_grant", "MP-120").unwrap(),
            503 => check_refusal(&reply, 503, "temporarily_unavailable", "").unwrap(),
            _ => assert_eq!(reply.status, 200, "{}", reply.text()),
        }
        reply.status
    }

    /// Holds that asking comes to `status` for as long as several looks for a list take.
    async fn holds(&self, server: &TestServer, status: u16) {
        let looks = self.host.connections();
        let began = tick();
        while began.elapsed() < Duration::from_secs(3) || self.host.connections() < looks + 2 {
            assert_eq!(self.ask(server).await, status, "{}", state(server).await);
            assert!(began.elapsed() < PATIENCE, "nobody looks for lists");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// How the lists are, by the management API.
pub(super) async fn state(server: &TestServer) -> Value {
    get(server, "/revocation-lists").await.json()
}

pub(super) async fn get(server: &TestServer, path: &str) -> crate::harness::http::Reply {
    server.manage(path).await
}

/// The entry of a list that is fetched from a path.
fn entry(state: &Value, path: &str) -> Value {
    let lists = state["lists"].as_array().unwrap();
    let is_it = |it: &&Value| it["url"].as_str().is_some_and(|url| url.ends_with(path));
    lists.iter().find(is_it).unwrap_or(&Value::Null).clone()
}

#[tokio::test]
async fn a_list_is_fetched_and_a_revocation_holds_within_the_interval() {
    let published = Published::start("Fetched").await;
    let server = published.server().await;
    published.until(&server, 200).await;
    published.host.act("/ca", Act::Publish(published.list(8, true)));
    published.until(&server, 400).await;
    // What is there already is not sent again.
    published.holds(&server, 400).await;
    let heads = published.host.heads();
    assert!(heads.iter().any(|head| head.to_ascii_lowercase().contains("if-none-match")));
    let state = state(&server).await;
    let list = entry(&state, "/ca");
    assert_eq!(list["list"]["number"], "8");
    assert_eq!(list["list"]["entries"], 1);
    assert_eq!(list["list"]["age_seconds"], 3600);
    assert_eq!(list["fetch"]["result"], "unchanged");
    assert_eq!(state["warnings"], Value::Array(Vec::new()));
    let metrics = get(&server, "/metrics").await.text();
    for line in [
        "portvakt_revocation_list_fetches_total{result=\"taken\"} 3".to_owned(),
        format!(
            "portvakt_revocation_list_entries{{trust_set=\"set0\",issuer=\"CN=Fetched CA\",url=\"{}\"}} 1",
            published.host.url("/ca")
        ),
        format!(
            "portvakt_revocation_list_next_update_timestamp_seconds{{trust_set=\"set0\",issuer=\"CN=Fetched root\",url=\"{}\"}} {}",
            published.host.url("/root"),
            NOW + 24 * 3600
        ),
    ] {
        assert!(metrics.contains(&line), "{line}\n{metrics}");
    }
}

#[tokio::test]
async fn an_outage_is_survived_until_the_list_ends_and_what_comes_wrong_replaces_nothing() {
    // R36, J13
    let published = Published::start("Outage").await;
    let server = published.server().await;
    published.until(&server, 200).await;
    let good = published.list(7, false);
    let of_impostor = Pki::new("Outage").ca.crl(|p| p.crl_number = SerialNumber::from(9_u64));
    let mut broken = published.list(9, false);
    *broken.last_mut().unwrap() ^= 1;
    for (act, result) in [
        (Act::Hang, "failed"),
        (Act::answer("500 Oops", "", b""), "failed"),
        (Act::answer("200 OK", "", b"<html>Sign in to the network</html>"), "refused"),
        (Act::answer("200 OK", "", &good[..good.len() / 2]), "refused"),
        (Act::answer("200 OK", "", &of_impostor), "refused"),
        (Act::answer("200 OK", "", &broken), "refused"),
        (Act::answer("200 OK", "", &published.pki.ca.crl(|p| p.this_update = at(60))), "refused"),
    ] {
        published.host.act("/ca", act);
        let began = tick();
        while entry(&state(&server).await, "/ca")["fetch"]["result"] != result {
            assert_eq!(published.ask(&server).await, 200, "{result}");
            assert!(began.elapsed() < PATIENCE, "{result}: {}", state(&server).await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // The next answer is another one, so that each of them is seen.
        published.host.act("/ca", Act::Publish(good.clone()));
        while entry(&state(&server).await, "/ca")["fetch"]["failing_since"] != Value::Null {
            assert!(began.elapsed() < 2 * PATIENCE, "{result}: {}", state(&server).await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    // The host is gone for good: the list ends a day after the server's moment.
    published.host.act("/ca", Act::answer("503 Away", "", b""));
    published.host.act(
        "/root",
        Act::Publish(published.pki.root.crl(|p| {
            p.crl_number = SerialNumber::from(8_u64);
            p.next_update = at(99 * 24 * 3600);
        })),
    );
    let has_failed = |state: &Value| entry(state, "/ca")["fetch"]["failing_since"] != Value::Null;
    let began = tick();
    while !has_failed(&state(&server).await)
        || entry(&state(&server).await, "/root")["list"]["number"] != "8"
    {
        assert!(began.elapsed() < PATIENCE, "{}", state(&server).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for (hours, warning, status) in [
        (11, "", 200),
        (12, "half of the time", 200),
        (22, "nine tenths", 200),
        (24, "nine tenths", 200),
    ] {
        server.clock.set(NOW + hours * 3600);
        assert_eq!(published.ask_at(&server).await, status, "{hours}");
        let warnings = state(&server).await["warnings"].to_string();
        assert!(warnings.contains(warning), "{hours}: {warnings}");
        assert_eq!(warnings == "[]", warning.is_empty(), "{hours}: {warnings}");
    }
    server.clock.set(NOW + 24 * 3600 + 1);
    assert_eq!(published.ask_at(&server).await, 503);
    assert!(state(&server).await["warnings"].to_string().contains("no list that counts"));
    // It is back.
    published.host.act(
        "/ca",
        Act::Publish(published.pki.ca.crl(|p| {
            p.crl_number = SerialNumber::from(10_u64);
            p.next_update = at(48 * 3600);
        })),
    );
    let began = tick();
    while published.ask_at(&server).await != 200 {
        assert!(began.elapsed() < PATIENCE, "{}", state(&server).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(state(&server).await["warnings"], Value::Array(Vec::new()));
}

impl Published {
    /// Asks by the server's clock, which has been moved.
    async fn ask_at(&self, server: &TestServer) -> u16 {
        use portvakt::clock::Clock as _;
        let now = server.clock.now().seconds();
        let draft = self.caller.draft().claim("iat", now).claim("exp", now + 100);
        let reply = server.ask(&draft.sign()).await;
        assert!(matches!(reply.status, 200 | 503), "{}", reply.text());
        reply.status
    }
}

#[tokio::test]
async fn a_restart_without_a_network_has_the_lists_and_an_old_one_does_not_come_back() {
    // CRL-05
    let published = Published::start("Restarted").await;
    let server = published.server().await;
    published.until(&server, 200).await;
    published.host.act("/ca", Act::Publish(published.list(9, true)));
    published.until(&server, 400).await;
    published.host.act("/ca", Act::Publish(published.list(8, false)));
    published.holds(&server, 400).await;
    let refused = entry(&state(&server).await, "/ca");
    assert_eq!(refused["fetch"]["result"], "refused");
    assert!(refused["fetch"]["problem"].to_string().contains("earlier issue"), "{refused}");
    // A server that begins when nobody answers any more.
    let folder = server.folder().join("revocation-lists");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2);
    published.host.act("/ca", Act::Hang);
    published.host.act("/root", Act::Hang);
    let place = server.place.clone();
    drop(server);
    let again = TestServer::on(place.clone(), &[published.trust()], EVERY_SECOND).await;
    assert_eq!(published.ask(&again).await, 400, "revoked from the first moment");
    published.host.act("/root", Act::Publish(published.pki.root.crl(|_| {})));
    published.host.act("/ca", Act::Publish(published.list(8, false)));
    published.holds(&again, 400).await;
    published.host.act("/ca", Act::Publish(published.list(10, false)));
    published.until(&again, 200).await;
    // What lies on the disk is judged like what comes over the network.
    for file in std::fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        let mut bytes = std::fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&path, bytes).unwrap();
    }
    published.host.act("/ca", Act::Hang);
    published.host.act("/root", Act::Hang);
    let spoilt = TestServer::on(place.clone(), &[published.trust()], EVERY_SECOND).await;
    assert_eq!(published.ask(&spoilt).await, 503);
}

#[tokio::test]
async fn the_addresses_of_configured_authorities_are_fetched_and_no_others() {
    // J01
    let (host, stranger) = (Host::start().await, Host::at("127.0.0.4:0").await);
    let point =
        |url: String| vec![CrlDistributionPoint { uris: vec![url, "ldap://x/cn=y".to_owned()] }];
    let pki = Pki::with(
        "Points",
        |_| {},
        |params| params.crl_distribution_points = point(host.url("/root")),
    );
    host.act("/root", Act::Publish(pki.root.crl(|_| {})));
    host.act("/ca", Act::Publish(pki.ca.crl(|_| {})));
    let trust = Trust::fetching(&pki, &[host.url("/ca")]);
    let server = TestServer::with(&[trust], EVERY_SECOND).await;
    let of_stranger = |params: &mut rcgen::CertificateParams| {
        params.crl_distribution_points = point(stranger.url("/list"));
    };
    let leaf = pki.ca.leaf(of_stranger);
    let between = pki.root.below("Points between", of_stranger);
    let below = between.leaf(of_stranger);
    let forged = Pki::new("Points").ca.leaf(of_stranger);
    let began = tick();
    while server.ask(&certified(&leaf.key, &[&leaf.der]).assertion()).await.status != 200 {
        assert!(began.elapsed() < PATIENCE, "{}", state(&server).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for (key, chain, status) in [
        (&below.key, vec![&below.der[..], &between.der], 503),
        (&forged.key, vec![&forged.der[..]], 400),
    ] {
        let reply = server.ask(&certified(key, &chain).assertion()).await;
        assert_eq!(reply.status, status, "{}", reply.text());
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(stranger.connections(), 0);
}

#[tokio::test]
async fn what_is_revoked_in_one_list_is_revoked_whatever_others_say() {
    // D3: a file and two addresses.
    let published = Published::start("Several").await;
    published.host.act("/second", Act::Publish(published.list(7, true)));
    let urls = ["/root", "/ca"].map(|path| published.host.url(path));
    let with_file = Trust {
        crls: vec![published.list(7, true), published.pki.root.crl(|_| {})],
        ..Trust::fetching(&published.pki, &urls)
    };
    let server = TestServer::with(&[with_file], EVERY_SECOND).await;
    published.holds(&server, 400).await;
    let urls = ["/root", "/ca", "/second"].map(|path| published.host.url(path));
    let server = TestServer::with(&[Trust::fetching(&published.pki, &urls)], EVERY_SECOND).await;
    published.until(&server, 400).await;
    published.holds(&server, 400).await;
}

#[tokio::test]
async fn a_soft_set_lets_pass_for_its_hours_and_a_set_that_is_not_checked_fetches_nothing() {
    let published = Published::start("Soft").await;
    let mut soft = Trust { revocation: "soft_fail", ..published.trust() };
    soft.more += "soft_fail_hours = 2\n";
    let server = TestServer::with(&[soft], EVERY_SECOND).await;
    published.until(&server, 200).await;
    for path in ["/ca", "/root"] {
        published.host.act(path, Act::answer("503 Away", "", b""));
    }
    for (seconds, status) in [(24 * 3600 + 1, 200), (26 * 3600, 200), (26 * 3600 + 1, 503)] {
        server.clock.set(NOW + seconds);
        assert_eq!(published.ask_at(&server).await, status, "{seconds}");
    }
    let idle = Published::start("Idle").await;
    let unchecked = Trust { revocation: "not_checked", ..idle.trust() };
    let server = TestServer::with(&[unchecked], EVERY_SECOND).await;
    idle.until(&server, 200).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(idle.host.connections(), 0);
}
