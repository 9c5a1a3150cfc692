//! The time of day that nodes agree on, which is the database's.
//!
//! A node whose clock is wrong would issue tokens that hold too long or not yet, and drop what the others still need.
//! So each looks at the clock of the database every second and carries it on by its uptime, which nobody sets: a step
//! of its own clock is noticed with the next request, without asking anybody. Far from the database's, its clock counts
//! for nothing: no token is issued by it, and what happens beside tokens happens at the time of the database. A file
//! has no clock, and on it the node's own is the only one.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::store::{Store, StoreError};
use crate::token::refusal::Refusal;

/// By how many seconds a node's clock may differ from the database's. Clocks that are kept differ by thousandths; and by
/// as much more do all wait behind the fence.
pub const APART_SECONDS_MAX: i64 = 2;

/// An answer that took longer says nothing of value: when in that time the clock was read is not known.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(1);

/// Nothing is known of the database's clock.
const UNKNOWN: i64 = i64::MIN;

/// A node's own clock, held against the database's.
pub struct AgreedClock {
    own: Arc<dyn Clock>,
    /// What the database's clock showed when the uptime was nothing, in milliseconds since 1970.
    start: AtomicI64,
}

impl AgreedClock {
    /// Knows nothing of the database's yet.
    pub fn new(own: Arc<dyn Clock>) -> Self {
        Self { own, start: AtomicI64::new(UNKNOWN) }
    }

    /// Looks at the database's clock.
    pub async fn compare(&self, store: &Store) -> Result<(), StoreError> {
        if !self.own.runs() {
            return Ok(());
        }
        let began = self.own.uptime();
        if let Some(shown) = store.clock_milliseconds().await? {
            self.shown(shown, began, self.own.uptime());
        }
        Ok(())
    }

    /// The database's clock has shown this at some moment of uptime between these two.
    fn shown(&self, milliseconds: i64, began: Duration, ended: Duration) {
        let took = ended.saturating_sub(began);
        if took <= ANSWER_TIME_MAX {
            let start = milliseconds.saturating_sub(as_milliseconds(began + took / 2));
            self.start.store(start, Ordering::Release);
        }
    }

    /// The time of the database, if it is known.
    fn database_now(&self) -> Option<Timestamp> {
        let start = self.start.load(Ordering::Acquire);
        let now = || start.saturating_add(as_milliseconds(self.own.uptime())).div_euclid(1_000);
        (start != UNKNOWN).then(|| Timestamp::from_seconds(now()))
    }

    /// By how many seconds the node's clock, which shows `now`, is ahead of the database's.
    pub fn apart_seconds(&self, now: Timestamp) -> i64 {
        self.database_now().map_or(0, |database| now.seconds().saturating_sub(database.seconds()))
    }

    /// By how many seconds the node's clock is ahead of the database's at this moment.
    pub fn apart(&self) -> i64 {
        self.apart_seconds(self.own.now())
    }

    /// Refuses when the node's clock, which shows `now`, is too far from the database's.
    pub fn require_agreement(&self, now: Timestamp) -> Result<(), Refusal> {
        let apart = self.apart_seconds(now);
        if apart.abs() <= APART_SECONDS_MAX {
            return Ok(());
        }
        let side = if apart > 0 { "ahead of" } else { "behind" };
        Err(Refusal::Unavailable {
            cause: format!(
                "the clock of this node is {} s {side} that of the database, and may be {APART_SECONDS_MAX}; set it",
                apart.abs()
            ),
        })
    }

    /// The same at this moment.
    pub fn agreement(&self) -> Result<(), Refusal> {
        self.require_agreement(self.own.now())
    }
}

impl Clock for AgreedClock {
    /// What the node's own clock shows, unless it is too far from the database's, whose time it is then.
    fn now(&self) -> Timestamp {
        let own = self.own.now();
        match self.database_now() {
            Some(database) if self.apart_seconds(own).abs() > APART_SECONDS_MAX => database,
            _ => own,
        }
    }

    fn uptime(&self) -> Duration {
        self.own.uptime()
    }
}

/// A time in milliseconds, or the longest that there is.
pub(super) fn as_milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::StandingClock;

    fn clocks() -> (Arc<StandingClock>, AgreedClock) {
        let clock = Arc::new(StandingClock::at(1_000));
        let agreed = AgreedClock::new(Arc::<StandingClock>::clone(&clock));
        agreed.shown(1_000_400, Duration::ZERO, Duration::from_millis(200));
        (clock, agreed)
    }

    #[test]
    fn a_step_of_the_nodes_clock_is_noticed_at_once_and_forgotten_when_it_is_set_right() {
        let (clock, agreed) = clocks();
        for (now, later, apart) in [(1_000, 0, 0), (1_060, 60_000, 0), (1_062, 0, 2)] {
            clock.set(now);
            clock.push_uptime(later);
            assert_eq!(agreed.apart_seconds(clock.now()), apart);
            agreed.require_agreement(clock.now()).unwrap();
            assert_eq!(agreed.now(), clock.now());
        }
        for (now, said) in
            [(1_063, "3 s ahead of"), (8_260, "7200 s ahead of"), (1_000, "60 s behind")]
        {
            clock.set(now);
            let refusal = agreed.require_agreement(clock.now()).unwrap_err();
            assert!(format!("{refusal:?}").contains(said), "{refusal:?}");
            assert_eq!(agreed.now(), Timestamp::from_seconds(1_060), "the database's");
        }
        clock.set(1_060);
        agreed.require_agreement(clock.now()).unwrap();
    }

    #[test]
    fn an_answer_that_took_too_long_says_nothing() {
        let (clock, agreed) = clocks();
        agreed.shown(9_000_000, Duration::ZERO, Duration::from_millis(1_001));
        agreed.require_agreement(clock.now()).unwrap();
    }

    #[test]
    fn where_the_database_has_no_clock_the_nodes_own_is_the_only_one() {
        let (clock, _) = clocks();
        let alone = AgreedClock::new(Arc::<StandingClock>::clone(&clock));
        clock.set(99_999);
        alone.require_agreement(clock.now()).unwrap();
        assert_eq!(alone.now(), clock.now());
    }
}
