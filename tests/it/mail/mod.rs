//! E-mail: it arrives whole and once, waits for a server that is away, gives up what will never be taken, and nothing
//! in it can make another mail of it. Alerts become mails: each once, to those who want to know, in their language.

mod alerting;
mod sending;

use std::time::Duration;

use portvakt::clock::{SystemRandom, Timestamp};
use portvakt::domain::mail::Mail;
use portvakt::store::Store;

use crate::harness::clock::{NOW, tick};

/// Puts a mail on its way.
async fn enqueue(store: &Store, to: &str, subject: &str, body: &str) -> Mail {
    let mail = Mail::new(&SystemRandom, to.parse().unwrap(), subject, body).unwrap();
    let mut transaction = store.begin().await.unwrap();
    transaction.enqueue_mail(&mail, Timestamp::from_seconds(NOW)).await.unwrap();
    transaction.commit().await.unwrap();
    mail
}

/// Waits until something is so.
async fn until(what: &str, is_so: impl Fn() -> bool) {
    let began = tick();
    while !is_so() {
        assert!(began.elapsed().as_secs() < 40, "{what} has not happened");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
