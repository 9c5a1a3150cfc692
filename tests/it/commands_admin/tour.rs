//! The newcomer's tour: from a new organization to a token, and from a refusal to its explanation.

use std::fs;

use serde_json::Value;

use crate::commands_admin::{Ended, NEWCOMER, PROVIDER, Server, mode};

/// Asks for a token with a key in a file, as the newcomer's machine does.
fn token(server: &Server, client: &str, key: &str, scope: &str) -> Ended {
    server.run(&["token", "get", "--client-id", client, "--key", key, "--scope", scope])
}

#[test]
fn a_newcomer_gets_a_token_and_loses_it_again_and_is_told_why() {
    let server = Server::start();
    let created = server.json(&["org", "create", NEWCOMER, "NEWCOMER AS"]);
    assert_eq!(created["organization"], NEWCOMER);
    server.text(&["prefix", "assign", "nytt", PROVIDER]);
    let scope = ["scope", "create", "nytt:ting/les", "--description", "Read things"];
    assert_eq!(server.json(&scope)["scope"], "nytt:ting/les");
    server.text(&["access", "grant", "nytt:ting/les", NEWCOMER, "--note", "pilot"]);
    let client = server.json(&[
        "client",
        "create",
        "my machine",
        "--organization",
        NEWCOMER,
        "--scope",
        "nytt:ting/les",
    ]);
    let client = client["client_id"].as_str().unwrap();

    let file = server.name("key.jwk");
    let added = server.json(&["key", "add", client, "--new", &file]);
    assert_eq!(mode(&server.path("key.jwk")), 0o600);
    let private: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(added["kid"], private["kid"]);
    assert!(private["d"].is_string());
    let keys = server.json(&["key", "list", client]);
    assert!(!keys.to_string().contains(private["d"].as_str().unwrap()));

    let out = token(&server, client, &file, "nytt:ting/les").well().out;
    assert_eq!(out.split('.').count(), 3);
    server.text(&[
        "access",
        "withdraw",
        "nytt:ting/les",
        NEWCOMER,
        "--reason",
        "the pilot is over",
    ]);
    let refused = token(&server, client, &file, "nytt:ting/les").with(7);
    let trace_id = refused.err.split("trace_id: ").nth(1).expect("a trace id");
    let trace_id: String = trace_id.chars().take_while(char::is_ascii_alphanumeric).collect();
    // Refusals are written down shortly after they have been answered.
    let mut explained = server.run(&["explain", &trace_id]);
    for _ in 0..50 {
        if explained.code == Some(0) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
        explained = server.run(&["explain", &trace_id]);
    }
    let explained = explained.well();
    assert!(explained.out.contains(client) && explained.out.contains("failed"), "{explained:?}");
    assert_eq!(server.json(&["explain", &trace_id])["trace_id"], trace_id.as_str());
}

#[test]
fn keys_are_made_renewed_and_withdrawn_and_no_private_half_leaves_its_file() {
    let server = Server::start();
    let client = server.json(&["client", "create", "keys"])["client_id"].clone();
    let client = client.as_str().unwrap();
    let first = server.name("first.jwk");
    let public = server.run(&["key", "new", &first, "--alg", "ES256", "--kid", "first"]).well();
    assert_eq!(mode(&server.path("first.jwk")), 0o600);
    assert_eq!((&public.json()["kid"], public.json().get("d")), (&"first".into(), None));
    server.run(&["key", "new", &first]).with(2);
    // The private half is in the file, and only the public one is sent.
    server.text(&["key", "add", client, &first]);
    let second = server.name("second.jwk");
    server.text(&["key", "renew", client, "first", "--new", &second, "--alg", "ES256"]);
    let listed = server.text(&["key", "list", client]);
    assert!(listed.starts_with("KID ") && listed.contains("first"), "{listed}");
    let soon = server.json(&["key", "expiring", "--within", "15"]);
    let soon = soon["items"].as_array().unwrap();
    assert!(soon.iter().any(|key| key["kid"] == "first"), "{soon:?}");
    server.text(&["key", "withdraw", client, "first"]);
    assert_eq!(server.json(&["key", "list", client])["items"].as_array().unwrap().len(), 1);
    // A key that nobody has registered is not left behind.
    let third = server.name("third.jwk");
    server.run(&["key", "add", "nobody", "--new", &third]).with(3);
    assert!(!server.path("third.jwk").exists());
}
