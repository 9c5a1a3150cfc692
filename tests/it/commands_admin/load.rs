//! The load of a server from the shell: what is counted, what fails the run, and that a server is asked in earnest.

use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::commands_admin::Server;

#[test]
fn a_load_counts_what_came_of_each_request_and_writes_a_report() {
    let server = Server::start();
    let page = server.name("load.html");
    let report = server.json(&[
        "load",
        "--seconds",
        "2",
        "--rate",
        "40",
        "--by",
        "both",
        "--bad",
        "10",
        "--html",
        &page,
    ]);
    let (issued, refused) =
        (report["issued"].as_u64().unwrap(), report["refused"].as_u64().unwrap());
    assert_eq!(issued + refused, 80, "{report}");
    // Several threads sign, so the last ones may have changed places.
    assert!((6..=10).contains(&refused), "{report}");
    assert_eq!(report["failed"], json!({}));
    assert_eq!(report["replay_refused"], true);
    assert_eq!(report["by_second"].as_array().unwrap().len(), 2);
    assert!(report["server_cpu"]["seconds"].as_f64().is_some(), "{report}");
    let p = |name: &str| report["milliseconds"][name].as_f64().unwrap();
    assert!(p("p50") > 0.0 && p("p50") <= p("p99") && p("p99") <= p("max"), "{report}");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("<svg") && page.contains("40 requests a second"), "{page}");

    let text = server.text(&[
        "load",
        "--seconds",
        "1",
        "--concurrency",
        "2",
        "--by",
        "certificate",
        "--new-connections",
    ]);
    assert!(text.contains("2 requests under way at a time by enterprise certificates"), "{text}");
    let ahead = server.json(&["load", "--seconds", "1", "--rate", "20", "--sign-ahead"]);
    assert_eq!(ahead["issued"], 20, "{ahead}");
    let counted = server.json(&["load", "--requests", "30", "--sign-ahead", "--concurrency", "4"]);
    assert_eq!(counted["issued"], 30, "{counted}");
}

#[test]
fn what_is_due_while_a_server_stands_still_counts_from_when_it_was_due() {
    let server = Server::start();
    let load = ["load", "--seconds", "5", "--rate", "50"];
    let report = thread::scope(|scope| {
        let load = scope.spawn(|| server.json(&load));
        thread::sleep(Duration::from_secs(2));
        server.dev.signal("STOP");
        thread::sleep(Duration::from_secs(1));
        server.dev.signal("CONT");
        load.join().unwrap()
    });
    // A fifth of all was due in that second, and waited for what was left of it. A tool that waits for one answer before it
    // sends again would have had a few late ones.
    assert_eq!(report["issued"], 250, "{report}");
    let p = |name: &str| report["milliseconds"][name].as_f64().unwrap();
    assert!(p("p90") >= 200.0 && p("p99_9") >= 900.0, "{report}");
}

#[test]
fn clients_of_a_file_take_turns_with_one_key() {
    let server = Server::start();
    let known = server.setting("MASKINPORTEN_CLIENT_ID");
    // One that nobody has made: half of what is sent is refused, and that fails the run.
    let file = server.write("clients.txt", &format!("{known}\nnobody\n"));
    let half = ["load", "--requests", "10", "--sign-ahead", "--clients", &file, "-o", "json"];
    let report = server.run(&half).with(1).json();
    assert_eq!(report["issued"], 5, "{report}");
    assert_eq!(report["failed"].as_object().unwrap().values().next().unwrap(), 5, "{report}");
    let nobody = server.write("nobody.txt", "\n");
    let empty = server.run(&["load", "--requests", "1", "--clients", &nobody]).with(2);
    assert!(empty.err.contains("names no client"), "{empty:?}");
}

#[test]
fn a_load_fails_where_its_figures_would_mean_nothing() {
    let server = Server::start();
    // A scope that the client does not have: the first request tells, and nothing more is sent.
    let refused = server.run(&["load", "--seconds", "1", "--scope", "dev:secrets.read"]).with(1);
    assert!(refused.err.contains("before the load, the first request"), "{refused:?}");
    assert_eq!(refused.out, "");
    let usage = server.run(&["load", "--seconds", "1", "--sign-ahead"]).with(2);
    assert!(usage.err.contains("--rate") && usage.err.contains("--requests"), "{usage:?}");
    let much =
        server.run(&["load", "--rate", "100000", "--seconds", "100", "--sign-ahead"]).with(2);
    assert!(much.err.contains("kept in memory"), "{much:?}");
    let nowhere = [("MASKINPORTEN_TOKEN_ENDPOINT", "http://127.0.0.1:9/token")];
    let unreached = server.run_with(&nowhere, &["load", "--seconds", "1"]).with(9);
    assert!(unreached.err.contains("no connection"), "{unreached:?}");
}
