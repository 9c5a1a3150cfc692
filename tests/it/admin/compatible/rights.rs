//! Every operation with no token, with tokens that do not count, with the wrong right, by another organization,
//! and with the one right it needs.

use serde_json::{Value, json};

use super::{check_error, done, minimal_client, new_client};
use crate::harness::admin::{AdminServer, admin_key};
use crate::harness::http::Reply;
use crate::harness::{CONSUMER, PROVIDER, SUPPLIER};

const READ_CLIENTS: &str = "idporten:dcr.read";
const MODIFY_CLIENTS: &str = "idporten:dcr.modify";
const WRITE_CLIENTS: &str = "idporten:dcr.write";
const WRITE_ON_BEHALF_OF: &str = "idporten:dcr/onbehalfof.write";
const READ_SCOPES: &str = "idporten:scopes.read";
const WRITE_SCOPES: &str = "idporten:scopes.write";

/// An operation.
struct Operation {
    line: String,
    body: Value,
    /// The least right that allows it.
    right: &'static str,
    /// A right that has nothing to do with it, or allows to look only.
    wrong: &'static str,
    /// The status for whoever may.
    good: u16,
    /// The status for another organization with every right; `None` where it acts on what is its own.
    foreign: Option<u16>,
}

impl Operation {
    fn new(
        line: impl Into<String>,
        body: Value,
        (right, wrong): (&'static str, &'static str),
        good: u16,
        foreign: Option<u16>,
    ) -> Self {
        Self { line: format_line(&line.into()), body, right, wrong, good, foreign }
    }

    async fn ask(&self, admin: &AdminServer, token: Option<&str>) -> Reply {
        if self.line.starts_with("POST /api/v2") {
            let body = self.body.as_str().unwrap_or_default();
            return admin
                .send(token, &self.line, &[("Content-Type", "text/plain")], body.as_bytes())
                .await;
        }
        admin.call(token, &self.line, self.body.clone()).await
    }
}

fn format_line(line: &str) -> String {
    if line.contains(" /api/v2") { line.to_owned() } else { line.replacen(' ', " /api/v1", 1) }
}

/// Every operation that needs a token. Those on a client are on one of the provider, so in an order in which each
/// finds what it needs.
fn operations(client: &str) -> Vec<Operation> {
    let read_scopes = (READ_SCOPES, READ_CLIENTS);
    let write_scopes = (WRITE_SCOPES, READ_SCOPES);
    let read = (READ_CLIENTS, READ_SCOPES);
    let write = (WRITE_CLIENTS, MODIFY_CLIENTS);
    let modify = (MODIFY_CLIENTS, READ_CLIENTS);
    let on_behalf_of = (WRITE_ON_BEHALF_OF, READ_CLIENTS);
    let one = |rest: &str| format!("/clients/{client}{rest}");
    let scope = json!({"prefix": "test", "subscope": "new", "description": "New"});
    let jwk = || admin_key().jwk("a");
    let object = || json!({"onbehalfof": "o", "name": "O", "orgno": SUPPLIER});
    let access = format!("/scopes/access/{CONSUMER}?scope=test:read");
    vec![
        Operation::new("GET /prefix", Value::Null, read_scopes, 200, None),
        Operation::new("GET /scopes", Value::Null, read_scopes, 200, None),
        Operation::new("GET /scopes?scope=test:read", Value::Null, read_scopes, 200, Some(403)),
        Operation::new(
            "GET /scopes/scope?scope=test:read",
            Value::Null,
            read_scopes,
            200,
            Some(403),
        ),
        Operation::new("POST /scopes", scope.clone(), write_scopes, 201, Some(403)),
        Operation::new("PUT /scopes?scope=test:new", scope, write_scopes, 200, Some(403)),
        Operation::new("DELETE /scopes?scope=test:new", Value::Null, write_scopes, 200, Some(403)),
        Operation::new(
            "GET /scopes/access?scope=test:read",
            Value::Null,
            read_scopes,
            200,
            Some(403),
        ),
        Operation::new("GET /scopes/access", Value::Null, read_scopes, 200, None),
        Operation::new("GET /scopes/access/all", Value::Null, read_scopes, 200, None),
        Operation::new(format!("PUT {access}"), Value::Null, write_scopes, 200, Some(403)),
        Operation::new(format!("DELETE {access}"), Value::Null, write_scopes, 200, Some(403)),
        Operation::new("GET /clients", Value::Null, read, 200, None),
        Operation::new("POST /clients", minimal_client("test:open"), write, 201, None),
        Operation::new(format!("GET {}", one("")), Value::Null, read, 200, Some(404)),
        Operation::new(
            format!("PUT {}", one("")),
            minimal_client("test:open"),
            write,
            200,
            Some(404),
        ),
        Operation::new(format!("POST {}", one("/secret")), Value::Null, write, 400, Some(404)),
        Operation::new(format!("GET {}", one("/jwks")), Value::Null, read, 200, Some(404)),
        Operation::new(
            format!("POST {}", one("/jwks")),
            json!({"keys": [jwk()]}),
            modify,
            201,
            Some(404),
        ),
        Operation::new(format!("GET {}", one("/jwks/a")), Value::Null, read, 200, Some(404)),
        Operation::new(format!("PUT {}", one("/jwks/a")), jwk(), modify, 200, Some(404)),
        Operation::new(format!("DELETE {}", one("/jwks/a")), Value::Null, modify, 200, Some(404)),
        Operation::new(
            format!("POST /api/v2{}", one("/key")),
            jwk().to_string().into(),
            modify,
            201,
            Some(404),
        ),
        Operation::new(format!("DELETE {}", one("/jwks")), Value::Null, modify, 200, Some(404)),
        Operation::new(format!("GET {}", one("/onbehalfof")), Value::Null, read, 200, Some(404)),
        Operation::new(
            format!("POST {}", one("/onbehalfof")),
            object(),
            on_behalf_of,
            201,
            Some(404),
        ),
        Operation::new(format!("GET {}", one("/onbehalfof/o")), Value::Null, read, 200, Some(404)),
        Operation::new(
            format!("PUT {}", one("/onbehalfof/o")),
            object(),
            on_behalf_of,
            200,
            Some(404),
        ),
        Operation::new(
            format!("DELETE {}", one("/onbehalfof/o")),
            Value::Null,
            on_behalf_of,
            200,
            Some(404),
        ),
        Operation::new(format!("DELETE {}", one("")), Value::Null, write, 200, Some(404)),
    ]
}

/// What needs no token.
const OPEN: [&str; 4] = [
    "GET /api/v1/prefix/all",
    "GET /api/v1/scopes/all",
    "GET /api/v1/delegationsources",
    "GET /api/v1/organizations/310000116",
];

/// What needs a token, whatever it is good for.
const FOR_ANY_TOKEN: &str = "GET /api/v1/auth/user";

/// The method and the address of every operation that is tested here, with values for their variable parts.
pub(crate) fn lines() -> Vec<String> {
    let open = OPEN.into_iter().chain([FOR_ANY_TOKEN]).map(str::to_owned);
    open.chain(operations("client").into_iter().map(|it| it.line)).collect()
}

#[tokio::test]
async fn each_operation_needs_its_right_and_its_organization() {
    let admin = AdminServer::start().await;
    let full = admin.full_token(PROVIDER).await;
    let other = admin.full_token(SUPPLIER).await;
    let client = new_client(&admin, &full, "test:open").await;
    let caller = admin.client(PROVIDER, WRITE_CLIENTS).await;
    let foreign = caller.draft().claim("resource", "https://api.test/");
    let foreign = admin.token_of(&foreign).await;
    let garbled = format!("{full}x");
    for operation in operations(&client) {
        let what = operation.line.clone();
        for token in [None, Some("garbage"), Some(&garbled[..]), Some(&foreign[..])] {
            let reply = operation.ask(&admin, token).await;
            assert_eq!(reply.status, 401, "{what}: {}", reply.text());
            check_error(&reply);
        }
        let wrong = admin.token(PROVIDER, operation.wrong).await;
        let reply = operation.ask(&admin, Some(&wrong)).await;
        assert_eq!(reply.status, 403, "{what}: {}", reply.text());
        assert_eq!(reply.json()["error"], "insufficient_scope", "{what}");
        check_error(&reply);
        if let Some(status) = operation.foreign {
            let reply = operation.ask(&admin, Some(&other)).await;
            assert_eq!(reply.status, status, "{what}: {}", reply.text());
            check_error(&reply);
        }
        let right = admin.token(PROVIDER, operation.right).await;
        let reply = operation.ask(&admin, Some(&right)).await;
        assert_eq!(reply.status, operation.good, "{what}: {}", reply.text());
    }
}

#[tokio::test]
async fn some_operations_are_for_everybody() {
    let admin = AdminServer::start().await;
    for line in OPEN {
        assert_eq!(admin.call(None, line, Value::Null).await.status, 200, "{line}");
    }
    let token = admin.token(SUPPLIER, READ_SCOPES).await;
    for (token, status) in [(None, 401), (Some("garbage"), 401), (Some(&token[..]), 200)] {
        let reply = admin.call(token, FOR_ANY_TOKEN, Value::Null).await;
        assert_eq!(reply.status, status, "{}", reply.text());
    }
}

#[tokio::test]
async fn what_belongs_to_others_looks_like_what_is_not_there() {
    let admin = AdminServer::start().await;
    let token = admin.full_token(SUPPLIER).await;
    // The client `rs256` is the consumer's.
    for rest in ["", "/jwks", "/jwks/rs256-key", "/onbehalfof", "/onbehalfof/x"] {
        let mut bodies = Vec::new();
        for id in [
            "rs256",
            "00000000-0000-4000-8000-000000000000",
            "%00",
            "a b".replace(' ', "%20").as_str(),
        ] {
            let line = format!("GET /api/v1/clients/{id}{rest}");
            let reply = admin.call(Some(&token), &line, Value::Null).await;
            assert_eq!(reply.status, 404, "{line}");
            bodies.push((reply.json()["error"].clone(), reply.json()["error_description"].clone()));
        }
        bodies.dedup();
        assert_eq!(bodies.len(), 1, "{rest}: {bodies:?}");
    }
    // A scope that nobody can find, of somebody else, is not there either.
    let provider = admin.full_token(PROVIDER).await;
    let hidden = json!({"prefix": "test", "subscope": "hidden", "description": "H", "visibility": "PRIVATE"});
    done(&admin, &provider, "POST /api/v1/scopes", hidden).await;
    let reply = admin.call(Some(&token), "GET /scopes/scope?scope=test:hidden", Value::Null).await;
    let absent = admin.call(Some(&token), "GET /scopes/scope?scope=test:absent", Value::Null).await;
    assert_eq!((reply.status, absent.status), (404, 404));
    assert_eq!(reply.json()["error_description"], absent.json()["error_description"]);
    // Lists show one's own, whatever is asked for.
    for line in [
        "GET /clients?organization=310000116&org=310000116&include=secrets",
        "GET /scopes?owner=310000108",
    ] {
        let reply = done(&admin, &token, line, Value::Null).await;
        let own = |item: &Value| {
            item.get("client_orgno").or_else(|| item.get("owner_orgno")).unwrap() == SUPPLIER
        };
        assert!(reply.as_array().unwrap().iter().all(own), "{line}: {reply}");
    }
}

#[tokio::test]
async fn a_token_counts_in_the_header_only_and_only_while_it_holds() {
    let admin = AdminServer::start().await;
    let caller = admin.client(CONSUMER, READ_CLIENTS).await;
    let token = admin.token_of(&caller.draft()).await;
    let line = format!("GET /api/v1/clients?access_token={token}");
    let reply = admin.call(None, &line, Value::Null).await;
    assert_eq!(reply.status, 401);
    check_error(&reply);
    crate::harness::logs::assert_clean();
    let ok = admin.call(Some(&token), "GET /api/v1/clients", Value::Null).await;
    assert_eq!(ok.status, 200);
    for header in [format!("DPoP {token}"), format!("Basic {token}"), token.clone()] {
        let headers = [("Authorization", header.as_str())];
        let reply = admin.send(None, "GET /api/v1/clients", &headers, b"").await;
        assert_eq!(reply.status, 401, "{}", &header[..5]);
    }
    // The right is taken away: the same token is worth nothing more.
    let line = format!("DELETE /scopes/access/{CONSUMER}?scope={READ_CLIENTS}");
    let operator = admin.full_token(PROVIDER).await;
    done(&admin, &operator, &line, Value::Null).await;
    let reply = admin.call(Some(&token), "GET /api/v1/clients", Value::Null).await;
    assert_eq!(reply.status, 403, "{}", reply.text());
    admin.server.clock.set(crate::harness::clock::NOW + 121);
    let reply = admin.call(Some(&token), "GET /api/v1/clients", Value::Null).await;
    assert_eq!(reply.status, 401, "{}", reply.text());
}
