//! Declared sets: `apply`, `diff` and `export` against a server.

use crate::commands_admin::{CONSUMER, PROVIDER, SUPPLIER, Server};

/// A set with something of every kind.
fn example() -> String {
    format!(
        r#"
[[prefix]]
prefix = "ny"
organization = "{PROVIDER}"

[[scope]]
scope = "ny:a"
description = "A"

[[scope]]
scope = "ny:b"
description = "B"
visibility = "PRIVATE"
delegation_source = "ISSUER"

[[access]]
scope = "ny:a"
consumer = "{CONSUMER}"
note = "n"

[[access]]
scope = "ny:b"
consumer = "{CONSUMER}"
expires_at = "2099-01-01T01:00:00+01:00"

[[delegation]]
consumer = "{CONSUMER}"
supplier = "{SUPPLIER}"
scope = "ny:b"

[[client]]
organization = "{CONSUMER}"
name = "declared"
scopes = ["ny:a", "ny:b"]
"#
    )
}

#[test]
fn what_is_declared_is_made_once_changed_when_it_differs_and_pruned_when_told() {
    let server = Server::start();
    let text = example().replace("ISSUER", &server.setting("MASKINPORTEN_ISSUER"));
    let file = server.write("set.toml", &text);
    let plan = server.run(&["diff", &file]).with(6).out;
    assert!(plan.contains("+ prefix ny") && plan.contains("7 would be made"), "{plan}");
    server.text(&["apply", &file, "--dry-run"]);
    server.run(&["scope", "show", "ny:a"]).with(3);
    assert!(server.text(&["apply", &file]).contains("7 were made"), "it is made");
    assert!(server.text(&["diff", &file]).contains("nothing to do"));
    let again = server.json(&["apply", &file, "--prune"]);
    assert_eq!(again["steps"].as_array().unwrap().len(), 0, "{again}");

    // Somebody changes things behind its back.
    server.text(&["scope", "change", "ny:a", "--description", "Z"]);
    server.text(&["access", "withdraw", "ny:b", CONSUMER]);
    let plan = server.run(&["diff", &file]).with(6).out;
    assert!(plan.contains("description: Z -> A") && plan.contains("DENIED -> APPROVED"), "{plan}");
    server.text(&["apply", &file]);
    server.text(&["diff", &file]);

    // What is no longer declared goes only with --prune.
    let client_b = text.replace(r#"["ny:a", "ny:b"]"#, r#"["ny:b"]"#);
    let begin = client_b.find("[[scope]]\nscope = \"ny:a\"").unwrap();
    let end = client_b.find("[[scope]]\nscope = \"ny:b\"").unwrap();
    let without = client_b.replace(&client_b[begin..end], "");
    let begin = without.find("[[access]]\nscope = \"ny:a\"").unwrap();
    let end = without.find("[[access]]\nscope = \"ny:b\"").unwrap();
    let without = server.write("less.toml", &without.replace(&without[begin..end], ""));
    server.text(&["diff", &without]);
    let plan = server.run(&["diff", &without, "--prune"]).with(6).out;
    assert!(plan.contains("- scope ny:a") && plan.contains("- access ny:a"), "{plan}");
    assert!(!plan.contains("dev:"), "{plan}");
    server.text(&["apply", &without, "--prune"]);
    server.text(&["diff", &without, "--prune"]);
    assert_eq!(server.json(&["scope", "show", "ny:a"])["active"], false);
    // And comes back when it is declared again.
    server.text(&["apply", &file]);
    server.text(&["diff", &file, "--prune"]);
}

#[test]
fn what_is_exported_is_there_already() {
    let server = Server::start();
    let exported = server.write("all.toml", &server.text(&["export"]));
    let again = server.run(&["diff", &exported, "--prune"]).well().out;
    assert!(again.contains("nothing to do"), "{again}");
    assert!(server.json(&["export"])["scope"].as_array().unwrap().len() > 4);
    let one = server.text(&["export", "--organization", CONSUMER]);
    assert!(one.contains("dev-consumer-key-client") && !one.contains("[[prefix]]"), "{one}");
    // Of one's own things, without being the operator.
    let own = server.run_as_consumer(&["export"]).well().out;
    assert!(own.contains("[[delegation]]") && !own.contains("dev-admin-client"), "{own}");
    let own = server.write("own.toml", &own);
    server.run_as_consumer(&["diff", &own, "--prune"]).well();
}

#[test]
fn the_first_failure_stops_it_and_says_what_was_done() {
    let server = Server::start();
    let text = example().replace("ISSUER", "https://unknown.example/");
    let file = server.write("set.toml", &text);
    let failed = server.run(&["apply", &file]).with(1);
    assert!(failed.err.contains("stopped at step 3 of 7, + scope ny:b"), "{failed:?}");
    assert!(failed.err.contains("2 were done, 5 were not"), "{failed:?}");
    assert!(failed.out.contains("+ scope ny:a") && !failed.out.contains("ny:b"), "{failed:?}");
    server.run(&["apply", &server.write("bad.toml", "[[scop]]\n")]).with(2);
}
