//! How often a register is asked.

use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use portvakt::domain::record::Expected;
use portvakt::registry::AccessTerms;

use crate::delegation::register::Act;
use crate::delegation::{
    Delegated, SCOPES, agent, assert_not_delegated, assert_token, assert_unavailable,
};
use crate::harness::CONSUMER;
use crate::harness::http::{exchange, form, post};

/// Longer than an answer or a failure counts in these tests.
const LONGER: Duration = Duration::from_millis(2_300);

#[tokio::test]
async fn a_yes_counts_for_a_while_and_a_withdrawn_delegation_no_longer() {
    let delegated = Delegated::start("cache_seconds = 2").await;
    assert_token(&delegated.ask(SCOPES[0]).await);
    delegated.register.act(Act::json(&json!([])));
    assert_token(&delegated.ask(SCOPES[0]).await);
    assert_eq!(delegated.register.lookups().len(), 1);
    tokio::time::sleep(LONGER).await;
    assert_not_delegated("withdrawn", &delegated.ask(SCOPES[0]).await);
    assert_eq!(delegated.register.lookups().len(), 2);
}

#[tokio::test]
async fn a_no_counts_for_a_while_too() {
    let delegated = Delegated::start("cache_seconds = 2").await;
    delegated.register.act(Act::json(&json!([])));
    assert_not_delegated("first", &delegated.ask(SCOPES[0]).await);
    delegated.register.act(Act::Confirm);
    assert_not_delegated("remembered", &delegated.ask(SCOPES[0]).await);
    assert_eq!(delegated.register.lookups().len(), 1);
    tokio::time::sleep(LONGER).await;
    assert_token(&delegated.ask(SCOPES[0]).await);
    assert_eq!(delegated.register.lookups().len(), 2);
}

#[tokio::test]
async fn a_failure_counts_for_a_second_and_for_its_question_only() {
    let delegated = Delegated::start("cache_seconds = 300").await;
    delegated.register.act(Act::answer("500 Internal Server Error", "", b""));
    assert_unavailable("first", &delegated.ask(SCOPES[0]).await);
    delegated.register.act(Act::Confirm);
    assert_unavailable("remembered", &delegated.ask(SCOPES[0]).await);
    assert_token(&delegated.ask(SCOPES[1]).await);
    assert_eq!(delegated.register.lookups().len(), 2);
    tokio::time::sleep(LONGER).await;
    assert_token(&delegated.ask(SCOPES[0]).await);
    assert_eq!(delegated.register.lookups().len(), 3);
}

#[tokio::test]
async fn an_answer_counts_for_its_consumer_only() {
    let delegated = Delegated::start("").await;
    assert_token(&delegated.ask(SCOPES[0]).await);
    let provider = crate::harness::PROVIDER;
    let (scope, organization) = (SCOPES[0].parse().unwrap(), provider.parse().unwrap());
    let by = crate::harness::server::actor();
    let registry = &delegated.server.app.registry;
    let terms = AccessTerms::default();
    registry.grant_access(&by, &scope, organization, terms, Expected::Anything).await.unwrap();
    delegated.register.act(Act::json(&json!([])));
    assert_not_delegated("another", &delegated.ask_for(SCOPES[0], provider).await);
    assert_token(&delegated.ask(SCOPES[0]).await);
    assert_eq!(delegated.register.lookups().len(), 2);
}

/// Asks the same fifty times at once and says which statuses came.
async fn fifty_at_once(delegated: &Delegated, scope: &'static str) -> Vec<u16> {
    let mut tasks = JoinSet::new();
    for _ in 0..50 {
        let draft = agent().draft().claim("scope", scope).claim("consumer_org", CONSUMER);
        let (address, request) = (delegated.server.address, post(&form(&draft.sign())));
        tasks.spawn(async move { exchange(address, &request).await.unwrap().status });
    }
    tasks.join_all().await
}

#[tokio::test]
async fn many_who_ask_the_same_at_once_cause_one_lookup() {
    let delegated = Delegated::start("timeout_milliseconds = 3000").await;
    let answer = json!([{
        "consumer_org": CONSUMER, "supplier_org": crate::harness::SUPPLIER, "scopes": [SCOPES[0]],
    }]);
    // Slow enough that all have come before it answers.
    let bytes = crate::delegation::register::whole("200 OK", "", answer.to_string().as_bytes());
    delegated.register.act(Act::Send(vec![(Duration::from_millis(700), bytes)]));
    assert_eq!(fifty_at_once(&delegated, SCOPES[0]).await, [200; 50]);
    assert_eq!(delegated.register.lookups().len(), 1);
    // So it is when there is no answer.
    delegated.register.act(Act::Send(vec![(Duration::from_secs(5), Vec::new())]));
    assert_eq!(fifty_at_once(&delegated, SCOPES[1]).await, [503; 50]);
    assert_eq!(delegated.register.lookups().len(), 2);
}
