//! What is spent while the database is away, for scopes whose owners want tokens to be issued all the same.
//!
//! It is then spent in the memory of this node alone: an assertion is worth one token at each node, and no more at any.
//! What has been spent is put into the log as soon as the database takes it, from when on it counts everywhere; until
//! all of it is there, the outage goes on. A node that stops before has told nobody.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::clock::Timestamp;
use crate::store::{ReplayLog, SpentId, StoreError};
use crate::token::replay::Commits;

/// Time between two attempts to reach the database.
pub(super) const ATTEMPT_PAUSE: Duration = Duration::from_secs(1);

/// What one attempt puts into the log, at most: the size of a row is bounded by whoever reads a thousand of them.
const ATTEMPT_IDS: usize = 1_024;

/// What can be spent and not yet be in the log: 3,000 a second for as long as an assertion counts. Beyond that it is
/// refused, as without a policy.
const SPENT_MAX: usize = 1_000_000;

/// How long after an outage its changes are still being looked for: two looks at the feed, of which one has hung.
const FELT_SECONDS: i64 = 5;

/// An outage, as others see it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Outage {
    /// When it was noticed.
    pub since: Timestamp,
    /// When the database had taken everything; `None` while it goes on.
    pub until: Option<Timestamp>,
    /// How many assertions have been spent in it, each for a token.
    pub spent: u64,
    /// Whether it has been going on for too long for more to be spent.
    pub is_too_long: bool,
}

impl Outage {
    /// Whether what is cached may be out of date for no other reason.
    pub fn is_felt_at(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now <= until.plus_seconds(FELT_SECONDS))
    }
}

/// Tells others of outages.
pub(super) struct News {
    /// The one under way, or the last.
    pub(super) latest: watch::Sender<Option<Outage>>,
    /// Each that has ended.
    pub(super) ended: mpsc::UnboundedSender<Outage>,
    /// Since when nothing could be appended, of uptime.
    pub(super) failing_since: watch::Sender<Option<Duration>>,
    /// How commits go.
    pub(super) commits: Arc<Commits>,
}

impl News {
    pub(super) fn tell(&self, outage: Outage) {
        self.latest.send_replace(Some(outage));
        if outage.until.is_some() {
            // Nobody listens any more when the server ends.
            let _ = self.ended.send(outage);
        }
    }
}

/// An outage under way.
pub(super) struct Away {
    pub(super) outage: Outage,
    /// The row up to which the log had been read before.
    read_to: i64,
    /// What has been spent and is not in the log, and until when it must be remembered.
    pending: VecDeque<(SpentId, Timestamp)>,
    /// The attempt under way; it ends with this value.
    attempts: JoinSet<Attempt>,
    /// Whether the attempt under way is to be the last, so that nothing more is to be spent before it has ended.
    pub(super) is_closing: bool,
}

/// What has come of an attempt to reach the database.
pub(super) struct Attempt {
    pub(super) log: ReplayLog,
    ids: usize,
    appended: Result<i64, StoreError>,
}

impl Away {
    /// An outage that begins at this moment, when the log has been read up to that row.
    pub(super) fn begin(log: ReplayLog, read_to: i64, since: Timestamp) -> Self {
        let outage = Outage { since, until: None, spent: 0, is_too_long: false };
        let (pending, attempts) = (VecDeque::new(), JoinSet::new());
        let mut away = Self { outage, read_to, pending, attempts, is_closing: false };
        away.attempt(log, since, Duration::ZERO);
        away
    }

    /// Whether one more can be spent here.
    pub(super) fn has_room(&self) -> bool {
        self.pending.len() < SPENT_MAX
    }

    /// Notes that one has been spent here.
    pub(super) fn note(&mut self, id: SpentId, keep_until: Timestamp) {
        self.pending.push_back((id, keep_until));
        self.outage.spent += 1;
    }

    /// Waits for the end of the attempt under way; nothing comes of one that has panicked.
    pub(super) async fn attempted(&mut self) -> Option<Attempt> {
        self.attempts.join_next().await?.ok()
    }

    /// Takes note of what has come of an attempt. If the database has everything the outage is over, and the connection
    /// comes back; if not, the next attempt is under way.
    pub(super) fn end(&mut self, attempt: Attempt, now: Timestamp) -> Option<ReplayLog> {
        let has_worked = attempt.appended.is_ok();
        if has_worked {
            self.pending.drain(..attempt.ids);
            if self.pending.is_empty() {
                self.outage.until = Some(now);
                return Some(attempt.log);
            }
        }
        // Under load there is always something more; so the last of it is waited for.
        self.is_closing = has_worked && self.pending.len() <= ATTEMPT_IDS;
        let pause = if has_worked { Duration::ZERO } else { ATTEMPT_PAUSE };
        self.attempt(attempt.log, now, pause);
        None
    }

    /// Attempts to append the oldest of what is not in the log; a row without any tells as well whether it can be done.
    pub(super) fn attempt(&mut self, mut log: ReplayLog, now: Timestamp, pause: Duration) {
        // What nobody accepts any more need not be known.
        while self.pending.front().is_some_and(|(_, keep_until)| *keep_until < now) {
            self.pending.pop_front();
        }
        let read_to = self.read_to;
        let oldest: Vec<_> = self.pending.iter().take(ATTEMPT_IDS).copied().collect();
        self.attempts.spawn(async move {
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            let ids: Vec<SpentId> = oldest.iter().map(|(id, _)| *id).collect();
            let keep_until = oldest.iter().map(|(_, keep_until)| *keep_until).max();
            let appended = log.append_after(read_to, &ids, keep_until.unwrap_or(now)).await;
            Attempt { log, ids: ids.len(), appended }
        });
    }
}
