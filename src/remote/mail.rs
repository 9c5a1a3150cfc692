//! E-mail: to a server that sends it on, or into a folder.
//!
//! A mail is plain text in UTF-8. Its Message-ID is made of its id, so that one that had to be sent twice, because
//! it was not known whether it had arrived, can be seen to be one. `Auto-Submitted` (RFC 3834) keeps machines from
//! answering.

use std::error::Error as _;
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use thiserror::Error;

use crate::clock::Timestamp;
use crate::domain::email_address::EmailAddress;
use crate::domain::mail::Mail;

/// How long one mail may take, from the first packet to the server's word that it has it. Servers that look for
/// unwanted mail take ten seconds or more.
pub const SEND_TIME_MAX: Duration = Duration::from_mins(1);

/// How long a connection may take.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);

/// The replies by which a server says that this mail to this address will never be taken (RFC 5321 section 4.2.3,
/// RFC 7504). Others beginning with 5 are about us: a wrong password, a missing right. Those can be mended.
const NEVER: [u16; 6] = [550, 551, 552, 553, 554, 556];

/// Whom mails are from.
#[derive(Clone, Debug)]
pub struct Sender {
    /// The address.
    pub address: EmailAddress,
    /// The name beside it.
    pub name: String,
    /// Where answers go, if not there.
    pub reply_to: Option<EmailAddress>,
}

/// A server that sends mail on.
pub struct Relay {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub protection: Protection,
    /// User and password.
    pub login: Option<(String, String)>,
}

/// How the connection to a mail server is protected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Protection {
    /// It begins in the clear and changes to TLS, or ends there.
    StartTls,
    /// By TLS from the start.
    Tls,
    /// Not at all.
    Unprotected,
}

/// Sends mails.
pub struct Mailer {
    sender: Sender,
    way: Way,
}

enum Way {
    Folder(PathBuf),
    Relay(AsyncSmtpTransport<Tokio1Executor>),
}

/// Why a mail was not sent.
#[derive(Debug, Error)]
pub enum SendError {
    /// It may be later.
    #[error("{0}")]
    Later(String),
    /// It never will be.
    #[error("{0}")]
    Never(String),
}

/// Why mail cannot be sent at all.
#[derive(Debug, Error)]
pub enum MailerError {
    /// TLS cannot be set up, mostly because the system has no certificate authorities.
    #[error("TLS to the mail server cannot be set up: {0}")]
    Tls(String),
}

impl Mailer {
    /// Sends through a server.
    pub fn through(relay: Relay, sender: Sender) -> Result<Self, MailerError> {
        let tls = || {
            let parameters = TlsParameters::new(relay.host.clone());
            parameters.map_err(|error| MailerError::Tls(with_causes(&error)))
        };
        let tls = match relay.protection {
            Protection::StartTls => Tls::Required(tls()?),
            Protection::Tls => Tls::Wrapper(tls()?),
            Protection::Unprotected => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&relay.host)
            .port(relay.port)
            .tls(tls)
            .timeout(Some(CONNECT_TIME_MAX));
        if let Some((user, password)) = relay.login {
            builder = builder.credentials(Credentials::new(user, password));
        }
        Ok(Self { sender, way: Way::Relay(builder.build()) })
    }

    /// Writes into a folder, which is made if it is not there.
    pub fn into_folder(folder: PathBuf, sender: Sender) -> Self {
        Self { sender, way: Way::Folder(folder) }
    }

    /// Sends a mail that was written at `written_at`.
    pub async fn send(&self, mail: &Mail, written_at: Timestamp) -> Result<(), SendError> {
        let message = self.compose(mail, written_at)?;
        match &self.way {
            Way::Folder(folder) => {
                let name = format!("{}-{}.eml", written_at.seconds(), mail.id());
                let (folder, text) = (folder.clone(), message.formatted());
                let written = tokio::task::spawn_blocking(move || write(&folder, &name, &text));
                let written =
                    written.await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
                written.map_err(|error| SendError::Later(format!("the folder: {error}")))
            }
            Way::Relay(relay) => {
                let (envelope, text) = (message.envelope(), message.formatted());
                let sent =
                    tokio::time::timeout(SEND_TIME_MAX, relay.send_raw(envelope, &text)).await;
                let Ok(sent) = sent else {
                    let seconds = SEND_TIME_MAX.as_secs();
                    return Err(SendError::Later(format!("no answer within {seconds} seconds")));
                };
                sent.map(|_| ()).map_err(|error| judge(&error))
            }
        }
    }

    fn compose(&self, mail: &Mail, written_at: Timestamp) -> Result<Message, SendError> {
        let never =
            |problem: String| SendError::Never(format!("no mail can be made of it: {problem}"));
        let mailbox = |address: &EmailAddress, name: Option<String>| {
            let parsed = Address::new(address.local_part(), address.domain().as_str());
            parsed
                .map(|address| Mailbox::new(name, address))
                .map_err(|error| never(error.to_string()))
        };
        let seconds = u64::try_from(written_at.seconds()).unwrap_or_default();
        let mut message = Message::builder()
            .from(mailbox(&self.sender.address, Some(self.sender.name.clone()))?)
            .to(mailbox(mail.recipient(), None)?)
            .subject(mail.subject())
            .date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
            .message_id(Some(format!("<{}@{}>", mail.id(), self.sender.address.domain().as_str())))
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .header(ContentType::TEXT_PLAIN);
        if let Some(address) = &self.sender.reply_to {
            message = message.reply_to(mailbox(address, None)?);
        }
        message.body(mail.body().to_owned()).map_err(|error| never(error.to_string()))
    }
}

/// Whether a mail that a server did not take may be taken later.
fn judge(error: &lettre::transport::smtp::Error) -> SendError {
    let text = with_causes(error);
    match error.status() {
        Some(code) if NEVER.contains(&u16::from(code)) => SendError::Never(text),
        _ => SendError::Later(text),
    }
}

/// The error with its causes: the first sentence alone never says what happened.
fn with_causes(error: &lettre::transport::smtp::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        // Some errors repeat their cause in their own words.
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}

/// Writes a file for its owner alone; whoever lists the folder sees all of it or none.
fn write(folder: &Path, name: &str, text: &[u8]) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let new = folder.join(format!("{name}.new"));
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(text)?;
    std::fs::rename(&new, folder.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemRandom;

    fn sender() -> Sender {
        Sender {
            address: "portvakt@example.org".parse().unwrap(),
            name: "Portvakt på prøve".to_owned(),
            reply_to: Some("help@example.org".parse().unwrap()),
        }
    }

    #[tokio::test]
    async fn a_mail_in_a_folder_is_a_whole_message_that_only_its_owner_reads() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let mailer = Mailer::into_folder(folder.path().join("outbox"), sender());
        let to = "kari@example.no".parse().unwrap();
        let mail = Mail::new(&SystemRandom, to, "Nøkkel går ut", "Hei\n.\nå\n").unwrap();
        let at = Timestamp::from_seconds(1_763_834_400);
        for _ in 0..2 {
            mailer.send(&mail, at).await.unwrap();
        }
        let files: Vec<_> = std::fs::read_dir(folder.path().join("outbox")).unwrap().collect();
        assert_eq!(files.len(), 1, "{files:?}");
        let path = files[0].as_ref().unwrap().path();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(&path).unwrap();
        for line in [
            "To: kari@example.no",
            "Reply-To: help@example.org",
            "Date: Sat, 22 Nov 2025 18:00:00 +0000",
            "Auto-Submitted: auto-generated",
            "Content-Type: text/plain; charset=utf-8",
            &format!("Message-ID: <{}@example.org>", mail.id()),
        ] {
            assert!(text.lines().any(|it| it == line), "{line}\n{text}");
        }
        assert!(text.is_ascii(), "{text}");
        assert!(text.contains("<portvakt@example.org>"), "{text}");
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_may_be_there_later() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let relay = Relay {
            host: free.ip().to_string(),
            port: free.port(),
            protection: Protection::Unprotected,
            login: None,
        };
        let mailer = Mailer::through(relay, sender()).unwrap();
        let mail = Mail::new(&SystemRandom, "a@example.no".parse().unwrap(), "S", "B").unwrap();
        let failed = mailer.send(&mail, Timestamp::from_seconds(0)).await;
        assert!(matches!(failed, Err(SendError::Later(_))), "{failed:?}");
    }
}
