//! Our own API: who may do what, what is refused, what a change does to the next token request, and how it bears
//! many things and many callers.

mod accesses;
mod attacks;
mod attacks_of_others;
mod attacks_of_yesterday;
mod audit;
pub(crate) mod authorization;
pub(crate) mod batches;
mod business_data;
mod certified_keys;
mod clients;
mod delegations;
mod description;
mod document;
mod effects;
mod idempotency;
mod keys;
mod last_use;
mod limits;
mod lost_updates;
mod organizations;
mod refusals;
pub(crate) mod rights;
mod scopes;
mod signing_keys;
mod usage;
mod volume;
pub(crate) mod volume_clients;
mod weak_keys;

use crate::harness::CONSUMER;
use crate::harness::admin::AdminServer;
use crate::harness::caller::{Caller, Key};
use crate::harness::http::Reply;
use serde_json::{Value, json};

/// Where the API is.
pub(crate) const API: &str = "/api/portvakt/v1";

/// An organization that no test server knows.
const NEWCOMER: &str = "310000132";

impl AdminServer {
    /// Calls our own API: `line` is the method and the address below its base, `tag` what `If-Match` says.
    async fn own(&self, token: &str, line: &str, tag: &str, body: Value) -> Reply {
        let line = line.replacen(" /", " /api/portvakt/v1/", 1);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut headers = vec![("Content-Type", "application/json")];
        if !tag.is_empty() {
            headers.push(("If-Match", tag));
        }
        self.send(Some(token), &line, &headers, body.as_bytes()).await
    }

    /// The same without a body, for a look.
    async fn look(&self, token: &str, address: &str) -> Reply {
        self.own(token, &format!("GET {address}"), "", Value::Null).await
    }
}

fn tag(reply: &Reply) -> String {
    reply.header("etag").unwrap_or_else(|| panic!("no ETag: {}", reply.text())).to_owned()
}

/// The things on a page.
fn items(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["items"].as_array().unwrap().clone()
}

/// Holds that an answer has this status, and a problem in it if it is a refusal.
fn assert_status(what: &str, reply: &Reply, status: u16) {
    assert_eq!(reply.status, status, "{what}: {}", reply.text());
    if status < 400 {
        return;
    }
    let problem = reply.json();
    assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{what}");
    assert_eq!(reply.header("cache-control"), Some("no-store"), "{what}");
    assert_eq!(problem["status"], json!(status), "{what}: {}", reply.text());
    assert_eq!(problem["trace_id"].as_str(), reply.header("trace-id"), "{what}");
    for member in ["type", "title", "detail", "code"] {
        let text = problem[member].as_str().unwrap_or_default();
        assert!(!text.is_empty(), "{what}: no {member}: {}", reply.text());
    }
}

/// A refusal without what differs between any two.
fn without_trace(reply: &Reply) -> (u16, Value) {
    let mut problem = reply.json();
    problem["trace_id"] = Value::Null;
    (reply.status, problem)
}

/// Sends a request for whatever version is there.
async fn change(server: &AdminServer, token: &str, line: &str, body: Value) -> Reply {
    let headers = [("Content-Type", "application/json"), ("If-Match", "*")];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    server.send(Some(token), line, &headers, body.as_bytes()).await
}

/// The answer, which must have this status.
#[track_caller]
fn expect(reply: &Reply, status: u16) -> Value {
    assert_eq!(reply.status, status, "{}", reply.text());
    reply.json()
}

/// Registers a client of the consumer with a key of its own, and returns who signs as it.
async fn new_client(server: &AdminServer, token: &str, scopes: Value) -> Caller {
    let key = Key::generate("ES256");
    let body = json!({ "name": "A client", "scopes": scopes, "keys": [key.jwk("first")] });
    let made = expect(&server.call(Some(token), &format!("POST {API}/clients"), body).await, 201);
    assert_eq!(made["organization"], CONSUMER);
    Caller {
        client_id: made["client_id"].as_str().unwrap().to_owned(),
        key,
        hint: ("kid", "first".into()),
        scope: "test:read",
        good: None,
    }
}

/// Asks for a token. `Ok`, or the code of the refusal (its name, when it has none).
async fn ask(server: &AdminServer, caller: &Caller) -> Result<(), String> {
    let reply = server.server.ask(&caller.assertion()).await;
    if reply.token().is_some() {
        return Ok(());
    }
    let json = reply.json();
    let code = json["error_uri"].as_str().and_then(|uri| uri.rsplit('/').next());
    Err(code.or_else(|| json["error"].as_str()).unwrap_or_default().to_owned())
}
