//! Each operation without a token, with garbage, without the right, for another organization, and as it is meant.

use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::admin::coverage::{Needs, Operation, Things};
use crate::admin::own::{expect, new_client};
use crate::harness::admin::AdminServer;
use crate::harness::caller::Key;
use crate::harness::chain::pem;
use crate::harness::server::pki;
use crate::harness::{CONSUMER, PROVIDER};

const READ: Needs = Needs::Right("idporten:dcr.read");
const MODIFY: Needs = Needs::Right("idporten:dcr.modify");
const WRITE: Needs = Needs::Right("idporten:dcr.write");
const WRITE_BUSINESS_DATA: Needs = Needs::Right("portvakt:organization.write");
const OPERATE: Needs = Needs::Right("portvakt:admin");

const fn operation(
    method: &'static str,
    path: &'static str,
    needs: Needs,
    good: u16,
    other: u16,
) -> Operation {
    Operation { method, path, needs, good, other, body: || Value::Null }
}

const fn with(it: Operation, body: fn() -> Value) -> Operation {
    Operation { body, ..it }
}

fn key() -> &'static Key {
    static KEY: OnceLock<Key> = OnceLock::new();
    KEY.get_or_init(|| Key::generate("ES256"))
}

fn new_key() -> Value {
    json!({ "jwk": key().jwk("second") })
}

const BUSINESS_DATA: &str = "/api/portvakt/v1/organizations/{organization}/business-data";

/// Clients, their usage, keys, delegations, signing keys, the audit trail, refusals and business data.
pub(crate) const OPERATIONS: &[Operation] = &[
    operation("GET", "/api/portvakt/v1/clients", READ, 200, 200),
    with(
        operation("POST", "/api/portvakt/v1/clients", WRITE, 201, 403),
        || json!({ "name": "new", "organization": CONSUMER }),
    ),
    operation("GET", "/api/portvakt/v1/clients/{client_id}", READ, 200, 404),
    with(
        operation("PATCH", "/api/portvakt/v1/clients/{client_id}", WRITE, 200, 404),
        || json!({ "name": "changed" }),
    ),
    operation("DELETE", "/api/portvakt/v1/clients/{client_id}", WRITE, 200, 404),
    operation("POST", "/api/portvakt/v1/clients/{client_id}/restore", WRITE, 200, 404),
    operation("PUT", "/api/portvakt/v1/clients/{client_id}/scopes/{scope}", WRITE, 200, 404),
    operation("DELETE", "/api/portvakt/v1/clients/{client_id}/scopes/{scope}", WRITE, 200, 404),
    operation("GET", "/api/portvakt/v1/clients/{client_id}/keys", READ, 200, 404),
    with(operation("POST", "/api/portvakt/v1/clients/{client_id}/keys", MODIFY, 201, 404), new_key),
    with(
        operation(
            "POST",
            "/api/portvakt/v1/clients/{client_id}/keys/{kid}/renew",
            MODIFY,
            201,
            404,
        ),
        new_key,
    ),
    operation("DELETE", "/api/portvakt/v1/clients/{client_id}/keys/{kid}", MODIFY, 200, 404),
    operation("GET", "/api/portvakt/v1/clients/{client_id}/usage", READ, 200, 404),
    operation("GET", "/api/portvakt/v1/keys", READ, 200, 200),
    operation("GET", "/api/portvakt/v1/delegations", READ, 200, 200),
    operation("GET", "/api/portvakt/v1/delegations/{consumer}/{supplier}/{scope}", READ, 200, 404),
    with(
        operation(
            "PUT",
            "/api/portvakt/v1/delegations/{consumer}/{supplier}/{scope}",
            WRITE,
            200,
            403,
        ),
        || json!({ "valid_to": "2030-01-01T00:00:00Z" }),
    ),
    operation(
        "DELETE",
        "/api/portvakt/v1/delegations/{consumer}/{supplier}/{scope}",
        WRITE,
        200,
        403,
    ),
    operation("GET", "/api/portvakt/v1/delegation-sources", Needs::AnyToken, 200, 200),
    operation("GET", "/api/portvakt/v1/signing-keys", OPERATE, 200, 403),
    // H23: nobody but the operator rotates or retires.
    with(
        operation("POST", "/api/portvakt/v1/signing-keys", OPERATE, 201, 403),
        || json!({ "now": false }),
    ),
    operation("DELETE", "/api/portvakt/v1/signing-keys/{kid}", OPERATE, 404, 403),
    operation("GET", "/api/portvakt/v1/trust-sets", OPERATE, 200, 403),
    with(
        operation("POST", "/api/portvakt/v1/trust-sets/judge", OPERATE, 200, 403),
        || json!({ "pem": pem("CERTIFICATE", &pki().ca.leaf(|_| {}).der) }),
    ),
    operation("GET", "/api/portvakt/v1/audit", READ, 200, 200),
    operation("GET", "/api/portvakt/v1/audit/verify", OPERATE, 200, 403),
    operation("GET", "/api/portvakt/v1/explain/{trace_id}", READ, 200, 404),
    operation("GET", "/api/portvakt/v1/refusals", READ, 200, 200),
    operation("GET", BUSINESS_DATA, READ, 200, 403),
    with(
        operation("PUT", BUSINESS_DATA, WRITE_BUSINESS_DATA, 200, 403),
        || json!({ "invoice": {}, "contact_points": [], "alert_points": [] }),
    ),
];

/// Prefixes in the compatible API.
pub(crate) const PREFIXES: &[Operation] = &[
    operation("GET", "/api/v1/prefix", Needs::Right("idporten:scopes.read"), 200, 200),
    operation("GET", "/api/v1/prefix/all", Needs::Nothing, 200, 200),
];

/// The tokens of the five who call.
struct Tokens {
    none: String,
    other: String,
    full: String,
}

#[tokio::test]
async fn whoever_may_not_use_an_operation_is_refused() {
    let server = AdminServer::start().await;
    let tokens = Tokens {
        none: server.token(CONSUMER, "test:read").await,
        other: server.full_token(PROVIDER).await,
        full: server.full_token(CONSUMER).await,
    };
    let trace_id = refused(&server).await;
    let mut wrong = Vec::new();
    for operation in OPERATIONS.iter().chain(PREFIXES) {
        let client = new_client(&server, &tokens.full, json!(["test:read", "test:write"])).await;
        let things = Things {
            client: client.client_id,
            kid: "first".to_owned(),
            trace_id: trace_id.clone(),
        };
        for problem in judge(&server, &tokens, operation, &things).await {
            wrong.push(format!("{} {}: {problem}", operation.method, operation.path));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

async fn judge(
    server: &AdminServer,
    tokens: &Tokens,
    operation: &Operation,
    things: &Things,
) -> Vec<String> {
    let (line, body) = (operation.line(things), (operation.body)());
    let call = async |token: Option<&str>| {
        let headers = [("Content-Type", "application/json"), ("If-Match", "*")];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        server.send(token, &line, &headers, body.as_bytes()).await
    };
    let (anonymous, unfit) = match operation.needs {
        Needs::Nothing => (operation.good, operation.good),
        Needs::AnyToken => (401, operation.good),
        Needs::Right(_) => (401, 403),
    };
    let right = match operation.needs {
        Needs::Right("portvakt:admin") => server.token(PROVIDER, "portvakt:admin").await,
        Needs::Right(scope) => server.token(CONSUMER, scope).await,
        Needs::AnyToken | Needs::Nothing => tokens.full.clone(),
    };
    let mut wrong = Vec::new();
    for (who, token, status) in [
        ("nobody", None, anonymous),
        ("garbage", Some("garbage"), anonymous),
        ("no right", Some(tokens.none.as_str()), unfit),
        ("another", Some(tokens.other.as_str()), operation.other),
        ("whoever may", Some(right.as_str()), operation.good),
    ] {
        let reply = call(token).await;
        if reply.status != status {
            wrong.push(format!("{who}: expected {status}: {}", reply.text()));
        }
        let leaks = ["another", "nobody", "garbage", "no right"].contains(&who)
            && reply.text().contains(&things.client);
        if leaks {
            wrong.push(format!("{who} is told of the client: {}", reply.text()));
        }
    }
    wrong
}

/// The trace id of a token request that was refused, of a client of the consumer.
async fn refused(server: &AdminServer) -> String {
    let token = server.full_token(CONSUMER).await;
    let client = new_client(server, &token, json!(["test:read"])).await;
    let draft = client.draft().header("kid", "unknown");
    let reply = server.server.ask(&draft.sign()).await;
    assert_eq!(reply.status, 400);
    let trace_id = reply.header("trace-id").unwrap().to_owned();
    let began = crate::harness::clock::tick();
    while server.server.store.refused_request(&trace_id).await.unwrap().is_none() {
        assert!(began.elapsed().as_secs() < 5, "no record");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    trace_id
}

#[tokio::test]
async fn what_belongs_to_others_looks_like_what_is_not_there() {
    let server = AdminServer::start().await;
    let (theirs, ours) = (server.full_token(PROVIDER).await, server.full_token(CONSUMER).await);
    let client = new_client(&server, &ours, json!([])).await.client_id;
    for (method, rest, body) in [
        ("GET", "", Value::Null),
        ("PATCH", "", json!({ "name": "x" })),
        ("DELETE", "", Value::Null),
        ("POST", "/restore", Value::Null),
        ("GET", "/keys", Value::Null),
        ("GET", "/usage", Value::Null),
        ("POST", "/keys", new_key()),
        ("DELETE", "/keys/first", Value::Null),
        ("POST", "/keys/first/renew", new_key()),
        ("PUT", "/scopes/test:read", Value::Null),
    ] {
        let at = |id: &str| format!("{method} {}/clients/{id}{rest}", super::API);
        let there = super::change(&server, &theirs, &at(&client), body.clone()).await;
        let nowhere = super::change(&server, &theirs, &at("no-such-client"), body).await;
        assert_eq!(
            super::without_trace(&there),
            super::without_trace(&nowhere),
            "H04 {method} {rest}"
        );
        assert_eq!(there.status, 404, "H04, H05 {}", there.text());
    }
    // E17: nor is one made in the name of another.
    let line = format!("POST {}/clients", super::API);
    let of_another = json!({ "name": "E17", "organization": CONSUMER });
    expect(&server.call(Some(&theirs), &line, of_another).await, 403);
    let line = format!("GET {}/clients?organization={CONSUMER}", super::API);
    expect(&server.call(Some(&theirs), &line, Value::Null).await, 403);
    let line = format!("GET {}/clients/{client}", super::API);
    let still = expect(&server.call(Some(&ours), &line, Value::Null).await, 200);
    assert_eq!(still["active"], true);
}
