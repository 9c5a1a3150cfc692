//! When clients, their keys and accesses were last used: noted beside the path, at most once in fifteen minutes each.
//!
//! What is cached carries the moment when its use was last noted. A request that issues a token compares that with
//! the clock; in all but one of the requests of that time this is all it does. The one puts a reference to the cached
//! thing into a queue, and a task writes what is queued. What finds no room is noted by the next request.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::clock::Timestamp;
use crate::store::{LastUse, LastUseWriter, Store};
use crate::token::access::{ClientParties, Parties};
use crate::token::background::{Background, Failing, Stop, pace};
use crate::token::cache::KnownAccess;
use crate::token::caller::ClientProof;
use crate::token::client_key::KeyedClient;

/// Seconds between two notes of the same thing. People ask on which day it was used, and whether it is used at all: the
/// first use is noted within seconds. A shorter time would have 100,000 clients that each come every minute or two write three
/// rows for every token.
const NOTE_SECONDS: u64 = 900;

/// How often notes are written.
const ROUND: Duration = Duration::from_secs(1);

/// Notes that a round writes: as many as there are a second when each thing that fits into the caches is used all the time.
/// When 100,000 clients come at once after a while, each note is in a page of its own, and more of them would take from the
/// tokens: then theirs are written within some minutes.
const WRITTEN_A_ROUND_MAX: usize = 1_000;

/// Notes that may wait for their round. A server that is used by more things notes the others when they are used again.
const QUEUE_MAX: usize = 8 * WRITTEN_A_ROUND_MAX;

/// When the use of a thing was last noted, in seconds since 1970; zero for never. Whoever caches a thing reads it along with
/// it, so that a start does not have everything noted anew.
#[derive(Debug)]
pub struct Noted(AtomicI64);

impl Noted {
    /// As the database has it.
    pub(super) fn at(last_used_at: Option<Timestamp>) -> Self {
        Self(AtomicI64::new(last_used_at.map_or(0, Timestamp::seconds)))
    }

    /// Whether a use at `now` is to be noted. A clock that jumps back does not keep it from being noted again.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        is_due(self.0.load(Ordering::Relaxed), now)
    }
}

fn is_due(noted: i64, now: Timestamp) -> bool {
    noted.abs_diff(now.seconds()) >= NOTE_SECONDS
}

/// A thing whose use is to be noted.
enum Used {
    Access(Arc<KnownAccess>),
    Client(Arc<KeyedClient>),
    /// The key at that place among the client's.
    Key(Arc<KeyedClient>, usize),
}

impl Used {
    fn noted(&self) -> Option<&Noted> {
        match self {
            Self::Access(access) => Some(&access.noted),
            Self::Client(client) => Some(&client.noted),
            Self::Key(client, place) => client.keys.get(*place).map(|key| &key.noted),
        }
    }

    /// The noun and the key under which its last use is kept.
    fn name(&self) -> Option<(&'static str, String)> {
        Some(match self {
            Self::Access(it) => ("access", format!("{} {}", it.access.scope, it.access.consumer)),
            Self::Client(it) => ("client", it.client.id.to_string()),
            Self::Key(it, place) => {
                ("client_key", format!("{} {}", it.client.id, it.keys.get(*place)?.id))
            }
        })
    }
}

/// Takes notes of what is used.
pub struct LastUses {
    queue: mpsc::Sender<(Used, Timestamp)>,
    task: Background,
}

impl LastUses {
    /// Starts the task that writes; it ends with [`LastUses::finish`], or with this value.
    pub fn start(store: &Store) -> Self {
        let (queue, notes) = mpsc::channel(QUEUE_MAX);
        let failing = Failing::default();
        let writer = Writer { store: store.last_use_writer(), notes, failing };
        Self { queue, task: Background::start(|stop| writer.run(stop)) }
    }

    /// Notes what has been used to get a token at `now`: the client, its key, and accesses. A European business has none
    /// of these here.
    pub(super) fn note(&self, parties: Parties<'_>, now: Timestamp) {
        let Parties::Client(ClientParties { proven, unnoted, .. }) = parties else { return };
        let client = &proven.client;
        if client.noted.is_due(now) {
            self.take(Used::Client(Arc::clone(client)), now);
        }
        let key = match proven.proof {
            ClientProof::RegisteredKey { place } => Some(place),
            ClientProof::EnterpriseCertificate => None,
        };
        let key = key.and_then(|place| client.keys.get(place).map(|key| (place, &key.noted)));
        if let Some((place, _)) = key.filter(|(_, noted)| noted.is_due(now)) {
            self.take(Used::Key(Arc::clone(client), place), now);
        }
        for access in unnoted {
            self.take(Used::Access(access), now);
        }
    }

    fn take(&self, used: Used, now: Timestamp) {
        let Some(noted) = used.noted() else { return };
        let before = noted.0.load(Ordering::Relaxed);
        let (ordering, now_seconds) = (Ordering::Relaxed, now.seconds());
        // Of many at once, one takes the note.
        let is_ours = is_due(before, now)
            && noted.0.compare_exchange(before, now_seconds, ordering, ordering).is_ok();
        if !is_ours {
            return;
        }
        if let Err(full) = self.queue.try_send((used, now)) {
            let (used, _) = full.into_inner();
            if let Some(noted) = used.noted() {
                noted.0.store(before, ordering);
            }
        }
    }

    /// Writes what is queued, and ends. What comes afterwards is lost.
    pub async fn finish(&self) {
        if !self.task.finish().await {
            tracing::warn!("the last uses of clients took too long to write");
        }
    }
}

/// The task that writes.
struct Writer {
    store: LastUseWriter,
    notes: mpsc::Receiver<(Used, Timestamp)>,
    failing: Failing,
}

impl Writer {
    async fn run(mut self, mut stop: Stop) {
        while !self.write_round(&mut stop).await {}
        for uses in self.take(QUEUE_MAX).chunks(self.store.at_once()) {
            self.write(uses).await;
        }
    }

    /// Writes some of what is queued, little by little, so that others write in between. A round takes as long however much
    /// that is. Returns whether the task has been told to end.
    async fn write_round(&mut self, stop: &mut Stop) -> bool {
        let uses = self.take(WRITTEN_A_ROUND_MAX);
        if uses.is_empty() {
            return stop.within(ROUND).await;
        }
        let parts = uses.chunks(self.store.at_once());
        let mut pace = pace(parts.len(), ROUND);
        for part in parts {
            self.write(part).await;
            stop.keep(&mut pace).await;
        }
        stop.within(Duration::ZERO).await
    }

    /// So many of what is queued, each thing once.
    fn take(&mut self, most: usize) -> Vec<LastUse> {
        let mut latest = BTreeMap::new();
        for _ in 0..most {
            let Ok((used, at)) = self.notes.try_recv() else { break };
            if let Some(name) = used.name() {
                latest.insert(name, at);
            }
        }
        latest.into_iter().map(|((noun, key), used_at)| LastUse { noun, key, used_at }).collect()
    }

    /// Writes uses. What cannot be written is lost: a later use is noted again.
    async fn write(&mut self, uses: &[LastUse]) {
        let written = self.store.write(uses).await;
        let (begun, ended) = ("last uses cannot be written", "last uses can be written again");
        self.failing.note(written, begun, ended);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::access::{Access, AccessState};

    #[test]
    fn a_use_is_noted_once_in_a_while_whatever_the_clock_does() {
        let noted = Noted::at(None);
        let at = Timestamp::from_seconds;
        assert!(noted.is_due(at(10_000)));
        noted.0.store(10_000, Ordering::Relaxed);
        assert!(!noted.is_due(at(10_899)));
        assert!(noted.is_due(at(10_900)));
        assert!(!noted.is_due(at(9_101)));
        assert!(noted.is_due(at(9_100)));
    }

    #[tokio::test]
    async fn a_round_writes_so_many_and_the_others_wait_for_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("a.db")).await.unwrap();
        store.migrate().await.unwrap();
        let (queue, notes) = mpsc::channel(QUEUE_MAX);
        let failing = Failing::default();
        let mut writer = Writer { store: store.last_use_writer(), notes, failing };
        for number in 0..WRITTEN_A_ROUND_MAX + 2 {
            let access = Access {
                scope: format!("a:{number}").parse().unwrap(),
                consumer: "310000116".parse().unwrap(),
                state: AccessState::Approved,
                expires_at: None,
            };
            let used = Used::Access(Arc::new(KnownAccess { access, noted: Noted::at(None) }));
            queue.try_send((used, Timestamp::from_seconds(1))).unwrap();
        }
        assert!(writer.write_round(&mut Stop::told()).await);
        assert_eq!(writer.notes.len(), 2);
        assert!(writer.write_round(&mut Stop::told()).await);
        assert_eq!(writer.notes.len(), 0);
    }
}
