//! The time of day, but for steps forward that may be taken back.

use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::token::agreed_clock::as_milliseconds;

/// How long a step forward must have lasted before anything is forgotten by it. No assertion lives longer: five minutes
/// at most, and twice the widest skew of clocks, which is five. So one that was spent before the step has expired when the
/// clock is set back later, and is remembered when it is set back sooner.
const LASTS: Duration = Duration::from_mins(15);

/// What spent assertions are forgotten by. A clock that has stepped forward would have them forgotten; and were it set
/// back within their lives, they would be worth a second token.
pub(super) struct SettledTime {
    /// What the clock showed when the uptime was nothing, in milliseconds since 1970, as it is believed.
    start: i64,
    /// Since when it has shown more, of uptime, and the least that it has shown since.
    ahead: Option<(Duration, i64)>,
}

impl SettledTime {
    /// Believes the clock as it is.
    pub(super) fn new(clock: &dyn Clock) -> Self {
        Self { start: start(clock.now(), clock.uptime()), ahead: None }
    }

    /// Looks at the clock. A step back holds at once.
    pub(super) fn now(&mut self, clock: &dyn Clock) -> Timestamp {
        let uptime = clock.uptime();
        let shown = start(clock.now(), uptime);
        if shown <= self.start {
            (self.start, self.ahead) = (shown, None);
        } else {
            let (since, least) = self.ahead.unwrap_or((uptime, shown));
            let least = least.min(shown);
            self.ahead = Some((since, least));
            if uptime.saturating_sub(since) >= LASTS {
                (self.start, self.ahead) = (least, None);
            }
        }
        Timestamp::from_seconds(
            self.start.saturating_add(as_milliseconds(uptime)).div_euclid(1_000),
        )
    }
}

fn start(now: Timestamp, uptime: Duration) -> i64 {
    now.seconds().saturating_mul(1_000).saturating_sub(as_milliseconds(uptime))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::StandingClock;

    #[test]
    fn a_step_forward_counts_when_it_has_lasted_and_one_back_at_once() {
        let mut settled = SettledTime::new(&StandingClock::at(1_000));
        let mut now = |shown, uptime_seconds: u64| {
            let clock = StandingClock::at(shown);
            clock.push_uptime(uptime_seconds * 1_000);
            settled.now(&clock).seconds()
        };
        assert_eq!(now(1_100, 100), 1_100);
        // An hour ahead, for longer than anything lives but for one look.
        assert_eq!(now(4_800, 200), 1_200);
        assert_eq!(now(5_600, 1_000), 2_000);
        assert_eq!(now(2_050, 1_050), 2_050);
        assert_eq!(now(5_700, 1_100), 2_100);
        // Two steps at once: what has lasted is the smaller one.
        assert_eq!(now(9_400, 1_200), 2_200);
        assert_eq!(now(10_199, 1_999), 2_999);
        assert_eq!(now(10_200, 2_000), 6_600);
        // And back.
        assert_eq!(now(3_100, 2_100), 3_100);
    }
}
