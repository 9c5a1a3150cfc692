//! Signing up by mail, what nobody learns on the way, and who waits.

use std::time::Duration;

use portvakt::domain::user::Role;

use crate::harness::admin::AdminServer;
use crate::harness::browser::{Browser, PASSWORD};
use crate::harness::clock::NOW;
use crate::people::{server, user};

/// The link in the one mail of the outbox, when it is there.
async fn link(server: &AdminServer) -> String {
    let outbox = server.server.folder().join("outbox");
    for _ in 0..200 {
        let mails: Vec<_> = std::fs::read_dir(&outbox).into_iter().flatten().flatten().collect();
        for mail in mails {
            let text = std::fs::read_to_string(mail.path()).unwrap_or_default();
            // Quoted-printable: lines are folded, and `=` is written in hexadecimal.
            let text = text.replace("=\r\n", "").replace("=3D", "=");
            if let Some(after) = text.split("/portal/link?token=").nth(1) {
                return after[..43].to_owned();
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no mail has come");
}

#[tokio::test]
async fn somebody_signs_up_confirms_and_is_told_whom_to_ask() {
    let server = server("").await;
    let browser = Browser::at(&server);
    let fields = [("name", "Ola"), ("email", "ola@consumer.example")];
    let reply = browser.post("/portal/sign-up", "/portal/sign-up", &fields).await;
    assert!(reply.text().contains("ola@consumer.example"), "{}", reply.text());
    let token = link(&server).await;
    let page = format!("/portal/link?token={token}");
    // Looking does not use it up.
    for _ in 0..2 {
        assert!(browser.get(&page).await.text().contains("new-password"));
    }
    let short = [("token", token.as_str()), ("password", "short")];
    assert_eq!(browser.post(&page, "/portal/link", &short).await.status, 422);
    let good = [("token", token.as_str()), ("password", PASSWORD)];
    assert_eq!(browser.post(&page, "/portal/link", &good).await.status, 303);
    assert_eq!(browser.get(&page).await.status, 404);
    user(&server, "admin@consumer.example", &[Role::Administrator]).await;
    browser.sign_in("ola@consumer.example", PASSWORD).await;
    assert!(browser.get("/portal").await.text().contains("admin@consumer.example"));
    let told = browser.get("/portal/no-access").await.text();
    assert!(told.contains("admin@consumer.example"), "{told}");
}

/// A page without what differs from one to the next anyway.
fn comparable(text: &str, email: &str) -> String {
    let body = text.split("<main").nth(1).unwrap().split("</main>").next().unwrap();
    let mut parts = body.split("name=\"form_token\" value=\"");
    let mut kept = parts.next().unwrap().to_owned();
    for part in parts {
        kept.push_str(part.split_once('"').unwrap().1);
    }
    kept.replace(email, "ADDRESS")
}

#[tokio::test]
async fn no_answer_tells_whether_an_address_is_registered() {
    let server = server("").await;
    user(&server, "kari@consumer.example", &[]).await;
    for (path, fields) in [
        ("/portal/sign-up", &["name"][..]),
        ("/portal/forgotten", &[]),
        ("/portal/sign-in", &["password"]),
    ] {
        let mut answers = Vec::new();
        for email in ["kari@consumer.example", "nobody@consumer.example"] {
            let mut all = vec![("email", email)];
            all.extend(fields.iter().map(|field| (*field, "something wrong")));
            let reply = Browser::at(&server).post(path, path, &all).await;
            answers.push((reply.status, comparable(&reply.text(), email)));
        }
        assert_eq!(answers[0], answers[1], "{path}");
    }
}

#[tokio::test]
async fn whoever_guesses_waits_and_is_told_until_when() {
    let server = server("[portal]\nsign_in_attempts = 2\n").await;
    user(&server, "kari@consumer.example", &[]).await;
    for email in ["kari@consumer.example", "nobody@consumer.example"] {
        let browser = Browser::at(&server);
        assert_eq!(browser.sign_in(email, "wrong password").await.status, 422);
        assert_eq!(browser.sign_in(email, "wrong password").await.status, 422);
        let waiting = browser.sign_in(email, PASSWORD).await;
        assert_eq!(waiting.status, 429, "{}", waiting.text());
        assert!(browser.session().is_none());
    }
}

/// How a proxy says where a request comes from.
const PROXY: &str =
    "[admin_listener]\nbehind_proxy = true\nsource_address_header = \"X-Forwarded-For\"\n";

/// A browser somewhere in the network.
fn browser_at(server: &AdminServer, address: &'static str) -> Browser {
    let browser = Browser::at(server);
    browser.comes_from(address);
    browser
}

#[tokio::test]
async fn whoever_guesses_keeps_nobody_out_but_themselves() {
    let server = server(&format!("{PROXY}[portal]\nsign_in_attempts = 2\n")).await;
    let email = "kari@consumer.example";
    user(&server, email, &[]).await;
    let home = browser_at(&server, "198.51.100.1");
    assert_eq!(home.sign_in(email, PASSWORD).await.status, 303);
    let kept = home.cookies().into_iter().filter(|(name, _)| name == "portvakt-browser");
    let known: Vec<_> = kept.collect();
    assert_eq!(known.len(), 1);
    let guesser = browser_at(&server, "203.0.113.9");
    for status in [422, 422, 429] {
        assert_eq!(guesser.sign_in(email, "wrong password").await.status, status);
    }
    // From elsewhere as ever, and from the same network where somebody has signed in before.
    assert_eq!(browser_at(&server, "198.51.100.2").sign_in(email, PASSWORD).await.status, 303);
    let neighbour = browser_at(&server, "203.0.113.9");
    assert_eq!(neighbour.sign_in(email, PASSWORD).await.status, 429);
    neighbour.set_cookies(known.clone());
    assert_eq!(neighbour.sign_in(email, PASSWORD).await.status, 303);
    // The mark of a browser is one for its own address alone, and cannot be made up.
    user(&server, "ola@consumer.example", &[]).await;
    for forged in [known[0].1.clone(), format!("{}x", known[0].1), "a.b".to_owned()] {
        let guesser = browser_at(&server, "203.0.113.9");
        guesser.set_cookie("portvakt-browser", &forged);
        let reply = guesser.sign_in("ola@consumer.example", "wrong password").await;
        let expected = if forged == "a.b" { 429 } else { 422 };
        assert_eq!(reply.status, expected, "{forged}");
    }
}

#[tokio::test]
async fn one_address_has_only_so_many_mails_sent_and_one_person_gets_only_so_many() {
    let server = server(&format!("{PROXY}[limits]\nportal_mails_by_source = 6\n")).await;
    let ask = async |from: &'static str, path: &str, email: &str| {
        let fields = [("name", "Flood"), ("email", email)];
        browser_at(&server, from).post(path, path, &fields).await
    };
    for n in 0..6 {
        let email = format!("flood{n}@consumer.example");
        assert_eq!(ask("203.0.113.9", "/portal/sign-up", &email).await.status, 200);
    }
    for path in ["/portal/sign-up", "/portal/forgotten"] {
        let refused = ask("203.0.113.9", path, "one.more@consumer.example").await;
        assert_eq!(refused.status, 429, "{path}");
        assert_eq!(refused.header("retry-after"), Some("600"), "{path}");
        assert!(refused.text().contains("<h1"), "{}", refused.text());
    }
    // Nobody else is refused, and one person gets no more than four, whoever asks; the answer is the same.
    let mut answers = Vec::new();
    let places = ["198.51.100.1", "198.51.100.2", "198.51.100.3", "198.51.100.4", "198.51.100.5"];
    for (turn, from) in (1..).zip(places) {
        // So that the pause between two mails is not what is seen.
        server.server.clock.set(NOW + 301 * turn);
        let reply = ask(from, "/portal/forgotten", "flood0@consumer.example").await;
        assert_eq!(reply.status, 200, "{from}");
        answers.push(comparable(&reply.text(), "flood0@consumer.example"));
    }
    assert_eq!(answers[0], answers[4]);
    let sent = "select count(*) from outgoing_mail where recipient = 'flood0@consumer.example'";
    let mails = server.server.place.sql().await.number(sent).await;
    assert_eq!(mails, 4);
}
