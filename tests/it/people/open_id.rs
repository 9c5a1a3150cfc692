//! Attacks I09 and I10: on signing in through an OpenID provider.

use std::time::Duration;

use portvakt::domain::organization::OrganizationNumber;
use portvakt::registry::UserFilter;
use reqwest::Url;
use serde_json::json;

use crate::harness::admin::AdminServer;
use crate::harness::browser::{Browser, cookie_lines};
use crate::harness::clock::NOW;
use crate::harness::http::{Reply, escape};
use crate::harness::server::actor;
use crate::harness::{SUPPLIER, logs};
use crate::people::provider::{Draft, EMAIL, Provider, SECRET, Signature, Spoil};
use crate::people::server;

/// Many sign in from one place here.
const LIMITS: &str = "[limits]\nadmin_requests_by_source = 10000\n";

const NOT_HERE: &str = "was not begun in this browser";
const TOO_LATE: &str = "has been used before";
const NO_TRUST: &str = "We cannot trust the answer";
const NO_EMAIL: &str = "no confirmed e-mail address";

/// A server where people come from the provider `a` and have no passwords.
async fn server_with(provider: &Provider, more: &str) -> AdminServer {
    let ways = "[portal]\nsign_in = \"open_id\"\n";
    server(&format!("{LIMITS}{ways}{}{more}", provider.section("a"))).await
}

/// The question with which the browser is sent to a provider.
async fn question(browser: &Browser, name: &str) -> Url {
    let address = format!("/portal/sign-in/open-id/{name}");
    let next = [("next", "/portal/profile")];
    let reply = browser.post("/portal/sign-in", &address, &next).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let page = reply.text();
    let address = page.split("http-equiv=\"refresh\" content=\"0; url=").nth(1).unwrap();
    Url::parse(&address.split('"').next().unwrap().replace("&#38;", "&")).unwrap()
}

fn callback(name: &str, answer: &[(&str, String)]) -> String {
    let pairs: Vec<_> =
        answer.iter().map(|(key, value)| format!("{key}={}", escape(value))).collect();
    format!("/portal/sign-in/open-id/{name}/callback?{}", pairs.join("&"))
}

/// Signs in as far as the provider `a` lets one.
async fn sign_in(browser: &Browser, provider: &Provider) -> Reply {
    let question = question(browser, "a").await;
    let address = callback("a", &provider.answer(&question));
    browser.get(&address).await
}

/// Holds that nobody was signed in, for that reason.
async fn assert_refused(what: &str, browser: &Browser, reply: &Reply, status: u16, why: &str) {
    let text = reply.text();
    assert_eq!(reply.status, status, "{what}: {text}");
    assert!(text.contains(why), "{what}: {text}");
    assert!(!browser.is_in().await, "{what}: somebody is signed in");
    assert_eq!(browser.session(), None, "{what}");
    let is_gone = browser.cookies().iter().all(|(name, _)| !name.contains("open-id"));
    assert!(is_gone, "{what}: the browser keeps the question");
}

type Change = fn(&mut Vec<(&'static str, String)>);

fn set(answer: &mut Vec<(&'static str, String)>, key: &'static str, value: &str) {
    answer.retain(|(known, _)| *known != key);
    if !value.is_empty() {
        answer.push((key, value.to_owned()));
    }
}

#[tokio::test]
async fn i09_an_answer_counts_for_the_browser_that_asked_from_whom_it_asked_and_once() {
    let (provider, other) = (Provider::start().await, Provider::start().await);
    let server = server_with(&provider, &other.section("b")).await;
    let rows: [(&str, Change, u16, &str); 7] = [
        ("state missing", |it| set(it, "state", ""), 400, NOT_HERE),
        ("state other", |it| set(it, "state", &"A".repeat(43)), 400, NOT_HERE),
        ("iss other", |it| set(it, "iss", "https://evil.example"), 502, NO_TRUST),
        ("iss missing although promised", |it| set(it, "iss", ""), 502, NO_TRUST),
        ("code missing", |it| set(it, "code", ""), 502, NO_TRUST),
        ("code made up", |it| set(it, "code", "made-up"), 400, TOO_LATE),
        ("denied", |it| set(it, "error", "access_denied"), 403, "was broken off"),
    ];
    for (what, change, status, why) in rows {
        let browser = Browser::at(&server);
        let question = question(&browser, "a").await;
        let mut answer = provider.answer(&question);
        change(&mut answer);
        let reply = browser.get(&callback("a", &answer)).await;
        assert_refused(what, &browser, &reply, status, why).await;
    }

    let asked = Browser::at(&server);
    let victim_answer = provider.answer(&question(&asked, "a").await);
    let browser = Browser::at(&server);
    let reply = browser.get(&callback("a", &victim_answer)).await;
    assert_refused("login CSRF, no question", &browser, &reply, 400, NOT_HERE).await;
    question(&browser, "a").await;
    let reply = browser.get(&callback("a", &victim_answer)).await;
    assert_refused("login CSRF, another question", &browser, &reply, 400, NOT_HERE).await;

    // Mix-up: what was asked of one comes back as if from the other.
    let mut mixed = provider.answer(&question(&browser, "a").await);
    let reply = browser.get(&callback("b", &mixed)).await;
    assert_refused("mix-up by address", &browser, &reply, 400, NOT_HERE).await;
    mixed = provider.answer(&question(&browser, "b").await);
    let reply = browser.get(&callback("b", &mixed)).await;
    assert_refused("mix-up by issuer", &browser, &reply, 502, NO_TRUST).await;

    // PKCE: a code that was stolen from somebody else's answer has another challenge.
    let mut injected = provider.answer(&question(&browser, "a").await);
    set(&mut injected, "code", &victim_answer[0].1);
    let reply = browser.get(&callback("a", &injected)).await;
    assert_refused("code of another question", &browser, &reply, 400, TOO_LATE).await;

    let late = provider.answer(&question(&browser, "a").await);
    server.server.clock.set(NOW + 10 * 60);
    let reply = browser.get(&callback("a", &late)).await;
    assert_refused("after ten minutes", &browser, &reply, 400, TOO_LATE).await;
    server.server.clock.set(NOW);

    // The control: the same without any of that; and then the same again, with everything as it was.
    let answer = provider.answer(&question(&browser, "a").await);
    let kept = browser.cookies();
    let reply = browser.get(&callback("a", &answer)).await;
    assert_eq!((reply.status, reply.header("location")), (303, Some("/portal/profile")));
    assert!(browser.is_in().await);
    browser.set_cookies(kept);
    let reply = browser.get(&callback("a", &answer)).await;
    assert_refused("code replay", &browser, &reply, 400, TOO_LATE).await;
    logs::assert_clean();
}

#[tokio::test]
async fn i09_a_provider_without_pkce_is_not_asked() {
    let provider = Provider::start().await;
    provider.support("plain");
    let server = server_with(&provider, "").await;
    let browser = Browser::at(&server);
    let reply = browser.post("/portal/sign-in", "/portal/sign-in/open-id/a", &[]).await;
    assert_refused("PKCE missing", &browser, &reply, 503, "does not answer as it should").await;
    assert!(!logs::lines_with("does not support PKCE with S256").is_empty());
}

#[tokio::test]
async fn i10_an_id_token_counts_when_it_is_the_providers_for_us_of_now_and_says_who() {
    let provider = Provider::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, SECRET).unwrap();
    let secret = format!("client_secret_file = \"{}\"\n", file.display());
    let server = server_with(&provider, &secret).await;
    let rows: [(&str, Spoil, u16, &str); 20] = [
        ("nonce other", |it| it.claims["nonce"] = "other".into(), 502, NO_TRUST),
        ("nonce missing", |it| it.claims["nonce"] = json!(null), 502, NO_TRUST),
        ("aud other", |it| it.claims["aud"] = "other".into(), 502, NO_TRUST),
        ("aud of two", |it| it.claims["aud"] = json!(["portvakt", "other"]), 502, NO_TRUST),
        ("azp other", |it| it.claims["azp"] = "other".into(), 502, NO_TRUST),
        ("iss other", |it| it.claims["iss"] = "https://evil.example".into(), 502, NO_TRUST),
        ("iss missing", |it| it.claims["iss"] = json!(null), 502, NO_TRUST),
        ("expired", |it| it.claims["exp"] = NOW.into(), 502, NO_TRUST),
        ("exp missing", |it| it.claims["exp"] = json!(null), 502, NO_TRUST),
        ("of the future", |it| it.claims["iat"] = (NOW + 61).into(), 502, NO_TRUST),
        ("alg none", |it| unsigned(it, "none"), 502, NO_TRUST),
        ("alg None", |it| unsigned(it, "None"), 502, NO_TRUST),
        ("alg ES256 without signature", |it| unsigned(it, "ES256"), 502, NO_TRUST),
        (
            "HS256 with the public key",
            |it| by_hmac(it, Signature::PublicKeyAsSecret),
            502,
            NO_TRUST,
        ),
        ("HS256 with our secret", |it| by_hmac(it, Signature::ClientSecret), 502, NO_TRUST),
        ("wrong key", |it| it.signature = Signature::Wrong, 502, NO_TRUST),
        ("unknown key", |it| it.header["kid"] = "k2".into(), 502, NO_TRUST),
        ("e-mail not verified", |it| it.claims["email_verified"] = false.into(), 403, NO_EMAIL),
        ("e-mail of unknown worth", |it| it.claims["email_verified"] = json!(null), 403, NO_EMAIL),
        ("e-mail missing", |it| it.claims["email"] = json!(null), 403, NO_EMAIL),
    ];
    for (what, spoil, status, why) in rows {
        provider.spoil(spoil);
        let browser = Browser::at(&server);
        let reply = sign_in(&browser, &provider).await;
        assert_refused(what, &browser, &reply, status, why).await;
    }
    provider.spoil(|_| {});
    let browser = Browser::at(&server);
    let planted = "A".repeat(43);
    browser.set_cookie("portvakt-session", &planted);
    let reply = sign_in(&browser, &provider).await;
    assert_eq!(reply.status, 303, "{}", reply.text());
    assert_ne!(browser.session().unwrap(), planted);
    assert!(browser.get("/portal/profile").await.text().contains(EMAIL));
    logs::assert_clean();
}

fn unsigned(draft: &mut Draft, algorithm: &str) {
    draft.header["alg"] = algorithm.into();
    draft.signature = Signature::Missing;
}

fn by_hmac(draft: &mut Draft, signature: Signature) {
    draft.header["alg"] = "HS256".into();
    draft.signature = signature;
}

#[tokio::test]
async fn a_new_key_of_the_provider_is_found_but_not_looked_for_all_the_time() {
    let provider = Provider::start().await;
    let server = server_with(&provider, "").await;
    let browser = Browser::at(&server);
    assert_eq!(sign_in(&browser, &provider).await.status, 303);
    provider.rotate("k2");
    let browser = Browser::at(&server);
    let reply = sign_in(&browser, &provider).await;
    assert_refused("within a minute", &browser, &reply, 502, NO_TRUST).await;
    server.server.clock.push_uptime(Duration::from_mins(1));
    assert_eq!(sign_in(&browser, &provider).await.status, 303);
}

#[tokio::test]
async fn the_organization_is_what_the_trusted_claim_says_and_nothing_else() {
    let provider = Provider::start().await;
    let server = server_with(&provider, "organization_claim = \"orgno\"\n").await;
    let browser = Browser::at(&server);
    let reply = sign_in(&browser, &provider).await;
    assert_refused("claim missing", &browser, &reply, 403, "which organization").await;
    // A right number that nobody here has.
    provider.spoil(|it| it.claims["orgno"] = "999999999".into());
    let reply = sign_in(&browser, &provider).await;
    assert_refused("unknown organization", &browser, &reply, 409, "is not registered here").await;
    provider.spoil(|it| it.claims["orgno"] = format!("0192:{SUPPLIER}").into());
    assert_eq!(sign_in(&browser, &provider).await.status, 303);
    let registry = &server.server.app.registry;
    let users = registry.users(&actor(), UserFilter::default(), 10).await.unwrap().items;
    let supplier: OrganizationNumber = SUPPLIER.parse().unwrap();
    let user = users.iter().find(|user| user.value.email.as_str() == EMAIL).unwrap();
    assert_eq!(user.value.organization, supplier);
}

#[tokio::test]
async fn an_address_that_is_somebody_elses_at_the_provider_opens_nothing() {
    let provider = Provider::start().await;
    let server = server_with(&provider, "").await;
    assert_eq!(sign_in(&Browser::at(&server), &provider).await.status, 303);
    provider.spoil(|it| it.claims["sub"] = "another".into());
    let browser = Browser::at(&server);
    let reply = sign_in(&browser, &provider).await;
    assert_refused("another subject", &browser, &reply, 422, "belongs to another user").await;
    provider.spoil(|it| {
        it.claims["sub"] = "third".into();
        it.claims["email"] = "x@nowhere.example".into();
    });
    let reply = sign_in(&browser, &provider).await;
    assert_refused("unknown domain", &browser, &reply, 422, "nowhere.example").await;
}

#[tokio::test]
async fn an_environment_offers_or_demands_a_provider() {
    let provider = Provider::start().await;
    let only = server_with(&provider, "").await;
    let page = Browser::at(&only).get("/portal/sign-in").await.text();
    assert!(page.contains("Continue with Sign-in a"), "{page}");
    assert!(!page.contains("type=\"password\"") && !page.contains("/portal/sign-up"), "{page}");
    let browser = Browser::at(&only);
    assert_eq!(browser.sign_in(EMAIL, "correct horse battery").await.status, 404);
    let address = "/portal/sign-in/open-id/unknown";
    assert_eq!(browser.post("/portal/sign-in", address, &[]).await.status, 404);

    let both = format!("[portal]\nsign_in = \"both\"\n{}", provider.section("a"));
    let page = Browser::at(&server(&both).await).get("/portal/sign-in").await.text();
    assert!(page.contains("Continue with Sign-in a") && page.contains("type=\"password\""));
    // A provider that is described and not used lets nobody in.
    let password = provider.section("a");
    let server = server(&password).await;
    let page = Browser::at(&server).get("/portal/sign-in").await.text();
    assert!(!page.contains("Sign-in a"), "{page}");
}

#[tokio::test]
async fn what_waits_for_the_answer_is_bound_to_the_host_and_cannot_be_read() {
    let provider = Provider::start().await;
    let tls = "[admin_listener]\ntls_certificate_file = \"a.pem\"\ntls_key_file = \"b.pem\"\n";
    let server = server_with(&provider, tls).await;
    let browser = Browser::at(&server);
    let reply = browser.post("/portal/sign-in", "/portal/sign-in/open-id/a", &[]).await;
    let lines = cookie_lines(&reply);
    let line = lines.iter().find(|line| line.starts_with("__Host-portvakt-open-id=")).unwrap();
    for flag in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=600"] {
        assert!(line.contains(flag) && !line.contains("Domain"), "{line}");
    }
    let asked = question(&browser, "a").await;
    let state = asked.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    assert!(browser.cookies().iter().all(|(_, value)| !value.contains(&state)));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
}
