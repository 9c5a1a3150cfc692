//! Step 8: an assertion is spent once, durably, before anything is signed.
//!
//! One task owns the writing. While a commit is under way, the assertions that arrive wait; the next commit
//! takes all of them as one row of the log, so the cost of a commit is shared. Where commits are quick, one under
//! load waits a little for more company; who comes alone is served at once. Whoever is told that an assertion is
//! fresh is told so after the commit.
//!
//! What has been spent and can still be used is held in memory, as the log has it. Another process may append to
//! the same log, so the number of a row says whether there are rows before it that have not been read: they are
//! read before anything is answered, and what stands in them was spent there. So each assertion belongs to the
//! first row it stands in, and to that row alone.

mod outage;
mod register;
mod settled;
mod spent;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinHandle, yield_now};

use crate::clock::{Clock, Timestamp};
use crate::domain::scope::OutagePolicy;
use crate::store::{SpentId, Store};
use crate::token::agreed_clock::APART_SECONDS_MAX;
use crate::token::assertion::ReplayId;
use crate::token::refusal::Refusal;
use crate::token::replay::outage::News;
use crate::token::replay::register::Register;
use crate::token::replay::settled::SettledTime;

pub use outage::Outage;

/// Assertions that may wait for a commit. Beyond that the database is too slow for the load, and a quick
/// 503 serves everybody better than a long queue.
const WAITING_MAX: usize = 4_096;

/// How long one may wait for its commit.
const COMMIT_SECONDS_MAX: u64 = 5;

/// The most assertions of one commit. More would make one wait longer for its neighbours than a commit takes.
const BATCH_MAX: usize = 256;

/// Most of what a commit costs does not depend on how much is in it. When a batch had company but less than this, the next
/// one begins no sooner than so long after it: on a disk that takes longer than that for a commit, enough come along
/// meanwhile. One that was alone never makes the next wait, so a quiet server is as quick as it can be.
const COMPANY_WANTED: usize = 16;
const COMPANY_TIME: Duration = Duration::from_micros(500);

/// Seconds that a row is kept beyond the moment when its assertion can no longer be accepted, against
/// clocks that disagree.
const KEEP_MARGIN_SECONDS: i64 = 120;

/// Seconds by which the clock of a node may be ahead of that of the database when the fence is set, so that what a node
/// has accepted within its skew lies behind the fence: as far as nodes may be apart, and for whole seconds and the time
/// of the comparison some more.
const CLOCKS_APART_SECONDS: i64 = APART_SECONDS_MAX + 2;

/// How often expired rows are dropped.
const SWEEP_SECONDS: u64 = 5;

/// Time until it is tried again when nothing could be spent and nobody has come since.
const PROBE_PAUSE: Duration = Duration::from_secs(1);

/// The register of spent assertions.
#[derive(Clone)]
pub struct Replay {
    waiting: mpsc::Sender<Waiting>,
    clock: Arc<dyn Clock>,
    clock_skew_seconds: i64,
    fence: Fence,
    outage: watch::Receiver<Option<Outage>>,
    failing_since: watch::Receiver<Option<Duration>>,
    commits: Arc<Commits>,
}

/// How commits go, for whoever watches them; in milliseconds of uptime.
#[derive(Default)]
struct Commits {
    /// Since when one is under way; zero while there is none. On a disk that has stopped it never ends, and so never fails.
    under_way_since: AtomicU64,
    /// When the last one that succeeded was begun.
    last: AtomicU64,
}

/// When the fence was set, in seconds since 1970; zero if it never was. Whoever is told that an assertion is fresh looks
/// at it afterwards, so that it holds for what was spent over the connection that has found it.
type Fence = Arc<AtomicI64>;

/// One who waits for a commit.
struct Waiting {
    id: SpentId,
    keep_until: Timestamp,
    outage_policy: OutagePolicy,
    answer: oneshot::Sender<Verdict>,
}

/// What a commit said about one assertion.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verdict {
    Fresh,
    Spent,
    /// It may have been spent when its time was already over once, by a clock that has been set back since.
    Forgotten,
    Unknown,
}

/// What is amiss then.
const FORGOTTEN: &str =
    "the clock was set back, and what was spent at the time that it shows has been forgotten";

impl Replay {
    /// Starts the task that writes; it ends when the last clone of this value is gone. In an outage of `outage_max` at
    /// most, what may be is spent in memory; each that has ended is told.
    pub fn start(
        store: &Store,
        clock: Arc<dyn Clock>,
        clock_skew_seconds: i64,
        outage_max: Duration,
    ) -> (Self, JoinHandle<()>, mpsc::UnboundedReceiver<Outage>) {
        let (waiting, queue) = mpsc::channel(WAITING_MAX);
        let fence = Fence::default();
        let (latest, outage) = watch::channel(None);
        let (ended, outages) = mpsc::unbounded_channel();
        let (failing, failing_since) = watch::channel(None);
        let commits = Arc::new(Commits::default());
        let its = Arc::clone(&commits);
        let news = News { latest, ended, failing_since: failing, commits: its };
        let its = Arc::clone(&clock);
        let register = Register::new(store.clone(), its, Arc::clone(&fence), outage_max, news);
        let task = tokio::spawn(write(register, Arc::clone(&clock), queue));
        let replay =
            Self { waiting, clock, clock_skew_seconds, fence, outage, failing_since, commits };
        (replay, task, outages)
    }

    /// For how long nothing could be spent, although it was or is being tried; zero when all is well.
    pub fn failing_for(&self) -> Duration {
        let since = *self.failing_since.borrow();
        let under_way = match self.commits.under_way_since.load(Ordering::Relaxed) {
            0 => None,
            since => Some(Duration::from_millis(since)),
        };
        let since = since.into_iter().chain(under_way).min();
        since.map_or(Duration::ZERO, |since| self.clock.uptime().saturating_sub(since))
    }

    /// When something was spent in the database last, of uptime; zero if nothing has been.
    pub fn last_commit(&self) -> Duration {
        Duration::from_millis(self.commits.last.load(Ordering::Relaxed))
    }

    /// The outage under way, or the last one.
    pub fn outage(&self) -> Option<Outage> {
        *self.outage.borrow()
    }

    /// Spends an assertion that was issued at `issued_at` and expires at `expires_at`, or refuses it as used, or because
    /// it may have been. In an outage the policy says whether it may be spent at this node alone.
    pub async fn spend(
        &self,
        id: ReplayId,
        issued_at: Timestamp,
        expires_at: Timestamp,
        outage_policy: OutagePolicy,
    ) -> Result<(), Refusal> {
        self.require_unfenced(issued_at)?;
        let keep = self.clock_skew_seconds.saturating_add(KEEP_MARGIN_SECONDS);
        let keep_until = expires_at.plus_seconds(keep);
        let (answer, verdict) = oneshot::channel();
        let unavailable = |cause: &str| Refusal::Unavailable { cause: cause.to_owned() };
        self.waiting
            .try_send(Waiting { id: id.0, keep_until, outage_policy, answer })
            .map_err(|_| unavailable("too many assertions wait to be spent"))?;
        let verdict = tokio::time::timeout(Duration::from_secs(COMMIT_SECONDS_MAX), verdict).await;
        match verdict {
            Ok(Ok(Verdict::Fresh)) => self.require_unfenced(issued_at),
            Ok(Ok(Verdict::Spent)) => Err(Refusal::Replayed),
            Ok(Ok(Verdict::Forgotten)) => Err(unavailable(FORGOTTEN)),
            Ok(Ok(Verdict::Unknown) | Err(_)) => {
                Err(unavailable("the assertion could not be spent durably"))
            }
            Err(_) => Err(unavailable("spending the assertion took too long")),
        }
    }

    /// Refuses what may have been spent before the database forgot it: an assertion is accepted as soon as its `iat` is
    /// within the skew of clocks.
    fn require_unfenced(&self, issued_at: Timestamp) -> Result<(), Refusal> {
        let set_at = self.fence.load(Ordering::Acquire);
        let ahead = self.clock_skew_seconds.saturating_add(CLOCKS_APART_SECONDS);
        let until = Timestamp::from_seconds(set_at).plus_seconds(ahead);
        if set_at == 0 || issued_at > until {
            return Ok(());
        }
        let wait = until.seconds().saturating_sub(self.clock.now().seconds()).saturating_add(1);
        Err(Refusal::Fenced { until, retry_after_seconds: u64::try_from(wait).unwrap_or(0).max(1) })
    }
}

async fn write(mut register: Register, clock: Arc<dyn Clock>, mut queue: mpsc::Receiver<Waiting>) {
    // What was spent before the start. If it cannot be read now, it is tried again.
    let read = register.read_before(i64::MAX).await;
    register.note(&read);
    let mut batch = Vec::with_capacity(BATCH_MAX);
    let mut next_sweep = clock.uptime() + Duration::from_secs(SWEEP_SECONDS);
    let mut settled = SettledTime::new(&*clock);
    loop {
        let look_pause = register.look_pause();
        tokio::select! {
            biased;
            () = register.attempted() => continue,
            () = tokio::time::sleep(PROBE_PAUSE), if register.is_failing() => {
                register.probe().await;
                continue;
            }
            came = queue.recv_many(&mut batch, BATCH_MAX), if !register.is_closing() => if came == 0 {
                return;
            },
            () = tokio::time::sleep(look_pause), if register.may_look() => {
                if !register.look().await {
                    continue;
                }
            }
        }
        let began = clock.uptime();
        let came = gather(&mut batch, &mut queue).await;
        let spent = register.spend_batch(&mut batch).await;
        if spent.is_err() {
            // Who has come meanwhile has waited as long, and would now wait for the same again.
            while let Ok(waiting) = queue.try_recv() {
                waiting.answer(Verdict::Unknown);
            }
        }
        // A database that does not answer is asked for nothing that can wait: somebody else would wait as well. That it
        // does not, a batch that cost no write has not noticed.
        if spent.is_ok() && !register.is_failing() && clock.uptime() >= next_sweep {
            let pause = register.sweep(settled.now(&*clock)).await;
            next_sweep = clock.uptime() + pause;
        }
        let wait = COMPANY_TIME.saturating_sub(clock.uptime().saturating_sub(began));
        if (2..COMPANY_WANTED).contains(&came) && !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }
}

/// How often requests that are ready to run are let before a commit. On a machine that is never idle some always are.
const GATHER_ROUNDS_MAX: u32 = 2;

/// Has requests that are ready to run come along, and returns how many there are. To a lone one it costs nothing; a
/// processor that has others to run would not have been idle either.
async fn gather(batch: &mut Vec<Waiting>, queue: &mut mpsc::Receiver<Waiting>) -> usize {
    for _ in 0..GATHER_ROUNDS_MAX {
        let before = batch.len();
        yield_now().await;
        while batch.len() < BATCH_MAX
            && let Ok(waiting) = queue.try_recv()
        {
            batch.push(waiting);
        }
        if batch.len() == before || batch.len() == BATCH_MAX {
            break;
        }
    }
    batch.len()
}

impl Waiting {
    fn answer(self, verdict: Verdict) {
        // One who no longer waits has been told 503, and its assertion is spent: the safe side.
        let _ = self.answer.send(verdict);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{StandingClock, SystemClock};

    /// When the assertions of these tests were issued.
    const ISSUED: Timestamp = Timestamp::from_seconds(1_000_000_000);

    fn id(text: &str) -> SpentId {
        let mut id = [0; 32];
        id[..text.len()].copy_from_slice(text.as_bytes());
        id
    }

    #[tokio::test]
    async fn of_many_equal_assertions_at_once_one_is_fresh() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("a.db")).await.unwrap();
        store.migrate().await.unwrap();
        let (replay, task, _) = Replay::start(&store, Arc::new(SystemClock), 10, Duration::ZERO);
        let spend = |name: &str| {
            let (replay, id) = (replay.clone(), ReplayId(id(name)));
            tokio::spawn(async move {
                replay
                    .spend(id, ISSUED, Timestamp::from_seconds(4_000_000_000), OutagePolicy::Refuse)
                    .await
            })
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
        let (replay, _task, _) = Replay::start(&store, Arc::new(SystemClock), 10, Duration::ZERO);
        let refusal = replay
            .spend(ReplayId(id("a")), ISSUED, Timestamp::from_seconds(1), OutagePolicy::Refuse)
            .await;
        assert!(matches!(refusal, Err(Refusal::Unavailable { .. })));

        // One that is under way and does not end is no better.
        replay.commits.under_way_since.store(1, Ordering::Relaxed);
        assert!(
            replay.failing_for() >= SystemClock.uptime().saturating_sub(Duration::from_secs(1))
        );
        replay.commits.under_way_since.store(0, Ordering::Relaxed);

        // Nobody asks again, and all the same it is noticed when it can.
        assert!(replay.failing_for() > Duration::ZERO);
        store.migrate().await.unwrap();
        let noticed = async {
            while replay.failing_for() > Duration::ZERO {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), noticed).await.unwrap();
        let end = Timestamp::from_seconds(4_000_000_000);
        replay.spend(ReplayId(id("b")), ISSUED, end, OutagePolicy::Refuse).await.unwrap();
    }

    #[tokio::test]
    async fn processes_that_share_a_log_spend_each_assertion_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("a.db")).await.unwrap();
        store.migrate().await.unwrap();
        let nodes: Vec<Replay> = (0..3)
            .map(|_| Replay::start(&store, Arc::new(SystemClock), 10, Duration::ZERO).0)
            .collect();
        let mut tasks = Vec::new();
        for number in 0..200 {
            for node in &nodes {
                let (node, id) = (node.clone(), ReplayId(id(&format!("{number}"))));
                let end = Timestamp::from_seconds(4_000_000_000);
                tasks.push(tokio::spawn(async move {
                    node.spend(id, ISSUED, end, OutagePolicy::Refuse).await.is_ok()
                }));
            }
        }
        let mut fresh = 0;
        for task in tasks {
            fresh += usize::from(task.await.unwrap());
        }
        assert_eq!(fresh, 200);
        // One that starts later knows all of it.
        let (late, _task, _) = Replay::start(&store, Arc::new(SystemClock), 10, Duration::ZERO);
        let end = Timestamp::from_seconds(4_000_000_000);
        assert_eq!(
            late.spend(ReplayId(id("7")), ISSUED, end, OutagePolicy::Refuse).await,
            Err(Refusal::Replayed)
        );
    }

    #[tokio::test]
    async fn what_has_been_forgotten_is_not_fresh_when_the_clock_is_set_back() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("a.db")).await.unwrap();
        store.migrate().await.unwrap();
        let clock = Arc::new(StandingClock::at(ISSUED.seconds()));
        let its = Arc::<StandingClock>::clone(&clock);
        let (replay, _task, _) = Replay::start(&store, its, 10, Duration::ZERO);
        let spend = async |name, after| {
            let (issued, expires) = (ISSUED.plus_seconds(after), ISSUED.plus_seconds(after + 100));
            replay.spend(ReplayId(id(name)), issued, expires, OutagePolicy::Refuse).await
        };
        spend("a", 0).await.unwrap();
        // It is over, and goes with the commit after.
        clock.set(ISSUED.seconds() + 600);
        clock.push_uptime(600_000);
        spend("b", 600).await.unwrap();
        spend("c", 600).await.unwrap();
        clock.set(ISSUED.seconds() + 5);
        let refusal = spend("a", 0).await.unwrap_err();
        assert!(format!("{refusal:?}").contains("was set back"), "{refusal:?}");
        assert_eq!(spend("b", 600).await, Err(Refusal::Replayed));
        spend("d", 600).await.unwrap();
    }

    #[tokio::test]
    async fn what_was_issued_before_the_fence_is_refused_and_may_be_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("a.db")).await.unwrap();
        store.migrate().await.unwrap();
        store.set_fence(ISSUED).await.unwrap();
        let (replay, _task, _) = Replay::start(&store, Arc::new(SystemClock), 10, Duration::ZERO);
        let end = Timestamp::from_seconds(4_000_000_000);
        // The first that comes is held against it although nothing was known when it came.
        for (name, after, is_fenced) in [("a", 0, true), ("a", 14, true), ("b", 15, false)] {
            let spent = replay
                .spend(ReplayId(id(name)), ISSUED.plus_seconds(after), end, OutagePolicy::Refuse)
                .await;
            assert_eq!(
                matches!(spent, Err(Refusal::Fenced { .. })),
                is_fenced,
                "{after}: {spent:?}"
            );
            assert_eq!(spent.is_ok(), !is_fenced, "{after}");
        }
    }
}
