//! Addresses and methods that are not there, and the older ways to write those that are.

use serde_json::Value;

use super::{check_error, done};
use crate::harness::CONSUMER;
use crate::harness::admin::AdminServer;

#[tokio::test]
async fn where_there_is_nothing_the_answer_has_the_shape_of_the_api() {
    let admin = AdminServer::start().await;
    for line in [
        "GET /api/v1/nothing",
        "GET /api/v1//clients",
        "GET //clients",
        "GET /clients//",
        "GET /CLIENTS",
        "GET /api/v1/clients;a=b",
        "GET /api/v1/../../token",
        "GET /%2e%2e/token",
        "GET /token",
        "GET /api/v2/clients",
        "GET /api/portvaktish",
    ] {
        let reply = admin.call(None, line, Value::Null).await;
        assert_eq!(reply.status, 404, "{line}: {}", reply.text());
        check_error(&reply);
    }
    for (line, allowed) in [
        ("DELETE /api/v1/clients", "GET,HEAD,POST"),
        ("PATCH /api/v1/clients/x", "GET,HEAD,PUT,DELETE"),
        ("POST /scopes/all", "GET,HEAD"),
        ("POST /scopes/all/", "GET,HEAD"),
        ("GET /api/v2/clients/x/key", "POST"),
    ] {
        let reply = admin.call(None, line, Value::Null).await;
        assert_eq!(reply.status, 405, "{line}: {}", reply.text());
        assert_eq!(reply.header("allow"), Some(allowed), "{line}");
        check_error(&reply);
    }
    for (line, status) in [
        ("GET /api/portvakt", 404),
        ("GET /api/portvakt/v1/nothing", 404),
        ("GET /api/portvakt/v1/prefixes/", 404),
        ("DELETE /api/portvakt/v1/prefixes", 405),
    ] {
        let reply = admin.call(None, line, Value::Null).await;
        assert_eq!(reply.status, status, "{line}: {}", reply.text());
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{line}");
        assert_eq!(reply.json()["status"], status);
        assert_eq!(reply.header("allow").is_some(), status == 405, "{line}");
    }
}

#[tokio::test]
async fn the_older_addresses_and_a_slash_at_the_end_lead_to_the_same() {
    let admin = AdminServer::start().await;
    let token = admin.full_token(CONSUMER).await;
    for path in ["/clients", "/prefix", "/scopes", "/scopes/access/all?inactive=true", "/auth/user"]
    {
        let (address, query) = path.split_once('?').unwrap_or((path, ""));
        let expected = done(&admin, &token, &format!("GET /api/v1{path}"), Value::Null).await;
        for line in [
            format!("GET {path}"),
            format!("GET {address}/?{query}"),
            format!("GET /api/v1{address}/?{query}"),
        ] {
            assert_eq!(done(&admin, &token, &line, Value::Null).await, expected, "{line}");
        }
    }
}

#[tokio::test]
async fn no_page_of_another_site_is_let_in() {
    let admin = AdminServer::start().await;
    let token = admin.full_token(CONSUMER).await;
    let origin = ("Origin", "https://evil.example");
    for line in ["OPTIONS /api/v1/clients", "GET /api/v1/clients", "GET /scopes/all"] {
        let reply = admin.send(Some(&token), line, &[origin], b"").await;
        assert!(!reply.text().to_lowercase().contains("access-control-allow"), "{line}");
    }
}

#[tokio::test]
async fn every_operation_stands_in_the_document_once() {
    let admin = AdminServer::start().await;
    let document = admin.call(None, "GET /openapi.json", Value::Null).await.json();
    let mut ids = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        assert!(path.starts_with("/api/"), "{path}");
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().expect(path).to_owned();
            assert!(!ids.contains(&id), "{id} stands there twice");
            ids.push(id);
            if path.starts_with("/api/portvakt") {
                continue;
            }
            assert!(operation["tags"][0].as_str().unwrap().starts_with("Digdir: "), "{path}");
            for (status, response) in operation["responses"].as_object().unwrap() {
                let schema = &response["content"]["application/json"]["schema"]["$ref"];
                if status.starts_with('4') || status.starts_with('5') {
                    let error = "#/components/schemas/compatible.ApiErrorResponse";
                    assert_eq!(schema, error, "{method} {path} {status}");
                }
            }
        }
    }
    // Whatever is referred to is there.
    let text = document.to_string();
    for name in text.split("#/components/schemas/").skip(1) {
        let name = name.split('"').next().unwrap();
        assert!(document["components"]["schemas"][name].is_object(), "{name}");
    }
    assert!(ids.iter().filter(|id| id.starts_with("digdir_")).count() == 33, "{ids:?}");
}
