//! What a register is asked, and which of its answers is a yes.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Verifier;
use serde_json::{Value, json};

use crate::delegation::register::{Act, Lookup, whole};
use crate::delegation::{
    Delegated, REGISTER, SCOPES, assert_not_delegated, assert_token, assert_unavailable,
};
use crate::harness::clock::NOW;
use crate::harness::http::token_claims;
use crate::harness::server::server_key;
use crate::harness::{CONSUMER, ISSUER, PROVIDER, SUPPLIER, logs};

/// Whether the key that our tokens are signed with has signed this one.
fn is_ours(token: &str) -> bool {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let key = PKey::private_key_from_pkcs8(&server_key().1).unwrap();
    let mut verifier = Verifier::new(MessageDigest::sha256(), &key).unwrap();
    verifier
        .verify_oneshot(&URL_SAFE_NO_PAD.decode(signature).unwrap(), message.as_bytes())
        .unwrap()
}

#[tokio::test]
async fn a_register_that_says_yes_is_believed() {
    let delegated = Delegated::start("token_scope = \"registers:delegations.admin\"").await;
    let reply = delegated.ask(SCOPES[0]).await;
    assert_token(&reply);
    let token = token_claims(&reply.token().unwrap());
    assert_eq!(token["consumer"]["ID"], format!("0192:{CONSUMER}"));
    assert_eq!(token["supplier"]["ID"], format!("0192:{SUPPLIER}"));
    assert_eq!(token["delegation_source"], REGISTER);
    let lookups = delegated.register.lookups();
    assert_eq!(lookups.len(), 1);
    let target = format!(
        "GET /api/delegations?supplierOrg={SUPPLIER}&consumerOrg={CONSUMER}&scope=test%3Ad0 HTTP/1.1"
    );
    assert_eq!(lookups[0].head.lines().next(), Some(&*target));
    // The server has proved who it is with a short token that is good for this register only.
    let bearer = lookups[0].header("authorization").unwrap().strip_prefix("Bearer ").unwrap();
    assert!(is_ours(bearer));
    let proof = token_claims(bearer);
    assert_eq!(proof["scope"], "registers:delegations.admin");
    assert_eq!(proof["iss"], ISSUER);
    assert_eq!(proof["aud"], REGISTER);
    assert_eq!(proof["client_id"], ISSUER);
    assert_eq!(proof["iat"], NOW);
    assert_eq!(proof["exp"], NOW + 30);
    assert_eq!(proof["jti"].as_str().unwrap().len(), 43);
    logs::assert_clean();
}

#[tokio::test]
async fn without_a_scope_for_it_the_server_shows_no_token() {
    let delegated = Delegated::start("").await;
    assert_token(&delegated.ask(SCOPES[0]).await);
    assert_eq!(delegated.register.lookups()[0].header("authorization"), None);
}

/// The delegation that is asked for with `scope`, changed.
fn entry(scope: &str, change: impl FnOnce(&mut Value)) -> Value {
    let lookup = Lookup {
        head: String::new(),
        consumer: CONSUMER.to_owned(),
        supplier: SUPPLIER.to_owned(),
        scope: scope.to_owned(),
    };
    let mut entry = lookup.delegation();
    change(&mut entry);
    entry
}

#[tokio::test]
async fn only_the_delegation_that_was_asked_for_is_a_yes() {
    let delegated = Delegated::start("").await;
    let consumer = entry(SCOPES[1], |it| it["consumer_org"] = PROVIDER.into());
    let swapped = entry(SCOPES[4], |it| {
        it["consumer_org"] = SUPPLIER.into();
        it["supplier_org"] = CONSUMER.into();
    });
    let halves = [
        entry(SCOPES[6], |it| it["consumer_org"] = PROVIDER.into()),
        entry(SCOPES[6], |it| it["scopes"] = json!([])),
    ];
    for (scope, what, answer) in [
        (SCOPES[0], "none", json!([])),
        (SCOPES[1], "another consumer", json!([consumer])),
        (
            SCOPES[2],
            "another supplier",
            json!([entry(SCOPES[2], |it| it["supplier_org"] = PROVIDER.into())]),
        ),
        (SCOPES[3], "another scope", json!([entry(SCOPES[4], |_| {})])),
        (SCOPES[4], "the other way round", json!([swapped])),
        (SCOPES[5], "no scope", json!([entry(SCOPES[5], |it| it["scopes"] = json!([]))])),
        (SCOPES[6], "two halves", json!(halves)),
        (SCOPES[7], "a longer scope", json!([entry("test:d77", |_| {})])),
    ] {
        delegated.register.act(Act::json(&answer));
        assert_not_delegated(what, &delegated.ask(scope).await);
    }
    // A control: the one that was asked for, behind another.
    let answer = json!([consumer, entry(SCOPES[8], |_| {})]);
    delegated.register.act(Act::json(&answer));
    assert_token(&delegated.ask(SCOPES[8]).await);
    assert_eq!(delegated.register.lookups().len(), 9);
}

/// What the register does when it is asked for the scope of that number, in the order of the numbers.
fn unclear_acts(register: std::net::SocketAddr) -> Vec<(&'static str, Act)> {
    let yes = |index: usize| json!([entry(SCOPES[index], |_| {})]);
    let lacking = |index: usize, name: &str| {
        json!([entry(SCOPES[index], |it| drop(it.as_object_mut().unwrap().remove(name)))])
    };
    let status = |status, index| Act::answer(status, "", yes(index).to_string().as_bytes());
    let location = format!("Location: http://{register}/elsewhere\r\n");
    let padded = |index| format!("{}{}", " ".repeat(64 * 1024), yes(index));
    let endless = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
    let endless = [endless, padded(11).into_bytes()].concat();
    let cut = whole("200 OK", "", yes(12).to_string().as_bytes());
    let cut = cut[..cut.len() - 5].to_vec();
    vec![
        ("500", status("500 Internal Server Error", 0)),
        ("503", status("503 Service Unavailable", 1)),
        ("401", status("401 Unauthorized", 2)),
        ("404 with an empty list", Act::answer("404 Not Found", "", b"[]")),
        ("201", status("201 Created", 4)),
        ("no content", Act::answer("204 No Content", "", b"")),
        ("a redirect", Act::answer("302 Found", &location, b"")),
        ("garbage", Act::answer("200 OK", "", b"<html>yes</html>")),
        ("an object", Act::json(&yes(8)[0])),
        ("an entry without scopes", Act::json(&lacking(9, "scopes"))),
        ("too large", Act::answer("200 OK", "", padded(10).as_bytes())),
        ("too large without saying so", Act::Send(vec![(Duration::ZERO, endless)])),
        ("cut off", Act::Send(vec![(Duration::ZERO, cut)])),
        ("no answer", Act::Send(Vec::new())),
        ("an entry without consumer", Act::json(&lacking(14, "consumer_org"))),
        ("an entry without supplier", Act::json(&lacking(15, "supplier_org"))),
        ("a list and more", Act::answer("200 OK", "", format!("{}]", yes(16)).as_bytes())),
        ("nothing", Act::answer("200 OK", "", b"")),
        ("null", Act::answer("200 OK", "", b"null")),
        ("no HTTP", Act::Send(vec![(Duration::ZERO, b"yes\r\n\r\n".to_vec())])),
    ]
}

#[tokio::test]
async fn without_a_clear_answer_there_is_no_token() {
    let delegated = Delegated::start("").await;
    for (index, (what, act)) in unclear_acts(delegated.register.address).into_iter().enumerate() {
        delegated.register.act(act);
        let reply = delegated.ask(SCOPES[index]).await;
        assert_unavailable(what, &reply);
        assert!(reply.took < Duration::from_secs(4), "{what} has been waited for");
        assert_eq!(delegated.register.lookups().len(), index + 1, "{what}");
    }
    // A control: the largest answer that is read.
    let yes = json!([entry(SCOPES[22], |_| {})]).to_string();
    let padded = format!("{}{yes}", " ".repeat(64 * 1024 - yes.len()));
    delegated.register.act(Act::answer("200 OK", "", padded.as_bytes()));
    assert_token(&delegated.ask(SCOPES[22]).await);
    logs::assert_clean();
}

#[tokio::test]
async fn an_answer_is_waited_for_no_longer_than_the_time_out() {
    let delegated = Delegated::start("timeout_milliseconds = 300").await;
    let pause = Duration::from_secs(10);
    for (scope, what, all_but) in [(SCOPES[0], "slow", usize::MAX), (SCOPES[1], "slow end", 5)] {
        let answer = whole("200 OK", "", json!([entry(scope, |_| {})]).to_string().as_bytes());
        let (head, tail) = answer.split_at(answer.len().saturating_sub(all_but));
        let pieces = vec![(Duration::ZERO, head.to_vec()), (pause, tail.to_vec())];
        delegated.register.act(Act::Send(pieces));
        let reply = delegated.ask(scope).await;
        assert_unavailable(what, &reply);
        assert!(reply.took > Duration::from_millis(250), "{what}: {:?}", reply.took);
        assert!(reply.took < Duration::from_secs(5), "{what}: {:?}", reply.took);
        assert!(!logs::lines_with("has not answered within 300ms").is_empty(), "{what}");
    }
    // Whoever asks something else meanwhile is served.
    let yes = Act::json(&json!([entry(SCOPES[2], |_| {})]));
    delegated.register.act(yes);
    while delegated.ask(SCOPES[2]).await.status != 200 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test]
async fn a_register_that_is_not_there_is_no_yes() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let delegated = Delegated::at(gone, "").await;
    assert_unavailable("gone", &delegated.ask(SCOPES[0]).await);
    assert!(delegated.register.lookups().is_empty());
}

#[test]
fn the_proxies_of_the_environment_are_not_used() {
    // Only a process of its own can have an environment of its own.
    let yes = "delegation::answers::a_register_that_says_yes_is_believed";
    let nobody = "http://127.0.0.1:9";
    let mut again = std::process::Command::new(std::env::current_exe().unwrap());
    for variable in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        again.env(variable, nobody);
    }
    let output = again.args(["--exact", yes]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}
