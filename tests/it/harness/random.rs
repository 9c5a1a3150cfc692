//! Randomness that a test can spoil.

use std::sync::atomic::{AtomicI64, Ordering};

use portvakt::clock::{Random, SystemRandom};

/// That of the system, until a test says otherwise.
pub(crate) struct TestRandom {
    /// How often more it may be asked before it panics; less than zero where it does not.
    left: AtomicI64,
}

impl TestRandom {
    pub(crate) fn new() -> Self {
        Self { left: AtomicI64::new(-1) }
    }

    /// Panics, once, when it has been asked so often.
    pub(crate) fn panic_after(&self, times: i64) {
        self.left.store(times, Ordering::SeqCst);
    }
}

impl Random for TestRandom {
    fn fill(&self, bytes: &mut [u8]) {
        let count = |left| (left >= 0).then_some(left - 1);
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, count);
        assert_ne!(left, Ok(0), "a test wants this");
        SystemRandom.fill(bytes);
    }
}
