//! The `OpenAPI` document: it has every operation, and every operation has an authorization test.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::admin::coverage::{covered, operation_of};
use crate::harness::admin::AdminServer;
use crate::harness::http::Reply;

async fn get(server: &AdminServer, path: &str) -> Reply {
    server.send(None, &format!("GET {path}"), &[], b"").await
}

fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let each = |(path, item): (&String, &Value)| {
        let methods = item.as_object().unwrap().iter();
        let methods = methods.map(|(method, it)| (method.to_uppercase(), path.clone(), it.clone()));
        methods.collect::<Vec<_>>()
    };
    paths.iter().flat_map(each).collect()
}

#[tokio::test]
async fn every_operation_has_an_authorization_test_and_the_other_way_round() {
    let server = AdminServer::start().await;
    let document = get(&server, "/openapi.json").await.json();
    let documented: BTreeSet<String> = operations(&document)
        .into_iter()
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect();
    let mut untested = documented.clone();
    for line in covered() {
        let operation = operation_of(&line, &documented);
        untested.remove(operation.unwrap_or_else(|| panic!("not in the document: {line}")));
    }
    assert!(untested.is_empty(), "without an authorization test: {untested:#?}");
}

#[tokio::test]
async fn operations_say_what_callers_need_to_know() {
    let server = AdminServer::start().await;
    let document = get(&server, "/openapi.json").await.json();
    let scheme = &document["components"]["securitySchemes"]["bearer"];
    assert_eq!((&scheme["type"], &scheme["scheme"]), (&"http".into(), &"bearer".into()));
    assert!(document["servers"][0]["url"].is_string());
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
        assert!(!id.is_empty() && ids.insert(id.clone()), "{method} {path}: operationId {id:?}");
        assert!(operation["summary"].is_string(), "{method} {path} has no summary");
        let secured = operation["security"].as_array().is_some_and(|it| !it.is_empty());
        let responses = operation["responses"].as_object().unwrap();
        assert_eq!(secured, responses.contains_key("401"), "{method} {path}");
    }
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer} is nowhere");
    }
}

/// A router that was made with `routes!` is in the document; nothing else may make one.
#[test]
fn no_route_of_the_admin_listener_goes_round_the_document() {
    fn look(folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                look(&path, found);
            } else {
                let text = std::fs::read_to_string(&path).unwrap();
                let routes = text.lines().map(str::trim).filter(|line| {
                    [".route(", ".route_service(", ".nest_service("]
                        .iter()
                        .any(|it| line.contains(it))
                });
                found.extend(routes.map(|line| format!("{}: {line}", path.display())));
            }
        }
    }
    let mut found = Vec::new();
    look(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http/admin"), &mut found);
    found.retain(|line| !line.contains("\"/openapi.json\"") && !line.contains("\"/docs"));
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test]
async fn the_document_can_be_browsed_without_a_network() {
    let server = AdminServer::start().await;
    let moved = get(&server, "/docs").await;
    assert_eq!((moved.status, moved.header("location")), (308, Some("/docs/")));
    let page = get(&server, "/docs/").await;
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy").unwrap();
    assert_eq!(
        policy,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    );
    let text = String::from_utf8(page.body.clone()).unwrap();
    assert!(!text.contains("<style") && !text.contains("onload="), "{text}");
    let mut files = 0;
    for (start, quoted) in [("src=\"", text.split("src=\"")), ("href=\"", text.split("href=\""))] {
        for part in quoted.skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(!name.contains("//"), "{start}{name} leads elsewhere");
            let file = get(&server, &format!("/docs/{}", name.trim_start_matches("./"))).await;
            assert_eq!(file.status, 200, "{name}");
            files += 1;
        }
    }
    assert!(files >= 5, "{text}");
    for script in text.split("<script").skip(1) {
        let inside = script.split_once('>').unwrap().1.split("</script>").next().unwrap();
        assert_eq!(inside.trim(), "", "a script inside the page");
    }
    let start = get(&server, "/docs/swagger-initializer.js").await;
    assert!(start.text().contains("/openapi.json"), "{}", start.text());
    assert_eq!(get(&server, "/docs/nothing").await.status, 404);
}
