//! How commands end, and what they print.

use std::fs;
use std::thread;
use std::time::Duration;

use crate::commands_admin::{CONSUMER, NEWCOMER, PROVIDER, SUPPLIER, Server, run};

#[test]
fn every_list_is_a_table_for_people_and_one_json_document_for_programs() {
    let server = Server::start();
    for (arguments, column) in [
        (&["org", "list"][..], "ORGANIZATION"),
        (&["prefix", "list"], "PREFIX"),
        (&["scope", "list"], "SCOPE"),
        (&["scope", "public"], "SCOPE"),
        (&["access", "list"], "SCOPE"),
        (&["delegation", "list"], "CONSUMER"),
        (&["delegation", "sources"], "ISSUER"),
        (&["client", "list"], "CLIENT ID"),
        (&["key", "list", "dev-consumer-key-client"], "KID"),
        (&["key", "expiring", "--within", "1000"], "EXPIRES AT"),
        (&["audit", "list"], "SEQ"),
        (&["signing-key", "list"], "KID"),
        (&["trust", "list"], "TRUST SET"),
    ] {
        let table = server.text(arguments);
        assert!(table.starts_with(column), "{arguments:?}: {table}");
        let items = server.json(arguments)["items"].as_array().unwrap().len();
        assert_eq!(table.lines().count(), items + 1, "{arguments:?}: {table}");
        assert!(items > 0, "{arguments:?}");
    }
    let limited = server.run(&["audit", "list", "--limit", "3", "-o", "json"]).well();
    assert_eq!(limited.json()["items"].as_array().unwrap().len(), 3);
    assert!(limited.err.contains("--limit"));
    // More than a page of the API.
    let numbers = server.json(&["audit", "list", "--limit", "100000"]);
    assert!(numbers["items"].as_array().unwrap().len() > 20);
}

#[test]
fn the_operator_announces_a_signing_key_lets_it_sign_at_once_and_retires_the_old_one() {
    let server = Server::start();
    let old = server.json(&["signing-key", "list"])["items"][0]["kid"].as_str().unwrap().to_owned();
    let announced = server.json(&["signing-key", "rotate"]);
    assert_eq!(announced["state"], "ANNOUNCED");
    assert!(server.run(&["signing-key", "rotate"]).err.contains("announced already"));
    assert!(server.run(&["signing-key", "retire", &old]).err.contains("this key signs"));
    // A key signs from a later second than the one before, which is of just now.
    thread::sleep(Duration::from_secs(1));
    let signs = server.json(&["signing-key", "rotate", "--now"]);
    assert_eq!((&signs["kid"], &signs["state"]), (&announced["kid"], &"ACTIVE".into()));
    assert_eq!(server.json(&["signing-key", "retire", &old])["state"], "RETIRED");
}

#[test]
fn things_are_made_changed_and_ended_in_the_words_of_the_field() {
    let server = Server::start();
    server.text(&["org", "create", NEWCOMER, "NEWCOMER AS"]);
    server.text(&["org", "add-domain", NEWCOMER, "newcomer.example"]);
    let shown = server.json(&["org", "show", NEWCOMER]);
    assert_eq!(shown["email_domains"][0], "newcomer.example");
    server.text(&["org", "remove-domain", NEWCOMER, "newcomer.example"]);
    assert_eq!(server.json(&["org", "change", NEWCOMER, "--name", "NY AS"])["name"], "NY AS");
    server.text(&["prefix", "assign", "ny", NEWCOMER]);
    assert_eq!(server.json(&["prefix", "retire", "ny"])["active"], false);
    assert_eq!(server.json(&["prefix", "restore", "ny"])["active"], true);
    assert_eq!(server.json(&["prefix", "transfer", "ny", PROVIDER])["organization"], PROVIDER);
    server.text(&["scope", "create", "ny:x", "--description", "X", "--visibility", "private"]);
    let changed = server.json(&["scope", "change", "ny:x", "--accessible-for-all", "true"]);
    assert_eq!(
        (&changed["accessible_for_all"], &changed["visibility"]),
        (&true.into(), &"PRIVATE".into())
    );
    assert_eq!(server.json(&["scope", "deactivate", "ny:x"])["active"], false);
    assert_eq!(server.json(&["scope", "restore", "ny:x"])["active"], true);
    let client = server.json(&["client", "create", "c", "--scope", "ny:x"])["client_id"].clone();
    let client = client.as_str().unwrap();
    server.text(&["client", "remove-scope", client, "ny:x"]);
    let scopes = server.json(&["client", "add-scope", client, "ny:x"])["scopes"].clone();
    assert_eq!(scopes, serde_json::json!(["ny:x"]));
    assert_eq!(server.json(&["client", "change", client, "--name", "d"])["name"], "d");
    assert_eq!(server.json(&["client", "deactivate", client])["active"], false);
    assert_eq!(server.json(&["client", "restore", client])["active"], true);
    let parties = [CONSUMER, SUPPLIER, "dev:reports.write"];
    let withdrawn = server.json(&[&["delegation", "withdraw"], &parties[..]].concat());
    assert!(withdrawn["revoked_at"].is_string());
    let granted =
        server.json(&[&["delegation", "grant"], &parties[..], &["--to", "2099-12-31"]].concat());
    assert_eq!(granted["valid_to"], "2099-12-31T23:59:59Z");
}

#[test]
fn a_change_may_be_waited_for_until_it_holds_everywhere() {
    let server = Server::start();
    let made = ["scope", "create", "dev:everywhere", "--description", "X", "--wait"];
    assert_eq!(server.json(&made)["scope"], "dev:everywhere");
    // Where nothing is changed there is nothing to wait for.
    server.text(&["scope", "show", "dev:everywhere", "--wait"]);
}

#[test]
fn many_accesses_go_in_a_batch_and_a_dry_run_changes_nothing() {
    let server = Server::start();
    let file = server.write("numbers", &format!("# pilot\n{SUPPLIER}  # supplier\n\n{CONSUMER}\n"));
    let scope = "dev:secrets.read";
    let grant = ["access", "grant", scope, "--file", &file, "--expires", "2099-01-01"];
    let planned = server.json(&[&grant[..], &["--dry-run"]].concat());
    assert_eq!(planned["items"].as_array().unwrap().len(), 2);
    let approved = || {
        let listed = server.json(&["access", "list", "--scope", scope, "--state", "approved"]);
        listed["items"].as_array().unwrap().len()
    };
    assert_eq!(approved(), 0);
    let done = server.text(&grant);
    assert!(done.contains("done"), "{done}");
    assert_eq!(approved(), 2);
    // The second is no organization number.
    let refused = server.run(&["access", "grant", scope, CONSUMER, "123456789"]).with(1);
    assert!(refused.err.contains("1 of 2 were refused"), "{refused:?}");
    server.text(&["access", "withdraw", scope, CONSUMER, SUPPLIER]);
    assert_eq!(approved(), 0);
    server.run(&["access", "withdraw", scope, CONSUMER, SUPPLIER, "--reason", "x"]).with(2);
}

#[test]
fn a_consumer_asks_for_access_and_its_owner_decides() {
    let server = Server::start();
    let ask = ["access", "request", "dev:secrets.read", "--message", "please"];
    server.run_as_consumer(&ask).well();
    let take_back = ["access", "take-back", "dev:secrets.read", "-o", "json"];
    let taken = server.run_as_consumer(&take_back).well().json();
    assert_eq!((&taken["state"], &taken["taken_back"]), (&"DENIED".into(), &true.into()));
    server.run_as_consumer(&take_back).with(6);
    server.run_as_consumer(&ask).well();
    let approve = ["access", "approve", "dev:secrets.read", CONSUMER, "--note", "n"];
    assert_eq!(server.json(&approve)["state"], "APPROVED");
    server.run(&["access", "deny", "dev:secrets.read", CONSUMER]).with(6);
}

#[test]
fn exit_codes_say_what_went_wrong_and_messages_hold_no_secret() {
    let server = Server::start();
    server.run(&["scope", "show", "dev:none"]).with(3);
    let failed = server.run(&["client", "show", "nobody"]).with(3);
    assert!(failed.err.contains("trace id") && failed.out.is_empty(), "{failed:?}");
    let failed = server.run(&["scope", "list", "--token", "sesam.sesam.sesam"]).with(4);
    assert!(!failed.err.contains("sesam"), "{failed:?}");
    server.run_with(&[("PORTVAKT_ADMIN_CLIENT_ID", "")], &["scope", "list"]).with(4);
    let failed = server.run_with(&[("PORTVAKT_ADMIN_CLIENT_ID", "nobody")], &["scope", "list"]);
    failed.with(4);
    let failed = server.run_as_consumer(&["org", "list"]).with(5);
    assert!(failed.err.contains("portvakt:admin"), "{failed:?}");
    server.run_as_consumer(&["scope", "change", "dev:secrets.read", "--description", "x"]).with(5);
    server.run(&["prefix", "assign", "dev", PROVIDER]).with(6);
    server.run(&["scope", "create", "dev:secrets.read", "--description", "x"]).with(6);
    let failed = server.run(&["access", "grant", "dev:x", "123456789", "--expires", "soon"]);
    assert!(matches!(failed.code, Some(1 | 3)), "{failed:?}");
    let nobody = [("PORTVAKT_ADMIN_URL", "http://127.0.0.1:9/")];
    server.run_with(&nobody, &["scope", "list"]).with(9);
    server.run(&["scope", "change", "dev:secrets.read"]).with(2);
    run(&["scope", "list"]).with(2);
    run(&["key", "new"]).with(2);
}

#[test]
fn what_a_consumer_sees_is_its_own_and_the_token_has_no_more_than_the_command_needs() {
    let server = Server::start();
    let own = server.run_as_consumer(&["client", "list", "-o", "json"]).well().json();
    let own = own["items"].as_array().unwrap();
    assert!(own.iter().all(|client| client["organization"] == CONSUMER), "{own:?}");
    // The provider is the operator, but has not said so: its own things alone.
    let modest = [("PORTVAKT_ADMIN_OPERATOR", "")];
    server.run_with(&modest, &["client", "list"]).well();
    let failed = server.run_with(&modest, &["client", "show", "dev-consumer-key-client"]).with(3);
    assert!(failed.err.contains("--operator"), "{failed:?}");
    let shown = ["client", "show", "dev-consumer-key-client", "--operator"];
    server.run_with(&modest, &shown).well();
}

#[test]
fn the_audit_trail_is_checked_by_the_server_and_without_it() {
    let server = Server::start();
    let config = server.name("dev/portvakt.toml");
    let whole = server.text(&["audit", "verify"]);
    let newest = whole.lines().find_map(|line| line.strip_prefix("newest ")).unwrap().to_owned();
    server.text(&["audit", "verify", "--expect", &newest]);
    assert_eq!(server.json(&["audit", "verify", "--config", &config])["whole"], true);
    server.text(&["org", "create", NEWCOMER, "NEWCOMER AS"]);
    // An older row is found too.
    server.text(&["audit", "verify", "--expect", &newest]);
    server.text(&["audit", "verify", "--expect", &newest, "--config", &config]);
    let (seq, seal) = newest.split_once(':').unwrap();
    let beyond = format!("{}:{seal}", seq.parse::<i64>().unwrap() + 100);
    for more in [&[][..], &["--config", &config]] {
        let arguments = [&["audit", "verify", "--expect", &beyond], more].concat();
        assert!(server.run(&arguments).with(1).err.contains("broken"), "{arguments:?}");
        let other = format!("{seq}:another");
        server.run(&[&["audit", "verify", "--expect", &other], more].concat()).with(1);
    }
    // Under another key no seal fits.
    let text = fs::read_to_string(server.path("dev/portvakt.toml")).unwrap();
    let key = server.write("dev/other.key", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    assert!(!key.is_empty());
    let text = text.replace("\"sealing.key\"", "\"other.key\"");
    let other = server.write("dev/other.toml", &text);
    let broken = server.run(&["audit", "verify", "--config", &other, "-o", "json"]).with(1);
    assert_eq!(broken.json()["whole"], false);
}

#[test]
fn shells_get_their_completions() {
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&["completions", shell]).well().out;
        assert!(script.contains("delegation") && script.contains("withdraw"), "{shell}");
    }
}
