//! Cookies of the portal: what they are called, and what keeps others from them.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};

use crate::app::open_id::QUESTION_SECONDS;

/// A cookie of the portal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Cookie {
    /// That somebody has signed in here before, and with which address, sealed. It opens nothing.
    Browser,
    /// In which language to speak.
    Language,
    /// What waits for the answer of an OpenID provider, sealed.
    OpenId,
    /// What to say on the next page: the name of a [`super::notice::Notice`].
    Notice,
    /// Light, dark, or as the device is.
    Scheme,
    /// Who is signed in.
    Session,
    /// A browser that nobody is signed in with yet, so that its forms can be told from others'.
    Visitor,
}

/// How long choices are kept, and browsers known, in seconds: a year.
const CHOICE_SECONDS: u32 = 365 * 24 * 60 * 60;

impl Cookie {
    const fn word(self) -> &'static str {
        match self {
            Self::Browser => "portvakt-browser",
            Self::Language => "portvakt-language",
            Self::Notice => "portvakt-notice",
            Self::OpenId => "portvakt-open-id",
            Self::Scheme => "portvakt-scheme",
            Self::Session => "portvakt-session",
            Self::Visitor => "portvakt-visitor",
        }
    }

    /// The name. With `secure`, the browser holds that it came over TLS, from this host and for all of it
    /// (RFC 6265bis section 4.1.3.2).
    fn name(self, secure: bool) -> String {
        let prefix = if secure { "__Host-" } else { "" };
        format!("{prefix}{}", self.word())
    }

    /// What the request brings, if it brings it once.
    pub(super) fn read(self, headers: &HeaderMap, secure: bool) -> Option<&str> {
        let name = self.name(secure);
        let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut values = lines
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim_start().strip_prefix(name.as_str())?.strip_prefix('='));
        values.next().filter(|_| values.next().is_none())
    }

    /// `Set-Cookie` with that value: until the browser is closed, but for choices and for what makes a browser known,
    /// which are kept, and for what waits for an answer, which ends with the time for it.
    pub(super) fn set(self, value: &str, secure: bool) -> Option<HeaderValue> {
        let kept = match self {
            Self::Browser | Self::Language | Self::Scheme => format!("; Max-Age={CHOICE_SECONDS}"),
            Self::OpenId => format!("; Max-Age={QUESTION_SECONDS}"),
            Self::Notice | Self::Session | Self::Visitor => String::new(),
        };
        self.line(value, secure, &kept)
    }

    /// `Set-Cookie` that takes it away.
    pub(super) fn clear(self, secure: bool) -> Option<HeaderValue> {
        self.line("", secure, "; Max-Age=0")
    }

    fn line(self, value: &str, secure: bool, kept: &str) -> Option<HeaderValue> {
        let secure_word = if secure { "; Secure" } else { "" };
        let name = self.name(secure);
        let line = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure_word}{kept}");
        HeaderValue::from_str(&line).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_counts_when_it_is_there_once_under_its_whole_name() {
        let read = |line: &'static str, secure| {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, HeaderValue::from_static(line));
            Cookie::Session.read(&headers, secure).map(str::to_owned)
        };
        assert_eq!(read("a=b; portvakt-session=x", false).as_deref(), Some("x"));
        assert_eq!(read("__Host-portvakt-session=x", true).as_deref(), Some("x"));
        assert_eq!(read("portvakt-session=x", true), None);
        assert_eq!(read("my-portvakt-session=x; portvakt-sessions=y", false), None);
        assert_eq!(read("portvakt-session=x; portvakt-session=y", false), None);
    }

    #[test]
    fn a_session_cannot_be_read_by_scripts_or_sent_from_elsewhere() {
        let line = Cookie::Session.set("x", true).unwrap();
        assert_eq!(line, "__Host-portvakt-session=x; Path=/; HttpOnly; SameSite=Lax; Secure");
        assert!(Cookie::Session.set("x\r\ny", true).is_none());
    }
}
