//! Follows the change feed, so that caches and keys are never older than the bound that was configured.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, Notify};

use crate::clock::Clock;
use crate::domain::change::{ChangeSeq, ChangedNoun};
use crate::keys::{KeyKeeper, KeyKeeperError};
use crate::store::Store;
use crate::token::cache::Caches;
use crate::token::refusal::Refusal;

/// A follower of the change feed.
pub struct Feed {
    store: Store,
    caches: Arc<Caches>,
    keys: Arc<KeyKeeper>,
    clock: Arc<dyn Clock>,
    stale_max: Duration,
    /// The last change that has been followed; held while following, so that changes are taken in order.
    seen: Mutex<ChangeSeq>,
    /// When the feed was last read to its end, in milliseconds of uptime.
    read_at: AtomicU64,
}

impl Feed {
    /// Begins after the latest change there is. The caches are still empty; the ring of keys is not, so it is
    /// read once more: what changed after it was read the first time would never be followed.
    pub async fn open(
        store: Store,
        caches: Arc<Caches>,
        keys: Arc<KeyKeeper>,
        clock: Arc<dyn Clock>,
        stale_max: Duration,
    ) -> Result<Self, KeyKeeperError> {
        let read_at = AtomicU64::new(milliseconds(clock.uptime()));
        let seen = Mutex::new(store.latest_change().await?);
        keys.reload().await?;
        Ok(Self { store, caches, keys, clock, stale_max, seen, read_at })
    }

    /// Follows every change that has been committed. Whoever has made a change calls this before telling
    /// anybody that it is done.
    pub async fn catch_up(&self) -> Result<(), KeyKeeperError> {
        let mut seen = self.seen.lock().await;
        let began = milliseconds(self.clock.uptime());
        loop {
            let changes = self.store.changes_after(*seen).await?;
            let Some(last) = changes.last() else { break };
            let last = last.seq;
            let mut keys_changed = false;
            for change in &changes {
                self.caches.follow(change);
                keys_changed |= change.noun == ChangedNoun::SigningKey;
            }
            if keys_changed {
                self.keys.reload().await?;
            }
            *seen = last;
        }
        self.read_at.store(began, Ordering::Release);
        Ok(())
    }

    /// Looks at the feed every `poll`, and at once when another node says that there is something, until the task is
    /// dropped.
    pub async fn follow(self: Arc<Self>, poll: Duration) {
        let hint = Notify::new();
        tokio::join!(self.store.hear_changes(|| hint.notify_one()), self.look(poll, &hint));
    }

    async fn look(&self, poll: Duration, hint: &Notify) {
        let mut failing = false;
        loop {
            // Whether a hint came or the time is up, there is nothing to do but to look.
            let _ = tokio::time::timeout(poll, hint.notified()).await;
            match self.catch_up().await {
                Ok(()) if failing => {
                    tracing::info!("changes can be followed again");
                    failing = false;
                }
                Err(error) if !failing => {
                    tracing::error!(%error, "changes cannot be followed");
                    failing = true;
                }
                Ok(()) | Err(_) => {}
            }
        }
    }

    /// Refuses when the last look is so long ago that what is cached may be wrong.
    pub fn require_fresh(&self) -> Result<(), Refusal> {
        let age =
            milliseconds(self.clock.uptime()).saturating_sub(self.read_at.load(Ordering::Acquire));
        if Duration::from_millis(age) <= self.stale_max {
            Ok(())
        } else {
            let cause = format!("the change feed has not been read for {age} ms");
            Err(Refusal::Unavailable { cause })
        }
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
