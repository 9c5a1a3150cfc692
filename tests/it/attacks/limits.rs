//! Group L, second part: who asks for too much is refused, and nobody else is.

use std::time::Duration;

use portvakt::token::limit::BURST_SECONDS;

use crate::harness::caller::{Caller, with_signature};
use crate::harness::chain::{Pki, Trust};
use crate::harness::clock::tick;
use crate::harness::http::{FORM, Reply, exchange, form, request};
use crate::harness::row::check_refusal;
use crate::harness::server::{TestServer, caller, certified, pki};

/// Limits of that rate, for requests whose source a proxy names.
async fn limited(limit: &str, rate: u32) -> TestServer {
    let configuration = format!(
        "[token_listener]\nbehind_proxy = true\nsource_address_header = \"X-Forwarded-For\"\n\
         [limits]\n{limit} = {rate}\n"
    );
    TestServer::with(&[Trust::of(pki())], &configuration).await
}

/// Posts an assertion that comes from this address.
async fn ask_from(server: &TestServer, source: &str, assertion: &str) -> Reply {
    let headers = [("Content-Type", FORM), ("X-Forwarded-For", source)];
    let request = request("POST /token", &headers, form(assertion).as_bytes());
    exchange(server.address, &request).await.unwrap()
}

/// Holds that the answer is the one to too many requests.
fn assert_too_many(what: &str, reply: &Reply) {
    check_refusal(reply, 429, "temporarily_unavailable", "")
        .unwrap_or_else(|e| panic!("{what}: {e}"));
    let seconds: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=2).contains(&seconds), "{what}: {seconds}");
}

fn badly_signed(caller: &Caller) -> String {
    with_signature(&caller.draft().message(), &[7; 64])
}

/// Uses up whatever this address may still do in vain.
async fn fail_from(server: &TestServer, source: &str) {
    while ask_from(server, source, &badly_signed(&caller("es256"))).await.status != 429 {}
}

#[tokio::test]
async fn l10_a_client_over_its_quota_is_refused_and_no_other() {
    let server = limited("token_requests_by_client", 5).await;
    let (busy, calm) = (caller("es256"), caller("eddsa"));
    let began = tick();
    let (mut passed, mut refused) = (0_u32, 0_u32);
    for turn in 0..200 {
        let reply = server.ask(&busy.assertion()).await;
        if reply.status == 200 {
            passed += 1;
        } else {
            assert_too_many("L10", &reply);
            refused += 1;
        }
        if turn % 25 == 0 {
            assert_eq!(server.ask(&calm.assertion()).await.status, 200, "L10: another client");
        }
    }
    let burst = 5 * BURST_SECONDS;
    let most = f64::from(burst) + 5.0 * began.elapsed().as_secs_f64();
    assert!(
        passed >= burst && f64::from(passed) <= most,
        "L10: {passed} passed, at most {most} may"
    );
    let line = format!("portvakt_limited_requests_total{{limit=\"token_client\"}} {refused}\n");
    assert!(server.app.metrics.to_text().contains(&line), "{}", server.app.metrics.to_text());
    server.clock.push_uptime(Duration::from_secs(1));
    assert_eq!(server.ask(&busy.assertion()).await.status, 200, "L10: after the time it was told");
}

#[tokio::test]
async fn l10_nobody_uses_up_the_quota_of_another() {
    let server = limited("token_requests_by_client", 1).await;
    let victim = caller("es256");
    let spent = victim.assertion();
    assert_eq!(server.ask(&spent).await.status, 200);
    let late = victim.draft().claim("exp", crate::harness::clock::NOW - 60).sign();
    for (what, assertion, code) in [
        ("signed by another", badly_signed(&victim), "MP-124"),
        ("signed long ago", late, "MP-130"),
        ("sent again", spent, "MP-012"),
    ] {
        for _ in 0..20 {
            let reply = server.ask(&assertion).await;
            assert!(reply.text().contains(code), "L10 {what}: {}", reply.text());
        }
    }
    assert_eq!(server.ask(&victim.assertion()).await.status, 200, "L10: the second of four");
}

#[tokio::test]
async fn l03_an_address_that_makes_up_chains_is_refused_and_no_other() {
    let server = limited("token_failures_by_source", 1).await;
    let own = Pki::new("Test");
    let (bad, good) = ("192.0.2.66", "192.0.2.10");
    let mut judged = 0;
    let began = tick();
    for _ in 0..60 {
        let leaf = own.ca.leaf(|_| {});
        let chain = certified(&leaf.key, &[&leaf.der, &own.ca.der, &own.root.der]).assertion();
        let reply = ask_from(&server, bad, &chain).await;
        if reply.status == 429 {
            assert_too_many("L03", &reply);
        } else {
            check_refusal(&reply, 400, "invalid_grant", "MP-120").unwrap();
            judged += 1;
        }
    }
    let most = f64::from(BURST_SECONDS) + began.elapsed().as_secs_f64();
    let least = BURST_SECONDS;
    assert!(judged >= least && f64::from(judged) <= most, "L03: {judged}, at most {most} may be");
    fail_from(&server, bad).await;
    let assertion = caller("es256").assertion();
    assert_too_many("L03: whatever comes from there", &ask_from(&server, bad, &assertion).await);
    // What was not looked at is not spent either.
    assert_eq!(ask_from(&server, good, &assertion).await.status, 200, "L03: from elsewhere");
    // What the caller says itself stands before what the proxy adds.
    let assertion = caller("es256").assertion();
    let reply = ask_from(&server, &format!("{bad}, {good}"), &assertion).await;
    assert_eq!(reply.status, 200, "L03: in the name of another address");
    fail_from(&server, bad).await;
    let reply = ask_from(&server, &format!("{good}, {bad}"), &caller("es256").assertion()).await;
    assert_too_many("L03: in the name of another address", &reply);
    let text = server.app.metrics.to_text();
    assert!(text.contains("portvakt_limited_requests_total{limit=\"token_source\"}"), "{text}");
    server.clock.push_uptime(Duration::from_secs(1));
    assert_eq!(ask_from(&server, bad, &caller("es256").assertion()).await.status, 200);
}

#[tokio::test]
async fn l03_only_effort_in_vain_counts() {
    let server = limited("token_failures_by_source", 1).await;
    let caller = caller("es256");
    let spent = caller.assertion();
    assert_eq!(server.ask(&spent).await.status, 200);
    let draft = || caller.draft();
    let mut unknown_key = draft();
    unknown_key.header["kid"] = "nobody".into();
    for (index, (what, assertion, counts)) in [
        ("a bad signature", badly_signed(&caller), true),
        ("an unknown key", unknown_key.sign(), true),
        ("an assertion that has been spent", spent, true),
        ("no assertion", "garbage".to_owned(), false),
        ("an unknown client", draft().claim("iss", "nobody").sign(), true),
        ("another audience", draft().claim("aud", "https://other.test/").sign(), false),
        ("a scope without access", draft().claim("scope", "test:closed").sign(), false),
    ]
    .into_iter()
    .enumerate()
    {
        let source = format!("192.0.2.{}", 100 + index);
        for _ in 0..=BURST_SECONDS {
            ask_from(&server, &source, &assertion).await;
        }
        let reply = ask_from(&server, &source, &caller.assertion()).await;
        let expected = if counts { 429 } else { 200 };
        assert_eq!(reply.status, expected, "L03 {what}: {}", reply.text());
    }
    // As many as come well pass, from one address or from one that nobody names.
    for _ in 0..10 {
        assert_eq!(ask_from(&server, "192.0.2.10", &caller.assertion()).await.status, 200);
        server.ask(&badly_signed(&caller)).await;
    }
    assert_eq!(server.ask(&caller.assertion()).await.status, 200);
}
