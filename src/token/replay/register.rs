//! The log of spent assertions, and what of it is held in memory.

use std::future::pending;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::store::{ROWS_READ, ReplayLog, SpentId, Store, StoreError};
use crate::token::replay::outage::{ATTEMPT_PAUSE, Away, News};
use crate::token::replay::spent::Spent;
use crate::token::replay::{Fence, SWEEP_SECONDS, Verdict, Waiting};

/// How many of the oldest rows are looked at when what has expired is dropped: a slice small enough that a commit behind it
/// does not notice.
const SWEEP_ROWS: u32 = 5_000;

/// How soon a connection that has died says so.
const DIED_TIME_MAX: Duration = Duration::from_millis(300);

/// Time until the log is looked at when nobody has come since. A backup that is put back is older.
const LOOK_PAUSE: Duration = Duration::from_secs(5);

/// The same after that has failed, and how long it may take: somebody may come meanwhile, who waits.
const LOOK_AGAIN_PAUSE: Duration = Duration::from_mins(1);
const LOOK_TIME_MAX: Duration = Duration::from_millis(800);

/// The log, and what of it is in memory.
pub(super) struct Register {
    log: ReplayLog,
    spent: Spent,
    /// The row up to which the log has been read.
    read_to: i64,
    fence: Fence,
    /// Opens another connection to the log.
    store: Store,
    clock: Arc<dyn Clock>,
    /// How long an outage may be in which anything is spent at all.
    outage_max: Duration,
    /// Whether the log has ever been read to its end.
    has_read: bool,
    /// Whether it could be read when it was looked at last.
    has_looked: bool,
    /// Since when nothing has been appended and read, of uptime, although it was tried.
    failing_since: Option<Duration>,
    /// The outage under way.
    away: Option<Away>,
    news: News,
}

/// How a row was appended.
enum Appended {
    Once,
    /// At the second attempt. The database may have taken the first one too, and an assertion that is found to be spent may
    /// have been spent by that: who can tell?
    Again,
}

impl Register {
    /// Nothing of the log has been read.
    pub(super) fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        fence: Fence,
        outage_max: Duration,
        news: News,
    ) -> Self {
        Self {
            log: store.replay_log(),
            spent: Spent::default(),
            read_to: 0,
            fence,
            store,
            clock,
            outage_max,
            has_read: false,
            has_looked: true,
            failing_since: None,
            away: None,
            news,
        }
    }

    /// Waits for the next attempt to end an outage; for ever, where there is none.
    pub(super) async fn attempted(&mut self) {
        let Some(away) = &mut self.away else { return pending().await };
        let (attempt, now) = (away.attempted().await, self.clock.now());
        let Some(attempt) = attempt else {
            away.attempt(self.store.replay_log(), now, ATTEMPT_PAUSE);
            return;
        };
        let log = away.end(attempt, now);
        let outage = away.outage;
        if let Some(log) = log {
            self.away = None;
            self.log = log;
            self.note_fence();
            // It works again, although the bound of an outage counts on until something has been appended.
            self.news.failing_since.send_replace(None);
        }
        self.news.tell(outage);
    }

    /// Whether an outage is about to end, and whoever comes had better wait for that.
    pub(super) fn is_closing(&self) -> bool {
        self.away.as_ref().is_some_and(|away| away.is_closing)
    }

    /// Spends a batch in one commit, and answers all who wait for it. An error is that the database did not.
    pub(super) async fn spend_batch(&mut self, batch: &mut Vec<Waiting>) -> Result<(), StoreError> {
        // What is known to be spent costs no write: a storm of replays leaves the disk alone.
        let mut new: Vec<Waiting> = Vec::with_capacity(batch.len());
        for waiting in batch.drain(..) {
            if self.spent.contains(&waiting.id) {
                waiting.answer(Verdict::Spent);
            } else if self.spent.has_forgotten(waiting.keep_until) {
                waiting.answer(Verdict::Forgotten);
            } else {
                new.push(waiting);
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        if self.away.is_some() {
            self.spend_here(new);
            return Ok(());
        }
        let appended = self.append_or_again(&new).await;
        self.note(&appended);
        match &appended {
            Ok(appended) => {
                for waiting in new {
                    // The same assertion twice in a batch is fresh for the first that came.
                    let fresh = self.spent.insert(waiting.id, waiting.keep_until);
                    waiting.answer(match appended {
                        _ if fresh => Verdict::Fresh,
                        Appended::Once => Verdict::Spent,
                        Appended::Again => Verdict::Unknown,
                    });
                }
            }
            // Whether they have been committed is not known; here each has been worth no token yet.
            Err(error) if self.may_go_on(error) => {
                tracing::error!(%error, "the database is away: only scopes that allow it are issued");
                // What the log knows of itself goes with it.
                let log = mem::replace(&mut self.log, self.store.replay_log());
                self.away = Some(Away::begin(log, self.read_to, self.clock.now()));
                self.spend_here(new);
                return Ok(());
            }
            Err(error) => {
                tracing::error!(%error, "assertions could not be spent");
                for waiting in new {
                    waiting.answer(Verdict::Unknown);
                }
            }
        }
        appended.map(|_| ())
    }

    /// Whether nothing can be spent although there is no outage in which it could be tried beside the requests.
    pub(super) fn is_failing(&self) -> bool {
        self.failing_since.is_some() && self.away.is_none()
    }

    /// Whether the log can be looked at when there is nothing else to do.
    pub(super) fn may_look(&self) -> bool {
        self.log.is_remote() && self.away.is_none() && self.failing_since.is_none()
    }

    /// How long nothing must have come for the log to be looked at.
    pub(super) fn look_pause(&self) -> Duration {
        if self.has_looked { LOOK_PAUSE } else { LOOK_AGAIN_PAUSE }
    }

    /// Reads what others have spent, although nothing is to be spent here, and says whether that could be done: only who knows
    /// how far the log had come notices that an older copy is in its place.
    pub(super) async fn look(&mut self) -> bool {
        let looked = tokio::time::timeout(LOOK_TIME_MAX, async {
            if self.log.latest().await? < self.read_to {
                self.log.fence_older(self.read_to).await?;
            }
            self.read_before(i64::MAX).await
        });
        self.has_looked = matches!(looked.await, Ok(Ok(())));
        if !self.has_looked {
            tracing::debug!("the log of spent assertions could not be looked at");
        }
        self.has_looked
    }

    /// Appends a row of nothing, to see whether it works again: nobody else may try, as they are told that it does not.
    pub(super) async fn probe(&mut self) {
        let appended = self.append(&[]).await;
        self.note(&appended);
    }

    /// Notes whether the database takes what is spent.
    pub(super) fn note<T>(&mut self, tried: &Result<T, StoreError>) {
        match tried {
            Ok(_) if self.failing_since.is_none() => return,
            Ok(_) => self.failing_since = None,
            Err(_) => _ = self.failing_since.get_or_insert_with(|| self.clock.uptime()),
        }
        self.news.failing_since.send_replace(self.failing_since);
    }

    /// Whether this error is an outage in which something may be spent: the database does not answer, and what was spent
    /// before is known.
    fn may_go_on(&self, error: &StoreError) -> bool {
        !self.outage_max.is_zero() && self.has_read && error.may_pass()
    }

    /// Spends assertions in memory alone, where their scopes allow it and the outage has not been too long.
    fn spend_here(&mut self, new: Vec<Waiting>) {
        let Some(away) = &mut self.away else { return };
        let since = self.failing_since.unwrap_or_default();
        let is_too_long = self.clock.uptime().saturating_sub(since) > self.outage_max;
        away.outage.is_too_long = is_too_long;
        for waiting in new {
            // Nobody has a token for it.
            if waiting.answer.is_closed() {
                continue;
            }
            let is_allowed = !is_too_long && waiting.outage_policy.issues();
            let verdict = if !is_allowed || !away.has_room() {
                Verdict::Unknown
            } else if self.spent.insert(waiting.id, waiting.keep_until) {
                away.note(waiting.id, waiting.keep_until);
                Verdict::Fresh
            } else {
                Verdict::Spent
            };
            waiting.answer(verdict);
        }
        self.news.tell(away.outage);
    }

    /// Appends; and where that has failed at once, once more over a new connection: that one has died says little of the
    /// database. What has been appended twice is spent once. To a file nobody is connected: what has failed there is the
    /// disk, which is not trusted to have kept at the second attempt what it lost at the first.
    async fn append_or_again(&mut self, new: &[Waiting]) -> Result<Appended, StoreError> {
        let began = self.clock.uptime();
        let appended = self.append(new).await;
        let is_quick = self.clock.uptime().saturating_sub(began) <= DIED_TIME_MAX;
        match appended {
            Err(error) if self.log.is_remote() && is_quick && error.may_pass() => {
                self.append(new).await.map(|()| Appended::Again)
            }
            appended => appended.map(|()| Appended::Once),
        }
    }

    /// Appends a row with all of these, and reads every row before it that has not been read.
    async fn append(&mut self, new: &[Waiting]) -> Result<(), StoreError> {
        let began = u64::try_from(self.clock.uptime().as_millis()).unwrap_or(u64::MAX).max(1);
        self.news.commits.under_way_since.store(began, Ordering::Relaxed);
        let appended = self.append_and_read(new).await;
        self.news.commits.under_way_since.store(0, Ordering::Relaxed);
        if appended.is_ok() {
            self.news.commits.last.store(began, Ordering::Relaxed);
        }
        appended
    }

    async fn append_and_read(&mut self, new: &[Waiting]) -> Result<(), StoreError> {
        if self.read_to == 0 {
            self.read_before(i64::MAX).await?;
        }
        let ids: Vec<SpentId> = new.iter().map(|waiting| waiting.id).collect();
        let latest = new.iter().map(|waiting| waiting.keep_until).max();
        let keep_until = latest.unwrap_or_else(|| self.clock.now());
        let seq = self.log.append_after(self.read_to, &ids, keep_until).await?;
        self.note_fence();
        if seq != self.read_to + 1 {
            self.read_before(seq).await?;
        }
        self.read_to = seq;
        Ok(())
    }

    /// Takes in every row before `before` that has not been read.
    pub(super) async fn read_before(&mut self, before: i64) -> Result<(), StoreError> {
        loop {
            let rows = self.log.rows_between(self.read_to, before).await?;
            self.note_fence();
            for row in &rows {
                self.read_to = row.seq;
                for id in &row.ids {
                    self.spent.insert(*id, row.keep_until);
                }
            }
            // Others may append faster than it can be read to the very end.
            if rows.len() < ROWS_READ {
                self.has_read = true;
                return Ok(());
            }
        }
    }

    /// Tells those who spend of the fence that the connection has found.
    fn note_fence(&self) {
        if let Some(fenced_at) = self.log.fenced_at() {
            self.fence.fetch_max(fenced_at.seconds(), Ordering::Release);
        }
    }

    /// Drops what has expired, and says when to do so again.
    pub(super) async fn sweep(&mut self, now: Timestamp) -> Duration {
        self.spent.forget(now);
        if self.away.is_some() {
            return Duration::from_secs(SWEEP_SECONDS);
        }
        match self.log.forget(now, SWEEP_ROWS).await {
            // So many mean that more is waiting.
            Ok(rows) if rows >= u64::from(SWEEP_ROWS) / 2 => Duration::ZERO,
            Ok(_) => Duration::from_secs(SWEEP_SECONDS),
            Err(error) => {
                tracing::warn!(%error, "spent assertions could not be dropped");
                Duration::from_secs(SWEEP_SECONDS)
            }
        }
    }
}
