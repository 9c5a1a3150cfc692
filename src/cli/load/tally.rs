//! What has come of the requests of a load, in all and second by second.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

/// The longest time that is told apart, in microseconds. A request gives up before.
const TIME_MAX: u64 = 60_000_000;

/// Significant digits of times.
const DIGITS: u8 = 3;

/// What has come of a request.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Outcome {
    /// A token.
    Issued,
    /// A refusal of what had to be refused.
    Refused,
    /// Another answer, in words.
    Failed(String),
    /// No answer, and why.
    Unanswered(&'static str),
}

impl Outcome {
    /// What went wrong, if something did.
    pub(super) fn wrong(&self) -> Option<&str> {
        match self {
            Self::Issued | Self::Refused => None,
            Self::Failed(what) => Some(what),
            Self::Unanswered(why) => Some(why),
        }
    }
}

/// A request that has ended.
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    /// When it was due, since the load began.
    pub(super) due: Duration,
    /// How much later it was sent.
    pub(super) late: Duration,
    /// From when it was due until the whole answer was there.
    pub(super) took: Duration,
}

/// Times in microseconds.
#[derive(Clone)]
pub(super) struct Times(Histogram<u64>);

impl Default for Times {
    fn default() -> Self {
        let times = Histogram::new_with_bounds(1, TIME_MAX, DIGITS);
        // The bounds are constants, and in order.
        Self(times.unwrap_or_else(|_| unreachable!("{TIME_MAX} and {DIGITS} are in range")))
    }
}

impl Times {
    fn add(&mut self, time: Duration) {
        self.0.saturating_record(u64::try_from(time.as_micros()).unwrap_or(TIME_MAX));
    }

    /// The time that so many of a hundred do not exceed, in milliseconds.
    pub(super) fn percentile(&self, percent: f64) -> f64 {
        milliseconds(self.0.value_at_percentile(percent))
    }

    /// The longest, in milliseconds.
    pub(super) fn max(&self) -> f64 {
        milliseconds(self.0.max())
    }

    /// The mean, in milliseconds.
    pub(super) fn mean(&self) -> f64 {
        self.0.mean() / 1_000.0
    }
}

fn milliseconds(micros: u64) -> f64 {
    Duration::from_micros(micros).as_secs_f64() * 1_000.0
}

/// What happened in one second.
#[derive(Clone, Default)]
pub(super) struct Second {
    pub(super) as_meant: u64,
    pub(super) failed: u64,
    pub(super) times: Times,
}

/// The sum of a load.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) outcomes: BTreeMap<Outcome, u64>,
    /// Of requests that ended as they had to.
    pub(super) times: Times,
    /// How much later than due requests were sent: what the tool itself was short of.
    pub(super) late: Times,
    /// By the second in which the requests were due.
    pub(super) seconds: Vec<Second>,
    /// From the first request to the last answer.
    pub(super) lasted: Duration,
}

impl Tally {
    /// Adds a request that has ended.
    pub(super) fn add(&mut self, ended: Ended) {
        let second = usize::try_from(ended.due.as_secs()).unwrap_or(usize::MAX);
        if self.seconds.len() <= second {
            self.seconds.resize_with(second + 1, Second::default);
        }
        let second = &mut self.seconds[second];
        self.late.add(ended.late);
        if ended.outcome.wrong().is_some() {
            second.failed += 1;
        } else {
            second.as_meant += 1;
            second.times.add(ended.took);
            self.times.add(ended.took);
        }
        *self.outcomes.entry(ended.outcome).or_default() += 1;
    }

    /// How many had that outcome.
    pub(super) fn count(&self, outcome: &Outcome) -> u64 {
        self.outcomes.get(outcome).copied().unwrap_or_default()
    }

    /// How many did not end as they had to.
    pub(super) fn failed(&self) -> u64 {
        let failed = self.outcomes.iter().filter(|(outcome, _)| outcome.wrong().is_some());
        failed.map(|(_, count)| count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_outcome_and_in_the_second_in_which_they_were_due() {
        let mut tally = Tally::default();
        let failed = Outcome::Failed("503".to_owned());
        for (outcome, due, took) in [
            (Outcome::Issued, 100, 3),
            (Outcome::Issued, 1_900, 5_000),
            (Outcome::Refused, 2_000, 7),
            (failed.clone(), 2_500, 90_000),
        ] {
            let (due, took) = (Duration::from_millis(due), Duration::from_millis(took));
            tally.add(Ended { outcome, due, took, late: Duration::from_micros(10) });
        }
        assert_eq!(
            (tally.count(&Outcome::Issued), tally.count(&failed), tally.failed()),
            (2, 1, 1)
        );
        let seconds: Vec<_> = tally.seconds.iter().map(|it| (it.as_meant, it.failed)).collect();
        assert_eq!(seconds, [(1, 0), (1, 0), (1, 1)]);
        assert!((tally.times.max() - 5_000.0).abs() < 5.0, "{}", tally.times.max());
        assert!((tally.times.percentile(50.0) - 7.0).abs() < 0.01);
    }
}
