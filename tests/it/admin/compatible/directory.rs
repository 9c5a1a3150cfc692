//! Who is who, and the lists that need no token.

use serde_json::{Value, json};

use super::{check_error, done};
use crate::harness::admin::AdminServer;
use crate::harness::{CONSUMER, ISSUER, PROVIDER};

#[tokio::test]
async fn everybody_can_read_the_public_lists() {
    let admin = AdminServer::start().await;
    let get = async |line: &str| {
        let reply = admin.call(None, line, Value::Null).await;
        assert_eq!(reply.status, 200, "{line}: {}", reply.text());
        reply.json()
    };
    let sources = get("GET /delegationsources").await;
    let [source] = &sources.as_array().unwrap()[..] else { panic!("{sources}") };
    assert_eq!((&source["issuer"], &source["name"]), (&json!(ISSUER), &json!("Portvakt")));
    assert!(source["created"].as_str().unwrap().ends_with('Z'));
    assert_eq!(source["created"], source["lastUpdated"]);
    let organization = get(&format!("GET /api/v1/organizations/{PROVIDER}")).await;
    assert_eq!(organization["orgnr"], PROVIDER);
    let prefixes = get("GET /prefix/all").await;
    assert!(prefixes.as_array().unwrap().iter().any(|prefix| prefix["prefix"] == "test"));
    for (number, status) in [("310000132", 404), ("310000109", 400), ("abc", 400)] {
        let line = format!("GET /api/v1/organizations/{number}");
        let reply = admin.call(None, &line, Value::Null).await;
        assert_eq!(reply.status, status, "{line}: {}", reply.text());
        check_error(&reply);
    }
}

#[tokio::test]
async fn the_public_scopes_can_be_narrowed_down() {
    let admin = AdminServer::start().await;
    let names = async |query: &str| {
        let reply = admin.call(None, &format!("GET /api/v1/scopes/all?{query}"), Value::Null).await;
        assert_eq!(reply.status, 200, "{query}: {}", reply.text());
        let all = reply.json();
        let all = all.as_array().unwrap();
        for scope in all {
            assert!(scope["name"].is_string() && scope["description"].is_string());
            assert!(scope["allowed_integration_types"].is_array());
        }
        all.iter().map(|scope| scope["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = names("").await;
    assert!(all.contains(&"test:read".to_owned()) && all.contains(&"idporten:dcr.read".to_owned()));
    assert!(
        !all.contains(&"portvakt:admin".to_owned())
            && !all.contains(&"test:deactivated".to_owned())
    );
    assert!(names("inactive=true").await.contains(&"test:deactivated".to_owned()));
    assert!(names("prefix=tes").await.is_empty());
    assert!(names("prefix=test").await.iter().all(|name| name.starts_with("test:")));
    assert_eq!(names("accessible_for_all=true").await, ["test:open"]);
    assert_eq!(names("delegated_sources=true").await, ["test:delegated", "test:undelegated"]);
    // Meant for one product: shown for that one. Meant for any: shown for each.
    assert!(
        names("integration_type=idporten&prefix=test").await.contains(&"test:login".to_owned())
    );
    let machines = names("integration_type=maskinporten&prefix=test").await;
    assert!(
        !machines.contains(&"test:login".to_owned()) && machines.contains(&"test:read".to_owned())
    );
    for query in ["inactive=maybe", "integration_type=nothing", "accessible_for_all=1"] {
        let line = format!("GET /api/v1/scopes/all?{query}");
        let reply = admin.call(None, &line, Value::Null).await;
        assert_eq!(reply.status, 400, "{query}: {}", reply.text());
        check_error(&reply);
    }
}

#[tokio::test]
async fn any_token_tells_whom_it_stands_for() {
    let admin = AdminServer::start().await;
    let token = admin.token(CONSUMER, "test:open").await;
    let user = done(&admin, &token, "GET /api/v1/auth/user", Value::Null).await;
    let expected = json!({
        "authenticated_organization_number": CONSUMER,
        "authenticated_organization_name": CONSUMER,
        "is_synthetic_organization_number": true,
        "has_consented": true,
    });
    assert_eq!(user, expected);
}
