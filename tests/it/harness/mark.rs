//! Marks: what something may take, as it is written down in the tests.
//!
//! A machine that runs all tests at once shares its processors and its disk with who knows whom, and a test that fails
//! for that is soon one that nobody believes. So a test prints its figure beside the mark, and fails at so many times
//! the mark. `PORTVAKT_TEST_TOLERANCE=1`, on a machine that does nothing else, holds all of them to the marks.

use std::time::Duration;

use crate::harness::clock::tick;

/// By how much a mark may be missed where nobody says otherwise. What hangs takes longer still.
const TOLERANCE: u32 = 4;

/// How many times its mark anything may take.
#[expect(clippy::disallowed_methods, reason = "it is not a setting of the server")]
pub(crate) fn tolerance() -> u32 {
    let text = std::env::var("PORTVAKT_TEST_TOLERANCE").ok();
    text.map_or(TOLERANCE, |text| text.parse().expect("PORTVAKT_TEST_TOLERANCE is a number"))
}

/// The most that something may take with this mark.
pub(crate) fn most(mark: Duration) -> Duration {
    mark * tolerance()
}

/// Below so much it is the machine that is measured.
const MEASURABLE: Duration = Duration::from_millis(5);

/// The most that something may take that took so long when all was well, where so many times that is its mark.
pub(crate) fn most_of(before: Duration, mark: f64) -> Duration {
    most(before.max(MEASURABLE).mul_f64(mark))
}

/// Whether so few of all have failed that only the machine can be to blame: none, where the marks are kept to.
pub(crate) fn hardly_any(failed: usize, all: usize) -> bool {
    failed * 100 <= all * (times() - 1)
}

/// Whether there are as many as the mark says there are at least.
pub(crate) fn enough(count: usize, mark: usize) -> bool {
    count * times() >= mark
}

fn times() -> usize {
    usize::try_from(tolerance()).unwrap()
}

/// Waits until that is so, for as long as the mark allows, and says whether it is.
pub(crate) async fn comes_true(mark: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let began = tick();
    while !is_so() {
        if began.elapsed() > most(mark) {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    true
}
