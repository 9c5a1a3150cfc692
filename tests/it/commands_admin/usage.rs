//! Usage from the shell, and that none is lost when the server is told to stop.

use std::time::Duration;

use serde_json::Value;

use crate::commands::{Dev, free_ports};
use crate::commands_admin::{CONSUMER, Server};
use crate::harness::clock::tick;

const SCOPE: &str = "dev:greetings.read";

/// Who uses the scope, once that many tokens with it have been counted.
fn usage(server: &Server, tokens: u64) -> Value {
    let began = tick();
    loop {
        let usage = server.json(&["scope", "usage", SCOPE]);
        if usage["tokens"] == tokens {
            return usage;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{tokens} expected: {usage}");
    }
}

#[test]
fn what_was_issued_is_counted_and_survives_a_stop() {
    let (folder, ports) = (tempfile::tempdir().unwrap(), free_ports());
    let dev = Dev::start(&folder.path().join("dev"), ports, &[]);
    let server = Server { folder, dev };
    for _ in 0..2 {
        server.text(&["token", "get", "--scope", SCOPE]);
    }
    usage(&server, 2);
    // The last one is issued less than a second before the server is told to stop.
    server.text(&["token", "get", "--scope", SCOPE]);
    let Server { folder, dev } = server;
    dev.stop();
    let dev = Dev::start(&folder.path().join("dev"), ports, &[]);
    let server = Server { folder, dev };
    let shown = server.json(&["scope", "usage", SCOPE]);
    assert_eq!(shown["tokens"], 3, "{shown}");
    assert_eq!(
        (&shown["consumers"][0]["consumer"], shown["other_consumers"].as_u64()),
        (&CONSUMER.into(), Some(0))
    );

    let table = server.text(&["scope", "usage", SCOPE, "--days", "1"]);
    assert!(table.starts_with("3 tokens from ") && table.contains(CONSUMER), "{table}");
    let client = server.setting("MASKINPORTEN_CLIENT_ID");
    let table = server.text(&["client", "usage", &client]);
    assert!(table.contains(SCOPE), "{table}");
    assert_eq!(server.json(&["client", "usage", &client])["scopes"][0]["tokens"], 3);
    server.run(&["client", "usage", &client, "--days", "401"]).with(2);
    server.run(&["client", "usage", "nobody"]).with(3);
    // The consumer is told of its own client, and not of the scope of another.
    server.run_as_consumer(&["client", "usage", &client]).well();
    server.run_as_consumer(&["scope", "usage", SCOPE]).with(5);
}
