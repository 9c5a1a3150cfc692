//! Prefixes: the first half of scope names, each assigned to one organization.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::domain::organization::OrganizationNumber;

/// The name of a prefix: 2 to 32 lower-case letters, digits and hyphens. Being lower-case ASCII it is unique
/// however it is compared, and cannot be mistaken for another that looks the same.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PrefixName(String);

/// The text is not the name of a prefix.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error(
    "a prefix is 2 to 32 lower-case letters, digits and hyphens, begins and ends with a letter or digit, \
     and does not begin with xn--"
)]
pub struct PrefixNameError;

impl PrefixName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PrefixName {
    type Err = PrefixNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (2..=32).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-')
            // What international domain names begin with: a prefix must read as it is written.
            && !text.starts_with("xn--");
        if fits { Ok(Self(text.to_owned())) } else { Err(PrefixNameError) }
    }
}

impl fmt::Display for PrefixName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether scopes can be made under a prefix.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PrefixStatus {
    /// Its owner can.
    Active,
    /// Nobody can; the scopes under it are not touched by that.
    Retired,
}

/// A prefix.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Prefix {
    /// Its name.
    pub name: PrefixName,
    /// The organization that alone may define scopes under it.
    pub owner: OrganizationNumber,
    /// Whether scopes can be made under it.
    pub status: PrefixStatus,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_cannot_be_mistaken_are_prefixes() {
        for text in ["nav", "dev", "991825827", "a-b", "ks"] {
            assert_eq!(text.parse::<PrefixName>().unwrap().as_str(), text);
        }
        for text in [
            "",
            "n",
            "NAV",
            "nav:",
            "n\u{430}v",
            "xn--nv-xxx",
            "-nav",
            "nav-",
            "na v",
            "na_v",
            "na.v",
        ] {
            assert_eq!(text.parse::<PrefixName>(), Err(PrefixNameError), "{text:?}");
        }
        assert!("a".repeat(32).parse::<PrefixName>().is_ok());
        assert!("a".repeat(33).parse::<PrefixName>().is_err());
    }
}
