//! Which register is asked.

use portvakt::clock::Timestamp;
use portvakt::domain::access::Delegation;

use crate::delegation::register::Act;
use crate::delegation::{
    Delegated, ELSEWHERE, HERE, REGISTER, SCOPES, assert_not_delegated, assert_token, key,
};
use crate::harness::caller::Caller;
use crate::harness::clock::NOW;
use crate::harness::row::check_refusal;
use crate::harness::server::{actor, delegation};
use crate::harness::{CONSUMER, ISSUER, PROVIDER, SUPPLIER};

/// A row of the table of this server.
async fn put(delegated: &Delegated, scope: &str, source: &str) {
    let it = delegation();
    let row = Delegation {
        consumer: it.consumer,
        supplier: it.supplier,
        scope: scope.parse().unwrap(),
        source: source.to_owned(),
        valid_from: Timestamp::from_seconds(NOW),
        valid_to: None,
        revoked_at: None,
    };
    delegated.put(&row).await;
}

#[tokio::test]
async fn a_scope_of_ours_is_looked_up_in_the_table_alone() {
    let delegated = Delegated::start("").await;
    assert_not_delegated("before", &delegated.ask(HERE).await);
    put(&delegated, HERE, REGISTER).await;
    assert_not_delegated("a row of another register", &delegated.ask(HERE).await);
    put(&delegated, HERE, ISSUER).await;
    assert_token(&delegated.ask(HERE).await);
    assert!(delegated.register.lookups().is_empty());
}

#[tokio::test]
async fn a_scope_of_another_register_is_not_looked_up_in_the_table() {
    let delegated = Delegated::start("").await;
    delegated.register.act(Act::json(&serde_json::json!([])));
    put(&delegated, SCOPES[0], REGISTER).await;
    put(&delegated, SCOPES[1], ISSUER).await;
    assert_not_delegated("a row of the register", &delegated.ask(SCOPES[0]).await);
    assert_not_delegated("a row of ours", &delegated.ask(SCOPES[1]).await);
    assert_eq!(delegated.register.lookups().len(), 2);
}

#[tokio::test]
async fn a_register_that_nobody_has_configured_counts_for_nothing() {
    let delegated = Delegated::start("").await;
    put(&delegated, ELSEWHERE, "https://elsewhere.test/").await;
    assert_not_delegated("elsewhere", &delegated.ask(ELSEWHERE).await);
    assert!(delegated.register.lookups().is_empty());
}

#[tokio::test]
async fn all_scopes_of_a_token_are_delegated_in_one_register() {
    let delegated = Delegated::start("").await;
    put(&delegated, HERE, ISSUER).await;
    assert_token(&delegated.ask("test:d0 test:d1").await);
    assert_eq!(delegated.register.lookups().len(), 2);
    for scopes in ["test:here test:d2", "test:d2 test:here", "test:d2 test:elsewhere"] {
        assert_not_delegated(scopes, &delegated.ask(scopes).await);
    }
    assert_eq!(delegated.register.lookups().len(), 2, "asked in vain");
}

#[tokio::test]
async fn access_is_decided_before_anybody_is_asked_about_delegation() {
    let delegated = Delegated::start("").await;
    for (what, scope) in [("one", "test:d0"), ("the second of two", "test:d0 test:d1")] {
        let reply = delegated.ask_for(scope, PROVIDER).await;
        assert_eq!(check_refusal(&reply, 403, "forbidden", "MP-250"), Ok(()), "{what}");
    }
    let withdrawn = (SCOPES[1].parse().unwrap(), CONSUMER.parse().unwrap());
    delegated
        .server
        .app
        .registry
        .withdraw_access(&actor(), &withdrawn.0, withdrawn.1, None, None)
        .await
        .unwrap();
    let reply = delegated.ask("test:d0 test:d1").await;
    assert_eq!(check_refusal(&reply, 403, "forbidden", "MP-250"), Ok(()));
    // Nor is a register asked about what is not on behalf of anybody.
    let own = Caller { scope: SCOPES[0], ..crate::delegation::agent() };
    let reply = delegated.server.ask(&own.assertion()).await;
    assert_eq!(check_refusal(&reply, 403, "forbidden", "MP-250"), Ok(()));
    let reply = delegated.ask_for(SCOPES[0], SUPPLIER).await;
    assert_eq!(check_refusal(&reply, 400, "invalid_request", ""), Ok(()));
    let forged = own.draft().claim("consumer_org", CONSUMER).header("alg", "ES384");
    assert_ne!(delegated.server.ask(&forged.signed_by(key()).sign()).await.status, 200);
    assert!(delegated.register.lookups().is_empty());
}

#[tokio::test]
async fn the_registers_to_choose_from_are_ours_and_the_configured_ones() {
    let delegated = Delegated::start("").await;
    let sources: Vec<(&str, &str)> = delegated
        .server
        .app
        .registry
        .delegation_sources()
        .iter()
        .map(|source| (source.issuer.as_str(), source.name.as_str()))
        .collect();
    assert_eq!(sources, [(ISSUER, "Portvakt"), (REGISTER, "The other register")]);
}
