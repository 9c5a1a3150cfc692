//! Where a request comes from: the peer of its connection or, behind a proxy, who the proxy says it is.
//!
//! A header is believed only where the configuration says that a proxy sets it. Behind a proxy of which that is not
//! said every request comes from one address, which says nothing, so limits by source leave such requests alone:
//! otherwise one bad caller would use up what is there for all.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName};

use crate::domain::source::Source;

/// Whose word counts about where a request comes from.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum SourceRule {
    /// The last address in this header, which the proxy in front sets or adds to.
    Header(HeaderName),
    /// The network's: nobody is in between.
    #[default]
    Peer,
    /// Nobody's.
    Unknown,
}

impl SourceRule {
    /// The rule of a listener, behind a proxy or not, with the name of the header that is believed. A text that is no
    /// name is never a header of a request, so nothing is believed.
    pub fn new(behind_proxy: bool, header: Option<&str>) -> Self {
        match header.and_then(|name| HeaderName::from_bytes(name.as_bytes()).ok()) {
            Some(name) => Self::Header(name),
            None if behind_proxy => Self::Unknown,
            None => Self::Peer,
        }
    }

    /// The source of a request, if that is known.
    pub(super) fn source(&self, peer: SocketAddr, headers: &HeaderMap) -> Option<Source> {
        let address = match self {
            Self::Header(name) => last_address(headers, name)?,
            Self::Peer => peer.ip(),
            Self::Unknown => return None,
        };
        Source::of(address)
    }
}

/// What stands before the last address is what the caller has said itself.
fn last_address(headers: &HeaderMap, name: &HeaderName) -> Option<IpAddr> {
    let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    value.rsplit(',').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(rule: &SourceRule, peer: &str, forwarded: &[&str]) -> Option<Source> {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        rule.source(SocketAddr::new(peer.parse().unwrap(), 4_000), &headers)
    }

    fn address(text: &str) -> Option<Source> {
        Source::of(text.parse().unwrap())
    }

    #[test]
    fn a_header_counts_only_where_the_configuration_says_so() {
        let (peer, claimed) = ("192.0.2.1", ["198.51.100.7"]);
        assert_eq!(source(&SourceRule::new(false, None), peer, &claimed), address(peer));
        assert_eq!(source(&SourceRule::new(true, None), peer, &claimed), None);
        let rule = SourceRule::new(true, Some("X-Forwarded-For"));
        assert_eq!(source(&rule, peer, &claimed), address(claimed[0]));
    }

    #[test]
    fn of_a_header_the_last_address_counts_and_nothing_else() {
        let rule = SourceRule::new(true, Some("X-Forwarded-For"));
        for (values, expected) in [
            (&["203.0.113.9, 198.51.100.7"][..], "198.51.100.7"),
            (&["203.0.113.9", "198.51.100.7"], "198.51.100.7"),
            (&["rubbish,2001:db8::1"], "2001:db8::1"),
        ] {
            assert_eq!(source(&rule, "192.0.2.1", values), address(expected), "{values:?}");
        }
        for values in [&[][..], &[""], &["rubbish"], &["198.51.100.7,"], &["198.51.100.7:80"]] {
            assert_eq!(source(&rule, "192.0.2.1", values), None, "{values:?}");
        }
    }
}
