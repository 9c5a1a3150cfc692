//! How e-mail leaves the server.

use std::path::{Path, PathBuf};

use crate::config::error::ConfigError;
use crate::config::raw::RawMail;
use crate::config::{choose, host_is_loopback, required};
use crate::domain::email_address::EmailAddress;

/// How e-mail leaves the server, and whom it is from.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Where it goes.
    pub transport: MailTransport,
    /// The address it is from.
    pub from: EmailAddress,
    /// The name that people are shown beside that address.
    pub from_name: String,
    /// Where answers go, if not to `from`.
    pub reply_to: Option<EmailAddress>,
}

/// Where e-mail goes.
#[derive(Clone, Debug)]
pub enum MailTransport {
    /// Into a folder, one file each.
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Whether the portal shows it to everybody, with the links that open users.
        is_shown: bool,
    },
    /// To a server that sends it on.
    Smtp(SmtpServer),
}

/// A server that sends mail on.
#[derive(Clone, Debug)]
pub struct SmtpServer {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: MailTls,
    /// Who we are to it, and the file with the password.
    pub login: Option<(String, PathBuf)>,
}

/// How the connection to a mail server is protected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MailTls {
    /// Not at all; only to this machine.
    None,
    /// It begins in the clear and changes to TLS, or ends there.
    StartTls,
    /// By TLS from the start.
    Tls,
}

impl MailTls {
    /// The port for it: submission, and submission over TLS (RFC 8314 section 7.3); on one machine, the oldest.
    const fn port(self) -> u16 {
        match self {
            Self::None => 25,
            Self::StartTls => 587,
            Self::Tls => 465,
        }
    }
}

#[derive(Clone, Copy)]
enum Transport {
    Folder,
    None,
    Smtp,
}

/// The longest name beside an address, in characters.
const NAME_CHARACTERS_MAX: usize = 100;

impl Mail {
    /// How e-mail leaves the server, if it does.
    pub(super) fn check(raw: RawMail, folder: &Path) -> Result<Option<Self>, ConfigError> {
        let transport = choose(
            "mail.transport",
            &required("mail.transport", raw.transport.clone())?,
            &[("none", Transport::None), ("smtp", Transport::Smtp), ("folder", Transport::Folder)],
        )?;
        let transport = match transport {
            Transport::None => return Ok(None),
            Transport::Folder => MailTransport::Folder {
                folder: folder.join(required("mail.folder", raw.folder.clone())?),
                is_shown: required("mail.folder_shown", raw.folder_shown)?,
            },
            Transport::Smtp => MailTransport::Smtp(check_server(&raw, folder)?),
        };
        let address = |key: &str, text: String| {
            text.parse().map_err(|error| ConfigError::key(key, format!("{text:?}: {error}")))
        };
        let from_name = required("mail.from_name", raw.from_name)?;
        let length = from_name.chars().count();
        if !(1..=NAME_CHARACTERS_MAX).contains(&length) || from_name.contains(char::is_control) {
            let problem = format!("must be a line of 1 to {NAME_CHARACTERS_MAX} characters");
            return Err(ConfigError::key("mail.from_name", problem));
        }
        Ok(Some(Self {
            transport,
            from: address("mail.from", required("mail.from", raw.from)?)?,
            from_name,
            reply_to: raw.reply_to.map(|text| address("mail.reply_to", text)).transpose()?,
        }))
    }
}

fn check_server(raw: &RawMail, folder: &Path) -> Result<SmtpServer, ConfigError> {
    let host = required("mail.host", raw.host.clone())?;
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-.:".contains(&b);
    if host.is_empty() || host.len() > 253 || !host.bytes().all(fits) {
        let problem =
            format!("{host:?} is no name of a host and no address; the port has its own key");
        return Err(ConfigError::key("mail.host", problem));
    }
    let tls = choose(
        "mail.tls",
        &required("mail.tls", raw.tls.clone())?,
        &[("starttls", MailTls::StartTls), ("tls", MailTls::Tls), ("none", MailTls::None)],
    )?;
    let is_loopback = match host.parse::<std::net::IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host_is_loopback(&host),
    };
    if tls == MailTls::None && !is_loopback {
        let problem = "\"none\" is for a server on this machine; mails and the password would travel in the clear";
        return Err(ConfigError::key("mail.tls", problem));
    }
    let port = raw.port.unwrap_or_else(|| tls.port().into());
    let port = u16::try_from(port).ok().filter(|port| *port > 0);
    let port = port.ok_or_else(|| ConfigError::key("mail.port", "is not in 1 to 65535"))?;
    let login = match (raw.user.clone(), raw.password_file.clone()) {
        (None, None) => None,
        (Some(user), Some(file)) => Some((user, folder.join(file))),
        (None, Some(_)) => return Err(ConfigError::Missing { key: "mail.user".to_owned() }),
        (Some(_), None) => {
            return Err(ConfigError::Missing { key: "mail.password_file".to_owned() });
        }
    };
    Ok(SmtpServer { host, port, tls, login })
}
