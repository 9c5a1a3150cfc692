//! The mails of a test server, which are written into a folder instead of being sent: whoever tries the portal there
//! finds their links here. Where mail is sent, there is no such page.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::app::App;
use crate::clock::Timestamp;
use crate::http::portal::page::{Page, show};
use crate::http::portal::query::Query;
use crate::http::portal::refused::Refused;
use crate::http::portal::visible::visible;

/// The newest mails that are listed.
const MAILS_SHOWN: usize = 50;

/// Files of the folder that are looked at; a test server writes far fewer.
const FILES_READ_MAX: usize = 5_000;

/// Bytes of a mail in which its head ends.
const HEAD_BYTES_READ: usize = 4 * 1024;

/// Bytes that are shown of a mail: our own have a few thousand.
const MAIL_BYTES_SHOWN: usize = 64 * 1024;

/// A mail in the list.
struct MailFile {
    name: String,
    subject: String,
    to: String,
    at: Timestamp,
}

#[derive(Template)]
#[template(path = "outbox.html", config = ".askama.toml")]
struct Outbox {
    page: Page,
    mails: Vec<MailFile>,
    /// The mail that is shown.
    open: Option<Mail>,
}

/// A mail as it can be read.
struct Mail {
    subject: String,
    text: String,
    /// The addresses of the portal in it.
    links: Vec<String>,
}

/// The page.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/portal/outbox", get(outbox))
}

/// `GET /portal/outbox?mail=`: whoever is on a test server may read what it would have sent, also before they sign in,
/// because the link with which they do stands there.
async fn outbox(
    page: Page,
    State(app): State<Arc<App>>,
    query: Query,
) -> Result<Response, Refused> {
    let folder = app.outbox.clone().ok_or(Refused::NotFound)?;
    let asked = query.0.filled("mail").map(str::to_owned);
    let read = tokio::task::spawn_blocking(move || {
        let mails = list(&folder);
        let asked = mails.iter().find(|mail| Some(&mail.name) == asked.as_ref());
        let open = asked.and_then(|mail| read_mail(&folder, mail));
        (mails, open)
    });
    let (mails, open) = read.await.map_err(|_| Refused::NotFound)?;
    Ok(show(&Outbox { page, mails, open }))
}

/// The newest mails of the folder, newest first.
fn list(folder: &Path) -> Vec<MailFile> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<(SystemTime, PathBuf)> = entries
        .take(FILES_READ_MAX)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "eml"))
        .filter_map(|path| Some((std::fs::metadata(&path).ok()?.modified().ok()?, path)))
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found.truncate(MAILS_SHOWN);
    found.into_iter().filter_map(|(at, path)| mail_file(at, &path)).collect()
}

fn mail_file(at: SystemTime, path: &Path) -> Option<MailFile> {
    let seconds = at.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
    let at = Timestamp::from_seconds(i64::try_from(seconds).ok()?);
    let name = path.file_name()?.to_str()?.to_owned();
    let mail = std::fs::read(path).unwrap_or_default();
    let head = String::from_utf8_lossy(&mail[..mail.len().min(HEAD_BYTES_READ)]);
    let field = |begin| visible(&header(&head, begin).unwrap_or_default());
    let (subject, to) = (field("subject:"), field("to:"));
    // A mail without a subject is known by its file.
    let subject = if subject.is_empty() { name.clone() } else { subject };
    Some(MailFile { name, subject, to, at })
}

/// The text of a field of the head, in which others than ASCII letters stand as base64 (RFC 2047 section 2).
fn header(head: &str, begin: &str) -> Option<String> {
    let mut lines = head.lines().take_while(|line| !line.is_empty());
    let first = lines.find(|line| line.to_ascii_lowercase().starts_with(begin))?;
    let mut text = first[begin.len()..].trim().to_owned();
    for line in lines.take_while(|line| line.starts_with([' ', '\t'])) {
        text = format!("{text} {}", line.trim());
    }
    let words = text.split_whitespace().map(|word| decoded(word).ok_or(word));
    let mut read = String::new();
    let mut was_encoded = true;
    for word in words {
        // Between encoded words white space does not count.
        if !(read.is_empty() || was_encoded && word.is_ok()) {
            read.push(' ');
        }
        was_encoded = word.is_ok();
        match word {
            Ok(text) => read.push_str(&text),
            Err(plain) => read.push_str(plain),
        }
    }
    Some(read)
}

fn decoded(word: &str) -> Option<String> {
    let inner = word.strip_prefix("=?")?.strip_suffix("?=")?;
    let text = inner.to_ascii_lowercase().starts_with("utf-8?b?").then(|| &inner[8..])?;
    String::from_utf8(STANDARD.decode(text).ok()?).ok()
}

fn read_mail(folder: &Path, mail: &MailFile) -> Option<Mail> {
    let bytes = std::fs::read(folder.join(&mail.name)).ok()?;
    let text = readable(&bytes[..bytes.len().min(MAIL_BYTES_SHOWN)]);
    let is_link = |word: &&str| {
        ["http://", "https://"].iter().any(|begin| word.starts_with(begin))
            && word.contains("/portal/")
    };
    let links = text.split_whitespace().filter(is_link).map(str::to_owned).collect();
    let shown: Vec<String> = text.lines().map(visible).collect();
    Some(Mail { subject: mail.subject.clone(), text: shown.join("\n"), links })
}

/// A mail with what stands for other bytes in quoted-printable put back (RFC 2045 section 6.7), because a link could
/// not be followed otherwise.
fn readable(mail: &[u8]) -> String {
    let text = String::from_utf8_lossy(mail).replace("\r\n", "\n");
    let Some((head, body)) = text.split_once("\n\n") else { return text };
    if !head.to_ascii_lowercase().contains("quoted-printable") {
        return text;
    }
    let mut bytes = Vec::with_capacity(body.len());
    let body = body.replace("=\n", "");
    let mut rest = body.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| first == b'=');
        let value = escaped
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(value.unwrap_or(first));
        rest = if value.is_some() { &after[2..] } else { after };
    }
    format!("{head}\n\n{}", String::from_utf8_lossy(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_says_to_whom_and_about_what() {
        let head = "To: Kari <k@a.example>\r\nSubject: =?utf-8?b?w4UgYmU=?=\r\n =?utf-8?b?IG9t?= noe\r\n\r\nTo: x";
        assert_eq!(header(head, "to:").as_deref(), Some("Kari <k@a.example>"));
        assert_eq!(header(head, "subject:").as_deref(), Some("\u{c5} be om noe"));
        assert_eq!(header(head, "from:"), None);
    }

    #[test]
    fn a_link_in_quoted_printable_can_be_followed() {
        let mail = b"Subject: a=3D\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nhttp://a/portal/link=\r\n?token=3Dx =C3=A5 =";
        let text = readable(mail);
        assert!(text.starts_with("Subject: a=3D\n"));
        assert!(text.ends_with("\n\nhttp://a/portal/link?token=x \u{e5} ="), "{text}");
        assert_eq!(readable(b"Subject: a\n\n=3D"), "Subject: a\n\n=3D");
    }
}
