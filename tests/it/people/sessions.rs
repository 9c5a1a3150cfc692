//! Attacks I07, I08, I11 and I17: on sessions, cookies and roles.

use portvakt::domain::organization::{Organization, OrganizationStatus};
use portvakt::domain::user::Role;

use crate::harness::browser::{Browser, PASSWORD, cookie_lines, hidden};
use crate::harness::clock::NOW;
use crate::harness::server::actor;
use crate::harness::{CONSUMER, PROVIDER};
use crate::people::{server, user};

const EMAIL: &str = "kari@consumer.example";

#[tokio::test]
async fn i07_signing_in_gives_a_new_session_that_scripts_and_other_sites_do_not_get() {
    let server = server("").await;
    user(&server, EMAIL, &[Role::Consumer]).await;
    let browser = Browser::at(&server);
    // A session that somebody else has put there.
    let planted = "A".repeat(43);
    browser.set_cookie("portvakt-session", &planted);
    let reply = browser.sign_in(EMAIL, PASSWORD).await;
    assert_eq!(reply.status, 303, "{}", reply.text());
    let first = browser.session().unwrap();
    assert_ne!(first, planted);
    let lines = cookie_lines(&reply);
    let line = lines.iter().find(|line| line.starts_with("portvakt-session=")).unwrap();
    for flag in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(line.contains(flag), "{line}");
    }
    browser.post("/portal/profile", "/portal/sign-out", &[]).await;
    browser.set_cookie("portvakt-session", &first);
    assert!(!browser.is_in().await, "a session counts after it was ended");
    browser.set_cookies(Vec::new());
    browser.sign_in(EMAIL, PASSWORD).await;
    assert_ne!(browser.session().unwrap(), first);
}

#[tokio::test]
async fn i07_over_https_the_cookie_is_bound_to_the_host() {
    let tls = "[admin_listener]\ntls_certificate_file = \"a.pem\"\ntls_key_file = \"b.pem\"\n";
    let server = server(tls).await;
    user(&server, EMAIL, &[Role::Consumer]).await;
    let browser = Browser::at(&server);
    let reply = browser.sign_in(EMAIL, PASSWORD).await;
    let lines = cookie_lines(&reply);
    let line = lines.iter().find(|line| line.starts_with("__Host-portvakt-session=")).unwrap();
    for flag in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(line.contains(flag) && !line.contains("Domain"), "{line}");
    }
    // I19: and browsers come back over https only. What comes over http has no say in that.
    assert_eq!(reply.header("strict-transport-security"), Some("max-age=31536000"));
    let plain = Browser::at(&self::server("").await).get("/portal/sign-in").await;
    assert_eq!(plain.header("strict-transport-security"), None);
}

#[tokio::test]
async fn i08_a_session_ends_with_its_time_its_user_its_organization_and_their_roles() {
    let server = server("").await;
    let kari = user(&server, EMAIL, &[Role::Consumer]).await;
    let registry = &server.server.app.registry;
    let browser = Browser::at(&server);
    browser.sign_in(EMAIL, PASSWORD).await;
    assert!(browser.is_in().await);
    let form = browser.get("/portal/profile").await;
    server.server.clock.set(NOW + 30 * 60);
    assert!(!browser.is_in().await, "after half an hour alone");
    let token = hidden(&form, "form_token").unwrap();
    let late = browser.send_form("/portal/profile", &token, &[("name", "Kari")]).await;
    assert_eq!(late.status, 403);
    assert!(late.text().contains("You have been signed out"), "{}", late.text());
    browser.set_cookies(Vec::new());
    browser.sign_in(EMAIL, PASSWORD).await;
    for quarter in 3..34 {
        server.server.clock.set(NOW + quarter * 15 * 60);
        assert!(browser.is_in().await, "{quarter}");
    }
    server.server.clock.set(NOW + 30 * 60 + 8 * 60 * 60);
    assert!(!browser.is_in().await, "after eight hours");
    browser.set_cookies(Vec::new());
    browser.sign_in(EMAIL, PASSWORD).await;
    let users = "/portal/organization/users";
    assert_eq!(browser.get(users).await.status, 403);
    let roles = [Role::Administrator];
    registry.set_roles(&actor(), &kari.id, &roles, None).await.unwrap();
    assert_eq!(browser.get(users).await.status, 200);
    registry.set_roles(&actor(), &kari.id, &[], None).await.unwrap();
    assert_eq!(browser.get(users).await.status, 403);
    let number = CONSUMER.parse().unwrap();
    let off = |it: &mut Organization| it.status = OrganizationStatus::Deactivated;
    registry.change_organization(&actor(), number, None, off).await.unwrap();
    assert!(!browser.is_in().await, "the organization is off");
    let on = |it: &mut Organization| it.status = OrganizationStatus::Active;
    registry.change_organization(&actor(), number, None, on).await.unwrap();
    assert!(browser.is_in().await);
    registry.set_user_status(&actor(), &kari.id, false, None).await.unwrap();
    assert!(!browser.is_in().await, "the user is off");
}

#[tokio::test]
async fn i11_an_administrator_reaches_no_users_of_others() {
    let server = server("").await;
    user(&server, EMAIL, &[Role::Administrator]).await;
    let theirs = user(&server, "ola@provider.example", &[]).await;
    let ours = user(&server, "ola@consumer.example", &[]).await;
    let browser = Browser::at(&server);
    browser.sign_in(EMAIL, PASSWORD).await;
    let list = format!("/portal/organization/users?organization={PROVIDER}");
    assert_eq!(browser.get(&list).await.status, 404);
    let page = |id: &str| format!("/portal/organization/users/{id}");
    assert_eq!(browser.get(&page(theirs.id.as_str())).await.status, 404);
    let own = page(ours.id.as_str());
    for act in ["roles", "deactivate", "restore"] {
        let address = format!("{}/{act}", page(theirs.id.as_str()));
        let reply = browser.post(&own, &address, &[("role", "reader")]).await;
        assert_eq!(reply.status, 404, "{act}");
    }
    // What is not on the form changes nothing, and does not look as if it did.
    let address = format!("{own}/roles");
    let registry = &server.server.app.registry;
    for role in ["operator", "administrator", "king", ""] {
        let reply = browser.post(&own, &address, &[("role", role), ("role", "reader")]).await;
        assert_eq!(reply.status, 422, "{role}: {}", reply.text());
        let after = registry.user(&actor(), &ours.id).await.unwrap().value;
        assert!(after.roles.is_empty(), "{role}");
        let invite = "/portal/organization/users/new";
        let fields = [("name", "N"), ("email", "n@consumer.example"), ("role", role)];
        assert_eq!(browser.post(invite, invite, &fields).await.status, 422, "{role}");
    }
    assert_eq!(browser.post(&own, &address, &[("role", "reader")]).await.status, 303);
    let after = registry.user(&actor(), &ours.id).await.unwrap().value;
    assert_eq!(after.roles, [Role::Reader]);
}

#[tokio::test]
async fn i17_pages_with_secrets_are_not_kept_and_send_no_referrer() {
    let server = server("").await;
    user(&server, EMAIL, &[Role::Consumer]).await;
    let browser = Browser::at(&server);
    browser.sign_in(EMAIL, PASSWORD).await;
    let (page, enrol) = ("/portal/profile", "/portal/profile/second-factor");
    assert_eq!(browser.post(page, enrol, &[]).await.status, 422, "without the password");
    let enrolled = browser.post(page, enrol, &[("current", PASSWORD)]).await;
    assert!(enrolled.text().contains("otpauth://"), "{}", enrolled.text());
    let looked_up = browser.get(&format!("/portal/lookup/organization/{CONSUMER}")).await;
    assert_eq!(looked_up.status, 200);
    for reply in [enrolled, looked_up, browser.get("/portal/profile").await] {
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
    }
    for path in ["/portal/sign-in", "/portal/link?token=x"] {
        let reply = Browser::at(&server).get(path).await;
        assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
    }
}

#[tokio::test]
async fn every_page_leads_to_what_people_must_be_told_and_only_to_what_is_there() {
    let links = "[environment]\naccessibility_statement_url = \"https://org.example/a\"\n\
                 privacy_statement_url = \"https://org.example/p\"\nsupport_email = \"help@org.example\"\n";
    let told = ["https://org.example/a\"", "https://org.example/p\"", "mailto:help@org.example\""];
    for (configuration, is_told) in [(links, true), ("", false)] {
        let server = server(configuration).await;
        let page = Browser::at(&server).get("/portal/sign-in").await.text();
        for link in told {
            assert_eq!(page.contains(&format!("href=\"{link}")), is_told, "{link}: {page}");
        }
    }
}
