//! How many tokens are issued, by day, scope, consumer and client: counted beside the path, each of them.
//!
//! A thread counts in a shard of its own, so two requests wait for each other only where there are more threads than
//! shards, or in the moment in which the task takes what has been counted. The count of a client is found by where
//! the client lies in memory, which no other client can take as long as the shard holds on to it: whether a cache
//! drops it meanwhile makes no difference. Once a second the task takes every shard, and adds to the database what it held
//! and what waits from earlier (`waiting`). So a process that is killed loses the figures of the last second, or, when
//! thousands of things are used, of the last minute; one that is told to stop writes them all, if the database takes them
//! in the seconds that there are for it, and otherwise says how many are lost.

mod waiting;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::domain::european_business::EuropeanBusiness;
use crate::domain::organization::OrganizationNumber;
use crate::domain::scope::RequestedScopes;
use crate::domain::usage::{Day, TokenUse, TokenUser, USAGE_DAYS_MAX};
use crate::store::{Store, TOKEN_USES_MAX, TokenUseWriter};
use crate::token::access::Parties;
use crate::token::background::{Background, Failing, Stop};
use crate::token::client_key::KeyedClient;
use crate::token::token_use::waiting::Waiting;

/// How often what has been counted is taken from the shards, and written as far as it is its turn.
const ROUND: Duration = Duration::from_secs(1);

/// Shards; servers with more threads that issue tokens have some of them share one.
const SHARDS: usize = 64;

/// Counts that a shard holds between two rounds: more than one thread can sign tokens for in a second, each for
/// another client. Tokens beyond that are not counted, and it is told how many.
const SHARD_COUNTS_MAX: usize = 16_384;

/// How often figures are looked for that have become too old, as they do once a day.
const SWEEP_SECONDS: u64 = 3_600;

/// How often the last figures are tried to be written when the server stops; each may take most of a second.
const LAST_ATTEMPTS: usize = 4;

/// Counts tokens.
pub struct TokenUses {
    shards: Arc<Shards>,
    task: Background,
}

struct Shards {
    all: Vec<Shard>,
    /// Tokens that found no room.
    lost: AtomicU64,
    /// Figures that have been taken and not yet been written.
    waiting: AtomicUsize,
}

/// Counts of some threads, alone in its lines of the processors' caches.
#[derive(Default)]
#[repr(align(128))]
struct Shard(Mutex<Counts>);

/// What has been counted: of clients, which are nearly all, in a form that is found without making anything.
#[derive(Default)]
struct Counts {
    of_clients: HashMap<Counted, Count>,
    of_businesses: HashMap<TokenUse, u64>,
}

/// What is counted, in a form that is found fast.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
struct Counted {
    /// Where the client lies in memory.
    client: usize,
    /// Where the scope stands among the client's.
    scope: usize,
    consumer: OrganizationNumber,
    day: Day,
}

struct Count {
    client: Arc<KeyedClient>,
    tokens: u64,
}

impl TokenUses {
    /// Starts the task that writes; it ends with [`TokenUses::finish`], or with this value.
    pub fn start(store: &Store, clock: Arc<dyn Clock>) -> Self {
        let shards = Arc::new(Shards::new());
        let writer = Writer {
            store: store.token_use_writer(),
            shards: Arc::clone(&shards),
            clock,
            waiting: Waiting::default(),
            failing: Failing::default(),
        };
        Self { shards, task: Background::start(|stop| writer.run(stop)) }
    }

    /// Counts a token that has been issued at `now`.
    pub(super) fn count(&self, parties: &Parties<'_>, scopes: &RequestedScopes, now: Timestamp) {
        let day = Day::of(now);
        match parties {
            Parties::Business(business) => self.shards.count_of_business(business, scopes, day),
            Parties::Client(of) => {
                self.shards.count(&of.proven.client, of.stands_for(), scopes, day);
            }
        }
    }

    /// Writes what has been counted, and ends. What comes afterwards is lost.
    pub async fn finish(&self) {
        if !self.task.finish().await {
            let figures = self.shards.waiting.load(Ordering::Relaxed);
            tracing::warn!(figures, "the last figures of usage took too long to write");
        }
    }
}

/// The shard of this thread.
fn own_shard() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: usize = NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS;
    }
    OWN.with(|own| *own)
}

impl Shards {
    fn new() -> Self {
        let all = (0..SHARDS).map(|_| Shard::default()).collect();
        Self { all, lost: AtomicU64::new(0), waiting: AtomicUsize::new(0) }
    }

    fn count(
        &self,
        client: &Arc<KeyedClient>,
        consumer: OrganizationNumber,
        scopes: &RequestedScopes,
        day: Day,
    ) {
        let mut counts = self.all[own_shard()].lock();
        let counts = &mut counts.of_clients;
        let address = Arc::as_ptr(client).addr();
        for name in scopes.names() {
            // It is one of them, or the token would not have been issued.
            let Some(scope) = client.client.scopes.iter().position(|it| it == name) else {
                continue;
            };
            let counted = Counted { client: address, scope, consumer, day };
            if let Some(count) = counts.get_mut(&counted) {
                count.tokens += 1;
            } else if counts.len() < SHARD_COUNTS_MAX {
                counts.insert(counted, Count { client: Arc::clone(client), tokens: 1 });
            } else {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn count_of_business(&self, it: &EuropeanBusiness, scopes: &RequestedScopes, day: Day) {
        let mut counts = self.all[own_shard()].lock();
        let counts = &mut counts.of_businesses;
        for scope in scopes.names() {
            let (identifier, client) = (it.identifier.clone(), it.client_id.clone());
            let by = TokenUser::Business { identifier, client };
            let counted = TokenUse { day, scope: scope.clone(), by };
            if let Some(tokens) = counts.get_mut(&counted) {
                *tokens += 1;
            } else if counts.len() < SHARD_COUNTS_MAX {
                counts.insert(counted, 1);
            } else {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Takes what has been counted, shard by shard.
    fn take(&self) -> impl Iterator<Item = (TokenUse, u64)> {
        self.all.iter().flat_map(|shard| {
            let counts = std::mem::take(&mut *shard.lock());
            let of_clients = counts.of_clients.into_iter().filter_map(Count::into_use);
            of_clients.chain(counts.of_businesses)
        })
    }
}

impl Count {
    fn into_use((counted, count): (Counted, Self)) -> Option<(TokenUse, u64)> {
        let client = &count.client.client;
        let scope = client.scopes.get(counted.scope)?.clone();
        let by = TokenUser::Client { consumer: counted.consumer, client: client.id.clone() };
        Some((TokenUse { day: counted.day, scope, by }, count.tokens))
    }
}

impl Shard {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task that writes.
struct Writer {
    store: TokenUseWriter,
    shards: Arc<Shards>,
    clock: Arc<dyn Clock>,
    /// What has been taken from the shards and not yet been written.
    waiting: Waiting,
    failing: Failing,
}

impl Writer {
    async fn run(mut self, mut stop: Stop) {
        let mut next_sweep = self.clock.uptime();
        loop {
            let told = stop.within(ROUND).await;
            self.collect();
            if told {
                return self.finish().await;
            }
            self.write(self.waiting.due()).await;
            if self.clock.uptime() >= next_sweep {
                let more = self.sweep().await;
                let pause = if more { Duration::ZERO } else { Duration::from_secs(SWEEP_SECONDS) };
                next_sweep = self.clock.uptime() + pause;
            }
        }
    }

    async fn finish(&mut self) {
        for _ in 0..LAST_ATTEMPTS {
            if self.write(self.waiting.len()).await {
                return;
            }
        }
        let figures = self.waiting.len();
        tracing::warn!(figures, "the last figures of usage could not be written");
    }

    fn collect(&mut self) {
        for (it, tokens) in self.shards.take() {
            if !self.waiting.add(it, tokens) {
                self.shards.lost.fetch_add(tokens, Ordering::Relaxed);
            }
        }
        let tokens = self.shards.lost.swap(0, Ordering::Relaxed);
        if tokens > 0 {
            tracing::warn!(tokens, "tokens were issued that are missing in the figures of usage");
        }
    }

    /// Writes so many of those that wait, and says whether they could be written. What could not waits on. A commit that
    /// fails counts as not done: nearly always it is not.
    async fn write(&mut self, mut figures: usize) -> bool {
        loop {
            self.shards.waiting.store(self.waiting.len(), Ordering::Relaxed);
            let batch = self.waiting.next(figures.min(TOKEN_USES_MAX));
            if batch.is_empty() {
                return true;
            }
            figures -= batch.len();
            let added = self.store.add(&batch).await;
            let is_added = added.is_ok();
            let (begun, ended) =
                ("figures of usage cannot be written", "figures of usage can be written again");
            self.failing.note(added, begun, ended);
            if !is_added {
                return false;
            }
            self.waiting.remove(batch);
        }
    }

    /// Deletes a slice of what is too old; true when more is waiting.
    async fn sweep(&mut self) -> bool {
        let oldest = Day::of(self.clock.now()).minus_days(USAGE_DAYS_MAX - 1);
        self.store.delete_before(oldest).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "old figures of usage could not be deleted");
            false
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::clock::SystemClock;
    use crate::domain::client::{Client, ClientStatus};

    const OWN: &str = "310000116";
    const OTHER: &str = "310000124";

    fn client(id: &str) -> Arc<KeyedClient> {
        let client = Client {
            id: id.parse().unwrap(),
            organization: OWN.parse().unwrap(),
            customer: None,
            name: id.to_owned(),
            status: ClientStatus::Active,
            token_lifetime_seconds: 120,
            scopes: ["a:a", "a:b"].map(|name| name.parse().unwrap()).to_vec(),
        };
        Arc::new(KeyedClient::new(client, Vec::new()))
    }

    fn count(shards: &Shards, client: &Arc<KeyedClient>, consumer: &str, scopes: &str, day: i64) {
        let (consumer, scopes) = (consumer.parse().unwrap(), scopes.parse().unwrap());
        shards.count(client, consumer, &scopes, Day::from_number(day));
    }

    fn taken(shards: &Shards) -> BTreeMap<String, u64> {
        let mut all = BTreeMap::new();
        for (it, tokens) in shards.take() {
            let by = match &it.by {
                TokenUser::Business { identifier, client } => format!("{identifier} {client}"),
                TokenUser::Client { consumer, client } => format!("{consumer} {client}"),
            };
            let key = format!("{} {} {by}", it.day.number(), it.scope);
            *all.entry(key).or_default() += tokens;
        }
        all
    }

    fn expected(counts: &[(&str, u64)]) -> BTreeMap<String, u64> {
        counts.iter().map(|(key, tokens)| ((*key).to_owned(), *tokens)).collect()
    }

    #[test]
    fn each_token_counts_once_for_each_of_its_scopes() {
        let (shards, one) = (Shards::new(), client("one"));
        count(&shards, &one, OWN, "a:b a:a", 1);
        count(&shards, &one, OWN, "a:b", 1);
        count(&shards, &one, OWN, "a:b", 2);
        count(&shards, &one, OTHER, "a:b", 1);
        let counts = [
            ("1 a:a 310000116 one", 1),
            ("1 a:b 310000116 one", 2),
            ("1 a:b 310000124 one", 1),
            ("2 a:b 310000116 one", 1),
        ];
        assert_eq!(taken(&shards), expected(&counts));
        assert_eq!(taken(&shards), BTreeMap::new());
    }

    #[test]
    fn a_client_that_no_cache_holds_any_more_keeps_its_count() {
        let shards = Shards::new();
        for _ in 0..100 {
            // As after a change, the same client is read again and lies elsewhere.
            count(&shards, &client("one"), OWN, "a:a", 1);
            count(&shards, &client("two"), OWN, "a:a", 1);
        }
        let counts = [("1 a:a 310000116 one", 100), ("1 a:a 310000116 two", 100)];
        assert_eq!(taken(&shards), expected(&counts));
    }

    #[test]
    fn no_token_is_lost_while_others_count_and_the_task_takes() {
        let (shards, one) = (Shards::new(), client("one"));
        let mut total = 0;
        std::thread::scope(|scope| {
            let counting: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| (0..5_000).for_each(|_| count(&shards, &one, OWN, "a:a", 1)))
                })
                .collect();
            while !counting.iter().all(std::thread::ScopedJoinHandle::is_finished) {
                total += shards.take().map(|(_, tokens)| tokens).sum::<u64>();
            }
        });
        total += shards.take().map(|(_, tokens)| tokens).sum::<u64>();
        assert_eq!(total, 20_000);
    }

    #[test]
    fn a_shard_is_bounded_and_says_what_it_did_not_count() {
        let (shards, one) = (Shards::new(), client("one"));
        let days = i64::try_from(SHARD_COUNTS_MAX).unwrap() + 3;
        (0..days).for_each(|day| count(&shards, &one, OWN, "a:a", day));
        count(&shards, &one, OWN, "a:a", 0);
        assert_eq!(shards.lost.load(Ordering::Relaxed), 3);
        assert_eq!(shards.take().map(|(_, tokens)| tokens).max(), Some(2));
    }

    #[tokio::test]
    async fn a_stop_writes_all_that_waits_and_not_only_what_is_due() {
        const FIGURES: i64 = 3_000;
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("a.db")).await.unwrap();
        store.migrate().await.unwrap();
        let uses = TokenUses::start(&store, Arc::new(SystemClock));
        let one = client("one");
        (0..FIGURES).for_each(|day| count(&uses.shards, &one, OWN, "a:a", day));
        uses.finish().await;
        let scope = "a:a".parse().unwrap();
        let days = store.usage_of_scope_by_day(&scope, Day::from_number(0)).await.unwrap();
        assert_eq!((days.len(), days[0].tokens), (usize::try_from(FIGURES).unwrap(), 1));
    }
}
