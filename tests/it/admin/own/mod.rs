//! Our own API.

mod audit;
pub(crate) mod authorization;
mod clients;
mod delegations;
mod document;
mod idempotency;
mod keys;
mod last_use;
mod refusals;

use serde_json::{Value, json};

use crate::harness::CONSUMER;
use crate::harness::admin::AdminServer;
use crate::harness::caller::{Caller, Key};
use crate::harness::http::Reply;

/// Where the API is.
pub(crate) const API: &str = "/api/portvakt/v1";

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
    Err(code.or(json["error"].as_str()).unwrap_or_default().to_owned())
}

/// What an answer says apart from what differs with every request.
fn without_trace(reply: &Reply) -> (u16, Value) {
    let mut json = reply.json();
    if let Some(members) = json.as_object_mut() {
        members.remove("trace_id");
    }
    (reply.status, json)
}
