//! Digdir's self-service API, as tools of operators use it.

mod accesses;
mod at_once;
mod clients;
mod directory;
mod fallbacks;
mod keys;
pub(crate) mod rights;
mod scopes;

use serde_json::{Value, json};

use crate::harness::admin::AdminServer;
use crate::harness::http::Reply;

/// The status of an answer, and its body if that is JSON.
async fn call(admin: &AdminServer, token: &str, line: &str, body: Value) -> (u16, Value) {
    let reply = admin.call(Some(token), line, body).await;
    if reply.status >= 400 {
        check_error(&reply);
    }
    (reply.status, reply.json())
}

/// The same for a request that must succeed.
async fn done(admin: &AdminServer, token: &str, line: &str, body: Value) -> Value {
    let (status, reply) = call(admin, token, line, body).await;
    assert!((200..300).contains(&status), "{line}: {status} {reply}");
    reply
}

/// What holds for every error of this API.
fn check_error(reply: &Reply) {
    let text = reply.text();
    let body = reply.json();
    let mut names: Vec<&str> = body.as_object().expect(&text).keys().map(String::as_str).collect();
    names.sort_unstable();
    let members = ["correlation_id", "error", "error_description", "errors", "status", "timestamp"];
    assert_eq!(names, members, "{text}");
    assert_eq!(body["status"], reply.status, "{text}");
    assert_eq!(body["correlation_id"].as_str(), reply.header("trace-id"), "{text}");
    assert!(body["timestamp"].as_str().unwrap().ends_with('Z'), "{text}");
    assert!(!body["error_description"].as_str().unwrap().is_empty(), "{text}");
    let error = &body["errors"][0];
    assert_eq!(error["errorMessage"], body["error_description"], "{text}");
    assert_eq!(error["objectName"], "", "{text}");
    let field = error["fieldIdentifier"].as_str().unwrap();
    assert_eq!(error["isFieldError"], !field.is_empty(), "{text}");
    assert_eq!(reply.header("content-type"), Some("application/json"), "{text}");
    assert_eq!(
        reply.status == 401,
        text.contains("www-authenticate: Bearer") && reply.status != 403
    );
}

/// The smallest body with which tools in production make a client.
fn minimal_client(scope: &str) -> Value {
    json!({
        "client_name": "Team A", "description": "Team A's client", "scopes": [scope],
        "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
        "integration_type": "maskinporten", "application_type": "web",
    })
}

/// Makes a client and says its id.
async fn new_client(admin: &AdminServer, token: &str, scope: &str) -> String {
    let made = done(admin, token, "POST /api/v1/clients", minimal_client(scope)).await;
    made["client_id"].as_str().unwrap().to_owned()
}

/// The members of an object.
fn members(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}
