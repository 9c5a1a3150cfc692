//! Group A, first part: the form of a token request, and what stands around it.

use crate::harness::caller::Draft;
use crate::harness::http::{FORM, JWT_BEARER, escape, exchange, form, post, request};
use crate::harness::row::{
    Expect, Row, TOKEN, check_refusal, invalid_grant, invalid_request, raw, refused, run,
};
use crate::harness::server::{TestServer, caller};

/// The form of a good request, and the draft of its assertion.
pub(super) fn good() -> (String, Draft) {
    let draft = caller("es256").draft();
    (form(&draft.sign()), draft)
}

/// A row whose request is made of the form of a good request.
pub(super) fn spoilt(
    id: &'static str,
    what: &str,
    expect: Expect,
    spoil: impl FnOnce(String) -> Vec<u8>,
) -> Row {
    let (form, draft) = good();
    raw(id, what, spoil(form), expect).with_jti_of(&draft)
}

/// A row whose request is a good one but for its body.
fn body(id: &'static str, what: &str, expect: Expect, spoil: impl FnOnce(String) -> String) -> Row {
    spoilt(id, what, expect, |form| post(&spoil(form)))
}

/// A row whose request is a good one with other headers.
fn headers(id: &'static str, what: &str, expect: Expect, headers: &[(&str, &str)]) -> Row {
    spoilt(id, what, expect, |form| request("POST /token", headers, form.as_bytes()))
}

const UNSUPPORTED: Expect = refused(400, "unsupported_grant_type", "");
const BAD: Expect = invalid_request("");

#[tokio::test]
async fn a_parameter_stands_once_in_query_and_body_together() {
    let server = TestServer::start().await;
    let again = |name: &str, value: &str| format!("&{name}={}", escape(value));
    let rows = vec![
        body("A01", "grant_type twice, the same", BAD, |f| f + &again("grant_type", JWT_BEARER)),
        body("A02", "assertion twice, the second valid", BAD, |f| format!("assertion=a.b.c&{f}")),
        body("A02", "assertion twice, the first valid", BAD, |f| f + "&assertion=a.b.c"),
        body("A02", "assertion twice, once escaped", BAD, |f| f + "&%61ssertion=a.b.c"),
        body("A03", "scope twice", BAD, |f| f + "&scope=test:read&scope=test:write"),
        body("A03", "an unknown name twice", BAD, |f| f + "&foo=1&foo=1"),
        body("A03", "an unknown name once", TOKEN, |f| f + "&foo=1"),
        spoilt("A04", "assertion in query and body", BAD, |form| {
            let line = "POST /token?assertion=a.b.c";
            request(line, &[("Content-Type", FORM)], form.as_bytes())
        }),
        spoilt("A05", "everything in the query", TOKEN, |form| {
            request(&format!("POST /token?{form}"), &[("Content-Type", FORM)], b"")
        }),
    ];
    run(&server, rows).await;
}

#[tokio::test]
async fn a_form_is_a_form_and_nothing_else() {
    let server = TestServer::start().await;
    let (_, draft) = good();
    let json = format!(r#"{{"grant_type":"{JWT_BEARER}","assertion":"{}"}}"#, draft.sign());
    let multipart = format!(
        "--x\r\nContent-Disposition: form-data; name=\"grant_type\"\r\n\r\n{JWT_BEARER}\r\n--x\r\n\
         Content-Disposition: form-data; name=\"assertion\"\r\n\r\n{}\r\n--x--\r\n",
        draft.sign()
    );
    let typed = |content_type: &str, body: &[u8]| {
        request("POST /token", &[("Content-Type", content_type)], body)
    };
    let utf16 = |form: String| form.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>();
    let odd = "Application/X-WWW-Form-URLencoded; charset=UTF-8";
    let encoded = |coding: &'static str| {
        headers("A37", coding, BAD, &[("Content-Type", FORM), ("Content-Encoding", coding)])
    };
    let mut rows = vec![
        raw("A06", "JSON", typed("application/json", json.as_bytes()), BAD).with_jti_of(&draft),
        spoilt("A06", "a form that is called JSON", BAD, |form| {
            typed("application/json", form.as_bytes())
        }),
        headers("A07", "no Content-Type", BAD, &[]),
        headers("A07", "two of them", BAD, &[("Content-Type", FORM), ("Content-Type", FORM)]),
        headers("A08", "the type in another case", TOKEN, &[("Content-Type", odd)]),
        raw(
            "A09",
            "multipart",
            typed("multipart/form-data; boundary=x", multipart.as_bytes()),
            BAD,
        ),
        spoilt("A10", "UTF-16", BAD, |form| {
            typed(&format!("{FORM}; charset=utf-16"), &utf16(form))
        }),
        spoilt("A10", "UTF-16 that is not called so", BAD, |form| typed(FORM, &utf16(form))),
        spoilt("A19", "%ff%fe in grant_type", BAD, |f| {
            typed(FORM, f.replacen("grant_type=", "grant_type=%ff%fe", 1).as_bytes())
        }),
        spoilt("A20", "raw 0xff", BAD, |form| typed(FORM, &[form.as_bytes(), b"&x=\xff"].concat())),
        body("A21", "%00 in grant_type", BAD, |f| f.replacen('&', "%00&", 1)),
        body("A21", "%00 in assertion", BAD, |f| f + "%00"),
        body("A21", "%00 in scope", BAD, |f| f + "&scope=a%00"),
        body("A22", "%zz", BAD, |f| f + "&x=%zz"),
        body("A22", "a lone %", BAD, |f| f + "%"),
        body("A22", "half an escape", BAD, |f| f + "&x=%4"),
        body("A23", "grant_type[]", BAD, |f| f.replacen("grant_type", "grant_type[]", 1)),
        body("A23", "grant_type.x", BAD, |f| f.replacen("grant_type", "grant_type.x", 1)),
        body("A24", "an upper-case name", BAD, |f| f.replacen("grant_type", "GRANT_TYPE", 1)),
        body("A25", "; between pairs", BAD, |f| f.replacen('&', ";", 1)),
        body("A26", "10,000 parameters", BAD, |form| {
            let many: Vec<String> = (0..10_000).map(|i| format!("&{i}=")).collect();
            format!("{form}{}", many.concat())
        }),
        body("A27", "an empty grant_type", BAD, |f| f.replacen(&escape(JWT_BEARER), "", 1)),
        body("A30", "an empty assertion", BAD, |_| format!("grant_type={JWT_BEARER}&assertion=")),
        body("A30", "an assertion of spaces", invalid_request("MP-011"), |_| {
            format!("grant_type={JWT_BEARER}&assertion=+++")
        }),
        encoded("gzip"),
        encoded("deflate"),
        encoded("br"),
        encoded("identity, gzip"),
    ];
    for grant in ["client_credentials", "password", "refresh_token", "authorization_code"] {
        rows.push(body("A28", grant, UNSUPPORTED, |f| f.replacen(&escape(JWT_BEARER), grant, 1)));
    }
    for grant in [
        &format!("{JWT_BEARER}%20"),
        "URN:IETF:PARAMS:OAUTH:GRANT-TYPE:JWT-BEARER",
        "urn:ietf:params:oauth:grant-type:saml2-bearer",
        &JWT_BEARER.replace('-', "%E2%80%90"),
    ] {
        let row = body("A29", grant, UNSUPPORTED, |f| f.replacen(&escape(JWT_BEARER), grant, 1));
        rows.push(row);
    }
    run(&server, rows).await;
}

#[tokio::test]
async fn other_methods_and_paths_get_no_token() {
    let server = TestServer::start().await;
    let not_found = refused(404, "invalid_request", "");
    let mut rows = Vec::new();
    for path in ["/token/", "//token", "/token;x", "/%74oken", "/token%00", "/Token", "/./token"] {
        rows.push(spoilt("A33", path, not_found, |form| {
            request(&format!("POST {path}"), &[("Content-Type", FORM)], form.as_bytes())
        }));
    }
    run(&server, rows).await;
    for method in ["GET", "PUT", "DELETE", "PATCH", "TRACE", "QUERY"] {
        // A31
        let (form, _) = good();
        let headers = [("Content-Type", FORM), ("Content-Length", &*form.len().to_string())];
        let mut bytes = request(&format!("{method} /token?{form}"), &headers[..1], b"");
        if method != "GET" {
            bytes = request(&format!("{method} /token"), &headers[..1], form.as_bytes());
        }
        let reply = exchange(server.address, &bytes).await.unwrap();
        check_refusal(&reply, 405, "invalid_request", "").unwrap();
        assert_eq!(reply.header("allow"), Some("POST"), "{method}");
    }
    let reply = exchange(server.address, &request("HEAD /token", &[], b"")).await.unwrap();
    assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")));
    // A32
    let origin = [("Origin", "https://evil.example"), ("Access-Control-Request-Method", "POST")];
    let reply = exchange(server.address, &request("OPTIONS /token", &origin, b"")).await.unwrap();
    assert!([204, 405].contains(&reply.status));
    assert_eq!(reply.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn who_the_server_is_stands_in_its_configuration_only() {
    let server = TestServer::start().await;
    let evil = |line: &str, more: &str| {
        format!("GET {line} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n{more}\r\n")
    };
    let forwarded = "X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: http\r\n\
                     X-Forwarded-For: 127.0.0.1\r\nForwarded: host=evil.example\r\n";
    let metadata = "/.well-known/oauth-authorization-server";
    for (id, request) in [
        ("A34", evil(metadata, "")),
        ("A34", evil(&format!("http://evil.example{metadata}"), "")),
        ("A35", evil(metadata, forwarded)),
    ] {
        let reply = exchange(server.address, request.as_bytes()).await.unwrap();
        assert_eq!(reply.status, 200, "{id}");
        assert!(!reply.text().contains("evil"), "{id}: {}", reply.text());
        assert_eq!(reply.json()["token_endpoint"], "https://as.test/token", "{id}");
    }
    let certificate = ("Client-Cert", ":MIIB:");
    let spoofed = ("X-SSL-Client-Cert", "MIIB");
    let rows = vec![
        spoilt("A34", "two Host headers", BAD, |form| {
            request("POST /token", &[("Content-Type", FORM), ("Host", "evil")], form.as_bytes())
        }),
        spoilt("A34", "no Host header", BAD, |form| {
            let length = form.len();
            format!(
                "POST /token HTTP/1.1\r\nContent-Type: {FORM}\r\nContent-Length: {length}\r\n\
                 Connection: close\r\n\r\n{form}"
            )
            .into_bytes()
        }),
        headers("A35", "a client certificate", TOKEN, &[("Content-Type", FORM), certificate]),
        headers("A35", "another one", TOKEN, &[("Content-Type", FORM), spoofed]),
        headers("A38", "text/html", TOKEN, &[("Content-Type", FORM), ("Accept", "text/html")]),
        spoilt("A38", "text/html for a refusal", BAD, |_| {
            request("POST /token", &[("Content-Type", FORM), ("Accept", "text/html")], b"")
        }),
        headers(
            "A39",
            "another method in a header",
            TOKEN,
            &[("Content-Type", FORM), ("X-HTTP-Method-Override", "GET")],
        ),
    ];
    run(&server, rows).await;
}

#[tokio::test]
async fn only_the_assertion_is_a_credential() {
    let server = TestServer::start().await;
    let invalid_client = refused(401, "invalid_client", "");
    let with = |value: &'static str| [("Content-Type", FORM), ("Authorization", value)];
    let basic = with("Basic !!!");
    let client_assertion = "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type\
                            %3Ajwt-bearer&client_assertion=a.b.c";
    let rows = vec![
        body("A43", "another client's id", invalid_grant(""), |f| f + "&client_id=rs256"),
        body("A43", "the same client's id", TOKEN, |f| f + "&client_id=es256"),
        body("A43", "an id that cannot be one", invalid_grant(""), |f| f + "&client_id=%3Cb%3E")
            .hiding("<b>"),
        headers("A44", "Basic", invalid_client, &basic),
        headers("A44", "Bearer", invalid_client, &with("Bearer AAAA")),
        headers("A44", "empty", invalid_client, &with("")),
        body("A44", "client_secret", refused(401, "invalid_client", ""), |f| {
            f + "&client_secret=hunter2"
        })
        .hiding("hunter2"),
        spoilt("A45", "client_assertion and Authorization", BAD, |form| {
            request("POST /token", &basic, (form + client_assertion).as_bytes())
        }),
    ];
    run(&server, rows).await;
    let (form, _) = good();
    let reply = exchange(server.address, &request("POST /token", &basic, form.as_bytes())).await;
    assert_eq!(reply.unwrap().header("www-authenticate"), Some("Basic"));
}
