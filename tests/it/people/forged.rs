//! I01, I02 and I13: forms that no page of the portal has sent, addresses that only look, and forms without end.

use portvakt::domain::user::Role;

use crate::harness::CONSUMER;
use crate::harness::admin::AdminServer;
use crate::harness::browser::{Browser, hidden};
use crate::harness::http::{FORM, Reply, escape, exchange, request};

const SIGN_OUT: &str = "POST /portal/sign-out";

/// What is wrong with a form, the headers it comes with, and its body.
type Row<'a> = (&'a str, Vec<(&'a str, &'a str)>, &'a str);

/// Sends a body with the cookies of a browser and these headers.
async fn send(
    server: &AdminServer,
    browser: &Browser,
    line: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Reply {
    let cookie = browser.cookie();
    let headers = [&[("Cookie", cookie.as_str())], headers].concat();
    exchange(server.address, &request(line, &headers, body.as_bytes())).await.unwrap()
}

/// What a form of that browser brings along.
async fn token_of(browser: &Browser) -> String {
    let page = browser.get("/portal/profile").await;
    format!("form_token={}", escape(&hidden(&page, "form_token").unwrap()))
}

#[tokio::test]
async fn i01_a_form_counts_if_a_page_for_this_session_has_sent_it() {
    let server = AdminServer::start().await;
    let browser = Browser::of(&server, ("kari", CONSUMER), &[Role::Consumer]).await;
    let other = Browser::of(&server, ("ola", CONSUMER), &[Role::Consumer]).await;
    let visitor = Browser::at(&server);
    let (own, others) = (token_of(&browser).await, token_of(&other).await);
    let page = visitor.get("/portal/sign-in").await;
    let nobodys = format!("form_token={}", escape(&hidden(&page, "form_token").unwrap()));
    let here = "http://as.test";
    let changed = format!("{}x", &own[..own.len() - 1]);
    let form = ("Content-Type", FORM);
    let rows: [Row<'_>; 12] = [
        ("no token", vec![form], ""),
        ("an empty token", vec![form], "form_token="),
        ("a changed token", vec![form], &changed),
        ("the token of another session", vec![form], &others),
        ("the token of a visitor", vec![form], &nobodys),
        ("another origin", vec![form, ("Origin", "https://evil.example")], &own),
        ("another port", vec![form, ("Origin", "http://127.0.0.1:1")], &own),
        ("an origin that is none", vec![form, ("Origin", "null")], &own),
        ("another site", vec![form, ("Sec-Fetch-Site", "cross-site")], &own),
        ("a sister of this site", vec![form, ("Sec-Fetch-Site", "same-site")], &own),
        ("no page", vec![form, ("Sec-Fetch-Site", "none")], &own),
        (
            "another site with our origin",
            vec![form, ("Origin", here), ("Sec-Fetch-Site", "cross-site")],
            &own,
        ),
    ];
    for (what, headers, body) in rows {
        let reply = send(&server, &browser, SIGN_OUT, &headers, body).await;
        assert_eq!(reply.status, 403, "{what}: {}", reply.text());
        assert!(browser.is_in().await, "{what}");
    }
    for kind in ["application/json", "text/plain", "multipart/form-data; boundary=x"] {
        let reply = send(&server, &browser, SIGN_OUT, &[("Content-Type", kind)], &own).await;
        assert_eq!(reply.status, 415, "{kind}: {}", reply.text());
        assert!(browser.is_in().await, "{kind}");
    }
    let ours = [form, ("Origin", here), ("Sec-Fetch-Site", "same-origin")];
    let reply = send(&server, &browser, SIGN_OUT, &ours, &own).await;
    assert_eq!(reply.status, 303, "{}", reply.text());
    assert!(!browser.is_in().await);
    assert!(other.is_in().await);
}

#[tokio::test]
async fn i02_looking_at_where_forms_go_changes_nothing() {
    let server = AdminServer::start().await;
    let browser = Browser::of(&server, ("kari", CONSUMER), &[Role::Consumer]).await;
    let token = token_of(&browser).await;
    for method in ["GET", "HEAD"] {
        let line = format!("{method} /portal/sign-out?{token}");
        let reply = send(&server, &browser, &line, &[], "").await;
        assert_eq!(reply.status, 404, "{method}");
        assert!(browser.is_in().await, "{method}");
    }
}

#[tokio::test]
async fn i13_a_form_without_end_is_refused_before_it_is_read() {
    let server = AdminServer::start().await;
    let browser = Browser::of(&server, ("kari", CONSUMER), &[Role::Consumer]).await;
    let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let body = format!("{}&key={}", token_of(&browser).await, escape(&certificate.repeat(10_000)));
    let form = [("Content-Type", FORM)];
    let reply = send(&server, &browser, SIGN_OUT, &form, &body).await;
    assert_eq!(reply.status, 413, "{}", reply.text());
    assert!(browser.is_in().await);
}
