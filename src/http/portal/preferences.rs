//! In which language and how light somebody reads.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::response::Response;

use crate::app::App;
use crate::domain::language::Language;
use crate::http::portal::cookies::Cookie;
use crate::http::portal::fields::Fields;
use crate::http::portal::page::{Scheme, go_to};

/// `POST /portal/preferences`: keeps what was chosen in cookies, and goes back.
pub(super) async fn choose(State(app): State<Arc<App>>, fields: Fields) -> Response {
    let secure = app.portal_is_https;
    let language = Language::from_name(fields.text("language"));
    let language = language.and_then(|language| Cookie::Language.set(language.name(), secure));
    let scheme = Scheme::from_name(fields.text("scheme"));
    let scheme = scheme.and_then(|scheme| Cookie::Scheme.set(scheme.name(), secure));
    let mut response = go_to(local(fields.text("next")));
    for cookie in language.into_iter().chain(scheme) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// An address of the portal, or its first page where the text is none: nobody is sent anywhere else.
pub(super) fn local(address: &str) -> &str {
    let is_page = address == "/portal"
        || ["/portal/", "/portal?"].iter().any(|begin| address.starts_with(begin));
    let harmless = |b: u8| b.is_ascii_graphic() && b != b'\\';
    if is_page && !address.contains("//") && address.bytes().all(harmless) {
        address
    } else {
        "/portal"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_anywhere_but_to_a_page_of_the_portal() {
        for good in ["/portal", "/portal/clients?q=a&after=b", "/portal/scopes/nav:a%2Fb"] {
            assert_eq!(local(good), good);
        }
        for bad in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https:evil.example",
            "https://evil.example/portal/",
            "/%2f%2fevil.example",
            "/portal//evil.example",
            "/portal/\r\nSet-Cookie: a=b",
            "javascript:alert(1)",
            "/portalevil",
            "/docs/",
        ] {
            assert_eq!(local(bad), "/portal", "{bad:?}");
        }
    }
}
