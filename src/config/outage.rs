//! What is done while the database cannot be reached.

use std::time::Duration;

use crate::config::error::ConfigError;
use crate::config::raw::RawOutage;
use crate::config::required;

/// For how long tokens are issued by what is in memory, at most: an hour. For so long what was withdrawn meanwhile may
/// still be used, and signing keys are published for at least an hour after another has taken their place.
const ISSUE_SECONDS_MAX: u32 = 60 * 60;

/// What is done while the database cannot be reached.
#[derive(Clone, Copy, Debug)]
pub struct Outage {
    /// For how long tokens are issued all the same, for scopes that allow it; zero for not at all.
    pub issue: Duration,
}

impl Outage {
    /// Reads it, where what is cached counts for `stale_seconds_max` without an outage.
    pub(super) fn check(
        raw: &RawOutage,
        stale_seconds_max: Option<u32>,
    ) -> Result<Self, ConfigError> {
        let key = "outage.issue_seconds_max";
        match required(key, raw.issue_seconds_max)? {
            seconds @ 1.. if stale_seconds_max.is_some_and(|stale| seconds < stale) => {
                let problem = format!("{seconds} is less than feed.stale_seconds_max");
                Err(ConfigError::key(key, problem))
            }
            seconds @ 0..=ISSUE_SECONDS_MAX => {
                Ok(Self { issue: Duration::from_secs(seconds.into()) })
            }
            seconds => {
                Err(ConfigError::key(key, format!("{seconds} is more than {ISSUE_SECONDS_MAX}")))
            }
        }
    }
}
