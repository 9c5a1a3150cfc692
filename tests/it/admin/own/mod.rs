//! Our own API: who may do what, what is refused, what a change does to the next token request, and how it bears
//! many things and many callers.

mod accesses;
mod attacks;
mod attacks_of_others;
mod batches;
mod description;
mod effects;
mod lost_updates;
mod organizations;
mod rights;
mod scopes;
mod volume;

use serde_json::{Value, json};

use crate::harness::admin::AdminServer;
use crate::harness::http::Reply;

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
