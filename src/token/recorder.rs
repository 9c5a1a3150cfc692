//! Keeps the records of refused requests: a bounded queue, and one task that writes.
//!
//! Anybody can make this server refuse, as fast as they like and in the name of any client. So a refusal
//! costs a glance at two counters when there is no room, records are made only when there is, each kind of
//! sender has a queue of its own, and no client fills one alone. What is dropped is dropped before it is
//! made, and counted by the caller.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::clock::Clock;
use crate::domain::refused_request::RefusedRequest;
use crate::domain::step::Step;
use crate::store::{
    REFUSED_REQUESTS_MAX, RefusedRequestBounds, RefusedRequestWriter, Store, StoreError,
};
use crate::token::background::{Background, Failing, Stop};
use crate::token::trail::{Sender, Trail};

/// How often records are written, so that one can be read a moment after the answer.
const ROUND: Duration = Duration::from_millis(250);

/// Records of each kind of sender in one round: of clients and European businesses that have signed, of those whose
/// signature is not known to be right, and of clients that do not exist. Four times as many a second, which is more than
/// people read and less than a database notices.
const SHARES: [usize; 3] = [32, 16, 16];
const _: () = assert!(SHARES[0] + SHARES[1] + SHARES[2] <= REFUSED_REQUESTS_MAX);

/// Rounds that a queue holds. Whoever must wait longer than a second is dropped instead.
const ROUNDS_QUEUED: usize = 4;

/// Records that one client may add in one round and kind, so that one that fails in a loop leaves room.
const RECORDS_OF_CLIENT_MAX: u32 = 8;

/// Counters of clients. Two clients may share one, which costs them a record now and then.
const COUNTERS: u64 = 1_024;

/// What is kept: enough of a client's own failures to see a pattern, and less of what anybody may have sent
/// in its name.
const BOUNDS: RefusedRequestBounds =
    RefusedRequestBounds { signed: 100, unsigned: 50, of_nobody: 1_000 };

/// How often room is made for new records.
const SWEEP_SECONDS: u64 = 10;

/// How long records are kept, and how many.
#[derive(Clone, Copy, Debug)]
pub struct KeepRules {
    /// Seconds after which a record is deleted.
    pub retention_seconds: i64,
    /// Records that are kept, at most. Those by nobody known go first.
    pub records_max: u32,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Recorded {
    /// There was no room for it.
    Dropped,
    /// It will be written within a second or so.
    Queued,
}

/// Takes the records of refused requests.
pub struct Recorder {
    queues: [mpsc::Sender<RefusedRequest>; 3],
    counters: Arc<Counters>,
    task: Background,
}

impl Recorder {
    /// Starts the task that writes; it ends with [`Recorder::finish`], or with this value.
    pub fn start(store: &Store, clock: Arc<dyn Clock>, rules: KeepRules) -> Self {
        let (signed, signed_queue) = mpsc::channel(SHARES[0] * ROUNDS_QUEUED);
        let (unsigned, unsigned_queue) = mpsc::channel(SHARES[1] * ROUNDS_QUEUED);
        let (of_nobody, queue_of_nobody) = mpsc::channel(SHARES[2] * ROUNDS_QUEUED);
        let counters = Arc::new(Counters::new());
        let writer = Writer {
            store: store.refused_request_writer(),
            queues: [signed_queue, unsigned_queue, queue_of_nobody],
            counters: Arc::clone(&counters),
            clock,
            rules,
            failing: Failing::default(),
        };
        let task = Background::start(|stop| writer.run(stop));
        Self { queues: [signed, unsigned, of_nobody], counters, task }
    }

    /// Takes the record of the request whose trail this is. It is only made when there is room.
    pub fn take(&self, trail: &Trail<'_>, make: impl FnOnce() -> RefusedRequest) -> Recorded {
        let sender = match trail.facts().sender() {
            Sender::Business(business) => Some(business.identifier.as_str()),
            Sender::Client(client) => Some(client.client.id.as_str()),
            Sender::Nobody => None,
        };
        let kind = match sender {
            Some(_) if trail.has_passed(Step::Signature) => 0,
            Some(_) => 1,
            None => 2,
        };
        if sender.is_some_and(|sender| !self.counters.admits(sender, kind)) {
            return Recorded::Dropped;
        }
        match self.queues[kind].try_reserve() {
            Ok(place) => {
                place.send(make());
                Recorded::Queued
            }
            Err(_) => Recorded::Dropped,
        }
    }

    /// Writes what is queued, and ends. What comes afterwards is lost.
    pub async fn finish(&self) {
        if !self.task.finish().await {
            tracing::warn!("the last records of refused requests took too long to write");
        }
    }
}

/// How many records each client has added in this round.
struct Counters {
    hasher: RandomState,
    counts: Vec<AtomicU32>,
}

impl Counters {
    fn new() -> Self {
        let counts = (0..COUNTERS).map(|_| AtomicU32::new(0)).collect();
        Self { hasher: RandomState::new(), counts }
    }

    fn admits(&self, client: &str, kind: usize) -> bool {
        let hash = usize::try_from(self.hasher.hash_one((client, kind)) % COUNTERS);
        let count = self.counts.get(hash.unwrap_or_default());
        count.is_some_and(|count| count.fetch_add(1, Ordering::Relaxed) < RECORDS_OF_CLIENT_MAX)
    }

    fn reset(&self) {
        for count in &self.counts {
            count.store(0, Ordering::Relaxed);
        }
    }
}

/// The task that writes.
struct Writer {
    store: RefusedRequestWriter,
    queues: [mpsc::Receiver<RefusedRequest>; 3],
    counters: Arc<Counters>,
    clock: Arc<dyn Clock>,
    rules: KeepRules,
    failing: Failing,
}

impl Writer {
    async fn run(mut self, mut stop: Stop) {
        let mut next_sweep = self.clock.uptime();
        loop {
            if stop.within(ROUND).await {
                while self.write_round().await {}
                return;
            }
            self.counters.reset();
            self.write_round().await;
            if self.clock.uptime() >= next_sweep {
                let more = self.sweep().await;
                let pause = if more { Duration::ZERO } else { Duration::from_secs(SWEEP_SECONDS) };
                next_sweep = self.clock.uptime() + pause;
            }
        }
    }

    /// Writes the shares of one round; false when there was nothing to write. What cannot be written is
    /// lost: it must not pile up.
    async fn write_round(&mut self) -> bool {
        let mut batch = Vec::new();
        for (queue, share) in self.queues.iter_mut().zip(SHARES) {
            batch.extend(std::iter::from_fn(|| queue.try_recv().ok()).take(share));
        }
        if batch.is_empty() {
            return false;
        }
        let mut written = self.store.write(&batch, BOUNDS).await;
        if written.as_ref().is_err_and(StoreError::may_pass) {
            // The connection may have died since the round before.
            written = self.store.write(&batch, BOUNDS).await;
        }
        self.failing.note(
            written,
            "refused requests cannot be recorded",
            "refused requests can be recorded again",
        );
        true
    }

    /// Makes room, a slice at a time; true when more is waiting.
    async fn sweep(&mut self) -> bool {
        let oldest = self.clock.now().minus_seconds(self.rules.retention_seconds);
        let swept = self.store.make_room(oldest, self.rules.records_max).await;
        swept.unwrap_or_else(|error| {
            tracing::warn!(%error, "old records of refused requests could not be deleted");
            false
        })
    }
}
