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

/// Bytes that are shown of a mail: our own have a few thousand.
const MAIL_BYTES_SHOWN: usize = 64 * 1024;

/// A mail in the list.
struct MailFile {
    name: String,
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
    name: String,
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
        let name = asked.filter(|name| mails.iter().any(|mail| mail.name == *name));
        let open = name.and_then(|name| read_mail(&folder, name));
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
    Some(MailFile { name: path.file_name()?.to_str()?.to_owned(), at })
}

fn read_mail(folder: &Path, name: String) -> Option<Mail> {
    let bytes = std::fs::read(folder.join(&name)).ok()?;
    let text = readable(&bytes[..bytes.len().min(MAIL_BYTES_SHOWN)]);
    let is_link = |word: &&str| {
        ["http://", "https://"].iter().any(|begin| word.starts_with(begin))
            && word.contains("/portal/")
    };
    let links = text.split_whitespace().filter(is_link).map(str::to_owned).collect();
    let shown: Vec<String> = text.lines().map(visible).collect();
    Some(Mail { name, text: shown.join("\n"), links })
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
    fn a_link_in_quoted_printable_can_be_followed() {
        let mail = b"Subject: a=3D\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nhttp://a/portal/link=\r\n?token=3Dx =C3=A5 =";
        let text = readable(mail);
        assert!(text.starts_with("Subject: a=3D\n"));
        assert!(text.ends_with("\n\nhttp://a/portal/link?token=x \u{e5} ="), "{text}");
        assert_eq!(readable(b"Subject: a\n\n=3D"), "Subject: a\n\n=3D");
    }
}
