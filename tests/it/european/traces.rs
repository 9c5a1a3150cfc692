//! What such requests leave behind: records, figures, a line in the log, and a count against a limit.

use std::time::Duration;

use portvakt::domain::step::Step;
use portvakt::domain::usage::Consumer;
use portvakt::registry::{NewClient, RegistryError};
use portvakt::store::ScopeFilter;

use super::{CLIENT_ID, SWEDISH, business, seal, server};
use crate::harness::CONSUMER;
use crate::harness::caller::Key;
use crate::harness::chain::{Pki, Trust};
use crate::harness::clock::tick;
use crate::harness::logs;
use crate::harness::row::check_refusal;
use crate::harness::server::actor;

/// A record can be read about a second after the answer; a busy machine gets more.
const PATIENCE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_refusal_belongs_to_the_business_and_not_to_the_client_that_it_names() {
    let european = Pki::new("European");
    let server = server(&european).await;
    let caller = business(&seal(&european.ca, SWEDISH), &european.ca);
    let named = caller.draft().claim("iss", "certificate").claim("scope", "test:write");
    let unsigned = named.clone().signed_by(&Key::generate("ES256"));
    for (text, failed, signed) in
        [(named.sign(), Step::Access, true), (unsigned.sign(), Step::Signature, false)]
    {
        let reply = server.ask(&text).await;
        let trace_id = reply.header("trace-id").unwrap();
        let began = tick();
        let record = loop {
            if let Some(record) = server.store.refused_request(trace_id).await.unwrap() {
                break record;
            }
            assert!(began.elapsed() < PATIENCE, "no record: {}", reply.text());
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let business = record.business.clone().unwrap();
        assert_eq!((business.identifier.as_str(), business.client.as_str()), (SWEDISH, CLIENT_ID));
        assert_eq!((&record.client, record.failed), (&None, Some(failed)));
        assert_eq!(record.signature_verified, signed);
    }
}

#[tokio::test]
async fn the_owner_of_a_scope_sees_how_many_tokens_a_business_had() {
    let european = Pki::new("European");
    let server = server(&european).await;
    let caller = business(&seal(&european.ca, SWEDISH), &european.ca);
    let norwegian = crate::harness::server::caller("es256");
    for assertion in [caller.assertion(), caller.assertion(), norwegian.assertion()] {
        let reply = server.ask(&assertion).await;
        assert!(reply.token().is_some(), "{}", reply.text());
    }
    let reply = server.ask(&caller.assertion()).await;
    let lines = logs::lines_with(reply.header("trace-id").unwrap());
    assert!(lines.iter().any(|line| line.contains(SWEDISH) && line.contains(CLIENT_ID)));
    server.app.finish().await;
    let (scope, registry) = ("test:read".parse().unwrap(), &server.app.registry);
    let usage = registry.usage_of_scope(&actor(), &scope, 1).await.unwrap();
    let consumers: Vec<_> =
        usage.consumers.into_iter().map(|it| (it.consumer, it.tokens)).collect();
    let swedish = Consumer::Business(SWEDISH.parse().unwrap());
    let consumer = Consumer::Organization(CONSUMER.parse().unwrap());
    assert_eq!(consumers, [(swedish, 3), (consumer, 1)]);
    assert_eq!((usage.tokens, usage.others, usage.days[0].tokens), (4, 0, 4));
    let tokens_from = Some(usage.period.first);
    let filter = ScopeFilter { tokens_from, ..ScopeFilter::default() };
    let scopes = registry.scopes(&actor(), filter, 100).await.unwrap().items;
    let listed = scopes.iter().find(|it| it.scope.value.name == scope).unwrap();
    assert_eq!(listed.tokens, Some(4));
}

#[tokio::test]
async fn each_certificate_has_a_limit_of_its_own() {
    let european = [Pki::new("One"), Pki::new("Other")];
    let limits = "[limits]\ntoken_requests_by_client = 1\n";
    let trust = [Trust::of(crate::harness::server::pki())];
    let trust: Vec<_> = trust.into_iter().chain(european.iter().map(Trust::european)).collect();
    let server = crate::harness::server::TestServer::with(&trust, limits).await;
    super::support(&server, "test:read").await;
    for pki in &european {
        // The same serial number, and the same business.
        let caller = business(&seal(&pki.ca, SWEDISH), &pki.ca);
        let mut passed = 0;
        let refused = loop {
            let reply = server.ask(&caller.assertion()).await;
            if reply.token().is_none() {
                break reply;
            }
            passed += 1;
        };
        check_refusal(&refused, 429, "temporarily_unavailable", "").unwrap();
        assert!(passed >= 4, "{passed}: who has used up its own has left others theirs");
    }
}

#[tokio::test]
async fn no_client_can_be_registered_under_the_name_of_a_business() {
    let european = Pki::new("European");
    let server = server(&european).await;
    let new = NewClient {
        id: Some(CLIENT_ID.parse().unwrap()),
        ..NewClient::new(CONSUMER.parse().unwrap(), "An impostor")
    };
    let refused = server.app.registry.register_client(&actor(), new).await;
    assert!(matches!(refused, Err(RegistryError::Invalid { field: "client_id", .. })));
}
