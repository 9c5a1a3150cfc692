//! Step 8: an assertion is spent once, durably, before anything is signed.
//!
//! One task owns the writing. While a commit is under way, the assertions that arrive wait; the next commit
//! takes all of them, so the cost of a commit is shared. Under load it waits a millisecond for more company;
//! who comes alone is served at once. Whoever is told that an assertion is fresh is told so after the commit.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::clock::{Clock, Random, Timestamp};
use crate::store::{REPLAY_ROWS_MAX, ReplayRow, ReplayWriter, Store};
use crate::token::assertion::ReplayId;
use crate::token::refusal::Refusal;

/// Assertions that may wait for a commit. Beyond that the database is too slow for the load, and a quick
/// 503 serves everybody better than a long queue.
const WAITING_MAX: usize = 4_096;

/// How long one may wait for its commit.
const COMMIT_SECONDS_MAX: u64 = 5;

/// A commit costs as much as twenty rows. When a batch had company but fewer rows than this, the next one
/// waits a moment for more; one that had a single row never waits, so a quiet server is as quick as it can be.
const ROWS_WANTED: usize = 16;
const COMPANY_WAIT: Duration = Duration::from_millis(1);

/// Seconds that a row is kept beyond the moment when its assertion can no longer be accepted, against
/// clocks that disagree.
const KEEP_MARGIN_SECONDS: i64 = 120;

/// How often expired rows are dropped, and how many at once: a slice small enough that a commit behind it
/// does not notice.
const SWEEP_SECONDS: u64 = 5;
const SWEEP_ROWS: u32 = 5_000;

/// The register of spent assertions.
#[derive(Clone)]
pub struct Replay {
    waiting: mpsc::Sender<Waiting>,
    clock_skew_seconds: i64,
}

/// One who waits for a commit.
struct Waiting {
    row: ReplayRow,
    answer: oneshot::Sender<Verdict>,
}

/// What a commit said about one assertion.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verdict {
    Fresh,
    Spent,
    Unknown,
}

impl Replay {
    /// Starts the task that writes; it ends when the last clone of this value is gone.
    pub fn start(
        store: &Store,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        clock_skew_seconds: i64,
    ) -> (Self, JoinHandle<()>) {
        let (waiting, queue) = mpsc::channel(WAITING_MAX);
        let task = tokio::spawn(write(store.replay_writer(), clock, random, queue));
        (Self { waiting, clock_skew_seconds }, task)
    }

    /// Spends an assertion that expires at `expires_at`, or refuses it as used.
    pub async fn spend(&self, id: ReplayId, expires_at: Timestamp) -> Result<(), Refusal> {
        let keep = self.clock_skew_seconds.saturating_add(KEEP_MARGIN_SECONDS);
        let row = ReplayRow { id: id.into_text(), keep_until: expires_at.plus_seconds(keep) };
        let (answer, verdict) = oneshot::channel();
        let unavailable = |cause: &str| Refusal::Unavailable { cause: cause.to_owned() };
        self.waiting
            .try_send(Waiting { row, answer })
            .map_err(|_| unavailable("too many assertions wait to be spent"))?;
        let verdict = tokio::time::timeout(Duration::from_secs(COMMIT_SECONDS_MAX), verdict).await;
        match verdict {
            Ok(Ok(Verdict::Fresh)) => Ok(()),
            Ok(Ok(Verdict::Spent)) => Err(Refusal::Replayed),
            Ok(Ok(Verdict::Unknown) | Err(_)) => {
                Err(unavailable("the assertion could not be spent durably"))
            }
            Err(_) => Err(unavailable("spending the assertion took too long")),
        }
    }
}

async fn write(
    mut store: ReplayWriter,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    mut queue: mpsc::Receiver<Waiting>,
) {
    let mut batch = Vec::with_capacity(REPLAY_ROWS_MAX);
    let mut next_sweep = clock.uptime() + Duration::from_secs(SWEEP_SECONDS);
    loop {
        let rows = queue.recv_many(&mut batch, REPLAY_ROWS_MAX).await;
        if rows == 0 {
            return;
        }
        spend_batch(&mut store, &*random, &mut batch).await;
        if clock.uptime() >= next_sweep {
            let swept = store.forget(clock.now(), SWEEP_ROWS).await;
            // A full slice means that more is waiting.
            let more = matches!(swept, Ok(rows) if rows == u64::from(SWEEP_ROWS));
            let pause = if more { Duration::ZERO } else { Duration::from_secs(SWEEP_SECONDS) };
            next_sweep = clock.uptime() + pause;
            if let Err(error) = swept {
                tracing::warn!(%error, "spent assertions could not be dropped");
            }
        }
        if (2..ROWS_WANTED).contains(&rows) {
            tokio::time::sleep(COMPANY_WAIT).await;
        }
    }
}

/// Spends a batch in one commit. The same assertion twice in a batch is fresh for the first that came.
async fn spend_batch(store: &mut ReplayWriter, random: &dyn Random, batch: &mut Vec<Waiting>) {
    let mut seen = HashSet::with_capacity(batch.len());
    let first: Vec<bool> =
        batch.iter().map(|waiting| seen.insert(waiting.row.id.clone())).collect();
    let chosen = batch.iter().zip(&first).filter(|(_, first)| **first);
    let rows: Vec<ReplayRow> = chosen.map(|(waiting, _)| waiting.row.clone()).collect();
    let mut number = [0; 8];
    random.fill(&mut number);
    let spent = store.spend(&rows, i64::from_be_bytes(number)).await;
    let mut fresh = spent.iter().flatten();
    for (waiting, first) in batch.drain(..).zip(first) {
        let verdict = match (&spent, first) {
            (Err(_), _) => Verdict::Unknown,
            (Ok(_), true) if fresh.next() == Some(&true) => Verdict::Fresh,
            (Ok(_), _) => Verdict::Spent,
        };
        // One who no longer waits has been told 503, and its assertion is spent: the safe side.
        let _ = waiting.answer.send(verdict);
    }
    if let Err(error) = spent {
        tracing::error!(%error, "assertions could not be spent");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{SystemClock, SystemRandom};

    #[tokio::test]
    async fn of_many_equal_assertions_at_once_one_is_fresh() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("a.db")).await.unwrap();
        store.migrate().await.unwrap();
        let (replay, task) =
            Replay::start(&store, Arc::new(SystemClock), Arc::new(SystemRandom), 10);
        let spend = |name: &str| {
            let (replay, id) = (replay.clone(), ReplayId::of_test(name));
            tokio::spawn(
                async move { replay.spend(id, Timestamp::from_seconds(4_000_000_000)).await },
            )
        };
        let tasks: Vec<_> = (0..600).map(|i| spend(&format!("{}", i % 3))).collect();
        let mut fresh = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(()) => fresh += 1,
                Err(refusal) => assert_eq!(refusal, Refusal::Replayed),
            }
        }
        assert_eq!(fresh, 3);
        drop(replay);
        task.await.unwrap();
    }

    #[tokio::test]
    async fn an_assertion_is_not_fresh_when_the_database_cannot_tell() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("a.db")).await.unwrap();
        let (replay, _task) =
            Replay::start(&store, Arc::new(SystemClock), Arc::new(SystemRandom), 10);
        let refusal = replay.spend(ReplayId::of_test("a"), Timestamp::from_seconds(1)).await;
        assert!(matches!(refusal, Err(Refusal::Unavailable { .. })));
    }
}
