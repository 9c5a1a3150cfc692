//! The task that sends mail: what is due, one after the other, as soon as it has been enqueued.
//!
//! A mail is sent at least once: a node that dies between the server's word that it has a mail and the note of it
//! leaves it to be sent again when its lease ends.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::app::AppError;
use crate::app::files::first_line;
use crate::clock::Clock;
use crate::config::{self, MailTls, MailTransport};
use crate::domain::mail::Mail;
use crate::registry::Outbox;
use crate::remote::mail::{
    Mailer, MailerError, Protection, Relay, SEND_TIME_MAX, SendError, Sender,
};
use crate::store::{ClaimedMail, Store, StoreError};
use crate::telemetry::MailCounts;

/// How often it is looked whether a mail is due that nobody on this node has rung for: one that another node has
/// enqueued and not sent, or one that is to be tried again.
const LOOK: Duration = Duration::from_secs(5);

/// How long a mail is one node's: as long as sending may take, and time to write down what came of it.
const LEASE_SECONDS: i64 = SEND_TIME_MAX.as_secs().cast_signed() + 30;

/// The wait before the second attempt. Each wait is twice the one before, up to the longest.
const FIRST_WAIT_SECONDS: i64 = 10;
const LONGEST_WAIT_SECONDS: i64 = 60 * 60;

/// How long it is tried. Links in mails do not live longer, and an alert of yesterday is on the portal.
const TRY_SECONDS: i64 = 24 * 60 * 60;

/// How long a mail is kept after it was enqueued, without its text.
const KEPT_SECONDS: i64 = 30 * 24 * 60 * 60;

/// Looks between two clean-ups: about an hour.
const LOOKS_PER_CLEANING: u32 = 720;

/// Sends mail.
pub(super) struct Post {
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) mailer: Mailer,
    pub(super) outbox: Outbox,
    pub(super) counts: MailCounts,
}

impl Post {
    /// The task for that configuration; nothing where no mail leaves the server.
    pub(super) fn prepare(
        mail: Option<&config::Mail>,
        store: &Store,
        clock: &Arc<dyn Clock>,
        counts: MailCounts,
    ) -> Result<Option<Self>, AppError> {
        let Some(mail) = mail else { return Ok(None) };
        let (store, clock) = (store.clone(), Arc::clone(clock));
        Ok(Some(Self { store, clock, mailer: mailer(mail)?, outbox: Outbox::default(), counts }))
    }

    /// Sends until the task is dropped.
    pub(super) async fn run(self) {
        let mut looks = 0;
        loop {
            if let Err(error) = self.send_due().await {
                tracing::warn!(%error, "mails that are due cannot be read or noted");
            }
            if looks == 0
                && let Err(error) = self.forget_old().await
            {
                tracing::warn!(%error, "old mails cannot be deleted");
            }
            looks = (looks + 1) % LOOKS_PER_CLEANING;
            // Whether it was rung or time has passed: look again.
            let _ = tokio::time::timeout(LOOK, self.outbox.rung()).await;
        }
    }

    async fn send_due(&self) -> Result<(), StoreError> {
        loop {
            let now = self.clock.now();
            let lease_end = now.plus_seconds(LEASE_SECONDS);
            let Some(claimed) = self.store.claim_mail(now, lease_end).await? else { return Ok(()) };
            self.send(&claimed).await?;
        }
    }

    async fn send(&self, claimed: &ClaimedMail) -> Result<(), StoreError> {
        let (mail, attempt) = (&claimed.mail, claimed.attempt);
        let sent = self.mailer.send(mail, claimed.created_at).await;
        let now = self.clock.now();
        // No address in the log: it is a person's.
        let id = mail.id();
        match sent {
            Ok(()) => {
                self.counts.sent();
                tracing::info!(mail = id, attempt, "mail sent");
                self.store.mail_sent(mail, now).await
            }
            Err(SendError::Later(problem)) => {
                let next = now.plus_seconds(wait_seconds(attempt));
                if next > claimed.created_at.plus_seconds(TRY_SECONDS) {
                    return self.give_up(claimed, &problem).await;
                }
                self.counts.failed();
                tracing::warn!(mail = id, attempt, %next, problem = hidden(mail, &problem), "mail not sent; it is tried again");
                self.store.mail_failed(mail, next).await
            }
            Err(SendError::Never(problem)) => self.give_up(claimed, &problem).await,
        }
    }

    async fn give_up(&self, claimed: &ClaimedMail, problem: &str) -> Result<(), StoreError> {
        let (mail, attempt) = (&claimed.mail, claimed.attempt);
        self.counts.given_up();
        tracing::warn!(mail = mail.id(), attempt, problem = hidden(mail, problem), "mail given up");
        self.store.mail_given_up(mail).await
    }

    async fn forget_old(&self) -> Result<(), StoreError> {
        let oldest = self.clock.now().minus_seconds(KEPT_SECONDS);
        while self.store.forget_mail(oldest).await? {}
        Ok(())
    }
}

/// Seconds from an attempt to the next.
fn wait_seconds(attempt: u32) -> i64 {
    let doublings = attempt.saturating_sub(1).min(16);
    (FIRST_WAIT_SECONDS << doublings).min(LONGEST_WAIT_SECONDS)
}

/// What a server said, without the address that it mostly repeats.
fn hidden(mail: &Mail, problem: &str) -> String {
    problem.replace(mail.recipient().as_str(), "(the address)")
}

/// What sends the mails of this configuration.
pub(super) fn mailer(config: &config::Mail) -> Result<Mailer, AppError> {
    let sender = Sender {
        address: config.from.clone(),
        name: config.from_name.clone(),
        reply_to: config.reply_to.clone(),
    };
    let server = match &config.transport {
        MailTransport::Folder { folder, .. } => {
            return Ok(Mailer::into_folder(folder.clone(), sender));
        }
        MailTransport::Smtp(server) => server,
    };
    let login = match &server.login {
        Some((user, file)) => {
            Some((user.clone(), first_line(file, "password").map_err(AppError::Mail)?))
        }
        None => None,
    };
    let relay = Relay {
        host: server.host.clone(),
        port: server.port,
        protection: match server.tls {
            MailTls::None => Protection::Unprotected,
            MailTls::StartTls => Protection::StartTls,
            MailTls::Tls => Protection::Tls,
        },
        login,
    };
    Mailer::through(relay, sender)
        .map_err(|problem: MailerError| AppError::Mail(problem.to_string()))
}

/// The folder that mails are written into, if they are and everybody may see them.
pub(super) fn folder(config: Option<&config::Mail>) -> Option<PathBuf> {
    match config.map(|mail| &mail.transport) {
        Some(MailTransport::Folder { folder, is_shown: true }) => Some(folder.clone()),
        Some(MailTransport::Folder { .. } | MailTransport::Smtp(_)) | None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_from_ten_seconds_to_an_hour() {
        let waits: Vec<_> = (1..=12).map(wait_seconds).collect();
        assert_eq!(waits[..4], [10, 20, 40, 80]);
        assert_eq!(waits[8..], [2_560, 3_600, 3_600, 3_600]);
        assert_eq!(wait_seconds(u32::MAX), 3_600);
    }
}
