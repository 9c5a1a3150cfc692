//! OCSP in a running server: what responders tell counts within the interval, what they do not tell is unknown, and
//! nobody waits for them for long. D07, D16 to D21 and J12 end to end, and L09.

use std::time::Duration;

use portvakt::clock::Clock as _;
use serde_json::Value;
use tokio::task::JoinSet;

use super::host::{Act, Host};
use super::lists::get;
use super::responder::{Asking, Authority, EVERY_SECOND, PATIENCE, Responder, openssl_is_there};
use crate::harness::clock::tick;

/// Serial numbers of clients.
const GOOD: u64 = 0x1001;
const OTHER: u64 = 0x1002;
const STRANGE: u64 = 0x1003;

#[tokio::test]
async fn a_certificate_is_asked_about_at_first_sight_and_a_revocation_holds_within_the_interval() {
    if !openssl_is_there() {
        return;
    }
    let authority = Authority::new("Asked");
    authority.index(&[(GOOD, false), (OTHER, true)]);
    let responder = Responder::start(authority.folder.path(), "ca", 0);
    let url = responder.url();
    // D07: the list clears everybody all the time.
    let lists = vec![authority.list_of_root(), authority.list()];
    let trust = authority.trust("alternative", std::slice::from_ref(&url), lists);
    let asking = Asking::start(trust, EVERY_SECOND).await;
    let good = authority.caller(GOOD, Some(&format!("{url}/issuing")));
    let revoked = authority.caller(OTHER, Some(&url));
    assert_eq!(asking.ask(&good).await.status, 200);
    assert_eq!(asking.ask(&revoked).await.status, 400, "the first use waits for the answer");
    // It is revoked while it is used.
    let began = tick();
    authority.index(&[(GOOD, true), (OTHER, true)]);
    asking.until(&good, 400).await;
    println!("a revocation held after {:?}", began.elapsed());
    // One that was on hold comes back.
    authority.index(&[(GOOD, false), (OTHER, true)]);
    asking.until(&good, 200).await;
    let found = asking.responder(&url).await;
    assert_eq!(found["question"]["problem"], Value::Null, "{found}");
    assert_eq!(found["question"]["failing_since"], Value::Null, "{found}");
    assert_eq!(found["certificates"], 2, "{found}");
    let health = get(&asking.server, "/health").await.json();
    let set = &health["trust_sets"][0];
    assert_eq!(set["ocsp"], "alternative", "{health}");
    assert_eq!(set["responders"][0]["url"], url, "{health}");
    assert_eq!(set["responders"][0]["failing_since"], Value::Null, "{health}");
    assert!(asking.metric("portvakt_ocsp_answers_total{result=\"taken\"}").await.is_some());
    let known = asking.metric("portvakt_ocsp_certificates{trust_set=\"set0\"}").await;
    assert_eq!(known.as_deref(), Some("2"));
}

#[tokio::test]
async fn only_configured_responders_are_asked_each_once_at_a_time() {
    if !openssl_is_there() {
        return;
    }
    let authority = Authority::new("Once");
    authority.index(&[(GOOD, false)]);
    let responder = Responder::start(authority.folder.path(), "ca", 0);
    let trap = Host::start().await;
    let url = responder.url();
    let lists = vec![authority.list_of_root()];
    let trust = authority.trust("fallback", std::slice::from_ref(&url), lists);
    // Nothing is asked again within this test.
    let asking = Asking::start(trust, "[ocsp]\nrefresh_seconds = 3600\n").await;
    // J12: whatever else a certificate says, nobody goes there.
    let port = trap.address.port();
    for (serial, place) in [
        (0x2001, format!("http://127.0.0.1:{port}/")),
        (0x2002, format!("http://127.0.0.1:{}@127.0.0.1:{port}/", responder.port)),
        (0x2003, format!("https://127.0.0.1:{}/", responder.port)),
        (0x2004, "ldap://127.0.0.1/".to_owned()),
    ] {
        assert_eq!(
            asking.ask(&authority.caller(serial, Some(&place))).await.status,
            503,
            "{place}"
        );
    }
    assert_eq!(asking.ask(&authority.caller(0x2005, None)).await.status, 503);
    assert_eq!(trap.connections(), 0);
    assert_eq!(asking.responder(&url).await["question"], Value::Null);
    // Nor is anything asked for whoever has not the key: certificates are no secret.
    let good = authority.caller(GOOD, Some(&url));
    let now = asking.server.clock.now().seconds();
    let own = good.draft().claim("iat", now).claim("exp", now + 60).sign();
    let (message, _) = own.rsplit_once('.').unwrap();
    let stolen = asking.server.ask(&format!("{message}.{}", "A".repeat(342))).await;
    assert_eq!(stolen.token(), None, "{}", stolen.text());
    assert_eq!(asking.responder(&url).await["question"], Value::Null);
    // Many that come at once are served by one answer.
    let mut all = JoinSet::new();
    let asking = std::sync::Arc::new(asking);
    for _ in 0..20 {
        let (asking, good) = (std::sync::Arc::clone(&asking), good.clone());
        all.spawn(async move { asking.ask(&good).await.status });
    }
    assert_eq!(all.join_all().await, [200; 20]);
    let taken = asking.metric("portvakt_ocsp_answers_total{result=\"taken\"}").await;
    assert_eq!(taken.as_deref(), Some("1"));
    // D17: one that the responder does not know is unknown, and it is nothing to be alarmed about.
    assert_eq!(asking.ask(&authority.caller(STRANGE, Some(&url))).await.status, 503);
    let found = asking.responder(&url).await;
    assert_eq!(found["question"]["result"], "refused", "{found}");
    assert_eq!(found["question"]["failing_since"], Value::Null, "{found}");
}

#[tokio::test]
async fn what_no_list_can_tell_is_asked_and_nothing_else() {
    if !openssl_is_there() {
        return;
    }
    let authority = Authority::new("Fallback");
    // The responder would say that it is revoked; the list, which is fresh, that it is not.
    authority.index(&[(GOOD, true)]);
    let responder = Responder::start(authority.folder.path(), "ca", 0);
    let url = responder.url();
    let lists = vec![authority.list_of_root(), authority.list()];
    let trust = authority.trust("fallback", std::slice::from_ref(&url), lists);
    let asking = Asking::start(trust, EVERY_SECOND).await;
    let caller = authority.caller(GOOD, Some(&url));
    assert_eq!(asking.ask(&caller).await.status, 200);
    assert_eq!(asking.responder(&url).await["question"], Value::Null);
    // The list ends a day from now. An answer that clears would be too old then; a revocation never is.
    asking.ahead(86_500);
    assert_eq!(asking.ask(&caller).await.status, 400);
    assert_eq!(asking.responder(&url).await["question"]["result"], "taken");
    assert_eq!(asking.ask(&authority.caller(OTHER, Some(&url))).await.status, 503);
}

/// A responder goes away while its answer counts. What was good stays so until the answer ends, and then as long as the
/// policy says.
async fn goes_away(name: &str, policy: &'static str, more: &str) -> (Authority, Responder, Asking) {
    let authority = Authority::new(name);
    authority.index(&[(GOOD, false), (OTHER, false)]);
    let responder = Responder::start(authority.folder.path(), "ca", 0);
    let (url, port) = (responder.url(), responder.port);
    let lists = vec![authority.list_of_root()];
    let mut trust = authority.trust("alternative", std::slice::from_ref(&url), lists);
    trust.revocation = policy;
    trust.more += more;
    let asking = Asking::start(trust, EVERY_SECOND).await;
    let caller = authority.caller(GOOD, Some(&url));
    assert_eq!(asking.ask(&caller).await.status, 200);
    drop(responder);
    let began = tick();
    while asking.responder(&url).await["question"]["failing_since"] == Value::Null {
        assert_eq!(asking.ask(&caller).await.status, 200, "what was told still counts");
        assert!(began.elapsed() < PATIENCE, "nobody asks ahead");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let found = asking.responder(&url).await;
    assert_eq!(found["question"]["result"], "failed", "{found}");
    let health = get(&asking.server, "/health").await.json();
    assert_eq!(health["status"], "warning", "{health}");
    assert!(health["trust_sets"][0]["warnings"].to_string().contains(&url), "{health}");
    let since = format!(
        "portvakt_ocsp_responder_failing_since_timestamp_seconds{{trust_set=\"set0\",url=\"{url}\"}}"
    );
    assert!(asking.metric(&since).await.is_some_and(|since| since != "0"));
    // Who was not known before is not known now, and does not wait: it is known that nobody answers.
    let began = tick();
    assert_eq!(asking.ask(&authority.caller(OTHER, Some(&url))).await.status, 503);
    assert!(began.elapsed() < Duration::from_secs(1));
    asking.ahead(200);
    assert_eq!(asking.ask(&caller).await.status, 200, "what was told still counts");
    let policy_end = if policy == "soft_fail" { 3_600 } else { 0 };
    if policy_end > 0 {
        asking.ahead(400);
        assert_eq!(asking.ask(&caller).await.status, 200, "soft");
    }
    asking.ahead(policy_end + 400);
    assert_eq!(asking.ask(&caller).await.status, 503);
    let responder = Responder::start(authority.folder.path(), "ca", port);
    (authority, responder, asking)
}

#[tokio::test]
async fn a_responder_that_is_down_refuses_when_its_answer_has_ended() {
    if !openssl_is_there() {
        return;
    }
    let (authority, responder, asking) = goes_away("Hard", "hard_fail", "").await;
    // It is there again, and is found again; both clients are served.
    asking.until(&authority.caller(GOOD, Some(&responder.url())), 200).await;
    assert_eq!(asking.responder(&responder.url()).await["question"]["failing_since"], Value::Null);
}

#[tokio::test]
async fn a_responder_that_is_down_is_forgiven_for_as_long_as_the_policy_says() {
    if !openssl_is_there() {
        return;
    }
    goes_away("Soft", "soft_fail", "soft_fail_hours = 1\n").await;
}

#[tokio::test]
async fn what_comes_wrong_is_no_status_and_is_not_waited_for() {
    if !openssl_is_there() {
        return;
    }
    let authority = Authority::new("Wrong");
    authority.index(&[(GOOD, false), (OTHER, false)]);
    // Of the same name, with another key.
    let impostor = Authority::new("Wrong");
    authority.signer("impostor", &impostor.pki.ca.der, &impostor.pki.ca.key);
    let impostor = Responder::start(authority.folder.path(), "impostor", 0);
    let honest = Responder::start(authority.folder.path(), "ca", 0);
    let host = Host::start().await;
    let urls = [host.url(""), impostor.url(), honest.url()];
    let trust = authority.trust("alternative", &urls, vec![authority.list_of_root()]);
    let asking = Asking::start(trust, EVERY_SECOND).await;
    let reply = asking.ask(&authority.caller(GOOD, Some(&impostor.url()))).await;
    assert_eq!(reply.status, 503, "D19");
    let found = asking.responder(&impostor.url()).await;
    assert_eq!(found["question"]["result"], "refused", "{found}");
    // Each time another certificate, because nobody asks twice about one that nobody could tell about.
    let mut serial = 0x3000;
    for (act, problem) in [
        (Act::Hang, "no answer within 2 seconds"),
        (Act::Flood(b"HTTP/1.1 200 OK\r\n\r\n".to_vec()), "more than 64 KiB"),
        (Act::answer("500 Oops", "", b""), "status 500"),
        (Act::Drip(b"HTTP/1.1 200 OK\r\n\r\n0".to_vec(), Duration::from_millis(100)), "within 2"),
        (Act::redirect(&honest.url()), "status 302"),
        (Act::answer("200 OK", "", b""), "cannot be read"),
        (Act::answer("200 OK", "", &[0x30, 0x03, 0x0a, 0x01, 0x03]), "tryLater"),
        (Act::answer("200 OK", "", b"<html>Sign in to the network</html>"), "cannot be read"),
    ] {
        host.act("/", act);
        serial += 1;
        let caller = authority.caller(serial, Some(&host.url("/")));
        assert_eq!(asking.ask(&caller).await.status, 503, "{problem}");
        let began = tick();
        loop {
            let found = asking.responder(&urls[0]).await;
            let seen = found["question"]["problem"].to_string();
            if seen.contains(problem) {
                break;
            }
            assert!(began.elapsed() < PATIENCE, "{problem}: {found}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(asking.ask(&caller).await.status, 503, "{problem}");
    }
    // D20: the answer is of an hour that is over.
    asking.ahead(2 * 3_600);
    assert_eq!(asking.ask(&authority.caller(OTHER, Some(&honest.url()))).await.status, 503);
    let found = asking.responder(&honest.url()).await;
    let problem = found["question"]["problem"].to_string();
    assert!(problem.contains("to be renewed at"), "{found}");
}

#[tokio::test]
async fn a_fresh_list_stands_in_for_a_responder_that_says_nothing() {
    let authority = Authority::new("Beside");
    let host = Host::start().await;
    host.act("/", Act::Hang);
    let lists = vec![authority.list_of_root(), authority.list()];
    let trust = authority.trust("alternative", &[host.url("")], lists);
    let asking = Asking::start(trust, EVERY_SECOND).await;
    // D16; the first one waits as long as one may, the others do not wait any more.
    let caller = authority.caller(GOOD, Some(&host.url("/")));
    let first = tick();
    assert_eq!(asking.ask(&caller).await.status, 200);
    tokio::time::sleep(Duration::from_secs(1)).await;
    // L09: many certificates that nobody tells about.
    let began = tick();
    for serial in 0x4000..0x4020 {
        let caller = authority.caller(serial, Some(&host.url("/")));
        assert_eq!(asking.ask(&caller).await.status, 200);
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    // Four questions are asked at a time, and each is given up after two seconds.
    let most = usize::try_from(4 * (first.elapsed().as_secs() / 2 + 1)).unwrap();
    assert!(host.connections() <= most, "{} and not {most}", host.connections());
}
