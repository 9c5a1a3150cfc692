//! Group C, second part: what the assertion asks for.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::caller::{Caller, Draft};
use crate::harness::chain::Pki;
use crate::harness::clock::tick;
use crate::harness::http::{form, post, token_claims};
use crate::harness::row::{
    Expect, Row, TOKEN, draft, invalid_grant, invalid_request, invalid_scope, raw, refused, run,
};
use crate::harness::server::{TestServer, actor, caller, certified, delegation, pki};
use crate::harness::{CONSUMER, ISSUER, PROVIDER, SUPPLIER};

const CLAIM: Expect = invalid_grant("");
const SCOPE: Expect = invalid_scope("MP-200");
const TARGET: Expect = refused(400, "invalid_target", "");
const NO_ACCESS: Expect = refused(403, "forbidden", "MP-250");
const NOT_DELEGATED: Expect = refused(403, "forbidden", "MP-251");
const TOO_LARGE: Expect = refused(413, "invalid_request", "");

fn good() -> Draft {
    caller("es256").draft()
}

fn claim(id: &'static str, name: &str, value: impl Into<Value>, expect: Expect) -> Row {
    let value = value.into();
    let what = format!("{name}: {value:.60}");
    draft(id, what, &good().claim(name, value), expect)
}

#[tokio::test]
async fn scopes_are_names_with_one_space_between() {
    let server = TestServer::start().await;
    let mut rows = vec![draft("C26", "no scope", &good().without_claim("scope"), SCOPE)];
    for scope in ["", " ", "   "] {
        rows.push(claim("C26", "scope", scope, SCOPE));
    }
    for scope in [
        "test:read  test:write",
        "test:read\ttest:write",
        "test:read\ntest:write",
        " test:read",
        "test:read ",
        "test:\"read\"",
        "test:\\read",
        "test:r\u{e9}ad",
        "test:read\u{7f}",
        "test:read\0",
        "test:read,test:write",
    ] {
        rows.push(claim("C27", "scope", scope, SCOPE));
    }
    for scope in [json!(["test:read"]), json!(1), json!({ "test:read": true }), json!(null)] {
        rows.push(claim("C28", "scope", scope, CLAIM));
    }
    let ten_thousand: Vec<String> = (0..2_000).map(|i| format!("test:s{i}")).collect();
    rows.push(claim("C29", "scope", "test:read test:read", TOKEN));
    rows.push(claim("C29", "scope", ten_thousand.join(" "), SCOPE));
    rows.push(claim("C29", "scope", vec!["test:scope"; 10_000].join(" "), TOO_LARGE));
    rows.push(claim("C29", "scope", format!("test:{}", "x".repeat(30_000)), SCOPE));
    rows.push(claim("C29", "scope", format!("test:{}", "x".repeat(100_000)), TOO_LARGE));
    for scope in [
        "test:unknown",
        "other:read",
        "test:read test:unknown",
        "test:unlisted",
        "test:deactivated",
    ] {
        rows.push(claim("C30", "scope", scope, SCOPE));
    }
    rows.push(claim("C30", "scope", "test:closed", NO_ACCESS));
    rows.push(claim("C30", "scope", "test:read test:closed", NO_ACCESS));
    rows.push(claim("C30", "scope", "test:login", invalid_scope("MP-201")));
    for scope in
        ["TEST:read", "test:Read", "test%3Aread", "te\u{455}t:read", "test:*", "*", "test:", "test"]
    {
        rows.push(claim("C31", "scope", scope, SCOPE));
    }
    run(&server, rows).await;
    let twice = good().claim("scope", "test:read test:read").sign();
    let reply = server.ask(&twice).await;
    assert_eq!(reply.json()["scope"], "test:read");
    assert_eq!(token_claims(&reply.token().unwrap())["scope"], "test:read");
    // C32: the claim counts, the form does not, and never both.
    let body = form(&good().sign()) + "&scope=test:write";
    let reply = crate::harness::http::exchange(server.address, &post(&body)).await.unwrap();
    assert_eq!(reply.json()["scope"], "test:read");
    let body = form(&good().claim("scope", "test:closed").sign()) + "&scope=test:read";
    run(&server, vec![raw("C32", "a better scope in the form", post(&body), NO_ACCESS)]).await;
    // A scope's bound on the life of tokens holds for all that carry it.
    let reply = server.ask(&good().claim("scope", "test:read test:short").sign()).await;
    assert_eq!(reply.json()["expires_in"], 29);
}

#[tokio::test]
async fn a_resource_is_an_absolute_uri() {
    let server = TestServer::start().await;
    let mut rows = Vec::new();
    let eleven: Vec<String> = (0..11).map(|i| format!("https://api{i}.test/")).collect();
    for resource in [
        json!("/relative"),
        json!("api.test"),
        json!("https://api.test/#fragment"),
        json!("javascript:alert(1)"),
        json!("data:text/html,x"),
        json!("file:///etc/passwd"),
        json!("https://"),
        json!("https://user@api.test/"),
        json!("https://api.test/ x"),
        json!("https://api.test/\r\n"),
        json!("https://api.t\u{435}st/"),
        json!(eleven),
        json!([1, 2]),
        json!([["https://api.test/"]]),
        json!([]),
        json!(""),
        json!(null),
        json!(1),
        json!(format!("https://api.test/{}", "x".repeat(3_000))),
    ] {
        rows.push(claim("C33", "resource", resource, TARGET));
    }
    rows.push(claim("C33", "resource", "https://api.test/", TOKEN));
    rows.push(claim("C33", "resource", json!(eleven[..10]), TOKEN));
    run(&server, rows).await;
}

#[tokio::test]
async fn authorization_details_are_not_issued() {
    let server = TestServer::start().await;
    let nested = (0..1_000).fold(json!(1), |inner, _| json!([inner]));
    let odd = |code| refused(400, "invalid_authorization_details", code);
    let systemuser = json!([{ "type": "urn:altinn:systemuser", "systemuser_org": {} }]);
    let rows = vec![
        claim("C34", "authorization_details", "x", odd("MP-302")),
        claim("C34", "authorization_details", json!({}), odd("MP-302")),
        claim("C34", "authorization_details", json!([]), odd("MP-302")),
        claim("C34", "authorization_details", json!(["x"]), odd("MP-302")),
        claim("C34", "authorization_details", json!([{ "odd": 1 }]), odd("MP-302")),
        claim("C34", "authorization_details", json!([{ "type": "odd" }]), odd("MP-301")),
        claim("C34", "authorization_details", systemuser, odd("MP-301")),
        claim("C34", "authorization_details", json!(["x".repeat(1_000_000)]), TOO_LARGE),
        claim("C34", "authorization_details", nested, invalid_request("MP-011")),
    ];
    run(&server, rows).await;
}

#[tokio::test]
async fn nobody_acts_for_another_without_delegation() {
    let server = TestServer::start().await;
    let supplier = || caller("supplier").draft().claim("scope", "test:delegated");
    let on_behalf = |id, what: &str, draft_of: Draft, org: Value, expect: Expect| {
        draft(id, what.to_owned(), &draft_of.claim("consumer_org", org), expect)
    };
    let undelegated = supplier().claim("scope", "test:undelegated");
    let both = supplier().claim("scope", "test:delegated test:undelegated");
    let without_source = supplier().claim("scope", "test:read");
    let own = invalid_request("");
    let rows = vec![
        on_behalf("C35", "delegated", supplier(), json!(CONSUMER), TOKEN),
        on_behalf("C35", "another scope", undelegated, json!(CONSUMER), NOT_DELEGATED),
        on_behalf("C35", "one of two scopes", both, json!(CONSUMER), NOT_DELEGATED),
        on_behalf("C35", "not delegable", without_source, json!(CONSUMER), NOT_DELEGATED),
        on_behalf("C35", "of another", supplier(), json!(PROVIDER), NO_ACCESS),
        on_behalf("C35", "itself", supplier(), json!(SUPPLIER), own),
        on_behalf("C35", "by the consumer", good(), json!(SUPPLIER), NO_ACCESS),
        on_behalf("C35", "8 digits", supplier(), json!("31000011"), CLAIM),
        on_behalf("C35", "10 digits", supplier(), json!("3100001160"), CLAIM),
        on_behalf("C35", "a bad check digit", supplier(), json!("310000117"), CLAIM),
        on_behalf("C35", "ISO 6523", supplier(), json!("0192:310000116"), CLAIM),
        on_behalf("C35", "a number", supplier(), json!(310_000_116), CLAIM),
        on_behalf("C35", "an array", supplier(), json!([CONSUMER]), CLAIM),
        on_behalf("C35", "null", supplier(), json!(null), CLAIM),
        on_behalf("C35", "Arabic digits", supplier(), json!("31000011\u{0666}"), CLAIM),
        on_behalf("C35", "a space", supplier(), json!("310000116 "), CLAIM),
        draft("C35", "nobody named", &supplier(), NO_ACCESS),
        claim("C36", "iss_onbehalfof", CONSUMER, CLAIM),
    ];
    run(&server, rows).await;
    let token = server.ask(&supplier().claim("consumer_org", CONSUMER).sign()).await.token();
    let claims = token_claims(&token.unwrap());
    assert_eq!(claims["consumer"]["ID"], format!("0192:{CONSUMER}"));
    assert_eq!(claims["supplier"]["ID"], format!("0192:{SUPPLIER}"));
    assert_eq!(claims["delegation_source"], ISSUER);
}

#[tokio::test]
async fn a_withdrawn_delegation_holds_no_longer() {
    // C42, with the caches warm.
    let server = TestServer::start().await;
    let asked = || {
        let draft = caller("supplier").draft().claim("scope", "test:delegated");
        draft.claim("consumer_org", CONSUMER)
    };
    let other = server.beside().await;
    for node in [&server, &other] {
        assert_eq!(node.ask(&asked().sign()).await.status, 200);
    }
    let it = delegation();
    let registry = &server.app.registry;
    registry
        .withdraw_delegation(&actor(), it.consumer, it.supplier, &it.scope, None)
        .await
        .unwrap();
    run(&server, vec![draft_once("C42", "withdrawn", &asked(), NOT_DELEGATED)]).await;
    // The other node follows the change within a second, on a machine that is not too busy.
    let began = tick();
    while other.ask(&asked().sign()).await.status == 200 {
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    run(&other, vec![draft_once("C42", "on the other node", &asked(), NOT_DELEGATED)]).await;
}

/// A row whose client has nothing good to ask for afterwards.
fn draft_once(id: &'static str, what: &str, draft: &Draft, expect: Expect) -> Row {
    crate::harness::row::text(id, what, &draft.sign(), expect)
}

#[tokio::test]
async fn a_client_cannot_say_what_its_token_says() {
    let server = TestServer::start().await;
    let mut draft = good();
    for (name, value) in [
        ("acr", json!("Level4")),
        ("amr", json!(["hwk"])),
        ("cnf", json!({ "jkt": "AAAA" })),
        ("client_id", json!("other")),
        ("consumer", json!({ "authority": "iso6523-actorid-upis", "ID": "0192:310000108" })),
        ("supplier", json!({ "authority": "iso6523-actorid-upis", "ID": "0192:310000108" })),
        ("delegation_source", json!("https://evil.example/")),
        ("act", json!({ "sub": "other" })),
        ("client_amr", json!("virksomhetssertifikat")),
        ("token_type", json!("N_A")),
        ("evil", json!("evil")),
    ] {
        draft = draft.claim(name, value);
    }
    let token = server.ask(&draft.sign()).await.token().unwrap();
    let claims = token_claims(&token);
    let mut names: Vec<&str> = claims.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    // C36: exactly the claims of the server's own making.
    let known =
        ["client_amr", "client_id", "consumer", "exp", "iat", "iss", "jti", "scope", "token_type"];
    assert_eq!(names, known);
    assert_eq!(claims["client_id"], "es256");
    assert_eq!(claims["client_amr"], "private_key_jwt");
    assert_eq!(claims["consumer"]["ID"], format!("0192:{CONSUMER}"));
    assert_ne!(claims["jti"], draft.jti);
    let mut rows = vec![claim("C36", "pid", "01010112345", TOKEN)];
    for pid in [json!("1"), json!("99999999999"), json!(1), json!("0101011234x"), json!(null)] {
        rows.push(claim("C36", "pid", pid, CLAIM));
    }
    run(&server, rows).await;
}

#[tokio::test]
async fn a_certificate_of_another_organization_is_of_no_use() {
    let server = TestServer::start().await;
    let leaf = pki().ca.leaf(|p| {
        p.distinguished_name = rcgen::DistinguishedName::new();
        p.distinguished_name
            .push(rcgen::DnType::CustomDnType(vec![2, 5, 4, 97]), format!("NTRNO-{SUPPLIER}"));
    });
    let stranger: Caller = certified(&leaf.key, &[&leaf.der]);
    let unknown = Pki::new("Unknown").ca.leaf(|_| {});
    let rows = vec![
        draft("C41", "of another organization", &stranger.draft(), invalid_grant("MP-122")),
        draft(
            "C41",
            "of an unknown authority",
            &certified(&unknown.key, &[&unknown.der]).draft(),
            invalid_grant("MP-120"),
        ),
    ];
    run(&server, rows).await;
}
