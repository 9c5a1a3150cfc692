//! Usage: each token is counted, for the organization that it stands for, and shown to those whose business it is.

use std::time::Duration;

use portvakt::registry::NewClient;
use serde_json::{Value, json};

use crate::admin::own::{assert_status, expect};
use crate::harness::admin::{AdminServer, admin_key};
use crate::harness::caller::Caller;
use crate::harness::clock::{NOW, tick};
use crate::harness::server::{TestServer, actor, caller};
use crate::harness::{CONSUMER, PROVIDER, SUPPLIER};

/// Gets that many tokens with these scopes.
async fn get(server: &TestServer, client: &Caller, scope: &'static str, tokens: usize) {
    let client = Caller { scope, ..client.clone() };
    for _ in 0..tokens {
        let reply = server.ask(&client.assertion()).await;
        assert!(reply.token().is_some(), "{}", reply.text());
    }
}

/// What is shown there once that many tokens have been counted, all of them for those who are named.
async fn usage(server: &AdminServer, token: &str, address: &str, tokens: u64) -> Value {
    let began = tick();
    loop {
        let usage = expect(&server.look(token, address).await, 200);
        if usage["tokens"] == tokens && usage["other_consumers"].as_u64().is_none_or(|it| it == 0) {
            return usage;
        }
        assert!(began.elapsed() < Duration::from_secs(5), "{tokens} expected: {usage}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn each_token_is_counted_for_its_client_and_for_whom_it_stands_for() {
    let server = AdminServer::start().await;
    let provider = server.full_token(PROVIDER).await;
    let consumer = server.full_token(CONSUMER).await;
    let supplier = server.full_token(SUPPLIER).await;
    let (es256, agent) = (caller("es256"), caller("supplier"));
    get(&server.server, &es256, "test:read", 3).await;
    get(&server.server, &caller("rs256"), "test:read", 2).await;
    get(&server.server, &es256, "test:write test:read", 1).await;
    get(&server.server, &agent, "test:open", 4).await;
    // What is refused, and what is sent again, is no use.
    let assertion = es256.assertion();
    assert!(server.server.ask(&assertion).await.token().is_some());
    assert!(server.server.ask(&assertion).await.token().is_none());
    let closed = Caller { scope: "test:closed", ..es256.clone() };
    assert!(server.server.ask(&closed.assertion()).await.token().is_none());
    for _ in 0..2 {
        let draft = agent.draft().claim("scope", "test:delegated").claim("consumer_org", CONSUMER);
        assert!(server.server.ask(&draft.sign()).await.token().is_some());
    }

    let read = usage(&server, &provider, "/scopes/test%3Aread/usage", 7).await;
    let of = |consumer: &str, tokens: u64| json!({ "consumer": consumer, "consumer_name": consumer, "tokens": tokens });
    let expected = json!({
        "scope": "test:read", "from": "2026-05-03", "to": "2026-06-01", "tokens": 7,
        "consumers": [of(CONSUMER, 7)], "other_consumers": 0,
        "days": [{ "day": "2026-06-01", "tokens": 7 }],
    });
    assert_eq!(read, expected);
    let open = usage(&server, &provider, "/scopes/test%3Aopen/usage?days=1", 4).await;
    assert_eq!(open["consumers"], json!([of(SUPPLIER, 4)]));
    assert_eq!(open["from"], "2026-06-01");
    let delegated = usage(&server, &provider, "/scopes/test%3Adelegated/usage", 2).await;
    assert_eq!(delegated["consumers"], json!([of(CONSUMER, 2)]));

    let today = |tokens: u64| json!([{ "day": "2026-06-01", "tokens": tokens }]);
    let own = usage(&server, &consumer, "/clients/es256/usage", 6).await;
    let scopes = json!([
        { "scope": "test:read", "tokens": 5, "days": today(5) },
        { "scope": "test:write", "tokens": 1, "days": today(1) },
    ]);
    assert_eq!((&own["scopes"], &own["days"]), (&scopes, &today(6)));
    let own = usage(&server, &supplier, "/clients/supplier/usage", 6).await;
    assert_eq!(
        own["scopes"][1],
        json!({ "scope": "test:delegated", "tokens": 2, "days": today(2) })
    );

    // Nobody else is told, nor whoever the tokens stand for of the client of the supplier.
    assert_status("scope", &server.look(&consumer, "/scopes/test%3Aread/usage").await, 403);
    assert_status("client", &server.look(&provider, "/clients/es256/usage").await, 404);
    assert_status("client", &server.look(&consumer, "/clients/supplier/usage").await, 404);
    for days in ["0", "401", "-1", "x", "1&days=2"] {
        let address = format!("/clients/es256/usage?days={days}");
        assert_status(days, &server.look(&consumer, &address).await, 400);
    }
}

#[tokio::test]
async fn a_token_of_a_client_for_a_customer_counts_for_the_customer() {
    let server = AdminServer::start().await;
    let token = server.token(SUPPLIER, "idporten:dcr.supplier").await;
    assert!(!token.is_empty());
    let registry = &server.server.app.registry;
    let client = NewClient {
        id: Some("for-a-customer".parse().unwrap()),
        customer: Some(CONSUMER.parse().unwrap()),
        scopes: vec!["test:open".parse().unwrap()],
        jwks: vec![admin_key().jwk("admin-key").to_string()],
        ..NewClient::new(SUPPLIER.parse().unwrap(), "For a customer")
    };
    registry.register_client(&actor(), client).await.unwrap();
    let client = Caller {
        client_id: "for-a-customer".to_owned(),
        key: admin_key().clone(),
        hint: ("kid", "admin-key".into()),
        scope: "test:open",
        good: None,
    };
    get(&server.server, &client, "test:open", 2).await;
    server.server.app.finish().await;
    let scope = "test:open".parse().unwrap();
    let usage = registry.usage_of_scope(&actor(), &scope, 1).await.unwrap();
    assert_eq!(usage.consumers.len(), 1);
    assert_eq!((usage.consumers[0].consumer.to_string(), usage.tokens), (CONSUMER.to_owned(), 2));
}

#[tokio::test]
async fn a_clean_stop_loses_nothing_and_several_nodes_add_up_over_midnight_and_changes() {
    let one = TestServer::start().await;
    let other = one.beside().await;
    let client = caller("es256");
    get(&one, &client, "test:read", 2).await;
    get(&other, &client, "test:read", 3).await;
    // A change has the client read again; what was counted before stays.
    let registry = &one.app.registry;
    let (id, unlisted) = ("es256".parse().unwrap(), "test:unlisted".parse().unwrap());
    registry.put_client_scope(&actor(), &id, &unlisted, None).await.unwrap();
    get(&one, &client, "test:unlisted test:read", 4).await;
    let tomorrow = NOW + 12 * 60 * 60;
    one.clock.set(tomorrow);
    let draft = client.draft().claim("iat", tomorrow).claim("exp", tomorrow + 60);
    assert!(one.ask(&draft.sign()).await.token().is_some());
    tokio::join!(one.app.finish(), other.app.finish());
    let usage = registry.usage_of_client(&actor(), &id, 2).await.unwrap();
    let days: Vec<_> = usage.days.iter().map(|it| (it.day.to_string(), it.tokens)).collect();
    assert_eq!(days, [("2026-06-01".to_owned(), 13), ("2026-06-02".to_owned(), 1)]);
    assert_eq!((usage.scopes.scopes[0].tokens, usage.scopes.scopes[1].tokens), (10, 4));
    let usage = registry.usage_of_client(&actor(), &id, 1).await.unwrap();
    assert_eq!(usage.scopes.tokens, 1);
}

#[tokio::test]
async fn figures_that_are_too_old_are_deleted() {
    let server = TestServer::start().await;
    let client = caller("es256");
    get(&server, &client, "test:read", 2).await;
    let registry = &server.app.registry;
    let id = "es256".parse().unwrap();
    let counted =
        async || registry.usage_of_client(&actor(), &id, 400).await.unwrap().scopes.tokens;
    let wait = async |tokens: u64| {
        let began = tick();
        while counted().await != tokens {
            assert!(began.elapsed() < Duration::from_secs(5), "{}", counted().await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    wait(2).await;
    let day = 24 * 60 * 60;
    server.clock.set(NOW + 399 * day);
    server.clock.push_uptime(Duration::from_hours(1));
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(counted().await, 2);
    // As seen from the first day, they are gone when a day too many has passed.
    server.clock.set(NOW + 400 * day);
    server.clock.push_uptime(Duration::from_hours(1));
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    server.clock.set(NOW);
    wait(0).await;
}
