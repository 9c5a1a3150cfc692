//! Which certificates responders are asked about: each once at a time, for as long as it is in use.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Timestamp;
use crate::pki::ocsp::OcspKey;
use crate::token::responders::OcspWanted;

/// Certificates that are looked after, at most, as many as chains are remembered; one takes about 2 KiB.
const CERTIFICATES_MAX: usize = 20_000;

/// What is kept when there are too many: those that were used last.
const KEPT: usize = CERTIFICATES_MAX / 10 * 9;

/// A certificate that was not used for so many seconds is not asked about any more. One that is in use is seen every ten
/// minutes, because no chain is remembered for longer.
const IDLE_SECONDS: i64 = 30 * 60;

/// A certificate of a trust set: the place of the set, and the certificate.
pub(super) type AskedKey = (usize, OcspKey);

/// The certificates that are looked after.
#[derive(Default)]
pub(super) struct Asked(HashMap<AskedKey, Entry>);

/// What is asked about one certificate, and when.
pub(super) struct Entry {
    pub(super) wanted: OcspWanted,
    /// Asked before then only if nothing has been tried yet.
    pub(super) next: Timestamp,
    /// How often in a row nothing was told.
    pub(super) failures: u32,
    /// Whoever waits for what is kept of it from earlier.
    pub(super) recall: Option<watch::Receiver<()>>,
    /// Whoever waits for the question that is under way.
    pub(super) flight: Option<watch::Receiver<()>>,
    seen: Timestamp,
}

impl Entry {
    /// Whether somebody is asking now.
    pub(super) fn is_under_way(&self) -> bool {
        self.flight.as_ref().is_some_and(is_under_way)
    }
}

/// Whether what somebody waits for has not ended.
pub(super) fn is_under_way(task: &watch::Receiver<()>) -> bool {
    task.has_changed().is_ok()
}

impl Asked {
    /// The entry of a certificate that is in use now; a new one is due at once. One that comes back is as good as new, so
    /// that its answer is waited for.
    pub(super) fn see(&mut self, key: AskedKey, wanted: OcspWanted, now: Timestamp) -> &mut Entry {
        let (recall, flight) = (None, None);
        let fresh = Entry { wanted, next: now, failures: 0, recall, flight, seen: now };
        let entry = self.0.entry(key).or_insert(fresh);
        if now > entry.seen.plus_seconds(IDLE_SECONDS) {
            entry.failures = 0;
        }
        entry.seen = now;
        entry
    }

    pub(super) fn of(&mut self, key: &AskedKey) -> Option<&mut Entry> {
        self.0.get_mut(key)
    }

    /// Those to ask about now. The clock may have gone back, and then nothing waits for what it once was.
    pub(super) fn due(&self, now: Timestamp, wait_max: Duration) -> Vec<AskedKey> {
        let wait_max = i64::try_from(wait_max.as_secs()).unwrap_or(i64::MAX);
        let latest = now.plus_seconds(wait_max);
        let is_due = |it: &Entry| {
            let is_time = it.next <= now || it.next > latest;
            !it.is_under_way() && is_time && now <= it.seen.plus_seconds(IDLE_SECONDS)
        };
        self.0.iter().filter(|(_, it)| is_due(it)).map(|(key, _)| *key).collect()
    }

    /// Drops those that have not been used for longer than `kept_seconds` of their set beyond what is asked about, and the
    /// ones used least lately when there are too many. What nobody looks after any more is given back.
    pub(super) fn drop_idle(
        &mut self,
        now: Timestamp,
        kept_seconds: impl Fn(usize) -> i64,
    ) -> Vec<AskedKey> {
        let mut limit = None;
        if self.0.len() > KEPT {
            let mut seen: Vec<Timestamp> = self.0.values().map(|it| it.seen).collect();
            let (_, nth, _) = seen.select_nth_unstable(self.0.len() - KEPT);
            limit = Some(*nth);
        }
        let mut room = KEPT;
        let mut dropped = Vec::new();
        self.0.retain(|key, it| {
            let end = it.seen.plus_seconds(IDLE_SECONDS).plus_seconds(kept_seconds(key.0));
            let is_recent = limit.is_none_or(|limit| it.seen >= limit);
            let stays = it.is_under_way() || (now <= end && is_recent && room > 0);
            if stays {
                room = room.saturating_sub(1);
            } else {
                dropped.push(*key);
            }
            stays
        });
        dropped
    }

    /// Whether one more would be too many.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= CERTIFICATES_MAX
    }
}
