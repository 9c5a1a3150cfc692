//! How responders are asked about certificates (OCSP), by the trust sets that ask some.

use std::time::Duration;

use crate::config::error::ConfigError;
use crate::config::outbound::{Clear, Outbound};
use crate::config::raw::RawOcsp;
use crate::config::trust::Revocation;
use crate::config::{choose, required};
use crate::domain::remote_url::RemoteUrl;
use crate::domain::trust::OcspRule;

/// How responders are asked.
#[derive(Clone, Copy, Debug)]
pub struct Ocsp {
    /// The longest time between two questions about a certificate that is in use.
    pub refresh: Duration,
    /// The longest that an answer counts.
    pub answer: Duration,
    /// Whether questions have a nonce.
    pub nonce: OcspNonce,
}

/// Whether questions have a nonce, by which an answer is known to be one to this question.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OcspNonce {
    /// They have none.
    None,
    /// They have one, which must come back.
    Required,
    /// They have one, and what comes back must be it.
    Sent,
}

/// The longest time between two questions, and the longest that an answer may count: a day, and a week. Whoever is
/// revoked has so long.
const REFRESH_SECONDS_MAX: u32 = 24 * 60 * 60;
const ANSWER_SECONDS_MAX: u32 = 7 * 24 * 60 * 60;

/// Responders that one trust set asks, at most: an authority has one or two.
const RESPONDERS_MAX: usize = 16;

impl Ocsp {
    pub(super) fn check(raw: RawOcsp) -> Result<Self, ConfigError> {
        let seconds = |name: &str, value: Option<u32>, most: u32| {
            let key = format!("ocsp.{name}");
            match required(&key, value)? {
                value if (1..=most).contains(&value) => Ok(Duration::from_secs(value.into())),
                value => Err(ConfigError::key(key, format!("{value} is not in 1 to {most}"))),
            }
        };
        Ok(Self {
            refresh: seconds("refresh_seconds", raw.refresh_seconds, REFRESH_SECONDS_MAX)?,
            answer: seconds("answer_seconds_max", raw.answer_seconds_max, ANSWER_SECONDS_MAX)?,
            nonce: choose(
                "ocsp.nonce",
                &required("ocsp.nonce", raw.nonce)?,
                &[
                    ("none", OcspNonce::None),
                    ("required", OcspNonce::Required),
                    ("sent", OcspNonce::Sent),
                ],
            )?,
        })
    }
}

/// What a trust set asks responders, and which.
pub(super) fn check_responders(
    section: &str,
    rule: Option<&str>,
    texts: &[String],
    revocation: Revocation,
    outbound: &Outbound,
) -> Result<(OcspRule, Vec<RemoteUrl>), ConfigError> {
    let (rule_key, key) = (format!("{section}.ocsp"), format!("{section}.ocsp_responders"));
    let rule = choose(
        &rule_key,
        rule.unwrap_or("not_used"),
        &[
            ("alternative", OcspRule::Alternative),
            ("fallback", OcspRule::Fallback),
            ("not_used", OcspRule::NotUsed),
        ],
    )?;
    match (rule, texts.len()) {
        (OcspRule::NotUsed, 0) => return Ok((rule, Vec::new())),
        (OcspRule::NotUsed, _) => {
            return Err(ConfigError::key(key, "is set, but ocsp is \"not_used\""));
        }
        (_, 0) => {
            let problem = "is needed: the responders of the authorities that issue to clients";
            return Err(ConfigError::key(key, problem));
        }
        (_, 1..=RESPONDERS_MAX) => {}
        (_, many) => {
            let problem = format!("has {many} addresses; at most {RESPONDERS_MAX}");
            return Err(ConfigError::key(key, problem));
        }
    }
    if revocation == Revocation::NotChecked {
        return Err(ConfigError::key(rule_key, "is set, but revocation is \"not_checked\""));
    }
    let urls = texts.iter().map(|text| outbound.url(&key, text, Clear::Anything));
    Ok((rule, urls.collect::<Result<_, _>>()?))
}
