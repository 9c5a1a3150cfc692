//! The `OpenAPI` document of our own API.

use std::collections::HashSet;

use serde_json::Value;

use crate::harness::admin::AdminServer;

/// Every reference in a document.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|it| references(it, found)),
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|it| references(it, found));
        }
        _ => {}
    }
}

#[tokio::test]
async fn each_operation_has_a_name_of_its_own_and_says_how_it_can_be_refused() {
    let admin = AdminServer::start().await;
    let document = admin.call(None, "GET /openapi.json", Value::Null).await.json();
    let mut names = HashSet::new();
    let paths = document["paths"].as_object().unwrap();
    for (path, methods) in paths.iter().filter(|(path, _)| path.starts_with("/api/portvakt/v1/")) {
        for (method, operation) in methods.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{name} is there twice");
            assert!(operation["security"].is_array(), "{name}");
            let responses = operation["responses"].as_object().unwrap();
            let mut needed = vec!["400", "401", "503"];
            if operation.get("requestBody").is_some() {
                needed.extend(["413", "415"]);
            }
            if method == "patch" {
                needed.extend(["412", "428"]);
            }
            for status in needed {
                assert!(responses.contains_key(status), "{method} {path}: {status}");
            }
            assert!(responses.keys().any(|status| status.starts_with('2')), "{method} {path}");
        }
    }
    assert!(names.len() >= 26, "{names:?}");
    let mut found = Vec::new();
    references(&document, &mut found);
    for reference in found {
        let place = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(place).is_some(), "{reference} leads nowhere");
    }
}
