//! What has been spent and can still be used, in memory.

use std::collections::{BTreeMap, HashSet};

use crate::clock::Timestamp;
use crate::store::SpentId;

/// Seconds that share a set. An assertion lives for minutes, so there are a handful of sets, each dropped whole.
const SLICE_SECONDS: i64 = 60;

/// Spent assertions, by the slice of time in which they can be forgotten.
#[derive(Debug, Default)]
pub(super) struct Spent(BTreeMap<i64, HashSet<SpentId>>);

impl Spent {
    pub(super) fn contains(&self, id: &SpentId) -> bool {
        self.0.values().any(|slice| slice.contains(id))
    }

    /// Adds one that must be remembered until `keep_until`, and says whether it is new.
    pub(super) fn insert(&mut self, id: SpentId, keep_until: Timestamp) -> bool {
        let is_new = !self.contains(&id);
        if is_new {
            self.0.entry(keep_until.seconds().div_euclid(SLICE_SECONDS)).or_default().insert(id);
        }
        is_new
    }

    /// Drops every slice that is over. Returns the moment before which all had to be remembered that are dropped, if there
    /// are any.
    pub(super) fn forget(&mut self, now: Timestamp) -> Option<Timestamp> {
        let current = now.seconds().div_euclid(SLICE_SECONDS);
        let kept = self.0.split_off(&current);
        let dropped = std::mem::replace(&mut self.0, kept);
        let (last, _) = dropped.last_key_value()?;
        Some(Timestamp::from_seconds(last.saturating_add(1).saturating_mul(SLICE_SECONDS)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_remembered_until_its_time_and_not_much_longer() {
        let at = Timestamp::from_seconds;
        let mut spent = Spent::default();
        assert!(spent.insert([1; 32], at(100)));
        assert!(!spent.insert([1; 32], at(1_000)));
        assert!(spent.insert([2; 32], at(1_000)));
        assert_eq!(spent.forget(at(100)), None);
        assert!(spent.contains(&[1; 32]));
        assert_eq!(spent.forget(at(180)), Some(at(120)));
        assert!(!spent.contains(&[1; 32]) && spent.contains(&[2; 32]));
    }
}
