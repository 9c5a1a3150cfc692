//! Step 1: the form of a token request, read strictly from bytes.
//!
//! Real clients send the two parameters in the body or, with an empty body, in the query string, with colons
//! escaped or not. Nothing is repaired: a parameter twice, bytes that are not UTF-8 and broken escapes are
//! refused, because two readers could make two different requests of them.

use axum::http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};

use crate::http::error::OAuthError;

/// The only grant (RFC 7523 section 2.1).
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The most parameters of one request; the busiest client sends four.
const PARAMETERS_MAX: usize = 64;

/// What a token request is made of.
#[derive(Debug)]
pub struct TokenForm {
    /// The assertion, unread.
    pub assertion: String,
    /// The client that the form names beside it, if it does.
    pub client_id: Option<String>,
}

impl TokenForm {
    /// Reads the form from the headers, the query string and the body of a request.
    pub fn read(headers: &HeaderMap, query: Option<&str>, body: &[u8]) -> Result<Self, OAuthError> {
        check_content(headers)?;
        let mut parameters = Parameters::default();
        parameters.read(query.unwrap_or("").as_bytes())?;
        parameters.read(body)?;
        refuse_other_authentication(headers, &parameters)?;
        let grant_type = parameters.take("grant_type").ok_or_else(|| missing("grant_type"))?;
        if grant_type != JWT_BEARER {
            let description = format!("grant_type must be {JWT_BEARER}.");
            return Err(OAuthError::new("unsupported_grant_type", description));
        }
        let assertion = parameters.take("assertion").ok_or_else(|| missing("assertion"))?;
        Ok(Self { assertion, client_id: parameters.take("client_id") })
    }
}

fn missing(name: &str) -> OAuthError {
    OAuthError::request(format!("The parameter {name} is missing from the form."))
}

fn check_content(headers: &HeaderMap) -> Result<(), OAuthError> {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let is_form = types.next().is_some_and(is_form) && types.next().is_none();
    if !is_form {
        return Err(OAuthError::request(
            "Content-Type must be application/x-www-form-urlencoded, in UTF-8.",
        ));
    }
    let plain = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if !headers.get_all(CONTENT_ENCODING).iter().all(plain) {
        return Err(OAuthError::request("Content-Encoding is not accepted."));
    }
    Ok(())
}

/// Type and parameter names are compared without case (RFC 9110 section 8.3). A form is ASCII once it is
/// escaped, so any character set that agrees with ASCII will do.
fn is_form(value: &HeaderValue) -> bool {
    let Ok(value) = value.to_str() else { return false };
    let mut parts = value.split(';').map(str::trim);
    let essence = parts.next().unwrap_or("");
    let charset_is_fine = |part: &str| match part.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            let value = value.trim().trim_matches('"').to_ascii_lowercase();
            matches!(value.as_str(), "utf-8" | "utf8" | "us-ascii" | "iso-8859-1")
        }
        _ => true,
    };
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") && parts.all(charset_is_fine)
}

/// The assertion is the only proof that is accepted. Other credentials beside it would have to be checked
/// (RFC 7523 section 3.1), so they are refused rather than ignored.
fn refuse_other_authentication(
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<(), OAuthError> {
    let in_form = ["client_assertion", "client_assertion_type", "client_secret"];
    let in_form = in_form.iter().any(|name| parameters.has(name));
    let description = "The assertion is the only client authentication here; send no other.";
    match (headers.get(AUTHORIZATION), in_form) {
        (None, false) => Ok(()),
        (Some(_), true) => Err(OAuthError::request(description)),
        (None, true) => Err(OAuthError::new("invalid_client", description).with_challenge("Basic")),
        (Some(value), false) => {
            let basic = value.as_bytes().get(..5).is_some_and(|b| b.eq_ignore_ascii_case(b"basic"));
            let scheme = if basic { "Basic" } else { "Bearer" };
            Err(OAuthError::new("invalid_client", description).with_challenge(scheme))
        }
    }
}

/// The parameters of a request, each name once. An empty value counts as absent (RFC 6749 section 3.2).
#[derive(Debug, Default)]
struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn read(&mut self, text: &[u8]) -> Result<(), OAuthError> {
        for pair in text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            let value = decode(halves.next().unwrap_or_default())?;
            if self.0.len() == PARAMETERS_MAX {
                return Err(OAuthError::request("The form has more than 64 parameters."));
            }
            if self.has(&name) {
                return Err(OAuthError::request(
                    "The form has a parameter twice; query string and body count as one form.",
                ));
            }
            self.0.push((name, value));
        }
        Ok(())
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.swap_remove(at).1).filter(|value| !value.is_empty())
    }
}

/// Undoes the escaping of one name or value.
fn decode(text: &[u8]) -> Result<String, OAuthError> {
    let broken = || {
        OAuthError::request(
            "The form is not properly escaped: names and values are UTF-8 in percent-encoding, with & \
             between pairs.",
        )
    };
    // An assertion is two thousand characters that mean themselves. Without an early end, many are looked at at once.
    let means_itself = |byte: u8| byte.is_ascii_graphic() & !matches!(byte, b'+' | b'%' | b';');
    if text.iter().fold(true, |all, &byte| all & means_itself(byte)) {
        return String::from_utf8(text.to_vec()).map_err(|_| broken());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter().copied();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = digit(rest.next()).zip(digit(rest.next())).ok_or_else(broken)?;
                u8::try_from(high * 16 + low).map_err(|_| broken())?
            }
            // A semicolon once separated pairs; two readers could still disagree.
            b';' | 0..=b' ' | 0x7f.. => return Err(broken()),
            plain => plain,
        });
    }
    let text = String::from_utf8(bytes).map_err(|_| broken())?;
    if text.contains('\0') { Err(broken()) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(
        content_type: &str,
        query: Option<&str>,
        body: &[u8],
    ) -> Result<TokenForm, &'static str> {
        let mut headers = HeaderMap::new();
        if !content_type.is_empty() {
            headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
        }
        TokenForm::read(&headers, query, body).map_err(|error| error.error())
    }

    const FORM: &str = "application/x-www-form-urlencoded";
    const RAW: &str = "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=a.b.c";

    #[test]
    fn reads_the_forms_of_real_clients() {
        let escaped =
            "assertion=a.b.c&grant_type=urn%3Aietf%3Aparams%3Aoauth%3agrant-type%3Ajwt-bearer";
        for (content_type, query, body) in [
            (FORM, None, RAW),
            (FORM, None, escaped),
            (FORM, Some(RAW), ""),
            (FORM, Some(""), RAW),
            ("Application/X-WWW-Form-URLencoded; charset=UTF-8", None, RAW),
            ("application/x-www-form-urlencoded;charset=utf-8", None, RAW),
            (FORM, None, &format!("{RAW}&scope=x&client_id=&foo=bar")),
        ] {
            let form = read(content_type, query, body.as_bytes()).unwrap();
            assert_eq!(form.assertion, "a.b.c", "{content_type} {query:?} {body}");
            assert_eq!(form.client_id, None);
        }
        let form = read(FORM, None, format!("{RAW}&client_id=x").as_bytes()).unwrap();
        assert_eq!(form.client_id.as_deref(), Some("x"));
    }

    #[test]
    fn refuses_forms_that_two_readers_could_read_differently() {
        for (content_type, query, body) in [
            ("", None, RAW.to_owned()),
            ("application/json", None, "{}".to_owned()),
            ("multipart/form-data; boundary=x", None, RAW.to_owned()),
            ("application/x-www-form-urlencoded; charset=utf-16", None, RAW.to_owned()),
            (FORM, Some(RAW), RAW.to_owned()),
            (FORM, Some("assertion=a"), RAW.to_owned()),
            (FORM, None, format!("{RAW}&assertion=x")),
            (FORM, None, format!("{RAW}&grant_type=x")),
            (FORM, None, format!("{RAW}&foo=1&foo=1")),
            (FORM, None, format!("{RAW}&x=%zz")),
            (FORM, None, format!("{RAW}&x=%")),
            (FORM, None, format!("{RAW}&x=%ff%fe")),
            (FORM, None, format!("{RAW}&x=%00")),
            (FORM, None, format!("{RAW}\n")),
            (FORM, None, RAW.replace('&', ";")),
            (FORM, None, RAW.replace("grant_type", "GRANT_TYPE")),
            (FORM, None, RAW.replace("grant_type", "grant_type[]")),
            (FORM, None, "grant_type=&assertion=a".to_owned()),
            (FORM, None, RAW.replace("a.b.c", "")),
            (FORM, None, String::new()),
            (FORM, None, (0..10_000).map(|i| format!("a{i}=1")).collect::<Vec<_>>().join("&")),
        ] {
            let error = read(content_type, query, body.as_bytes()).unwrap_err();
            assert_eq!(error, "invalid_request", "{content_type} {query:?} {body:.80}");
        }
        assert_eq!(
            read(FORM, None, b"grant_type=\xff&assertion=a").unwrap_err(),
            "invalid_request"
        );
    }

    #[test]
    fn knows_one_grant_type_to_the_letter() {
        for grant in [
            "client_credentials",
            "password",
            "refresh_token",
            "authorization_code",
            "urn:ietf:params:oauth:grant-type:jwt-bearer%20",
            "URN:ietf:params:oauth:grant-type:jwt-bearer",
            "urn:ietf:params:oauth:grant-type:saml2-bearer",
        ] {
            let error =
                read(FORM, None, format!("grant_type={grant}&assertion=a").as_bytes()).unwrap_err();
            assert_eq!(error, "unsupported_grant_type", "{grant}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(FORM, None, &body);
        }
    }
}
