//! What has been spent and can still be used, in memory.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::clock::Timestamp;
use crate::store::SpentId;

/// Seconds that share a set. An assertion lives for minutes, so there are a handful of sets, each dropped whole.
const SLICE_SECONDS: i64 = 60;

/// In so many slices all is over that is spent at a time: no assertion lives longer than a quarter of an hour.
const LIFE_SLICES: i64 = 15;

/// The slices that have been forgotten and are still told apart: those of a day. Of older ones any may have been.
const FORGOTTEN_MAX: usize = 24 * 60;

/// Spent assertions, by the slice of time in which they can be forgotten.
#[derive(Debug)]
pub(super) struct Spent {
    slices: BTreeMap<i64, HashSet<SpentId>>,
    /// The slices that have been dropped.
    forgotten: BTreeSet<i64>,
    /// Of the slices up to this one it is not known any more which have been.
    floor: i64,
}

impl Default for Spent {
    fn default() -> Self {
        Self { slices: BTreeMap::new(), forgotten: BTreeSet::new(), floor: i64::MIN }
    }
}

impl Spent {
    pub(super) fn contains(&self, id: &SpentId) -> bool {
        self.slices.values().any(|slice| slice.contains(id))
    }

    /// Adds one that must be remembered until `keep_until`, and says whether it is new.
    pub(super) fn insert(&mut self, id: SpentId, keep_until: Timestamp) -> bool {
        let is_new = !self.contains(&id);
        if is_new {
            self.slices.entry(slice_of(keep_until)).or_default().insert(id);
        }
        is_new
    }

    /// Whether one that had to be remembered until then may have been forgotten. Its time is long over, unless the clock is set
    /// back. What was read from the log is remembered for as long as any that was spent with it.
    pub(super) fn has_forgotten(&self, keep_until: Timestamp) -> bool {
        let slice = slice_of(keep_until);
        let longer = self.forgotten.range(slice..slice.saturating_add(LIFE_SLICES)).next();
        slice <= self.floor || longer.is_some()
    }

    /// Drops every slice that is over.
    pub(super) fn forget(&mut self, now: Timestamp) {
        let kept = self.slices.split_off(&slice_of(now));
        let over = std::mem::replace(&mut self.slices, kept);
        self.forgotten.extend(over.into_keys());
        while self.forgotten.len() > FORGOTTEN_MAX {
            self.floor = self.forgotten.pop_first().unwrap_or(self.floor).max(self.floor);
        }
    }
}

fn slice_of(moment: Timestamp) -> i64 {
    moment.seconds().div_euclid(SLICE_SECONDS)
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
        spent.forget(at(100));
        assert!(spent.contains(&[1; 32]));
        assert!(!spent.has_forgotten(at(100)));
        spent.forget(at(180));
        assert!(!spent.contains(&[1; 32]) && spent.contains(&[2; 32]));
    }
    #[test]
    fn it_is_known_what_has_been_forgotten_and_of_what_is_too_old_nothing() {
        let at = |slice: i64| Timestamp::from_seconds(slice * SLICE_SECONDS);
        let mut spent = Spent::default();
        for slice in 0..2_000 {
            spent.insert([1; 32], at(slice * 40));
            spent.forget(at(slice * 40 + 1));
        }
        // The last, what may have been spent with it, and what cannot have been.
        for (slice, has_forgotten) in
            [(79_960, true), (79_946, true), (79_945, false), (79_961, false)]
        {
            assert_eq!(spent.has_forgotten(at(slice)), has_forgotten, "{slice}");
        }
        assert!(!spent.has_forgotten(at(22_361)));
        assert!(spent.has_forgotten(at(22_321)), "nothing was there, and it is too long ago");
    }
}
