//! Group K: what answers, logs, metrics and files give away.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portvakt::app::{App, AppError};
use portvakt::clock::SystemRandom;
use portvakt::config::Config;
use portvakt::keys::{KeyError, KeyKeeperError};

use crate::harness::chain::Pki;
use crate::harness::clock::TestClock;
use crate::harness::http::{FORM, exchange, post, request};
use crate::harness::logs;
use crate::harness::row::{Row, draft, invalid_grant, invalid_scope, raw, refused, run};
use crate::harness::server::{TestServer, caller, certified, server_key};

/// Texts that mean something to terminals, logs, headers and browsers.
const MISCHIEF: [&str; 6] = [
    "a\r\nSet-Cookie: evil=1",
    "\"}\n{\"level\":\"ERROR\",\"message\":\"evil\"}",
    "\\\"evil\\\"",
    "\u{1b}]0;evil\u{7}\u{1b}[31m",
    "<script>evil</script>",
    "\u{202e}evil\u{2066}",
];

#[tokio::test]
async fn what_a_client_sends_never_comes_back() {
    let server = TestServer::start().await;
    let mut rows: Vec<Row> = Vec::new();
    for evil in MISCHIEF {
        let good = || caller("es256").draft();
        rows.push(draft("K01", "kid", &good().header("kid", evil), invalid_grant("")));
        rows.push(draft("K01", "iss", &good().claim("iss", evil), invalid_grant("MP-100")));
        rows.push(draft("K01", "scope", &good().claim("scope", evil), invalid_scope("MP-200")));
        rows.push(draft("K01", "aud", &good().claim("aud", evil), invalid_grant("MP-110")));
        rows.push(draft("K01", "typ", &good().header("typ", evil), invalid_grant("")));
        rows.push(draft("K01", "alg", &good().header("alg", evil), invalid_grant("")));
    }
    let challenge = refused(401, "invalid_client", "");
    let evil = [("Content-Type", FORM), ("Authorization", "evil=\"\\x\", Basic")];
    rows = rows.into_iter().map(|row| row.hiding("evil")).collect();
    rows.push(
        raw("K01", "a challenge", request("POST /token", &evil, b"a=b"), challenge).hiding("evil"),
    );
    run(&server, rows).await;
}

#[tokio::test]
async fn a_log_line_is_one_json_object_whatever_stands_in_a_certificate() {
    // K02 and K03: the names in a certificate are logged when it is refused.
    let server = TestServer::start().await;
    let mut rows = Vec::new();
    for evil in MISCHIEF {
        let strangers = Pki::new(&format!("Stranger {evil}"));
        let leaf = strangers.ca.leaf(|p| {
            p.distinguished_name.push(rcgen::DnType::OrganizationName, evil);
        });
        let caller = certified(&leaf.key, &[&leaf.der, &strangers.ca.der]);
        rows.push(draft("K02", evil, &caller.draft(), invalid_grant("MP-120")).hiding(evil));
    }
    run(&server, rows).await;
    let logged = logs::lines_with("Stranger");
    assert!(logged.len() >= MISCHIEF.len(), "the refusals are not in the log");
    for line in logged {
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["level"], "INFO");
        let text = line["message"].as_str().unwrap();
        assert!(!text.contains(['\u{1b}', '\n', '\r', '\u{202e}']), "{text:?}");
    }
}

#[tokio::test]
async fn no_secret_is_in_logs_or_metrics() {
    // K04. Every table of this binary looks at the log as well, when it has been run.
    let server = TestServer::start().await;
    let good = caller("es256").draft();
    let reply = server.ask(&good.sign()).await;
    assert_eq!(reply.status, 200);
    let by_query =
        format!("POST /token?{}", crate::harness::http::form(&caller("es256").assertion()));
    let headers = [("Content-Type", FORM)];
    let reply = exchange(server.address, &request(&by_query, &headers, b"")).await.unwrap();
    assert_eq!(reply.status, 200);
    let refused = format!("{by_query}&assertion=x");
    exchange(server.address, &request(&refused, &headers, b"")).await.unwrap();
    // A client that puts the assertion where it does not belong.
    let misplaced = format!("grant_type={}&assertion=x&{}=1", good.sign(), good.sign());
    exchange(server.address, &post(&misplaced)).await.unwrap();
    let bearer = format!("Bearer {}", good.sign());
    let headers = [("Content-Type", FORM), ("Authorization", &*bearer)];
    exchange(server.address, &request("POST /token", &headers, b"")).await.unwrap();
    logs::assert_clean();
    let metrics = server.app.metrics.to_text();
    assert!(!metrics.contains("eyJ") && !metrics.contains("es256"), "{metrics}");
}

#[tokio::test]
async fn metrics_do_not_grow_with_what_clients_send() {
    // K05
    let server = TestServer::start().await;
    let lines = || server.app.metrics.to_text().lines().count();
    server.ask(&caller("es256").draft().claim("iss", "nobody").sign()).await;
    let before = lines();
    for i in 0..300 {
        let draft = caller("es256").draft().claim("iss", format!("nobody-{i}"));
        server.ask(&draft.header("kid", format!("kid-{i}")).sign()).await;
    }
    assert_eq!(lines(), before);
}

#[tokio::test]
async fn the_public_listener_shows_nothing_of_the_inside() {
    let server = TestServer::start().await;
    for path in [
        "/metrics",
        "/debug",
        "/debug/pprof",
        "/health",
        "/livez",
        "/readyz",
        "/actuator",
        "/admin",
        "/.env",
        "/.git/config",
        "/server-status",
        "/errors/../metrics",
        "/errors/%2e%2e/metrics",
    ] {
        let reply = exchange(server.address, &request(&format!("GET {path}"), &[], b"")).await;
        // K06
        assert!([404, 400].contains(&reply.as_ref().unwrap().status), "{path}: {reply:?}");
    }
    for line in ["GET /jwk", "GET /nothing", "POST /token", "GET /.well-known/openid-configuration"]
    {
        let reply = exchange(server.address, &request(line, &[], b"")).await.unwrap();
        // K07
        for name in ["server", "x-powered-by", "via"] {
            assert_eq!(reply.header(name), None, "{line}");
        }
        assert!(!reply.text().contains(env!("CARGO_PKG_VERSION")), "{line}: {}", reply.text());
        assert!(!reply.text().to_ascii_lowercase().contains("portvakt"), "{line}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{line}");
    }
}

#[tokio::test]
async fn a_copy_of_the_database_alone_signs_nothing() {
    // K10
    let server = TestServer::start().await;
    let (_, pkcs8) = server_key();
    server.store.close().await;
    let bytes = server.stolen();
    let text = String::from_utf8_lossy(&bytes);
    let encoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&pkcs8[100..160]);
    assert!(!bytes.windows(40).any(|window| window == &pkcs8[100..140]));
    assert!(!text.contains(&encoded) && !text.contains(&STANDARD.encode(&pkcs8[99..159])));
    // Nor does a server with another sealing key start on it.
    let file = server.folder().join("portvakt.toml");
    let sealing_key = ("PORTVAKT__KEYS__SEALING_KEY".to_owned(), STANDARD.encode([8; 32]));
    let config = Config::load(&file, std::iter::once(sealing_key)).unwrap();
    let store = server.other_store().await;
    let built =
        App::build(&config, store, Arc::new(TestClock::new()), Arc::new(SystemRandom)).await;
    let refused = matches!(built, Err(AppError::Keys(KeyKeeperError::Key(KeyError::Sealed))));
    assert!(refused, "it starts with another sealing key");
}
