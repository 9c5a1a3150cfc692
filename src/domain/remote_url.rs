//! The address of a document on another server, read so that nobody can read it otherwise.
//!
//! Libraries for URLs mend what they read: they drop line ends, turn `0x7f.1` into an address and letters of other
//! alphabets into ASCII. What the server connects to must be what has been looked at, so here everything that would
//! have to be mended is refused.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use thiserror::Error;

/// The longest address, in bytes; real ones have a few hundred.
const URL_BYTES_MAX: usize = 2_048;

/// The longest name of a host, and the longest part of one, in bytes (RFC 1035 section 2.3.4).
const NAME_BYTES_MAX: usize = 253;
const LABEL_BYTES_MAX: usize = 63;

/// Ports below this belong to services with a name, of which only those of HTTP speak HTTP.
const FREE_PORT_MIN: u16 = 1_024;
const HTTP_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;

/// An address of HTTP with a host, without user, password and fragment.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RemoteUrl {
    text: String,
    is_https: bool,
    host: Host,
    port: u16,
}

/// A host, by name or by address.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Host {
    /// A name in lower case that is not an address in disguise.
    Name(String),
    /// An address.
    Address(IpAddr),
}

/// Why a text is not an address that is asked.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum RemoteUrlError {
    /// A character that has no place in it: white space, a control character, a letter of another alphabet.
    #[error("has a character that does not belong; write it with %, and names of hosts in ASCII")]
    Character,
    /// A user or password.
    #[error("has a user or a password before the host")]
    Credentials,
    /// A fragment.
    #[error("has a fragment")]
    Fragment,
    /// The host is none, or an address that is not written as addresses are.
    #[error(
        "has no host, or one that is neither a name in lower case nor an address as it is usually written"
    )]
    Host,
    /// It is too long.
    #[error("has more than {URL_BYTES_MAX} bytes")]
    Long,
    /// The port is none, or one of a service that does not speak HTTP.
    #[error("has a port that is none of 80, 443 and {FREE_PORT_MIN} to 65535")]
    Port,
    /// It is of no scheme that is spoken here.
    #[error("does not begin with https:// or http://")]
    Scheme,
}

impl RemoteUrl {
    /// The text, as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is asked over TLS.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// The host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Host {
    /// Whether it is this machine by its own account.
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Name(name) => name == "localhost",
            Self::Address(address) => address.is_loopback(),
        }
    }
}

impl FromStr for RemoteUrl {
    type Err = RemoteUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > URL_BYTES_MAX {
            return Err(RemoteUrlError::Long);
        }
        let (is_https, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return Err(RemoteUrlError::Scheme),
        };
        // RFC 3986 section 2, without what it does not list.
        let belongs = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&b);
        if !rest.bytes().all(belongs) {
            return Err(RemoteUrlError::Character);
        }
        if rest.contains('#') {
            return Err(RemoteUrlError::Fragment);
        }
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(RemoteUrlError::Credentials);
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !authority.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let port = match port {
            None => {
                if is_https {
                    HTTPS_PORT
                } else {
                    HTTP_PORT
                }
            }
            Some(port) => read_port(port)?,
        };
        Ok(Self { host: host.parse()?, is_https, port, text: text.to_owned() })
    }
}

impl FromStr for Host {
    type Err = RemoteUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(inside) = text.strip_prefix('[') {
            let address = inside.strip_suffix(']').and_then(|inside| inside.parse().ok());
            let address: Ipv6Addr = address.ok_or(RemoteUrlError::Host)?;
            return Ok(Self::Address(address.into()));
        }
        // Four decimal numbers without zeros in front; nothing else that looks like a number is let through below.
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(IpAddr::V4(address)));
        }
        let fits = |label: &str| {
            let inside = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            (1..=LABEL_BYTES_MAX).contains(&label.len())
                && label.bytes().all(inside)
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let last = text.rsplit('.').next().unwrap_or_default();
        // Where the last part is a number the whole is read as an address, also in octal and hexadecimal (WHATWG URL).
        let is_number = last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x");
        if text.len() > NAME_BYTES_MAX || is_number || !text.split('.').all(fits) {
            return Err(RemoteUrlError::Host);
        }
        Ok(Self::Name(text.to_owned()))
    }
}

fn read_port(text: &str) -> Result<u16, RemoteUrlError> {
    let is_plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    let port = text.parse().ok().filter(|_| is_plain).ok_or(RemoteUrlError::Port)?;
    match port {
        HTTP_PORT | HTTPS_PORT | FREE_PORT_MIN.. => Ok(port),
        _ => Err(RemoteUrlError::Port),
    }
}

impl fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<RemoteUrl, RemoteUrlError> {
        text.parse()
    }

    #[test]
    fn addresses_as_they_are_usually_written_are_read() {
        for (text, host, port) in [
            ("http://crl.example.org/a.crl", "crl.example.org", 80),
            ("https://crl.example.org", "crl.example.org", 443),
            ("https://crl.example.org?a=b", "crl.example.org", 443),
            ("http://127.0.0.1:8080/", "127.0.0.1", 8080),
            ("http://[::1]:8080/", "[::1]", 8080),
            ("http://[::1]/", "[::1]", 80),
            ("http://xn--blbr-poac.example/CRL%20(1).crl", "xn--blbr-poac.example", 80),
        ] {
            let url = read(text).unwrap();
            assert_eq!((url.host().to_string().as_str(), url.port()), (host, port), "{text}");
            assert_eq!(url.as_str(), text);
        }
    }

    #[test]
    fn everything_that_would_have_to_be_mended_is_refused() {
        use RemoteUrlError::{Character, Credentials, Fragment, Host, Long, Port, Scheme};
        let long = format!("http://a.example/{}", "a".repeat(2_048));
        for (text, reason) in [
            // J03
            ("file:///etc/passwd", Scheme),
            ("ldap://a.example/cn=a", Scheme),
            ("ftp://a.example/", Scheme),
            ("gopher://a.example/", Scheme),
            ("data:,a", Scheme),
            ("HTTP://a.example/", Scheme),
            (" http://a.example/", Scheme),
            ("//a.example/", Scheme),
            ("", Scheme),
            // J02, in disguise
            ("http://2130706433/", Host),
            ("http://0x7f000001/", Host),
            ("http://0x7f.0.0.1/", Host),
            ("http://017700000001/", Host),
            ("http://0177.0.0.1/", Host),
            ("http://127.1/", Host),
            ("http://127.0.0.1./", Host),
            ("http://a.0x7f/", Host),
            ("http://a.example./", Host),
            ("http://[::1%25eth0]/", Host),
            ("http://[::ffff:127.0.0.1/", Port),
            ("http://::1/", Port),
            ("http:///a", Host),
            ("http://A.example/", Host),
            ("http://-a.example/", Host),
            ("http://a..example/", Host),
            // J07
            ("http://u:p@a.example/", Credentials),
            ("http://u@a.example/", Credentials),
            ("http://a.example@127.0.0.1/", Credentials),
            ("http://a.example/\r\nHost: b", Character),
            ("http://a.example/\0", Character),
            ("http://a.example/\t", Character),
            ("http://a.example\\@b.example/", Character),
            ("http://blåbær.example/", Character),
            ("http://a.example\u{3002}b/", Character),
            ("http://\u{2460}27.0.0.1/", Character),
            ("http://a.example%00.b/", Host),
            ("http://a.example:22/", Port),
            ("http://a.example:25/", Port),
            ("http://a.example:0/", Port),
            ("http://a.example:65536/", Port),
            ("http://a.example:/", Port),
            ("http://a.example:0080/", Port),
            ("http://a.example:+80/", Port),
            ("http://a.example/#a", Fragment),
            (long.as_str(), Long),
        ] {
            assert_eq!(read(text), Err(reason), "{text:?}");
        }
    }
}
