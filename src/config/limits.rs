//! How often callers may ask.

use crate::config::raw::RawLimits;
use crate::config::{ConfigError, required};

/// Requests a second, and mails an hour; 0 is no limit.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// To the admin listener, by one caller that has proved who it is.
    pub admin_requests_by_caller: u32,
    /// To the admin listener, from one address and without a token that counts.
    pub admin_requests_by_source: u32,
    /// Mails an hour, which somebody at one address who is not signed in has sent to people here.
    pub portal_mails_by_source: u32,
    /// For tokens, from one address, with a certificate or signature that does not hold or an assertion that has been
    /// spent.
    pub token_failures_by_source: u32,
    /// For tokens, by one client that has proved who it is.
    pub token_requests_by_client: u32,
}

/// The highest limit. Higher ones can be meant as none, and say so better with 0.
const REQUESTS_A_SECOND_MAX: u32 = 1_000_000;

impl Limits {
    pub(super) fn check(raw: &RawLimits) -> Result<Self, ConfigError> {
        Ok(Self {
            admin_requests_by_caller: rate(
                "limits.admin_requests_by_caller",
                raw.admin_requests_by_caller,
            )?,
            admin_requests_by_source: rate(
                "limits.admin_requests_by_source",
                raw.admin_requests_by_source,
            )?,
            portal_mails_by_source: rate(
                "limits.portal_mails_by_source",
                raw.portal_mails_by_source,
            )?,
            token_failures_by_source: rate(
                "limits.token_failures_by_source",
                raw.token_failures_by_source,
            )?,
            token_requests_by_client: rate(
                "limits.token_requests_by_client",
                raw.token_requests_by_client,
            )?,
        })
    }
}

fn rate(key: &str, value: Option<u32>) -> Result<u32, ConfigError> {
    match required(key, value)? {
        rate @ 0..=REQUESTS_A_SECOND_MAX => Ok(rate),
        rate => {
            let problem = format!("{rate} is more than {REQUESTS_A_SECOND_MAX}; 0 is no limit");
            Err(ConfigError::key(key, problem))
        }
    }
}
