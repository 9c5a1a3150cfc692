//! Clocks: one that tests set, and one that measures.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use portvakt::clock::{Clock, Timestamp};

/// The moment at which every test server begins: 2026-06-01T12:00:00Z.
pub(crate) const NOW: i64 = 1_780_315_200;

/// A clock whose time of day stands still until a test moves it. Its uptime runs, and can be pushed.
pub(crate) struct TestClock {
    now: AtomicI64,
    started: Instant,
    pushed_milliseconds: AtomicU64,
}

impl TestClock {
    pub(crate) fn new() -> Self {
        Self { now: AtomicI64::new(NOW), started: tick(), pushed_milliseconds: AtomicU64::new(0) }
    }

    /// Sets the time of day.
    pub(crate) fn set(&self, seconds: i64) {
        self.now.store(seconds, Ordering::SeqCst);
    }

    /// Makes the server believe that so much more time has gone by since it began.
    pub(crate) fn push_uptime(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).unwrap();
        self.pushed_milliseconds.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.now.load(Ordering::SeqCst))
    }

    fn uptime(&self) -> Duration {
        let pushed = Duration::from_millis(self.pushed_milliseconds.load(Ordering::SeqCst));
        self.started.elapsed() + pushed
    }

    fn runs(&self) -> bool {
        false
    }
}

/// The real clock, to measure with.
#[expect(clippy::disallowed_methods, reason = "the tests measure how long answers take")]
pub(crate) fn tick() -> Instant {
    Instant::now()
}
