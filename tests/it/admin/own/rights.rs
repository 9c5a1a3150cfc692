//! For each operation: who may, and what everybody else is told.

use serde_json::{Value, json};

use crate::admin::own::{NEWCOMER, assert_status};
use crate::harness::admin::AdminServer;
use crate::harness::{CONSUMER, PROVIDER, SUPPLIER};

/// What a token must allow.
#[derive(Clone, Copy, PartialEq)]
enum Need {
    Any,
    Operate,
    ReadScopes,
    WriteClients,
    WriteScopes,
}

impl Need {
    /// Scopes of a token that allows it, and of one that allows much else.
    fn scopes(self) -> (&'static str, &'static str) {
        match self {
            Self::Any => ("idporten:dcr.read", ""),
            Self::Operate => ("portvakt:admin", "idporten:scopes.write idporten:dcr.write"),
            Self::ReadScopes => ("idporten:scopes.read", "idporten:dcr.write"),
            Self::WriteClients => ("idporten:dcr.write", "idporten:dcr.read idporten:scopes.write"),
            Self::WriteScopes => {
                ("idporten:scopes.write", "idporten:scopes.read idporten:dcr.write")
            }
        }
    }
}

/// An operation, whose organization may do it, what another is told that has the same right, and what comes of it.
struct Operation(&'static str, Value, Need, &'static str, u16, u16);

fn operations() -> Vec<Operation> {
    use Need::{Any, Operate, ReadScopes, WriteClients, WriteScopes};
    let admitted = json!({ "organization": NEWCOMER, "name": "Newcomer" });
    let asked = json!({ "scope": "test:closed", "organization": CONSUMER });
    let made = json!({ "scope": "test:new", "description": "New" });
    let grants = json!({ "grant": [{ "consumer": CONSUMER }] });
    let prefix = json!({ "prefix": "fresh", "organization": CONSUMER });
    let domain = "/organizations/310000116/email-domains/example.no";
    let access = "/scopes/test%3Aclosed/accesses/310000116";
    let take_back = "POST /access-requests/take-back";
    let on = |method: &str, address: &str, more: &str| -> &'static str {
        format!("{method} {address}{more}").leak()
    };
    vec![
        Operation("GET /me", Value::Null, Any, PROVIDER, 200, 200),
        Operation("GET /effective/1", Value::Null, Any, PROVIDER, 200, 200),
        Operation("GET /organizations", Value::Null, Operate, PROVIDER, 0, 200),
        Operation("POST /organizations", admitted, Operate, PROVIDER, 0, 201),
        Operation("GET /organizations/310000108", Value::Null, Any, PROVIDER, 403, 200),
        Operation(
            "PATCH /organizations/310000116",
            json!({ "name": "C" }),
            Operate,
            PROVIDER,
            0,
            200,
        ),
        Operation(on("PUT", domain, ""), Value::Null, Operate, PROVIDER, 0, 200),
        Operation(on("DELETE", domain, ""), Value::Null, Operate, PROVIDER, 0, 200),
        Operation("GET /prefixes", Value::Null, Any, PROVIDER, 200, 200),
        Operation("POST /prefixes", prefix, Operate, PROVIDER, 0, 201),
        Operation("GET /prefixes/test", Value::Null, Any, PROVIDER, 200, 200),
        Operation("PATCH /prefixes/fresh", json!({ "active": false }), Operate, PROVIDER, 0, 200),
        Operation(
            "GET /scopes?organization=310000108",
            Value::Null,
            ReadScopes,
            PROVIDER,
            403,
            200,
        ),
        Operation("GET /scopes/public", Value::Null, Any, PROVIDER, 200, 200),
        Operation("POST /scopes", made, WriteScopes, PROVIDER, 403, 201),
        Operation("GET /scopes/test%3Anew", Value::Null, ReadScopes, PROVIDER, 403, 200),
        Operation("GET /scopes/test%3Anew/usage", Value::Null, ReadScopes, PROVIDER, 403, 200),
        Operation(
            "PATCH /scopes/test%3Anew",
            json!({ "description": "N" }),
            WriteScopes,
            PROVIDER,
            403,
            200,
        ),
        Operation("DELETE /scopes/test%3Anew", Value::Null, WriteScopes, PROVIDER, 403, 200),
        Operation("POST /scopes/test%3Anew/restore", Value::Null, WriteScopes, PROVIDER, 403, 200),
        Operation("POST /access-requests", asked.clone(), WriteClients, CONSUMER, 403, 201),
        Operation(
            "GET /accesses?organization=310000108",
            Value::Null,
            ReadScopes,
            PROVIDER,
            403,
            200,
        ),
        Operation(
            "GET /scopes/test%3Aclosed/accesses",
            Value::Null,
            ReadScopes,
            PROVIDER,
            403,
            200,
        ),
        Operation(on("GET", access, ""), Value::Null, ReadScopes, PROVIDER, 404, 200),
        Operation(on("POST", access, "/approve"), json!({}), WriteScopes, PROVIDER, 403, 200),
        Operation(
            on("DELETE", access, "?reason=over"),
            Value::Null,
            WriteScopes,
            PROVIDER,
            403,
            200,
        ),
        Operation("POST /access-requests", asked.clone(), WriteClients, CONSUMER, 403, 201),
        Operation(take_back, asked.clone(), WriteClients, CONSUMER, 403, 200),
        Operation("POST /access-requests", asked, WriteClients, CONSUMER, 403, 201),
        Operation(on("POST", access, "/deny"), json!({}), WriteScopes, PROVIDER, 403, 200),
        Operation(on("PUT", access, ""), json!({}), WriteScopes, PROVIDER, 403, 200),
        Operation(
            "POST /scopes/test%3Aclosed/accesses/batch",
            grants,
            WriteScopes,
            PROVIDER,
            403,
            200,
        ),
    ]
}

/// The method and the address of each.
pub(crate) fn lines() -> impl Iterator<Item = String> {
    operations().into_iter().map(|it| it.0.replacen(" /", " /api/portvakt/v1/", 1))
}

#[tokio::test]
async fn each_operation_is_for_those_who_have_the_right_and_own_the_thing() {
    let admin = AdminServer::start().await;
    for Operation(line, body, need, owner, others, done) in operations() {
        let (right, wrong) = need.scopes();
        let before = admin.server.store.latest_change().await.unwrap();
        let full = line.replacen(" /", " /api/portvakt/v1/", 1);
        assert_status(line, &admin.call(None, &full, body.clone()).await, 401);
        assert_status(line, &admin.own("garbage", line, "*", body.clone()).await, 401);
        if need != Need::Any {
            let token = admin.token(owner, wrong).await;
            assert_status(line, &admin.own(&token, line, "*", body.clone()).await, 403);
        }
        if others != 0 {
            let token = admin.token(SUPPLIER, right).await;
            assert_status(line, &admin.own(&token, line, "*", body.clone()).await, others);
        }
        let token = admin.token(owner, right).await;
        // Only the clients that the tokens were fetched with have been made.
        let made = admin.server.store.changes_from(before).await.unwrap();
        let touched = made.iter().skip(1).filter(|it| !it.key.starts_with("admin-"));
        let touched =
            touched.filter(|it| !it.key.contains("idporten:") && !it.key.contains("portvakt:"));
        assert_eq!(touched.count(), 0, "{line}");
        assert_status(line, &admin.own(&token, line, "*", body).await, done);
    }
}
