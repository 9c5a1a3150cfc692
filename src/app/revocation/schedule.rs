//! When a list is fetched again, and when it is said that it has not been for too long.

use std::time::Duration;

use crate::clock::Timestamp;

/// How much sooner than usual a fetch that failed is tried again at first; each further time waits twice as long.
const FIRST_RETRY: u32 = 16;

/// The shortest wait: nobody's server is asked more often.
const WAIT_MIN: Duration = Duration::from_secs(1);

/// The part of a wait that is left to chance, in 256ths, so that the nodes of a cluster do not ask together: a fifth.
const JITTER_256THS: u32 = 51;

/// How long to wait with the next fetch, at most `refresh`.
///
/// `failures` have come one after the other; the list ends in `left`, if there is one; `chance` is any number.
pub(super) fn wait(
    refresh: Duration,
    failures: u32,
    left: Option<Duration>,
    chance: u8,
) -> Duration {
    let wait = match failures {
        0 => refresh,
        // The sixth wait is the usual one.
        _ => refresh / (FIRST_RETRY >> (failures - 1).min(4)),
    };
    // Ahead of the end, and the nearer it is the more often: half of what is left.
    let ahead = left.map_or(wait, |left| wait.min(left / 2));
    let wait = ahead.max(WAIT_MIN.min(refresh)).max(refresh / (4 * FIRST_RETRY));
    wait.saturating_sub(wait * (u32::from(chance) * JITTER_256THS / 256) / 256)
}

/// How near the end of a list is of which no newer one can be had.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Alarm {
    /// Half of the time that was left at the first failure has gone by.
    Half,
    /// Nine tenths have.
    NearEnd,
    /// It has ended, or there never was one.
    Ended,
}

/// The alarm for a list that ends at `end`, if fetching it has failed since then.
pub(super) fn alarm(
    failing_since: Timestamp,
    end: Option<Timestamp>,
    now: Timestamp,
) -> Option<Alarm> {
    let Some(end) = end.filter(|end| now <= *end) else { return Some(Alarm::Ended) };
    let left = end.seconds().saturating_sub(failing_since.seconds()).max(0);
    let gone = now.seconds().saturating_sub(failing_since.seconds()).max(0);
    if gone.saturating_mul(10) >= left.saturating_mul(9) {
        Some(Alarm::NearEnd)
    } else if gone.saturating_mul(2) >= left {
        Some(Alarm::Half)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFRESH: Duration = Duration::from_mins(10);

    #[test]
    fn a_wait_is_never_longer_than_the_interval_and_never_none() {
        for failures in 0..20 {
            for left in [None, Some(0), Some(1), Some(90), Some(10_000_000)] {
                for chance in [0, 1, 128, 255] {
                    let left = left.map(Duration::from_secs);
                    let wait = wait(REFRESH, failures, left, chance);
                    assert!(wait <= REFRESH && wait >= Duration::from_secs(5), "{wait:?}");
                }
            }
        }
        assert!(wait(Duration::from_secs(1), 0, None, 255) <= Duration::from_secs(1));
    }

    #[test]
    fn what_failed_is_tried_sooner_then_slower() {
        let waits: Vec<u64> = (0..8).map(|it| wait(REFRESH, it, None, 0).as_secs()).collect();
        assert_eq!(waits, [600, 37, 75, 150, 300, 600, 600, 600]);
    }

    #[test]
    fn a_list_is_fetched_ahead_of_its_end() {
        let of = |left| wait(REFRESH, 0, Some(Duration::from_secs(left)), 0).as_secs();
        assert_eq!([of(86_400), of(1_000), of(100), of(0)], [600, 500, 50, 9]);
    }

    #[test]
    fn chance_takes_up_to_a_fifth() {
        let of = |chance| wait(REFRESH, 0, None, chance);
        assert_eq!(of(0), REFRESH);
        assert!(of(255) >= REFRESH * 4 / 5 && of(255) < REFRESH * 5 / 6, "{:?}", of(255));
    }

    #[test]
    fn alarms_come_at_half_and_at_nine_tenths_of_what_was_left() {
        let at = Timestamp::from_seconds;
        let of = |now| alarm(at(1_000), Some(at(2_000)), at(now));
        for (now, expected) in [
            (1_000, None),
            (1_499, None),
            (1_500, Some(Alarm::Half)),
            (1_899, Some(Alarm::Half)),
            (1_900, Some(Alarm::NearEnd)),
            (2_000, Some(Alarm::NearEnd)),
            (2_001, Some(Alarm::Ended)),
        ] {
            assert_eq!(of(now), expected, "{now}");
        }
        assert_eq!(alarm(at(1_000), None, at(1_000)), Some(Alarm::Ended));
    }
}
