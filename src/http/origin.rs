//! Origins: where a page of a browser comes from (RFC 6454).

use axum::http::HeaderMap;
use axum::http::header::ORIGIN;

use crate::app::App;

/// The hosts of the machine itself, as browsers write them.
const LOOPBACK_HOSTS: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];

/// Scheme, host and port of an address.
pub(super) fn origin_of(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    url[host..].find('/').map_or(url, |end| &url[..host + end])
}

/// The origin of a request that comes from a page of the portal: that of the address at which the portal is known, or,
/// for a server whose issuer is the machine itself, any page of that machine.
pub(super) fn of_the_portal<'a>(app: &App, headers: &'a HeaderMap) -> Option<&'a str> {
    let mut said = headers.get_all(ORIGIN).iter();
    let origin = said.next()?.to_str().ok().filter(|_| said.next().is_none())?;
    let portal = app.admin_url.as_deref().map(origin_of);
    let issuer = origin_of(&app.issuer.rules.grant.issuer);
    (portal == Some(origin) || is_loopback(issuer) && is_loopback(origin)).then_some(origin)
}

/// Whether an origin is the machine itself.
fn is_loopback(origin: &str) -> bool {
    let rest = ["http://", "https://"].iter().find_map(|scheme| origin.strip_prefix(scheme));
    let after_host = LOOPBACK_HOSTS.iter().find_map(|host| rest?.strip_prefix(host));
    match after_host {
        Some("") => true,
        Some(port) => port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok()),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_stands_before_the_path() {
        assert_eq!(origin_of("http://127.0.0.1:7080/dev/"), "http://127.0.0.1:7080");
        assert_eq!(origin_of("https://a.example"), "https://a.example");
    }

    #[test]
    fn only_the_machine_itself_is_loopback() {
        for good in ["http://127.0.0.1:7081", "http://localhost", "https://[::1]:1"] {
            assert!(is_loopback(good), "{good}");
        }
        for bad in [
            "null",
            "",
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example:7081",
            "http://localhost:7081.evil.example",
            "http://localhost@evil.example",
            "https://evil.example",
            "file://localhost",
        ] {
            assert!(!is_loopback(bad), "{bad}");
        }
    }
}
