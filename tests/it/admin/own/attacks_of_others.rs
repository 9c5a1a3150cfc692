//! Attacks of one organization on another, groups G and H of the list, and texts that no text should be.

use serde_json::{Value, json};

use crate::admin::own::{assert_status, items, without_trace};
use crate::harness::admin::AdminServer;
use crate::harness::{CONSUMER, PROVIDER, SUPPLIER, logs};

#[tokio::test]
async fn g04_g06_g07_g10_scopes_are_their_owners() {
    let admin = AdminServer::start().await;
    let operator = admin.token(PROVIDER, "portvakt:admin").await;
    let supplier = admin.full_token(SUPPLIER).await;
    let prefix = json!({ "prefix": "testing", "organization": SUPPLIER });
    assert_status("prefix", &admin.own(&operator, "POST /prefixes", "", prefix).await, 201);
    let new = |name: &str| json!({ "scope": name, "description": "G" });
    let make = |name: &'static str| admin.own(&supplier, "POST /scopes", "", new(name));
    assert_status("G06 control", &make("testing:a").await, 201);
    for name in ["test:evil", "tes:a", "testings:a", "nobody:a"] {
        assert_status("G04", &make(name).await, 403);
    }
    let own = items(&admin.look(&supplier, "/scopes?q=test").await);
    assert_eq!(own.len(), 1, "G06 {own:?}");
    let long: &'static str = format!("testing:{}", "a".repeat(300)).leak();
    for name in [
        "testing:a b",
        "testing:\"",
        "testing:*",
        "testing:..",
        "testing:",
        "testing",
        "TESTING:a",
        "testing:\u{e5}",
        "testing:a\u{0}",
        long,
    ] {
        assert_status("G07", &make(name).await, 400);
    }
    let line = "PUT /scopes/test%3Aclosed/accesses/310000124";
    assert_status("G10", &admin.own(&supplier, line, "*", json!({})).await, 403);
    let line = "POST /scopes/test%3Aclosed/accesses/batch";
    let batch = json!({ "grant": [{ "consumer": SUPPLIER }] });
    assert_status("G10", &admin.own(&supplier, line, "", batch).await, 403);
}

#[tokio::test]
async fn g08_h18_what_is_deactivated_is_restored_and_not_made_again() {
    let admin = AdminServer::start().await;
    let token = admin.token(PROVIDER, "idporten:scopes.write").await;
    let consumer = admin.token(CONSUMER, "idporten:dcr.write").await;
    let again = json!({ "scope": "test:deactivated", "description": "Again" });
    assert_status("G08", &admin.own(&token, "POST /scopes", "", again).await, 409);
    let access = "/scopes/test%3Adeactivated/accesses/310000124";
    let put = admin.own(&token, &format!("PUT {access}"), "*", json!({})).await;
    assert_status("H18", &put, 409);
    let asked = json!({ "scope": "test:deactivated" });
    let asked = admin.own(&consumer, "POST /access-requests", "", asked).await;
    assert_status("H18", &asked, 409);
    let batch = json!({ "grant": [{ "consumer": SUPPLIER }], "withdraw": [CONSUMER] });
    let line = "POST /scopes/test%3Adeactivated/accesses/batch";
    let batch = admin.own(&token, line, "", batch).await.json();
    assert_eq!(batch["results"][0]["outcome"], "refused", "H18 {batch}");
    assert_eq!(batch["results"][1]["outcome"], "done", "{batch}");
    let shown = admin.look(&token, "/scopes/test%3Adeactivated").await.json();
    assert_eq!(shown["active"], false);
}

#[tokio::test]
async fn h04_what_others_keep_to_themselves_looks_like_what_is_not_there() {
    let admin = AdminServer::start().await;
    let owner = admin.token(PROVIDER, "idporten:scopes.write").await;
    let other = admin.full_token(SUPPLIER).await;
    let hidden = json!({ "visibility": "PRIVATE" });
    admin.own(&owner, "PATCH /scopes/test%3Awrite", "*", hidden).await;
    for (method, more, body) in [
        ("GET", "", Value::Null),
        ("PATCH", "", json!({ "description": "x" })),
        ("DELETE", "", Value::Null),
        ("POST", "/restore", Value::Null),
        ("GET", "/accesses", Value::Null),
        ("GET", "/accesses/310000116", Value::Null),
        ("PUT", "/accesses/310000116", json!({})),
        ("DELETE", "/accesses/310000116", Value::Null),
        ("POST", "/accesses/310000116/approve", json!({})),
        ("POST", "/accesses/310000116/deny", json!({})),
        ("POST", "/accesses/batch", json!({ "withdraw": [CONSUMER] })),
    ] {
        let on = |scope: &str| format!("{method} /scopes/{scope}{more}");
        let theirs = admin.own(&other, &on("test%3Awrite"), "*", body.clone()).await;
        let nothing = admin.own(&other, &on("test%3Anothing"), "*", body).await;
        assert_status(&on("test%3Awrite"), &theirs, 404);
        assert_eq!(without_trace(&theirs), without_trace(&nothing), "{}", on(""));
    }
    let theirs = json!({ "scope": "test:private" });
    let new = json!({ "scope": "test:private", "description": "P", "visibility": "PRIVATE" });
    admin.own(&owner, "POST /scopes", "", new).await;
    let asked = admin.own(&other, "POST /access-requests", "", theirs).await;
    assert_status("asked", &asked, 404);
}

#[tokio::test]
async fn h16_h19_numbers_are_checked_and_rights_do_not_grow() {
    let admin = AdminServer::start().await;
    let owner = admin.token(PROVIDER, "idporten:scopes.write").await;
    for number in ["310000117", "31000011", "3100001160", "0192:310000116", "x", "310%20000%20116"]
    {
        let line = format!("PUT /scopes/test%3Aread/accesses/{number}");
        assert_status("H16", &admin.own(&owner, &line, "", json!({})).await, 400);
    }
    let reader = admin.token(PROVIDER, "idporten:scopes.read").await;
    let edit = json!({ "description": "x" });
    let line = "PATCH /scopes/test%3Aread";
    assert_status("H19", &admin.own(&reader, line, "*", edit).await, 403);
    // The provider operates the server; its client without the operator's right does not.
    let everything_else = admin.full_token(PROVIDER).await;
    let new = json!({ "organization": "310000132", "name": "x" });
    let refused = admin.own(&everything_else, "POST /organizations", "", new).await;
    assert_status("H19", &refused, 403);
    let consumer = admin.full_token(CONSUMER).await;
    let line = "PUT /scopes/portvakt%3Aadmin/accesses/310000116";
    let reply = admin.own(&consumer, line, "", json!({})).await;
    assert_status("H19", &reply, 404);
}

#[tokio::test]
async fn h25_no_text_brings_it_down() {
    let admin = AdminServer::start().await;
    let token = admin.token(PROVIDER, "portvakt:admin").await;
    let consumer = admin.full_token(CONSUMER).await;
    let texts = [
        "\u{0}",
        "a\u{0}b",
        "\u{1f}",
        "\u{7f}",
        "\u{202e}abc",
        "\u{2066}",
        "\u{fffd}",
        "\u{10ffff}",
        "\u{feff}",
        "e\u{301}",
        "\u{1f468}\u{200d}\u{1f469}",
        "' or 1=1 --",
        "<script>alert(1)</script>",
        "${7*7}",
        "%00",
        "\r\nSet-Cookie: a=b",
        " ",
        "\u{a0}",
        "null",
        "\\u0000",
    ];
    let huge = "\u{1f600}".repeat(2_000);
    for text in texts.into_iter().chain([huge.as_str()]) {
        let access = "PUT /scopes/test%3Aread/accesses/310000116";
        for (by, line, body) in [
            (&token, "POST /organizations", json!({ "organization": "310000140", "name": text })),
            (&token, "POST /organizations", json!({ "organization": text, "name": "x" })),
            (
                &token,
                "POST /organizations",
                json!({ "organization": "310000159", "name": "x", "email_domains": [text] }),
            ),
            (&token, "PATCH /organizations/310000124", json!({ "name": text })),
            (&token, "POST /scopes", json!({ "scope": text, "description": "x" })),
            (
                &token,
                "PATCH /scopes/test%3Aread",
                json!({ "description": text, "long_description": text }),
            ),
            (&token, "PATCH /scopes/test%3Aread", json!({ "visibility": text })),
            (&token, "PATCH /scopes/test%3Aread", json!({ "delegation_source": text })),
            (&token, "PATCH /scopes/test%3Aread", json!({ "allowed_integration_types": [text] })),
            (&token, access, json!({ "note": text })),
            (&token, access, json!({ "expires_at": text })),
            (
                &token,
                "POST /scopes/test%3Aread/accesses/batch",
                json!({ "withdraw": [text], "grant": [{ "consumer": text, "note": text }] }),
            ),
            (&consumer, "POST /access-requests", json!({ "scope": "test:login", "message": text })),
            (&consumer, "POST /access-requests", json!({ "scope": text, "organization": text })),
        ] {
            let reply = admin.own(by, line, "*", body).await;
            assert!(reply.status < 500, "H25 {line} {text:?}: {}", reply.text());
            assert!(reply.header("set-cookie").is_none());
        }
        let encoded = crate::harness::http::escape(&text.chars().take(300).collect::<String>());
        for address in [
            format!("/scopes?q={encoded}"),
            format!("/scopes?prefix={encoded}"),
            format!("/scopes/{encoded}"),
            format!("/organizations?q={encoded}"),
            format!("/organizations/{encoded}"),
            format!("/scopes/test%3Aread/accesses/{encoded}"),
            format!("/accesses?scope={encoded}"),
        ] {
            let reply = admin.look(&token, &address).await;
            assert!(reply.status < 500, "H25 {address}: {}", reply.text());
        }
    }
    logs::assert_clean();
}
