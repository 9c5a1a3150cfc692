//! How often one caller may do something, so that nobody takes the server from the others.
//!
//! Each caller has a bucket that fills at the rate of the limit and holds [`BURST_SECONDS`] of it, or an hour's. A bucket is one
//! number, the moment at which it will be full again (the generic cell rate algorithm of ITU-T I.371), so counting
//! is one atomic exchange on the caller's own number, and nothing has to be filled or swept. Buckets are kept in
//! bounded memory: the one that has been left alone for longest is forgotten, which is as good as full.
//!
//! A limit holds on each node for itself.

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use thiserror::Error;

use crate::clock::{Clock, HOUR_SECONDS};

/// Seconds' worth of requests that may come at once: what starts, or wakes up by the clock, asks for much at once.
pub const BURST_SECONDS: u32 = 4;

/// Buckets of one limit that are kept: more than callers who come near a limit at the same time. One takes some 200
/// bytes.
const BUCKETS_MAX: u64 = 20_000;

const NANOSECONDS: u64 = 1_000_000_000;

/// A limit on what each caller does, told apart by `K`.
pub struct RateLimit<K> {
    /// `None` is no limit, and then nothing is looked at.
    buckets: Option<Buckets<K>>,
}

struct Buckets<K> {
    clock: Arc<dyn Clock>,
    /// Nanoseconds in which a bucket fills by one.
    each: u64,
    /// Nanoseconds in which an empty bucket fills.
    whole: u64,
    /// The moment at which each bucket is full, in nanoseconds of [`Clock::uptime`].
    full_at: Cache<K, Arc<AtomicU64>>,
}

/// A caller has done it too often.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("too many requests; the next one is welcome in {retry_after_seconds} s")]
pub struct TooMany {
    /// Whole seconds after which it may be done again, at least one.
    pub retry_after_seconds: u64,
}

impl<K: Clone + Eq + Hash + Send + Sync + 'static> RateLimit<K> {
    /// At most so many a second and caller, and [`BURST_SECONDS`] as many at once; 0 is no limit.
    pub fn per_second(rate: u32, clock: &Arc<dyn Clock>) -> Self {
        let at_once = u64::from(rate) * u64::from(BURST_SECONDS);
        Self::of(NANOSECONDS.checked_div(rate.into()), at_once, clock)
    }

    /// At most so many an hour and caller, however they are spread over it; 0 is no limit.
    pub fn per_hour(most: u32, clock: &Arc<dyn Clock>) -> Self {
        let hour = HOUR_SECONDS.unsigned_abs() * NANOSECONDS;
        Self::of(hour.checked_div(most.into()), most.into(), clock)
    }

    /// One in each of so many nanoseconds, and so many at once.
    fn of(each: Option<u64>, at_once: u64, clock: &Arc<dyn Clock>) -> Self {
        let buckets = each.map(|each| Buckets {
            clock: Arc::clone(clock),
            each,
            whole: each * at_once,
            full_at: Cache::builder()
                .max_capacity(BUCKETS_MAX)
                .eviction_policy(EvictionPolicy::lru())
                .build(),
        });
        Self { buckets }
    }

    /// Counts one more of that caller, unless it is one too many: then it is not counted and must not be done.
    pub fn allow(&self, key: &K) -> Result<(), TooMany> {
        let Some(buckets) = &self.buckets else { return Ok(()) };
        let now = buckets.now();
        let counted =
            buckets.of(key).fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at| {
                buckets.after_one(full_at, now)
            });
        counted.map(|_| ()).map_err(|full_at| buckets.too_many(full_at, now))
    }

    /// Says whether one more of that caller would be too many, and counts nothing.
    pub fn check(&self, key: &K) -> Result<(), TooMany> {
        let Some(buckets) = &self.buckets else { return Ok(()) };
        // Who has no bucket has a full one. Most callers do nothing that is counted.
        let Some(bucket) = buckets.full_at.get(key) else { return Ok(()) };
        let (full_at, now) = (bucket.load(Ordering::Relaxed), buckets.now());
        match buckets.after_one(full_at, now) {
            Some(_) => Ok(()),
            None => Err(buckets.too_many(full_at, now)),
        }
    }

    /// Counts one that has been done. However many are done at once, the bucket is at most empty.
    pub fn count(&self, key: &K) {
        let Some(buckets) = &self.buckets else { return };
        let now = buckets.now();
        let _ = buckets.of(key).fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at| {
            buckets.after_one(full_at, now)
        });
    }

    /// Takes back one that has been counted.
    pub fn give_back(&self, key: &K) {
        let Some(buckets) = &self.buckets else { return };
        let Some(bucket) = buckets.full_at.get(key) else { return };
        let _ = bucket.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at| {
            Some(full_at.saturating_sub(buckets.each))
        });
    }
}

impl<K: Clone + Eq + Hash + Send + Sync + 'static> Buckets<K> {
    fn now(&self) -> u64 {
        u64::try_from(self.clock.uptime().as_nanos()).unwrap_or(u64::MAX)
    }

    fn of(&self, key: &K) -> Arc<AtomicU64> {
        self.full_at.get_with_by_ref(key, Arc::default)
    }

    /// When a bucket is full after one has been taken from it; `None` when there is none in it.
    fn after_one(&self, full_at: u64, now: u64) -> Option<u64> {
        let after = full_at.max(now).saturating_add(self.each);
        (after <= now.saturating_add(self.whole)).then_some(after)
    }

    fn too_many(&self, full_at: u64, now: u64) -> TooMany {
        let next = full_at.saturating_add(self.each).saturating_sub(self.whole);
        let wait = Duration::from_nanos(next.saturating_sub(now));
        let begun = u64::from(wait.subsec_nanos() > 0);
        TooMany { retry_after_seconds: (wait.as_secs() + begun).max(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::StandingClock;

    fn limit(rate: u32) -> (Arc<StandingClock>, RateLimit<String>) {
        let clock = Arc::new(StandingClock::at(0));
        let its_clock: Arc<dyn Clock> = Arc::<StandingClock>::clone(&clock);
        (clock, RateLimit::per_second(rate, &its_clock))
    }

    /// How many are let through of a thousand at once.
    fn passed(limit: &RateLimit<String>, key: &str) -> usize {
        let key = key.to_owned();
        (0..1_000).filter(|_| limit.allow(&key).is_ok()).count()
    }

    #[test]
    fn a_burst_passes_and_then_as_many_as_the_rate() {
        let (clock, limit) = limit(10);
        assert_eq!(passed(&limit, "a"), 40);
        assert_eq!(passed(&limit, "b"), 40, "another caller has a bucket of its own");
        assert_eq!(limit.allow(&"a".to_owned()), Err(TooMany { retry_after_seconds: 1 }));
        for (milliseconds, fresh) in [(99, 0), (1, 1), (1_000, 10), (1_500, 15), (60_000, 40)] {
            clock.push_uptime(milliseconds);
            assert_eq!(passed(&limit, "a"), fresh, "{milliseconds} ms later");
        }
    }

    #[test]
    fn after_the_seconds_that_are_told_the_next_one_passes() {
        for rate in [1, 3, 7, 1_000_000, u32::MAX] {
            let (clock, limit) = limit(rate);
            let key = "a".to_owned();
            let Err(refused) =
                (0..=rate.min(10) * BURST_SECONDS).try_for_each(|_| limit.allow(&key))
            else {
                assert!(rate > 10, "{rate}");
                continue;
            };
            clock.push_uptime(refused.retry_after_seconds * 1_000);
            assert_eq!(limit.allow(&key), Ok(()), "{rate}");
        }
    }

    #[test]
    fn what_is_done_anyway_empties_a_bucket_and_no_more() {
        let (clock, limit) = limit(5);
        let key = "a".to_owned();
        assert_eq!(limit.check(&key), Ok(()));
        (0..1_000).for_each(|_| limit.count(&key));
        assert_eq!(limit.check(&key), Err(TooMany { retry_after_seconds: 1 }));
        assert_eq!(limit.check(&"b".to_owned()), Ok(()));
        clock.push_uptime(200);
        assert_eq!(limit.check(&key), Ok(()));
        assert_eq!(limit.check(&key), Ok(()), "a look counts nothing");
        assert_eq!(passed(&limit, "a"), 1);
    }

    #[test]
    fn what_is_given_back_can_be_had_again() {
        let (_, limit) = limit(2);
        assert_eq!(passed(&limit, "a"), 8);
        limit.give_back(&"a".to_owned());
        assert_eq!(passed(&limit, "a"), 1);
        (0..99).for_each(|_| limit.give_back(&"a".to_owned()));
        assert_eq!(passed(&limit, "a"), 8, "a bucket is at most full");
    }

    #[test]
    fn what_is_limited_by_the_hour_may_come_at_once_and_then_waits() {
        let clock = Arc::new(StandingClock::at(0));
        let its_clock: Arc<dyn Clock> = Arc::<StandingClock>::clone(&clock);
        let limit = RateLimit::per_hour(6, &its_clock);
        assert_eq!(passed(&limit, "a"), 6);
        assert_eq!(limit.allow(&"a".to_owned()), Err(TooMany { retry_after_seconds: 600 }));
        clock.push_uptime(600_000);
        assert_eq!(passed(&limit, "a"), 1);
        assert_eq!(passed(&RateLimit::per_hour(0, &its_clock), "a"), 1_000);
    }

    #[test]
    fn zero_is_no_limit() {
        let (_, limit) = limit(0);
        assert_eq!(passed(&limit, "a"), 1_000);
        limit.count(&"a".to_owned());
        assert_eq!(limit.check(&"a".to_owned()), Ok(()));
    }

    #[test]
    fn buckets_are_bounded() {
        let (_, limit) = limit(1);
        let callers = BUCKETS_MAX * 2;
        (0..callers).for_each(|caller| limit.count(&caller.to_string()));
        let kept = &limit.buckets.as_ref().unwrap().full_at;
        kept.run_pending_tasks();
        assert!(kept.entry_count() <= BUCKETS_MAX, "{}", kept.entry_count());
        let last = (callers - 1).to_string();
        (0..BURST_SECONDS).for_each(|_| limit.count(&last));
        assert!(limit.check(&last).is_err(), "who has just come is remembered");
    }
}
