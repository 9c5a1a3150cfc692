//! Signing up by mail, what nobody learns on the way, and who waits.

use std::time::Duration;

use portvakt::domain::user::Role;

use crate::harness::admin::AdminServer;
use crate::harness::browser::{Browser, PASSWORD};
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
