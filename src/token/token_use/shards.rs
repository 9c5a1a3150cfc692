//! Tokens that have been counted and whose figures have not been written yet.
//!
//! A figure lies in one of a thousand shards, by the block of 10,000 numbers that its consumer is in, so two requests
//! seldom wait for each other. In the database those of a block are neighbours: its pages are written once for many.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::organization::OrganizationNumber;
use crate::domain::usage::{Day, TokenUse, TokenUser};
use crate::token::client_key::KeyedClient;

/// Shards for clients: one for each value of the third to the fifth digit of a number.
const OF_CLIENTS: usize = 1_000;

/// The one shard of European businesses.
const OF_BUSINESSES: usize = OF_CLIENTS;

/// All shards.
pub(super) const SHARDS: usize = OF_CLIENTS + 1;

/// Figures that are kept, at some 100 bytes each and its client, if no cache holds that any more, or 250 of those that could
/// not be written. So many are there when twice as many clients as the caches hold get tokens in the time in which each
/// figure has its turn, or when the database takes none for long and tokens are issued all the same. Tokens for any more
/// figures are not counted, and it is told how many.
pub(super) const FIGURES_MAX: usize = 400_000;

/// Figures, in shards.
pub(super) struct Shards {
    all: Vec<Shard>,
    figures: AtomicUsize,
    /// Tokens that found no room.
    lost: AtomicU64,
}

/// Some figures, alone in its lines of the processors' caches.
#[derive(Default)]
#[repr(align(128))]
struct Shard(Mutex<Figures>);

/// Tokens by figure.
#[derive(Default)]
struct Figures {
    /// Nearly all, in a form that is found without making anything.
    of_clients: HashMap<Counted, Count>,
    /// Those of businesses, and those that could not be written.
    by_name: HashMap<TokenUse, u64>,
}

/// What is counted, in a form that is found fast.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
struct Counted {
    /// Where the client lies in memory, which no other client can take as long as the count holds on to it: whether a
    /// cache drops it meanwhile makes no difference.
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

impl Shards {
    pub(super) fn new() -> Self {
        let all = (0..SHARDS).map(|_| Shard::default()).collect();
        Self { all, figures: AtomicUsize::new(0), lost: AtomicU64::new(0) }
    }

    /// Counts a token for a scope of a client, by the scope's place among the client's.
    pub(super) fn count(
        &self,
        client: &Arc<KeyedClient>,
        scope: usize,
        consumer: OrganizationNumber,
        day: Day,
    ) {
        let counted = Counted { client: Arc::as_ptr(client).addr(), scope, consumer, day };
        let mut figures = self.all[shard_of(consumer)].lock();
        if let Some(count) = figures.of_clients.get_mut(&counted) {
            count.tokens += 1;
            return;
        }
        let count = Count { client: Arc::clone(client), tokens: 1 };
        if self.take_room() {
            figures.of_clients.insert(counted, count);
            return;
        }
        drop(figures);
        // It has a place there if it could not be written.
        if let Some((it, _)) = Count::named((counted, count)) {
            self.count_by_name(it);
        }
    }

    /// Counts a token for a figure that is given by name.
    pub(super) fn count_by_name(&self, it: TokenUse) {
        let mut figures = self.all[shard_of_user(&it.by)].lock();
        if let Some(tokens) = figures.by_name.get_mut(&it) {
            *tokens += 1;
        } else if self.take_room() {
            figures.by_name.insert(it, 1);
        } else {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Puts back what has been taken and could not be written.
    pub(super) fn put_back(&self, it: TokenUse, tokens: u64) {
        let mut figures = self.all[shard_of_user(&it.by)].lock();
        *figures.by_name.entry(it).or_insert_with(|| {
            self.figures.fetch_add(1, Ordering::Relaxed);
            0
        }) += tokens;
    }

    /// Takes what a shard holds, and adds it to `taken`. Returns how much room that leaves, once it is written or has been
    /// put back.
    #[must_use]
    pub(super) fn take(&self, shard: usize, taken: &mut BTreeMap<TokenUse, u64>) -> usize {
        let figures = std::mem::take(&mut *self.all[shard].lock());
        let room = figures.of_clients.len() + figures.by_name.len();
        let of_clients = figures.of_clients.into_iter().filter_map(Count::named);
        for (it, tokens) in of_clients.chain(figures.by_name) {
            *taken.entry(it).or_default() += tokens;
        }
        room
    }

    /// Gives so much room to others.
    pub(super) fn leave_room(&self, room: usize) {
        self.figures.fetch_sub(room, Ordering::Relaxed);
    }

    /// How many figures there are, those that are being written among them.
    pub(super) fn figures(&self) -> usize {
        self.figures.load(Ordering::Relaxed)
    }

    /// How many tokens have found no room since this was asked last.
    pub(super) fn take_lost(&self) -> u64 {
        self.lost.swap(0, Ordering::Relaxed)
    }

    /// Takes the room for one more figure, if there is any.
    fn take_room(&self) -> bool {
        let has_room = self.figures() < FIGURES_MAX;
        if has_room {
            self.figures.fetch_add(1, Ordering::Relaxed);
        }
        has_room
    }
}

/// The shard of a consumer's figures: its block of 10,000 numbers, of which a shard has those with the same three last digits.
/// The first two digits would not do: only some are handed out.
fn shard_of(consumer: OrganizationNumber) -> usize {
    consumer.as_str().get(2..5).and_then(|digits| digits.parse().ok()).unwrap_or_default()
}

fn shard_of_user(user: &TokenUser) -> usize {
    match user {
        TokenUser::Business { .. } => OF_BUSINESSES,
        TokenUser::Client { consumer, .. } => shard_of(*consumer),
    }
}

impl Count {
    fn named((counted, count): (Counted, Self)) -> Option<(TokenUse, u64)> {
        let client = &count.client.client;
        let scope = client.scopes.get(counted.scope)?.clone();
        let by = TokenUser::Client { consumer: counted.consumer, client: client.id.clone() };
        Some((TokenUse { day: counted.day, scope, by }, count.tokens))
    }
}

impl Shard {
    fn lock(&self) -> MutexGuard<'_, Figures> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        Arc::new(KeyedClient::new(client, Vec::new(), None))
    }

    fn count(shards: &Shards, client: &Arc<KeyedClient>, scope: usize, consumer: &str, day: i64) {
        shards.count(client, scope, consumer.parse().unwrap(), Day::from_number(day));
    }

    fn of_business(day: i64) -> TokenUse {
        let (identifier, client) = ("NTRSE-5560360793".parse().unwrap(), "b".parse().unwrap());
        let by = TokenUser::Business { identifier, client };
        TokenUse { day: Day::from_number(day), scope: "a:a".parse().unwrap(), by }
    }

    fn take_all(shards: &Shards) -> BTreeMap<TokenUse, u64> {
        let mut taken = BTreeMap::new();
        for shard in 0..SHARDS {
            let room = shards.take(shard, &mut taken);
            shards.leave_room(room);
        }
        taken
    }

    fn taken(shards: &Shards) -> BTreeMap<String, u64> {
        let named = |(it, tokens): (TokenUse, u64)| {
            let by = match &it.by {
                TokenUser::Business { identifier, client } => format!("{identifier} {client}"),
                TokenUser::Client { consumer, client } => format!("{consumer} {client}"),
            };
            (format!("{} {} {by}", it.day.number(), it.scope), tokens)
        };
        take_all(shards).into_iter().map(named).collect()
    }

    fn expected(counts: &[(&str, u64)]) -> BTreeMap<String, u64> {
        counts.iter().map(|(key, tokens)| ((*key).to_owned(), *tokens)).collect()
    }

    #[test]
    fn each_token_counts_once_in_its_figure() {
        let (shards, one) = (Shards::new(), client("one"));
        count(&shards, &one, 0, OWN, 1);
        count(&shards, &one, 1, OWN, 1);
        count(&shards, &one, 1, OWN, 1);
        count(&shards, &one, 1, OWN, 2);
        count(&shards, &one, 1, OTHER, 1);
        (0..3).for_each(|_| shards.count_by_name(of_business(1)));
        assert_eq!(shards.figures(), 5);
        let counts = [
            ("1 a:a 310000116 one", 1),
            ("1 a:a NTRSE-5560360793 b", 3),
            ("1 a:b 310000116 one", 2),
            ("1 a:b 310000124 one", 1),
            ("2 a:b 310000116 one", 1),
        ];
        assert_eq!(taken(&shards), expected(&counts));
        assert_eq!((taken(&shards), shards.figures()), (BTreeMap::new(), 0));
    }

    #[test]
    fn a_client_that_no_cache_holds_any_more_keeps_its_count() {
        let shards = Shards::new();
        for _ in 0..100 {
            // As after a change, the same client is read again and lies elsewhere.
            count(&shards, &client("one"), 0, OWN, 1);
            count(&shards, &client("two"), 0, OWN, 1);
        }
        let counts = [("1 a:a 310000116 one", 100), ("1 a:a 310000116 two", 100)];
        assert_eq!(taken(&shards), expected(&counts));
    }

    #[test]
    fn what_could_not_be_written_is_added_to_what_came_meanwhile() {
        let (shards, one) = (Shards::new(), client("one"));
        (0..2).for_each(|_| count(&shards, &one, 0, OWN, 1));
        shards.count_by_name(of_business(1));
        let unwritten = take_all(&shards);
        count(&shards, &one, 0, OWN, 1);
        shards.count_by_name(of_business(1));
        for (it, tokens) in unwritten {
            shards.put_back(it, tokens);
        }
        let counts = [("1 a:a 310000116 one", 3), ("1 a:a NTRSE-5560360793 b", 2)];
        assert_eq!(taken(&shards), expected(&counts));
        assert_eq!(shards.figures(), 0);
    }

    #[test]
    fn no_token_is_lost_while_others_count_and_the_task_takes() {
        let (shards, one) = (Shards::new(), client("one"));
        let mut total = 0;
        std::thread::scope(|scope| {
            let counting: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..5_000).for_each(|_| count(&shards, &one, 0, OWN, 1))))
                .collect();
            while !counting.iter().all(std::thread::ScopedJoinHandle::is_finished) {
                total += take_all(&shards).values().sum::<u64>();
            }
        });
        total += take_all(&shards).values().sum::<u64>();
        assert_eq!((total, shards.figures()), (20_000, 0));
    }

    #[test]
    fn figures_are_bounded_and_it_is_known_what_was_not_counted() {
        let (shards, one) = (Shards::new(), client("one"));
        let days = i64::try_from(FIGURES_MAX).unwrap() + 3;
        (0..days).for_each(|day| count(&shards, &one, 0, OWN, day));
        count(&shards, &one, 0, OWN, 0);
        shards.count_by_name(of_business(1));
        assert_eq!((shards.take_lost(), shards.take_lost()), (4, 0));
        let unwritten = take_all(&shards);
        assert_eq!((unwritten.len(), unwritten.values().max()), (FIGURES_MAX, Some(&2)));
        for (it, tokens) in unwritten {
            shards.put_back(it, tokens);
        }
        count(&shards, &one, 0, OWN, 0);
        assert_eq!((shards.take_lost(), shards.figures()), (0, FIGURES_MAX));
        assert_eq!(take_all(&shards).values().max(), Some(&3));
        count(&shards, &one, 0, OWN, 0);
        assert_eq!((shards.take_lost(), shards.figures()), (0, 1));
    }

    #[test]
    fn consumers_with_numbers_that_follow_each_other_share_a_shard() {
        let shard = |number: &str| number.parse().map(shard_of).ok();
        assert_eq!(["310000116", "310000124"].map(shard), [Some(0); 2]);
        assert_eq!(["974760673", "889640782", "991825827"].map(shard), [476, 964, 182].map(Some));
    }
}
