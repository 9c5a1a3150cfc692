//! What is kept of a refused request: enough to explain it to the owner of the client, nothing that could be
//! used again, and never more than there is room for.

use std::time::Duration;

use portvakt::domain::refused_request::{RefusedRequest, StepOutcome};
use portvakt::domain::step::Step;
use portvakt::store::RefusedRequestsOf;
use rcgen::DnType;

use crate::harness::caller::{Draft, Key, with_signature};
use crate::harness::chain::{Leaf, Pki, Trust};
use crate::harness::clock::{NOW, tick};
use crate::harness::http::{Reply, exchange, form, post};
use crate::harness::load::{flood, timed_tokens};
use crate::harness::server::{TestServer, caller, certified, pki};
use crate::harness::{CONSUMER, ISSUER, PROVIDER, SUPPLIER};

/// A record can be read about a second after the answer; a busy machine gets more.
const PATIENCE: Duration = Duration::from_secs(5);

/// The record of the request that was answered so, once it has been written.
async fn record_of(server: &TestServer, reply: &Reply) -> RefusedRequest {
    let trace_id = reply.header("trace-id").unwrap();
    let began = tick();
    loop {
        if let Some(record) = server.store.refused_request(trace_id).await.unwrap() {
            return record;
        }
        assert!(began.elapsed() < PATIENCE, "no record: {}", reply.text());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn everything(server: &TestServer) -> Vec<RefusedRequest> {
    let of = RefusedRequestsOf::Everybody;
    server.store.refused_requests(&of, None, 200_000).await.unwrap().items
}

/// A request that is refused, and what its record must say.
struct Row {
    what: &'static str,
    request: Vec<u8>,
    failed: Step,
    code: Option<&'static str>,
    /// The client and its organization, if the assertion names one that exists.
    client: Option<(&'static str, &'static str)>,
    signed: bool,
    /// Parts of what was seen and what was expected.
    told: (&'static str, &'static str),
}

/// A request of the client `es256` that is refused before its signature is known to be right.
fn row(what: &'static str, request: Vec<u8>, failed: Step, code: Option<&'static str>) -> Row {
    let client = Some(("es256", CONSUMER));
    Row { what, request, failed, code, client, signed: false, told: ("", "") }
}

impl Row {
    fn by_nobody(self) -> Self {
        Self { client: None, ..self }
    }

    fn by(self, client: &'static str, organization: &'static str) -> Self {
        Self { client: Some((client, organization)), ..self }
    }

    fn signed(self) -> Self {
        Self { signed: true, ..self }
    }

    fn telling(self, seen: &'static str, expected: &'static str) -> Self {
        Self { told: (seen, expected), ..self }
    }
}

fn good() -> Draft {
    caller("es256").draft()
}

fn ask(draft: &Draft) -> Vec<u8> {
    post(&form(&draft.sign()))
}

fn rows_without_a_client() -> Vec<Row> {
    let two_keys = good().header("x5c", vec!["AAAA"]);
    let two_clients = format!("{}&client_id=other", form(&good().sign()));
    let (parse, client) = (Step::Parse, Step::Client);
    vec![
        row("form", post("grant_type=x"), Step::Form, None).by_nobody(),
        row("shape", post(&form("garbage")), parse, Some("MP-011"))
            .by_nobody()
            .telling("", "three parts"),
        row("two keys", ask(&two_keys), parse, None).by_nobody().telling("", "either kid or x5c"),
        row("client", ask(&good().claim("iss", "nobody")), client, Some("MP-100"))
            .by_nobody()
            .telling("iss \"nobody\"", "the id of a client"),
        row("switched off", ask(&caller("deactivated").draft()), client, Some("MP-100"))
            .by("deactivated", CONSUMER)
            .telling("deactivated", "active"),
        row("two clients", post(&two_clients), client, None)
            .telling("another client_id", "\"es256\""),
    ]
}

fn rows_without_a_signature() -> Vec<Row> {
    let strange = pki().ca.leaf(|params| {
        let identifier = DnType::CustomDnType(vec![2, 5, 4, 97]);
        params.distinguished_name.push(identifier, format!("NTRNO-{SUPPLIER}"));
    });
    let untrusted = Pki::new("Unknown").ca.leaf(|_| {});
    let certified = |leaf: &Leaf| ask(&certified(&leaf.key, &[&leaf.der]).draft());
    let forged = good().signed_by(&Key::generate("ES256"));
    let other_algorithm = caller("rs256").draft().header("alg", "PS256");
    vec![
        row("kid", ask(&good().header("kid", "other-key")), Step::Key, None)
            .telling("kid other-key", "es256-key"),
        row("old key", ask(&caller("expired").draft()), Step::Key, Some("MP-121"))
            .by("expired", CONSUMER)
            .telling("86400 seconds before", "not expired"),
        row("certificate", certified(&untrusted), Step::Key, Some("MP-120"))
            .by("certificate", CONSUMER)
            .telling("path: ", "authority"),
        row("organization", certified(&strange), Step::Key, Some("MP-122"))
            .by("certificate", CONSUMER)
            .telling(SUPPLIER, CONSUMER),
        row("signature", ask(&forged), Step::Signature, Some("MP-124")).telling("", "es256-key"),
        row("algorithm", ask(&other_algorithm), Step::Signature, None)
            .by("rs256", CONSUMER)
            .telling("alg PS256", "alg RS256"),
    ]
}

fn rows_with_a_signature() -> Vec<Row> {
    let signed = |what, draft: &Draft, step, code| row(what, ask(draft), step, code).signed();
    let aud = good().claim("aud", "https://as.test/token");
    let exp = good().claim("iat", NOW - 130).claim("exp", NOW - 71);
    let scope = |scope: &str| good().claim("scope", scope);
    let on_behalf = caller("supplier").draft().claim("consumer_org", CONSUMER);
    let on_behalf = on_behalf.claim("scope", "test:undelegated");
    let (claims, access) = (Step::Claims, Step::Access);
    vec![
        signed("aud", &aud, claims, Some("MP-110"))
            .telling("aud \"https://as.test/token\"", "aud \"https://as.test/\""),
        signed("exp", &exp, claims, Some("MP-130"))
            .telling("71 seconds before the server's time", "2026-06-01T12:00:00Z"),
        signed("sub", &good().claim("sub", 7), claims, None).telling("sub 7", "equal to iss"),
        signed("not on the client", &scope("test:unlisted"), access, Some("MP-200"))
            .telling("test:unlisted", "added to the client"),
        signed("not active", &scope("test:deactivated"), access, Some("MP-200"))
            .telling("test:deactivated", "not active"),
        signed("log-in", &scope("test:login"), access, Some("MP-201"))
            .telling("test:login", "between machines"),
        signed("no access", &scope("test:closed"), access, Some("MP-250"))
            .telling("no access of 310000116 to test:closed", "granted"),
        signed("not delegated", &on_behalf, access, Some("MP-251"))
            .by("supplier", SUPPLIER)
            .telling("by 310000116 to 310000124", "register"),
    ]
}

#[tokio::test]
async fn each_step_that_refuses_leaves_a_record_of_what_it_saw_and_expected() {
    let server = TestServer::start().await;
    let mut rows = rows_without_a_client();
    rows.extend(rows_without_a_signature());
    rows.extend(rows_with_a_signature());
    let spent = good().sign();
    assert_eq!(server.ask(&spent).await.status, 200);
    let again = row("replay", post(&form(&spent)), Step::Spend, Some("MP-012"));
    rows.push(again.signed().telling("which has been used", "not used"));
    for row in rows {
        let what = row.what;
        let reply = exchange(server.address, &row.request).await.unwrap();
        let record = record_of(&server, &reply).await;
        assert_eq!(record.failed, Some(row.failed), "{what}");
        let before = Step::ALL.into_iter().take_while(|step| *step != row.failed);
        assert_eq!(record.passed, before.collect::<Vec<_>>(), "{what}");
        assert_eq!(record.code.as_deref(), row.code, "{what}");
        let client = record.client.as_ref();
        let client = client.map(|client| (client.id.as_str(), client.organization.as_str()));
        assert_eq!(client, row.client, "{what}");
        assert_eq!(record.signature_verified, row.signed, "{what}");
        assert_eq!(record.at.seconds(), NOW, "{what}");
        let text = |text: &Option<_>| text.as_ref().map_or_else(String::new, ToString::to_string);
        assert!(text(&record.seen).contains(row.told.0), "{what}: {:?}", record.seen);
        assert!(text(&record.expected).contains(row.told.1), "{what}: {:?}", record.expected);
        assert_eq!(reply.json()["error"], record.error, "{what}");
        let answer = reply.json()["error_description"].as_str().unwrap().to_owned();
        assert!(answer.starts_with(record.answer.as_str()), "{what}: {answer}");
        let explained = record.steps();
        let failed = explained.iter().find(|line| line.outcome == StepOutcome::Failed).unwrap();
        assert_eq!((failed.step, failed.expected), (row.failed, record.expected.as_ref()));
    }
}

#[tokio::test]
async fn a_record_tells_what_was_asked_for_and_belongs_to_one_organization() {
    let server = TestServer::start().await;
    let draft = caller("supplier").draft().claim("consumer_org", CONSUMER);
    let reply = server.ask(&draft.claim("scope", "test:undelegated test:open").sign()).await;
    let record = record_of(&server, &reply).await;
    assert_eq!(record.scopes.unwrap().as_str(), "test:undelegated test:open");
    assert_eq!(record.consumer.unwrap().as_str(), CONSUMER);
    assert_eq!(record.kid.unwrap().as_str(), "supplier-key");
    let leaf = pki().ca.leaf(|_| {});
    let certified = certified(&leaf.key, &[&leaf.der]).draft();
    let reply = server.ask(&certified.claim("aud", "x").sign()).await;
    let record = record_of(&server, &reply).await;
    assert_eq!(record.certificate_organization.unwrap().as_str(), CONSUMER);
    // Records by nobody are in nobody's list.
    let reply = server.ask(&caller("es256").draft().claim("iss", "nobody").sign()).await;
    assert_eq!(record_of(&server, &reply).await.client, None);
    for (number, count) in [(SUPPLIER, 1), (CONSUMER, 1), (PROVIDER, 0)] {
        let of = RefusedRequestsOf::Organization(number.parse().unwrap());
        let records = server.store.refused_requests(&of, None, 100).await.unwrap().items;
        assert_eq!(records.len(), count, "{number}");
        let owner = |record: &RefusedRequest| record.client.as_ref().unwrap().organization;
        assert!(records.iter().all(|record| owner(record).as_str() == number));
    }
    assert_eq!(everything(&server).await.len(), 3);
}

#[tokio::test]
async fn no_assertion_no_key_and_no_person_is_in_the_database() {
    const MARKER: &str = "marker-of-a-secret";
    const PERSON: &str = "41818012345";
    // Every header begins so. Three letters of it would stand in a random key now and then.
    const HEADER: &str = "eyJhbGciOi";
    let server = TestServer::start().await;
    let good = || good().header("secret", MARKER).claim("secret", MARKER);
    let whole = good().sign();
    let mut sent: Vec<String> = vec![format!("{whole}x"), format!("{whole}.x")];
    for name in ["iss", "aud", "sub", "scope", "jti", "resource", "consumer_org", "pid", "exp"] {
        for value in [&*whole, &*format!("test:{whole}"), PERSON, "pid=41818012345"] {
            // The second time it has been spent.
            let text = good().claim(name, value).sign();
            sent.extend([text.clone(), text]);
        }
    }
    for name in ["kid", "typ", "alg"] {
        sent.extend([&*whole, PERSON].map(|value| good().header(name, value).sign()));
    }
    sent.push(good().claim("authorization_details", vec![PERSON]).sign());
    sent.push(good().signed_by(&Key::generate("ES256")).sign());
    let key = caller("es256").key.pair.private_key_to_pem_pkcs8().unwrap();
    let key = String::from_utf8(key).unwrap();
    sent.push(good().claim("aud", key.clone()).sign());
    for text in &sent {
        server.ask(text).await;
        // As fast as a client may have its refusals recorded.
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    exchange(server.address, &post(&format!("assertion={whole}&{whole}=1"))).await.unwrap();
    server.app.finish().await;
    assert!(everything(&server).await.len() > 50, "{}", everything(&server).await.len());
    // Ciphertext in base64 may hold any letters.
    let sealed = server.sql().await.text("select sealed_private from signing_key").await;
    let text = String::from_utf8_lossy(&server.stolen()).replace(&sealed, "");
    let lines = key.lines().map(|line| &line[..20]);
    assert!(whole.starts_with(HEADER));
    for secret in [HEADER, MARKER, PERSON].into_iter().chain(lines) {
        assert!(!text.contains(secret), "the database holds {secret:?}");
    }
    for part in sent.iter().flat_map(|text| text.split('.')).filter(|part| part.len() > 30) {
        assert!(!text.contains(&part[..30]), "the database holds a part of an assertion");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_leaves_few_records_and_takes_nobody_elses_place() {
    let server = TestServer::start().await;
    let text = caller("es256").draft().message();
    let badly_signed = vec![with_signature(&text, &[7; 64]); 2_500];
    let garbage = vec!["garbage".repeat(40); 2_500];
    let other = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        let unsigned = caller("rs256").draft().signed_by(&Key::generate("RS256")).sign();
        let reply = server.ask(&unsigned).await;
        let unsigned = record_of(&server, &reply).await;
        let reply = server.ask(&caller("rs256").draft().claim("aud", "x").sign()).await;
        (unsigned, record_of(&server, &reply).await)
    };
    let (_, _, times, (unsigned, signed)) = tokio::join!(
        flood(&server, badly_signed, "MP-124"),
        flood(&server, garbage, "MP-011"),
        timed_tokens(&server, 30),
        other
    );
    assert!(times.iter().all(|took| *took < Duration::from_secs(3)), "{times:?}");
    assert_eq!((unsigned.signature_verified, signed.signature_verified), (false, true));
    server.app.finish().await;
    let records = everything(&server).await;
    let of = |client: Option<&str>| {
        let id = |record: &RefusedRequest| record.client.as_ref().map(|it| it.id.to_string());
        records.iter().filter(|record| id(record).as_deref() == client).count()
    };
    assert!((1..=50).contains(&of(Some("es256"))), "{}", of(Some("es256")));
    assert!((1..=1_000).contains(&of(None)), "{}", of(None));
    assert_eq!(of(Some("rs256")), 2);
    let metrics = server.app.metrics.to_text();
    let unrecorded = metrics
        .lines()
        .find_map(|line| line.strip_prefix("portvakt_refused_requests_unrecorded_total "));
    assert!(unrecorded.unwrap().parse::<u32>().unwrap() > 1_000, "{metrics}");
}

#[tokio::test]
async fn records_are_deleted_when_they_are_old_or_too_many() {
    let server = TestServer::with(&[Trust::of(pki())], "[explain]\nrecords_max = 5\n").await;
    let signed = server.ask(&caller("es256").draft().claim("aud", "x").sign()).await;
    record_of(&server, &signed).await;
    for _ in 0..10 {
        let reply = server.ask("garbage").await;
        record_of(&server, &reply).await;
    }
    assert_eq!(everything(&server).await.len(), 11);
    server.clock.push_uptime(Duration::from_secs(11));
    shrinks_to(&server, 5).await;
    // The oldest record has the best standing.
    record_of(&server, &signed).await;
    server.clock.set(NOW + 14 * 24 * 60 * 60);
    server.clock.push_uptime(Duration::from_secs(11));
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(everything(&server).await.len(), 5);
    server.clock.set(NOW + 14 * 24 * 60 * 60 + 1);
    server.clock.push_uptime(Duration::from_secs(11));
    shrinks_to(&server, 0).await;
}

async fn shrinks_to(server: &TestServer, count: usize) {
    let began = tick();
    while everything(server).await.len() != count {
        let left = everything(server).await.len();
        assert!(began.elapsed() < PATIENCE, "{left} records are left, not {count}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn what_is_queued_is_written_when_the_server_stops() {
    let server = TestServer::start().await;
    let mut replies = Vec::new();
    for name in ["es256", "rs256", "ps256", "eddsa"] {
        // Half of what one client may have kept in a round: two clients may share a counter.
        for _ in 0..4 {
            replies.push(
                server
                    .ask(&caller(name).draft().claim("aud", ISSUER.trim_end_matches('/')).sign())
                    .await,
            );
        }
    }
    server.app.finish().await;
    for reply in replies {
        let trace_id = reply.header("trace-id").unwrap();
        assert!(server.store.refused_request(trace_id).await.unwrap().is_some());
    }
    // Nor does a second stop wait, or a request after the last one fail.
    server.app.finish().await;
    assert_eq!(server.ask("garbage").await.status, 400);
}
