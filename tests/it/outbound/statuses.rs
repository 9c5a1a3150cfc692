//! Responders that answer without an answer (RFC 6960 section 4.2.1): each such status says nothing of the certificate, so
//! that the policy of the trust set decides; it is told by its name, and nobody is asked again at once or waited for.

use std::time::Duration;

use serde_json::Value;

use super::host::{Act, Host, whole};
use super::responder::{Asking, Authority, EVERY_SECOND, PATIENCE};
use crate::harness::clock::tick;
use crate::harness::logs;

/// The statuses with their names, and whether whoever answers so counts as one that fails: one that signs in advance
/// says "unauthorized" of a certificate that it does not know, and may well know all others (RFC 5019 section 2.2.3).
const STATUSES: [(u8, &str, bool); 5] = [
    (1, "malformedRequest", true),
    (2, "internalError", true),
    (3, "tryLater", true),
    (5, "sigRequired", true),
    (6, "unauthorized", false),
];

/// The serial number of the first client.
const FIRST: u64 = 0x5001;

/// Asks nobody again within a test.
const HOURLY: &str = "[ocsp]\nrefresh_seconds = 3600\n";

/// What a request may take that waits for nobody.
const AT_ONCE: Duration = Duration::from_millis(700);

/// An `OCSPResponse` of nothing but its status. A responder of OpenSSL gives none to a question like ours.
fn status_alone(code: u8) -> [u8; 5] {
    [0x30, 0x03, 0x0a, 0x01, code]
}

/// A responder for each status.
async fn hosts() -> Vec<Host> {
    let mut hosts = Vec::new();
    for (code, ..) in STATUSES {
        let host = Host::start().await;
        host.act("/", Act::answer("200 OK", "", &status_alone(code)));
        hosts.push(host);
    }
    hosts
}

fn urls(hosts: &[Host]) -> Vec<String> {
    hosts.iter().map(|host| host.url("")).collect()
}

/// Waits until the log tells of this responder so.
async fn logged(url: &str, level: &str, told: &str) {
    let began = tick();
    let is_it = |line: &String| line.contains(told) && line.contains(level);
    while !logs::lines_with(url).iter().any(is_it) {
        let lines = logs::lines_with(url);
        assert!(began.elapsed() < PATIENCE, "{level} {told}: {lines:#?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_status_in_place_of_an_answer_tells_nothing_is_told_by_its_name_and_not_asked_for_again()
{
    let authority = Authority::new("Statuses");
    let hosts = hosts().await;
    let trust = authority.trust("alternative", &urls(&hosts), vec![authority.list_of_root()]);
    let asking = Asking::start(trust, HOURLY).await;
    for (serial, (host, (_, status, is_failing))) in (FIRST..).zip(hosts.iter().zip(STATUSES)) {
        let caller = authority.caller(serial, Some(&host.url("/")));
        assert_eq!(asking.ask(&caller).await.status, 503, "{status}");
        for _ in 0..5 {
            let reply = asking.ask(&caller).await;
            assert_eq!(reply.status, 503, "{status}");
            assert!(reply.took < AT_ONCE, "{status}: {:?}", reply.took);
        }
        assert_eq!(host.connections(), 1, "{status}");
        let metric = format!("portvakt_ocsp_answers_total{{result=\"{status}\"}}");
        assert_eq!(asking.metric(&metric).await.as_deref(), Some("1"), "{status}");
        let found = asking.responder(&host.url("")).await;
        assert_eq!(found["question"]["result"], status, "{found}");
        let problem = found["question"]["problem"].as_str().unwrap_or_default();
        assert_eq!(problem, format!("the responder answered \"{status}\""), "{found}");
        assert_eq!(found["question"]["failing_since"] != Value::Null, is_failing, "{found}");
        logged(&host.url("/"), if is_failing { "ERROR" } else { "INFO" }, status).await;
    }
    // One that fails otherwise than before is told again.
    let host = &hosts[2];
    host.act("/", Act::answer("200 OK", "", &status_alone(2)));
    let caller = authority.caller(0x5100, Some(&host.url("/")));
    assert_eq!(asking.ask(&caller).await.status, 503);
    logged(&host.url("/"), "ERROR", "internalError").await;
}

#[tokio::test]
async fn the_policy_decides_where_a_responder_answers_without_an_answer() {
    let hosts = hosts().await;
    for (policy, hours, ended) in
        [("hard_fail", "", 503), ("soft_fail", "soft_fail_hours = 1\n", 200)]
    {
        let authority = Authority::new("Policy of statuses");
        // The list clears everybody for a day.
        let lists = vec![authority.list_of_root(), authority.list()];
        let mut trust = authority.trust("alternative", &urls(&hosts), lists);
        trust.revocation = policy;
        trust.more += hours;
        let asking = Asking::start(trust, HOURLY).await;
        for (seconds, expected) in [(0, 200), (86_500, ended), (86_400 + 3_700, 503)] {
            asking.ahead(seconds);
            for (serial, (host, (_, status, _))) in (FIRST..).zip(hosts.iter().zip(STATUSES)) {
                let caller = authority.caller(serial, Some(&host.url("/")));
                let found = asking.ask(&caller).await.status;
                assert_eq!(found, expected, "{policy} {status} {seconds}");
            }
        }
    }
}

#[tokio::test]
async fn who_is_unknown_to_a_slow_responder_waits_for_it_once() {
    let authority = Authority::new("Slow statuses");
    let host = Host::start().await;
    let pause = Duration::from_secs(1);
    host.act("/", Act::Late(pause, whole("200 OK", "", &status_alone(6))));
    let trust = authority.trust("alternative", &[host.url("")], vec![authority.list_of_root()]);
    let asking = Asking::start(trust, EVERY_SECOND).await;
    let caller = authority.caller(FIRST, Some(&host.url("/")));
    let began = tick();
    let first = asking.ask(&caller).await;
    assert_eq!(first.status, 503);
    assert!(first.took >= pause, "the first use waits for the answer: {:?}", first.took);
    // It is asked again and again, and nobody waits for it.
    while host.connections() < 4 {
        let reply = asking.ask(&caller).await;
        assert_eq!(reply.status, 503);
        assert!(reply.took < AT_ONCE, "{:?}", reply.took);
        assert!(began.elapsed() < PATIENCE, "nobody asks again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // One question at a time, and each takes a second.
    assert!(began.elapsed() >= 3 * pause, "{:?}", began.elapsed());
    assert_eq!(asking.responder(&host.url("")).await["question"]["failing_since"], Value::Null);
}
