//! Time and randomness, handed to whoever needs them so that tests can fix both.
//!
//! Nothing else in the program reads the system clock, or draws random bytes on its own but the library that
//! makes and uses keys.

use std::fmt;
use std::sync::OnceLock;
#[cfg(test)]
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A moment in whole seconds since 1970-01-01T00:00:00Z, the unit of RFC 7519 `NumericDate`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(i64);

/// Seconds of an hour.
pub const HOUR_SECONDS: i64 = 60 * 60;

/// Seconds of a day.
pub const DAY_SECONDS: i64 = 24 * HOUR_SECONDS;

impl Timestamp {
    /// The moment `seconds` after 1970 began.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since 1970 began.
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// The moment `seconds` later, or the last moment there is.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// The moment `seconds` earlier, or the first moment there is.
    #[must_use]
    pub const fn minus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_sub(seconds))
    }

    /// Reads an RFC 3339 time with an offset, such as `2026-11-22T18:00:00Z`; fractions are dropped.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        OffsetDateTime::parse(text, &Rfc3339).ok().map(|moment| Self(moment.unix_timestamp()))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC; a moment outside the years that RFC 3339 can write is shown as seconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = OffsetDateTime::from_unix_timestamp(self.0).ok();
        match moment.and_then(|moment| moment.format(&Rfc3339).ok()) {
            Some(text) => f.write_str(&text),
            None => write!(f, "@{}", self.0),
        }
    }
}

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The time of day, which people and certificates agree on; it may jump.
    fn now(&self) -> Timestamp;

    /// Time since some fixed start; it never goes back, so ages are measured with it.
    fn uptime(&self) -> Duration;

    /// Whether it goes by itself, so that it can be held against other clocks. One that a test sets does not.
    fn runs(&self) -> bool {
        true
    }
}

/// Draws random bytes fit for keys and identifiers.
pub trait Random: Send + Sync {
    /// Fills `bytes` with random bytes.
    fn fill(&self, bytes: &mut [u8]);
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system clock")]
    fn now(&self) -> Timestamp {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX))
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system clock")]
    fn uptime(&self) -> Duration {
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }
}

/// The random generator of the cryptographic library, which is seeded by the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        // The generator reseeds itself and has no failure that a caller could act upon: a process
        // without randomness must not go on making keys and identifiers.
        #[expect(clippy::expect_used, reason = "without randomness nothing here may continue")]
        aws_lc_rs::rand::fill(bytes).expect("the operating system gives random bytes");
    }
}

/// A clock that stands still until a test moves it.
#[cfg(test)]
pub(crate) struct StandingClock {
    now: AtomicI64,
    uptime_milliseconds: AtomicU64,
}

#[cfg(test)]
impl StandingClock {
    /// One that shows so many seconds since 1970, and has just been started.
    pub(crate) const fn at(now: i64) -> Self {
        Self { now: AtomicI64::new(now), uptime_milliseconds: AtomicU64::new(0) }
    }

    /// Sets the time of day.
    pub(crate) fn set(&self, now: i64) {
        self.now.store(now, Ordering::SeqCst);
    }

    /// Lets so much more time have gone by since it was started.
    pub(crate) fn push_uptime(&self, milliseconds: u64) {
        self.uptime_milliseconds.fetch_add(milliseconds, Ordering::SeqCst);
    }
}

#[cfg(test)]
impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.load(Ordering::SeqCst))
    }

    fn uptime(&self) -> Duration {
        Duration::from_millis(self.uptime_milliseconds.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_and_reads_rfc3339() {
        let moment = Timestamp::from_seconds(1_763_834_400);
        assert_eq!(moment.to_string(), "2025-11-22T18:00:00Z");
        assert_eq!(Timestamp::from_rfc3339("2025-11-22T19:00:00.25+01:00"), Some(moment));
        assert_eq!(Timestamp::from_rfc3339("yesterday"), None);
    }
}
