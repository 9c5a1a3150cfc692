//! Group B, first part: the shape of a JWS and what stands in its header.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::harness::caller::{Key, message, with_signature};
use crate::harness::http::{escape, form, post};
use crate::harness::row::{
    Expect, Row, TOKEN, draft, invalid_grant, invalid_request, raw, refused, run, text,
};
use crate::harness::server::{TestServer, caller, server_key};

const MALFORMED: Expect = invalid_request("MP-011");
const HEADER: Expect = invalid_grant("");
const UNKNOWN_KEY: Expect = invalid_grant("");

/// A row with one member of the header set.
fn header(id: &'static str, name: &str, value: impl Into<Value>, expect: Expect) -> Row {
    let value = value.into();
    let what = format!("{name}: {value:.60}");
    draft(id, what, &caller("es256").draft().header(name, value), expect)
}

/// A row with a header of exactly these bytes.
fn header_bytes(id: &'static str, what: &str, bytes: &[u8], expect: Expect) -> Row {
    let draft = caller("es256").draft();
    text(id, what, &draft.sign_header(bytes), expect).with_jti_of(&draft)
}

/// A row with claims of exactly these bytes.
fn claims_bytes(id: &'static str, what: &str, bytes: &[u8], expect: Expect) -> Row {
    text(id, what, &caller("es256").draft().sign_claims(bytes), expect)
}

/// A row whose text is spoilt after it has been signed.
fn spoilt(id: &'static str, what: &str, spoil: impl FnOnce(&str) -> String) -> Row {
    let draft = caller("es256").draft();
    text(id, what, &spoil(&draft.sign()), MALFORMED).with_jti_of(&draft)
}

#[tokio::test]
async fn only_the_algorithm_of_the_key_counts() {
    let server = TestServer::start().await;
    let mut rows = Vec::new();
    for alg in ["none", "None", "nOnE", "NONE"] {
        let draft = caller("es256").draft().header("alg", alg);
        let unsigned = format!("{}.", draft.message());
        rows.push(text("B01", alg, &unsigned, HEADER).with_jti_of(&draft));
    }
    for alg in [json!(null), json!(1), json!([]), json!(["ES256"]), json!(""), json!("es256")] {
        rows.push(header("B04", "alg", alg, HEADER));
    }
    rows.push(header("B04", "alg", "ES256 ", HEADER));
    rows.push(draft("B04", "missing", &caller("es256").draft().without_header("alg"), HEADER));
    for (client, alg) in
        [("rs256", "PS256"), ("rs256", "RS512"), ("rs512", "RS256"), ("ps256", "RS256")]
    {
        let draft = caller(client).draft().header("alg", alg);
        let signature = caller(client).key.sign_as(alg, draft.message().as_bytes());
        let assertion = with_signature(&draft.message(), &signature);
        let id = if alg == "RS512" { "B06" } else { "B05" };
        let what = format!("{alg} with a key for {client}");
        rows.push(text(id, what, &assertion, HEADER).with_jti_of(&draft));
    }
    rows.push(header("B05", "alg", "ES384", HEADER));
    rows.push(header("B05", "alg", "EdDSA", HEADER));
    for alg in ["ES256K", "ES512", "RS1", "RSA1_5", "A128KW", "RSA-OAEP", "dir", "HS512"] {
        rows.push(header("B47", "alg", alg, HEADER));
    }
    let costly = caller("es256").draft().header("alg", "PBES2-HS256+A128KW");
    let costly = costly.header("p2c", 2_147_483_648_u32).header("p2s", "AAAA");
    rows.push(draft("B47", "PBES2 with 2^31 rounds", &costly, HEADER));
    for client in ["rs256", "rs512", "ps256", "es256", "es384", "eddsa"] {
        rows.push(text("B05", format!("{client} itself"), &caller(client).assertion(), TOKEN));
    }
    run(&server, rows).await;
}

#[tokio::test]
async fn extensions_of_the_header_are_refused_and_other_members_are_not() {
    let server = TestServer::start().await;
    let mut rows = Vec::new();
    for crit in [
        json!(["exp"]),
        json!(["b64"]),
        json!([]),
        json!("x"),
        json!([1]),
        json!(["alg"]),
        json!(["absent"]),
        json!(["https://example.com/odd"]),
        json!(null),
    ] {
        rows.push(header("B07", "crit", crit, HEADER));
    }
    let detached = caller("es256").draft().header("b64", false);
    rows.push(draft("B08", "b64 without crit", &detached, HEADER));
    let both = detached.anew().header("crit", json!(["b64"]));
    rows.push(draft("B07", "b64 with crit", &both, HEADER));
    // The key may be the attacker's own, and the signature right.
    let own = Key::generate("ES256");
    let brought = caller("es256").draft().header("jwk", own.jwk("es256-key")).signed_by(&own);
    rows.push(draft("B27", "jwk beside kid", &brought, HEADER));
    rows.push(draft("B27", "jwk alone", &brought.anew().without_header("kid"), HEADER));
    for typ in ["at+jwt", "dpop+jwt", "secevent+jwt", "logout+jwt", "JWE", "JWT ", ""] {
        rows.push(header("B29", "typ", typ, HEADER));
    }
    rows.push(header("B29", "typ", 1, HEADER));
    rows.push(header("B29", "typ", json!(["JWT"]), HEADER));
    rows.push(header("B29", "typ", "x".repeat(1024), HEADER));
    rows.push(header("B49", "typ", "client-authentication+jwt", HEADER));
    rows.push(header("B49", "typ", "dpop+jwt", HEADER));
    for typ in ["JWT", "jwt", "authorization-grant+jwt"] {
        rows.push(header("B30", "typ", typ, TOKEN));
    }
    rows.push(draft("B30", "typ absent", &caller("es256").draft().without_header("typ"), TOKEN));
    let nested = caller("es256").draft().header("cty", "JWT");
    let nested = nested.sign_claims(caller("es256").assertion());
    rows.push(text("B31", "a JWT in a JWT", &nested, MALFORMED));
    rows.push(header("B31", "cty", "JWT", HEADER));
    rows.push(header("B31", "zip", "DEF", HEADER));
    rows.push(header("B31", "enc", "A128GCM", HEADER));
    rows.push(header("B39", "odd", json!({ "nested": [1, { "deeper": null }] }), TOKEN));
    run(&server, rows).await;
}

#[tokio::test]
async fn a_kid_names_a_key_of_the_client_and_nothing_else() {
    let server = TestServer::start().await;
    let mut rows = vec![
        header("B09", "kid", "unknown", UNKNOWN_KEY),
        header("B09", "kid", "", UNKNOWN_KEY),
        header("B09", "kid", "k".repeat(10_000), UNKNOWN_KEY),
        header("B09", "kid", 7, UNKNOWN_KEY),
        header("B09", "kid", json!(null), UNKNOWN_KEY),
        header("B09", "kid", json!(["es256-key"]), UNKNOWN_KEY),
        header("B11", "x5c", json!(["AAAA"]), HEADER),
        draft("B12", "neither", &caller("es256").draft().without_header("kid"), HEADER),
    ];
    for kid in [
        "' OR 1=1--",
        "../../etc/passwd",
        "/dev/null",
        "es256-key\0",
        "{{7*7}}",
        "es256-key\r\nSet-Cookie: a=b",
        "ES256-KEY",
        "%65s256-key",
        "es256-key ",
    ] {
        rows.push(header("B10", "kid", kid, UNKNOWN_KEY));
    }
    let victim = caller("es256").draft();
    let of_other = victim.clone().header("kid", "other-key").signed_by(&caller("other").key);
    rows.push(draft("B13", "the kid and key of another client", &of_other, UNKNOWN_KEY));
    let by_other = victim.clone().anew().signed_by(&caller("other").key);
    let signature = invalid_grant("MP-124");
    rows.push(draft("B13", "the key of another client", &by_other, signature));
    let (kid, pkcs8) = server_key();
    let ours = Key::from_pkcs8("RS256", pkcs8);
    let as_server = victim.clone().anew().header("kid", kid.clone()).header("alg", "RS256");
    rows.push(draft("B14", "the server's kid, the client's key", &as_server, UNKNOWN_KEY));
    let as_server = as_server.anew().signed_by(&ours);
    rows.push(draft("B14", "the server's kid and key", &as_server, UNKNOWN_KEY));
    let as_client = victim.anew().header("alg", "RS256").signed_by(&ours);
    rows.push(draft("B50", "a key of the server", &as_client, HEADER));
    let rs256 = caller("rs256").draft().signed_by(&ours);
    rows.push(draft("B50", "a key of the server, the client's kid", &rs256, signature));
    for (client, expect) in [
        ("expired", invalid_grant("MP-121")),
        ("withdrawn", UNKNOWN_KEY),
        ("deactivated", invalid_grant("MP-100")),
    ] {
        rows.push(text("B15", client, &caller(client).assertion(), expect));
    }
    run(&server, rows).await;
}

#[tokio::test]
async fn a_token_of_the_server_is_no_assertion() {
    let server = TestServer::start().await;
    let token = server.ask(&caller("es256").assertion()).await.token().unwrap();
    let mut parts = token.split('.');
    let (head, payload) = (parts.next().unwrap(), parts.next().unwrap());
    let swapped = message(br#"{"alg":"ES256","kid":"es256-key"}"#, "");
    let swapped = format!("{}{payload}", swapped.trim_end_matches('.').to_owned() + ".");
    let signed = caller("es256").key.sign(swapped.as_bytes());
    let id_token = caller("es256").draft().claim("nonce", "n").claim("aud", "es256");
    let rows = vec![
        text("B48", "an access token", &token, invalid_grant("MP-100")),
        text("B48", "its head twice", &format!("{head}.{head}.AAAA"), invalid_grant("")),
        text("B48", "its claims", &with_signature(&swapped, &signed), invalid_grant("MP-100")),
        draft("B49", "an identity token", &id_token, invalid_grant("MP-110")),
    ];
    run(&server, rows).await;
}

#[tokio::test]
async fn the_compact_form_has_one_spelling() {
    let server = TestServer::start().await;
    let part = |text: &str, at: usize| text.split('.').nth(at).unwrap().to_owned();
    let rows = vec![
        spoilt("B32", "one part", |t| part(t, 0)),
        spoilt("B32", "two parts", |t| format!("{}.{}", part(t, 0), part(t, 1))),
        spoilt("B32", "four parts", |t| format!("{t}.AAAA")),
        spoilt("B32", "a JWE of five", |t| format!("{t}.AAAA.AAAA")),
        spoilt("B32", "dots alone", |_| "..".to_owned()),
        spoilt("B32", "a dot before", |t| format!(".{t}")),
        spoilt("B32", "a dot behind", |t| format!("{t}.")),
        spoilt("B32", "a line end behind", |t| format!("{t}\n")),
        spoilt("B32", "a space before", |t| format!(" {t}")),
        spoilt("B33", "flattened JSON", |t| {
            let (protected, payload, signature) = (part(t, 0), part(t, 1), part(t, 2));
            json!({ "protected": protected, "payload": payload, "signature": signature })
                .to_string()
        }),
        spoilt("B33", "general JSON", |t| {
            let (protected, payload, signature) = (part(t, 0), part(t, 1), part(t, 2));
            let signatures = json!([{ "protected": protected, "signature": signature }]);
            json!({ "payload": payload, "signatures": signatures }).to_string()
        }),
        spoilt("B33", "JSON that splits into three", |t| {
            json!({ "payload": t, "signatures": [] }).to_string()
        }),
        spoilt("B34", "padding", |t| {
            t.split('.').map(|part| format!("{part}==")).collect::<Vec<_>>().join(".")
        }),
        spoilt("B34", "the standard alphabet", |t| {
            let standard = |part: String| {
                STANDARD.encode(URL_SAFE_NO_PAD.decode(part).unwrap()).replace('=', "") + "+/"
            };
            format!("{}.{}.{}", part(t, 0), part(t, 1), standard(part(t, 2)))
        }),
        spoilt("B34", "a space inside", |t| t.replacen("ey", "e y", 1)),
        spoilt("B34", "a question mark", |t| t.replacen("ey", "e?y", 1)),
        spoilt("B34", "escaped twice", |t| escape(&t.replacen("ey", "\u{e5}y", 1))),
        spoilt("B35", "unused bits of the signature", |t| set_unused_bit(t, 2)),
        spoilt("B35", "unused bits of the claims", |t| set_unused_bit(t, 1)),
        spoilt("B35", "unused bits of the header", |t| set_unused_bit(t, 0)),
    ];
    run(&server, rows).await;
}

/// The same bytes in another spelling: the last character of a part carries bits that stand for nothing.
/// Where all of its bits count, a character is added, which is no less wrong.
fn set_unused_bit(text: &str, at: usize) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut parts: Vec<String> = text.split('.').map(str::to_owned).collect();
    let part = &mut parts[at];
    if part.len().is_multiple_of(4) {
        part.push('A');
    } else {
        let last = part.pop().unwrap();
        let value = alphabet.iter().position(|&c| char::from(c) == last).unwrap();
        part.push(char::from(alphabet[value | 1]));
        assert_eq!(value % 2, 0, "the bit was set already");
    }
    parts.join(".")
}

#[tokio::test]
async fn header_and_claims_are_strict_objects() {
    let server = TestServer::start().await;
    let deep = |depth: usize| {
        let nest = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        format!(r#"{{"alg":"ES256","kid":"es256-key","x":{nest}}}"#)
    };
    let utf16: Vec<u8> = r#"{"alg":"ES256"}"#.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let members: Vec<String> = (0..1_000).map(|i| format!("\"m{i}\":1")).collect();
    let many = format!(r#"{{"alg":"ES256","kid":"es256-key",{}}}"#, members.join(","));
    let list = json!(["https://as.test/", 1, 1, "es256", "jti", "test:read"]).to_string();
    let mut rows = Vec::new();
    for (id, what, bytes) in [
        ("B36", "alg twice", &br#"{"alg":"ES256","alg":"ES256","kid":"es256-key"}"#[..]),
        ("B36", "kid twice", br#"{"alg":"ES256","kid":"es256-key","kid":"x"}"#),
        ("B36", "an unknown member twice", br#"{"alg":"ES256","kid":"es256-key","x":1,"x":1}"#),
        ("B36", "twice inside", br#"{"alg":"ES256","kid":"es256-key","x":{"y":1,"y":1}}"#),
        ("B37", "an escaped twin", br#"{"alg":"ES256","\u0061lg":"none","kid":"es256-key"}"#),
        ("B38", "an array", b"[]"),
        ("B38", "a string", b"\"x\""),
        ("B38", "a number", b"1"),
        ("B38", "nothing", b""),
        ("B38", "bytes behind", br#"{"alg":"ES256","kid":"es256-key"}{}"#),
        ("B38", "a byte order mark", b"\xef\xbb\xbf{\"alg\":\"ES256\",\"kid\":\"es256-key\"}"),
        ("B38", "UTF-16", &utf16),
        ("B38", "a lone surrogate", br#"{"alg":"ES256","kid":"es256-key","x":"\ud800"}"#),
        ("B38", "no UTF-8", b"{\"alg\":\"ES256\",\"kid\":\"es256-key\",\"x\":\"\xff\"}"),
        ("B39", "100 deep", deep(100).as_bytes()),
        ("B39", "10,000 deep", deep(10_000).as_bytes()),
        ("B40", "1,000 members", many.as_bytes()),
    ] {
        rows.push(header_bytes(id, what, bytes, MALFORMED));
    }
    rows.push(header_bytes("B38", "an empty object", b"{}", HEADER));
    let megabyte = format!(r#"{{"alg":"ES256","x":"{}"}}"#, "x".repeat(1_000_000));
    let too_large = refused(413, "invalid_request", "");
    rows.push(header_bytes("B40", "a megabyte", megabyte.as_bytes(), too_large));
    for (what, bytes) in
        [("empty", ""), ("null", "null"), ("an array of the right length", &*list), ("text", "{}}")]
    {
        rows.push(claims_bytes("B41", what, bytes.as_bytes(), MALFORMED));
    }
    run(&server, rows).await;
}

#[tokio::test]
async fn addresses_in_the_header_are_never_fetched() {
    let server = TestServer::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut rows = Vec::new();
    for name in ["jku", "x5u"] {
        for kid in [true, false] {
            let mut spoilt = caller("es256").draft().header(name, format!("http://{address}/"));
            if !kid {
                spoilt = spoilt.without_header("kid");
            }
            rows.push(draft("B28", name, &spoilt, HEADER));
        }
    }
    run(&server, rows).await;
    let connection = tokio::time::timeout(std::time::Duration::from_millis(200), listener.accept());
    assert!(connection.await.is_err(), "somebody has come to fetch a key");
}

#[tokio::test]
async fn a_good_assertion_of_another_implementation_is_accepted() {
    use josekit::jws::{ES256, JwsHeader};
    use josekit::jwt::{self, JwtPayload};
    let server = TestServer::start().await;
    let caller = caller("es256");
    let pem = caller.key.pair.private_key_to_pem_pkcs8().unwrap();
    let mut header = JwsHeader::new();
    header.set_key_id("es256-key");
    let claims = caller.draft().claims.as_object().unwrap().clone();
    let payload = JwtPayload::from_map(claims).unwrap();
    let signer = ES256.signer_from_pem(pem).unwrap();
    let assertion = jwt::encode_with_signer(&payload, &header, &signer).unwrap();
    let row = raw("B30", "josekit", post(&form(&assertion)), TOKEN);
    run(&server, vec![row]).await;
}
