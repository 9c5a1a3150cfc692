//! Group C, first part: who the assertion is from, for whom, and when.

use serde_json::{Value, json};

use crate::harness::ISSUER;
use crate::harness::caller::Draft;
use crate::harness::clock::NOW;
use crate::harness::row::{
    Expect, Row, TOKEN, draft, invalid_grant, invalid_request, refused, run, text,
};
use crate::harness::server::{TestServer, caller};

const MALFORMED: Expect = invalid_request("MP-011");
const CLAIM: Expect = invalid_grant("");
const AUDIENCE: Expect = invalid_grant("MP-110");
const TIME: Expect = invalid_grant("MP-130");
const NO_CLIENT: Expect = invalid_grant("MP-100");
const TOO_LARGE: Expect = refused(413, "invalid_request", "");

fn good() -> Draft {
    caller("es256").draft()
}

/// A row with one claim set.
fn claim(id: &'static str, name: &str, value: impl Into<Value>, expect: Expect) -> Row {
    let value = value.into();
    let what = format!("{name}: {value:.60}");
    draft(id, what, &good().claim(name, value), expect)
}

/// A row without a claim.
fn without(id: &'static str, name: &str, expect: Expect) -> Row {
    draft(id, format!("no {name}"), &good().without_claim(name), expect)
}

/// A row with these times, as distances from the server's clock.
fn times(id: &'static str, iat: i64, exp: i64, expect: Expect) -> Row {
    let spoilt = good().claim("iat", NOW + iat).claim("exp", NOW + exp);
    draft(id, format!("iat {iat:+}, exp {exp:+}"), &spoilt, expect)
}

/// The claims of a good assertion with `text` in place of the value of `name`, or at the front when no claim
/// has that name.
fn patched(name: &str, text: &str) -> (Draft, String) {
    let good = good();
    let claims = good.claims.to_string();
    let value = good.claims.get(name).map(Value::to_string);
    let claims = match value {
        Some(value) => {
            claims.replacen(&format!("\"{name}\":{value}"), &format!("\"{name}\":{text}"), 1)
        }
        None => claims.replacen('{', &format!("{{\"{name}\":{text},"), 1),
    };
    (good, claims)
}

/// A row in which the value of a claim is this text, which may be no JSON.
fn value(id: &'static str, name: &str, value: &str, expect: Expect) -> Row {
    let (draft, claims) = patched(name, value);
    text(id, format!("{name}: {value:.60}"), &draft.sign_claims(claims), expect).with_jti_of(&draft)
}

#[tokio::test]
async fn a_claims_set_is_a_strict_object() {
    let server = TestServer::start().await;
    let mut rows = Vec::new();
    for name in ["iss", "exp", "aud", "jti", "scope"] {
        let draft = good();
        let again = draft.claims[name].to_string();
        let twice = draft.claims.to_string().replacen('{', &format!("{{\"{name}\":{again},"), 1);
        let row = text("C01", format!("{name} twice"), &draft.sign_claims(twice), MALFORMED);
        rows.push(row.with_jti_of(&draft));
    }
    for (number, expect) in [
        ("0x10", MALFORMED),
        ("01", MALFORMED),
        ("+1", MALFORMED),
        (".5", MALFORMED),
        ("1.", MALFORMED),
        ("1E400", MALFORMED),
        ("-0", CLAIM),
    ] {
        rows.push(value("C39", "exp", number, expect));
    }
    for broken in
        ["NaN", "'x'", "\"a\nb\"", "\"a\0b\"", "\"x\"/* c */", "\"x\",", "undefined", "\"\\x\""]
    {
        rows.push(value("C40", "odd", broken, MALFORMED));
    }
    for (name, content) in [
        ("__proto__", json!({ "iss": "other" })),
        ("constructor", json!({ "prototype": { "scope": "test:closed" } })),
        ("$ref", json!("https://evil.example/")),
    ] {
        rows.push(claim("C37", name, content, TOKEN));
    }
    rows.push(claim("C37", &"k".repeat(1_000_000), 1, TOO_LARGE));
    let mut many = good();
    for i in 0..50_000 {
        many.claims[format!("claim{i}")] = 1.into();
    }
    rows.push(draft("C38", "50,000 claims", &many, TOO_LARGE));
    let mut some = good();
    for i in 0..2_000 {
        some.claims[format!("claim{i}")] = 1.into();
    }
    rows.push(draft("C38", "2,000 claims", &some, MALFORMED));
    run(&server, rows).await;
}

#[tokio::test]
async fn iss_is_the_id_of_a_client_to_the_letter() {
    let server = TestServer::start().await;
    let mut rows = vec![without("C02", "iss", CLAIM)];
    for iss in [json!(null), json!(1), json!(["es256", "b"]), json!({ "es256": 1 }), json!("")] {
        rows.push(claim("C02", "iss", iss, CLAIM));
    }
    rows.push(claim("C02", "iss", "e".repeat(5_000), NO_CLIENT));
    for iss in ["es256 ", " es256", "ES256", "es256\0", "es256\n", "\u{435}s256", "e\u{301}s256"] {
        rows.push(claim("C03", "iss", iss, NO_CLIENT));
    }
    rows.push(claim("C04", "iss", "nobody", NO_CLIENT));
    rows.push(text("C04", "a disabled client", &caller("deactivated").assertion(), NO_CLIENT));
    for sub in [json!("other"), json!("01010112345"), json!(""), json!(null), json!(["es256"])] {
        rows.push(claim("C05", "sub", sub, CLAIM));
    }
    rows.push(claim("C05", "sub", "es256", TOKEN));
    run(&server, rows).await;
    // Unknown and disabled differ in nothing but the trace id.
    let unknown = good().claim("iss", "nobody").sign();
    let disabled = caller("deactivated").assertion();
    let mut texts = Vec::new();
    for assertion in [unknown, disabled] {
        let reply = server.ask(&assertion).await.json();
        let description = reply["error_description"].as_str().unwrap().to_owned();
        texts.push(description.split(" (trace_id").next().unwrap().to_owned());
    }
    assert_eq!(texts[0], texts[1]);
}

#[tokio::test]
async fn aud_is_the_issuer_alone_byte_for_byte() {
    let server = TestServer::start().await;
    let mut rows = vec![without("C06", "aud", AUDIENCE)];
    for aud in [json!(null), json!(1), json!({ "a": ISSUER }), json!(true), json!(""), json!([])] {
        rows.push(claim("C06", "aud", aud, AUDIENCE));
    }
    for (id, aud) in [
        ("C07", "https://as.test"),
        ("C07", "https://as.test//"),
        ("C08", "https://AS.test/"),
        ("C08", "https://as.test:443/"),
        ("C08", "http://as.test/"),
        ("C08", "https://as.test%2F"),
        ("C08", "https://as.test/#"),
        ("C08", "https://as.test/?"),
        ("C08", " https://as.test/"),
        ("C09", "https://as.test/token"),
        ("C12", "https://other.test/"),
        ("C12", "https://as.test/other/"),
        ("C12", "https://as.test.evil.example/"),
        ("C12", "https://as.test@evil.example/"),
    ] {
        rows.push(claim(id, "aud", aud, AUDIENCE));
    }
    rows.push(claim("C10", "aud", json!([ISSUER, "https://evil.example/"]), AUDIENCE));
    rows.push(claim("C10", "aud", json!([ISSUER, ISSUER]), AUDIENCE));
    rows.push(claim("C10", "aud", json!([[ISSUER]]), AUDIENCE));
    rows.push(claim("C11", "aud", json!([ISSUER]), TOKEN));
    run(&server, rows).await;
}

#[tokio::test]
async fn times_are_whole_seconds_close_to_ours() {
    let server = TestServer::start().await;
    let mut rows = vec![without("C13", "exp", CLAIM), without("C19", "iat", CLAIM)];
    for name in ["exp", "iat"] {
        for odd in [json!(null), json!((NOW + 60).to_string()), json!(true), json!([]), json!({})] {
            rows.push(claim("C13", name, odd, CLAIM));
        }
        rows.push(value("C13", name, "NaN", MALFORMED));
    }
    for exp in [
        "1e10",
        "1e19",
        "1e300",
        "9223372036854775808",
        "18446744073709551616",
        "99999999999999999999",
        "1780315230.5",
        "1780315230.0",
        "-9223372036854775809",
        "9007199254740993",
    ] {
        rows.push(value("C16", "exp", exp, CLAIM));
    }
    rows.push(value("C16", "exp", "10000000000", TIME));
    rows.push(value("C16", "exp", "9007199254740992", TIME));
    rows.push(value("C14", "exp", "0", TIME));
    rows.push(value("C14", "exp", "-1", CLAIM));
    let year = 365 * 24 * 60 * 60;
    let far = good().without_claim("iat").claim("exp", NOW + 10 * year);
    rows.push(draft("C18", "ten years, no iat", &far, CLAIM));
    rows.extend([
        times("C14", -60, -11, TIME),
        times("C14", -100, -61, TIME),
        times("C15", -60, -5, TOKEN),
        times("C15", -60, -10, TOKEN),
        times("C15", -60, 0, TOKEN),
        times("C17", 0, 121, TIME),
        times("C17", 0, 120, TOKEN),
        times("C17", -1, 120, TIME),
        times("C18", 0, 10 * year, TIME),
        times("C20", 9, 60, TOKEN),
        times("C20", 10, 60, TOKEN),
        times("C20", 11, 60, TIME),
        times("C20", 61, 90, TIME),
        times("C20", 3600, 3660, TIME),
        times("C21", -3600, 60, TIME),
        times("C22", 5, 0, TIME),
        times("C43", 30, 90, TIME),
        times("C43", -30, 30, TOKEN),
        times("C43", -130, -30, TIME),
    ]);
    for (what, nbf, expect) in [
        ("after exp", NOW + 61, TIME),
        ("now", NOW, TOKEN),
        ("+10", NOW + 10, TOKEN),
        ("+11", NOW + 11, TIME),
    ] {
        rows.push(draft("C22", format!("nbf {what}"), &good().claim("nbf", nbf), expect));
    }
    rows.push(claim("C22", "nbf", NOW.to_string(), CLAIM));
    rows.push(claim("C22", "nbf", json!(null), CLAIM));
    run(&server, rows).await;
    // C43: the message tells what the server's clock says.
    let early = good().claim("iat", NOW + 30).claim("exp", NOW + 90).sign();
    let description = server.ask(&early).await.json()["error_description"].to_string();
    assert!(description.contains("2026-06-01T12:00:00Z"), "{description}");
    assert!(description.contains("clock"), "{description}");
}

#[tokio::test]
async fn a_jti_is_a_short_text_compared_byte_for_byte() {
    let server = TestServer::start().await;
    let odd = |jti: &str| -> Row {
        let mut draft = good();
        draft.claims["jti"] = jti.into();
        text("C25", format!("jti {jti:?}"), &draft.sign(), TOKEN)
    };
    let mut rows = vec![without("C23", "jti", TOKEN)];
    for jti in [json!(""), json!(1), json!(null), json!(["a"]), json!({}), json!("j".repeat(256))] {
        rows.push(claim("C23", "jti", jti, CLAIM));
    }
    rows.push(claim("C23", "jti", "j".repeat(255), TOKEN));
    rows.push(claim("C23", "jti", "j".repeat(1_000_000), TOO_LARGE));
    for jti in ["c24", "C24", "c24 ", " c24", "c24\0"] {
        let row = claim("C24", "jti", jti, TOKEN);
        rows.push(row);
    }
    for jti in
        ["a\0b", "a\r\nSet-Cookie: a=b", "\u{1f600}", "'); drop table replay; --", "\u{1b}[31m"]
    {
        rows.push(odd(jti));
    }
    run(&server, rows).await;
    // They are all there, and the table too.
    let again = good().claim("jti", "'); drop table replay; --");
    run(&server, vec![text("C25", "SQL again", &again.sign(), invalid_grant("MP-012"))]).await;
}
