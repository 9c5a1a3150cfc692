//! Forms: fields by name, as the browser sends them, kept as they were typed so that a page can show them again.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use http_body_util::{BodyExt as _, Limited};

use crate::domain::record::Version;

/// The largest form: a list of ten thousand organization numbers with short notes.
const FORM_BYTES_MAX: usize = 512 * 1024;

/// The most fields of a form; the largest has one for each scope of a client.
const FIELDS_MAX: usize = 2_000;

/// What somebody decides about what was asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Decision {
    /// It is given.
    Approve,
    /// It is not.
    Deny,
}

/// The fields of a form, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// The fields of a form that was sent as `application/x-www-form-urlencoded`, or of a query.
    pub(super) fn parse(encoded: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(encoded).take(FIELDS_MAX);
        // Browsers send line ends as CR LF, whatever the page wrote.
        let read = |text: std::borrow::Cow<'_, str>| text.replace("\r\n", "\n");
        Self(pairs.map(|(name, value)| (name.into_owned(), read(value))).collect())
    }

    /// What a field holds without white space around it; nothing when it is not there.
    pub(super) fn text(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// What a field holds, as it was typed. Passwords are read so.
    pub(super) fn raw(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// What a field holds that may be left out.
    pub(super) fn filled(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// What all fields of that name hold: boxes that were ticked.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether a box was ticked.
    pub(super) fn ticked(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// Which of the two buttons of a decision was pressed; `None` when it was neither, or somehow both. Nothing is decided
    /// then.
    pub(super) fn decision(&self) -> Option<Decision> {
        match (self.ticked("approve"), self.ticked("deny")) {
            (true, false) => Some(Decision::Approve),
            (false, true) => Some(Decision::Deny),
            _ => None,
        }
    }

    /// The version of the thing that the form was made from, so that nobody's change is lost under another's.
    pub(super) fn version(&self) -> Option<Version> {
        self.text("version").parse().ok().map(Version)
    }

    /// Puts a field in, for a form that is shown for the first time.
    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.push((name.to_owned(), value.into()));
        self
    }
}

/// Reads the body of a form. Only this shape is read: another could be sent by another site's scripts unasked.
pub(super) async fn read(
    request: Request,
) -> Result<(axum::http::request::Parts, Fields), Response> {
    let (parts, body) = request.into_parts();
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response());
    }
    match Limited::new(body, FORM_BYTES_MAX).collect().await {
        Ok(whole) => {
            let fields = Fields::parse(&whole.to_bytes());
            // What stands in the place of bytes that are no UTF-8. Nobody types it, and it must not be kept.
            if fields.0.iter().any(|(name, value)| (name.clone() + value).contains('\u{fffd}')) {
                return Err(StatusCode::BAD_REQUEST.into_response());
            }
            Ok((parts, fields))
        }
        Err(_) => Err(StatusCode::PAYLOAD_TOO_LARGE.into_response()),
    }
}

/// The fields that the guard against forged forms has read already.
impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = StatusCode;

    async fn from_request(request: Request<Body>, _: &S) -> Result<Self, StatusCode> {
        request.extensions().get::<Self>().cloned().ok_or(StatusCode::BAD_REQUEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_decided_without_one_button() {
        let decided = |text: &[u8]| Fields::parse(text).decision();
        assert_eq!(decided(b"approve=1&reason=x"), Some(Decision::Approve));
        assert_eq!(decided(b"deny=1"), Some(Decision::Deny));
        assert_eq!(decided(b"reason=x"), None);
        assert_eq!(decided(b"approve=1&deny=1"), None);
    }

    #[test]
    fn fields_are_kept_as_they_were_typed() {
        let fields =
            Fields::parse(b"name=+Kari+&scope=a%3Ab&scope=c%3Ad&note=1%0D%0A2&ticked=on&name=Ola");
        assert_eq!((fields.text("name"), fields.raw("name")), ("Kari", " Kari "));
        assert_eq!(fields.all("scope").collect::<Vec<_>>(), ["a:b", "c:d"]);
        assert_eq!(fields.text("note"), "1\n2");
        assert!(fields.ticked("ticked") && !fields.ticked("other"));
        assert_eq!(fields.filled("other"), None);
    }
}
