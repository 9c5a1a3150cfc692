//! From the database to a mail server.

use std::collections::BTreeSet;

use portvakt::clock::SystemRandom;
use portvakt::domain::email_address::EmailAddress;
use portvakt::domain::mail::Mail;

use crate::harness::chain::Trust;
use crate::harness::clock::NOW;
use crate::harness::logs;
use crate::harness::server::{TestServer, pki};
use crate::harness::smtp::MailServer;
use crate::mail::{enqueue, until};

async fn server(mail: &MailServer) -> TestServer {
    TestServer::with(&[Trust::of(pki())], &mail.configuration()).await
}

#[tokio::test]
async fn a_mail_arrives_whole_from_the_one_who_sends_to_the_one_who_gets_it() {
    let mail_server = MailServer::start().await;
    let server = server(&mail_server).await;
    assert!(server.app.registry.sends_mail());
    assert_eq!(server.app.outbox, None);
    let body = "Nøkkelen går ut.\n.\n..\nMvh\n";
    let mail = enqueue(&server.store, "Kari@example.no", "Nøkkel går snart ut", body).await;
    until("a mail", || !mail_server.mails().is_empty()).await;
    let arrived = mail_server.mails().remove(0);
    assert_eq!(arrived.recipients, ["kari@example.no"]);
    assert!(mail_server.commands("MAIL")[0].starts_with("MAIL FROM:<portvakt@as.test>"));
    let (head, text) = arrived.text.split_once("\r\n\r\n").unwrap();
    for line in [
        "To: kari@example.no",
        "Reply-To: help@as.test",
        "Auto-Submitted: auto-generated",
        "Content-Type: text/plain; charset=utf-8",
        "Date: Mon, 01 Jun 2026 12:00:00 +0000",
        &format!("Message-ID: <{}@as.test>", mail.id()),
    ] {
        assert!(head.lines().any(|it| it == line), "{line}\n{head}");
    }
    assert!(head.is_ascii() && text.is_ascii(), "{head}\n{text}");
    // Quoted-printable.
    assert_eq!(text.trim_end(), "N=C3=B8kkelen g=C3=A5r ut.\r\n.\r\n..\r\nMvh", "{head}");
    let metrics = || server.app.metrics.to_text();
    until("a count", || metrics().contains(r#"portvakt_mails_total{result="sent"} 1"#)).await;
}

#[tokio::test]
async fn a_mail_waits_for_a_server_that_is_away() {
    let first = MailServer::start().await;
    let (server, address) = (server(&first).await, first.address);
    drop(first);
    tokio::task::yield_now().await;
    enqueue(&server.store, "a@example.no", "Subject", "Body").await;
    let failed =
        || server.app.metrics.to_text().contains(r#"portvakt_mails_total{result="failed"} 1"#);
    until("a failure", failed).await;
    let second = MailServer::at(address).await;
    server.clock.set(NOW + 9);
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    assert!(second.mails().is_empty(), "it was to be tried after ten seconds");
    server.clock.set(NOW + 10);
    until("a mail", || second.mails().len() == 1).await;
    server.clock.set(NOW + 100_000);
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    assert_eq!(second.mails().len(), 1);
}

#[tokio::test]
async fn what_will_never_be_taken_is_given_up_and_what_may_be_is_tried_for_a_day() {
    let mail_server = MailServer::start().await;
    let server = server(&mail_server).await;
    let refused = enqueue(&server.store, "refused@example.no", "Subject", "Body").await;
    let later = enqueue(&server.store, "later@example.no", "Subject", "Body").await;
    let counts = |result: &str, count: u32| {
        let line = format!("portvakt_mails_total{{result=\"{result}\"}} {count}");
        server.app.metrics.to_text().contains(&line)
    };
    until("one given up", || counts("given_up", 1)).await;
    until("one failed", || counts("failed", 1)).await;
    server.clock.set(NOW + 24 * 60 * 60);
    until("both given up", || counts("given_up", 2)).await;
    assert!(mail_server.mails().is_empty());
    assert_eq!(mail_server.commands("RCPT").len(), 3);
    for mail in [refused, later] {
        let told = logs::lines_with(mail.id());
        assert!(told.iter().any(|line| line.contains("given up")), "{told:?}");
        assert!(!told.iter().any(|line| line.contains(mail.recipient().as_str())), "{told:?}");
    }
}

#[tokio::test]
async fn nothing_that_people_write_makes_another_header_or_another_mail() {
    let mail_server = MailServer::start().await;
    let server = server(&mail_server).await;
    for address in [
        "a@example.no\r\nBcc: b@example.no",
        "a@example.no>\r\nRCPT TO:<b@example.no",
        "a@example.no, b@example.no",
        "\"a\\\r\n\"@example.no",
    ] {
        assert!(address.parse::<EmailAddress>().is_err(), "{address:?}");
    }
    let to: EmailAddress = "a@example.no".parse().unwrap();
    for subject in ["S\r\nBcc: b@example.no", "S\nBcc: b@example.no", "S\rBcc: b@example.no"] {
        assert!(Mail::new(&SystemRandom, to.clone(), subject, "").is_err(), "{subject:?}");
    }
    let subjects =
        ["=?utf-8?q?S=0D=0ABcc:_b@example.no?=", "Bcc: b@example.no", "\"S\" <b@example.no>"];
    let bodies = [
        "x\r\n.\r\nMAIL FROM:<b@example.no>\r\nRCPT TO:<b@example.no>\r\nDATA\r\n",
        "x\n.\nMAIL FROM:<b@example.no>\nRCPT TO:<b@example.no>\nDATA\n",
        "x\r.\rRCPT TO:<b@example.no>\r",
        "x\n.\r\nRCPT TO:<b@example.no>\r\n",
    ];
    for subject in subjects {
        for body in bodies {
            enqueue(&server.store, "a@example.no", subject, body).await;
        }
    }
    let count = subjects.len() * bodies.len();
    until("all mails", || mail_server.mails().len() == count).await;
    assert_eq!(mail_server.commands("RCPT"), vec!["RCPT TO:<a@example.no>"; count]);
    assert_eq!(mail_server.commands("MAIL").len(), count);
    for mail in mail_server.mails() {
        let head = mail.text.split("\r\n\r\n").next().unwrap();
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        assert_eq!(mail.recipients, ["a@example.no"]);
    }
}

#[tokio::test]
async fn two_nodes_on_one_database_send_each_mail_once() {
    let mail_server = MailServer::start().await;
    let first = server(&mail_server).await;
    let second = first.beside_with(&mail_server.configuration()).await;
    let mut sent = BTreeSet::new();
    for _ in 0..30 {
        sent.insert(enqueue(&first.store, "a@example.no", "Subject", "Body").await.id().to_owned());
    }
    until("all mails", || mail_server.mails().len() >= 30).await;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let mails = mail_server.mails();
    assert_eq!(mails.len(), 30);
    for id in sent {
        assert!(mails.iter().any(|mail| mail.text.contains(&format!("<{id}@as.test>"))), "{id}");
    }
    drop(second);
}
