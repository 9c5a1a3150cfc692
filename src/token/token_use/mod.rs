//! How many tokens are issued, by day, scope, consumer and client: counted beside the path, each of them.
//!
//! Tokens are counted in memory (`shards`). Once a second a task adds some figures to the database: all of them where few
//! things are used. Where much is used, nearly every token of a second is for a figure of its own, and writing each at once
//! would cost more than counting the tokens of a while together: then each shard has its turn within five minutes. So
//! a process that is killed loses the figures of the last two seconds, or, when thousands of things are used, of the last
//! minutes, and what the database has not taken; one that is told to stop writes them all, if the database takes them in the
//! seconds that there are for it, and otherwise says how many are lost.

mod shards;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::domain::scope::RequestedScopes;
use crate::domain::usage::{Day, TokenUse, TokenUser, USAGE_DAYS_MAX};
use crate::store::{Store, TokenUseWriter};
use crate::token::access::Parties;
use crate::token::background::{Background, Failing, Stop, pace};
use crate::token::token_use::shards::{FIGURES_MAX, SHARDS, Shards};

/// How often figures are written, of as many shards as it is the turn of.
const ROUND: Duration = Duration::from_secs(1);

/// Rounds in which each shard has had its turn, if the database is quick. With 100,000 figures a round writes some 400,
/// which takes one hundredth of a processor; in a minute it would take five, from the tokens.
const ROUNDS_MAX: usize = 300;

/// Shards that have their turn in each round, at least.
const SHARDS_A_ROUND: usize = SHARDS.div_ceil(ROUNDS_MAX);

/// Figures that a round writes at least, if there are so many.
const FIGURES_A_ROUND: usize = 400;

/// Parts in which a round writes, at most, so that there are ten milliseconds from one to the next, and others write in
/// between. A part is what the database takes at once, or as often that as it must be.
const PARTS_MAX: usize = 100;

/// Figures of one transaction when the server stops: it holds up nobody any more, and what 100,000 clients have used since
/// their last turn is written in a second or two.
const LAST_FIGURES_AT_ONCE: usize = 5_000;

/// How often figures are looked for that have become too old, as they do once a day.
const SWEEP_SECONDS: u64 = 3_600;

/// How often the last figures are tried to be written when the server stops; each may take most of a second.
const LAST_ATTEMPTS: usize = 4;

/// Counts tokens.
pub struct TokenUses {
    shards: Arc<Shards>,
    task: Background,
}

impl TokenUses {
    /// Starts the task that writes; it ends with [`TokenUses::finish`], or with this value.
    pub fn start(store: &Store, clock: Arc<dyn Clock>) -> Self {
        let shards = Arc::new(Shards::new());
        let writer = Writer::new(store, Arc::clone(&shards), clock);
        Self { shards, task: Background::start(|stop| writer.run(stop)) }
    }

    /// Counts a token that has been issued at `now`, for each of its scopes.
    pub(super) fn count(&self, parties: &Parties<'_>, scopes: &RequestedScopes, now: Timestamp) {
        let day = Day::of(now);
        match parties {
            Parties::Business(business) => {
                for scope in scopes.names() {
                    let by = TokenUser::Business {
                        identifier: business.identifier.clone(),
                        client: business.client_id.clone(),
                    };
                    self.shards.count_by_name(TokenUse { day, scope: scope.clone(), by });
                }
            }
            Parties::Client(of) => {
                let (client, consumer) = (&of.proven.client, of.stands_for());
                for scope in scopes.names() {
                    // It is one of them, or the token would not have been issued.
                    let place = client.client.scopes.iter().position(|it| it == scope);
                    if let Some(place) = place {
                        self.shards.count(client, place, consumer, day);
                    }
                }
            }
        }
    }

    /// Writes what has been counted, and ends. What comes afterwards is lost.
    pub async fn finish(&self) {
        if !self.task.finish().await {
            let figures = self.shards.figures();
            tracing::warn!(figures, "the last figures of usage took too long to write");
        }
    }
}

/// Figures on their way into the database.
struct Taken {
    figures: Vec<(TokenUse, u64)>,
    /// The room that they leave, once they are written or have been put back; several of one name had a place each.
    room: usize,
}

/// The task that writes.
struct Writer {
    store: TokenUseWriter,
    shards: Arc<Shards>,
    clock: Arc<dyn Clock>,
    /// The shard whose turn it is.
    next_shard: usize,
    failing: Failing,
}

impl Writer {
    fn new(store: &Store, shards: Arc<Shards>, clock: Arc<dyn Clock>) -> Self {
        let (store, failing) = (store.token_use_writer(), Failing::default());
        Self { store, shards, clock, next_shard: 0, failing }
    }

    async fn run(mut self, mut stop: Stop) {
        let mut next_sweep = self.clock.uptime();
        loop {
            let began = self.clock.uptime();
            self.write_round(&mut stop).await;
            let took = self.clock.uptime().saturating_sub(began);
            let rest = ROUND.saturating_sub(took);
            if stop.within(rest).await {
                return self.finish(&mut stop).await;
            }
            if self.clock.uptime() >= next_sweep {
                let more = self.sweep().await;
                let pause = if more { Duration::ZERO } else { Duration::from_secs(SWEEP_SECONDS) };
                next_sweep = self.clock.uptime() + pause;
            }
        }
    }

    async fn finish(&mut self, stop: &mut Stop) {
        let mut attempts = LAST_ATTEMPTS;
        while self.shards.figures() > 0 {
            let all = self.take(SHARDS, usize::MAX);
            if self.write(all, LAST_FIGURES_AT_ONCE, stop).await {
                continue;
            }
            attempts -= 1;
            if attempts == 0 {
                let figures = self.shards.figures();
                tracing::warn!(figures, "the last figures of usage could not be written");
                return;
            }
        }
    }

    /// Writes the figures of the shards whose turn it is, and says whether they could be written.
    async fn write_round(&mut self, stop: &mut Stop) -> bool {
        let tokens = self.shards.take_lost();
        if tokens > 0 {
            tracing::warn!(tokens, "tokens were issued that are missing in the figures of usage");
        }
        let due = self.take_due();
        let part = due.figures.len().div_ceil(PARTS_MAX).max(1);
        let at_once = part.next_multiple_of(self.store.at_once());
        self.write(due, at_once, stop).await
    }

    /// What is due. When half the room is taken, others need not wait for their turn.
    fn take_due(&mut self) -> Taken {
        let crowded = self.shards.figures().saturating_sub(FIGURES_MAX / 2);
        self.take(SHARDS_A_ROUND, FIGURES_A_ROUND.max(crowded))
    }

    /// So many shards in their order, at least, and figures, if there are so many.
    fn take(&mut self, shards: usize, figures: usize) -> Taken {
        let (mut taken, mut room) = (BTreeMap::new(), 0);
        for shard in 1..=SHARDS {
            room += self.shards.take(self.next_shard, &mut taken);
            self.next_shard = (self.next_shard + 1) % SHARDS;
            if shard >= shards && taken.len() >= figures {
                break;
            }
        }
        Taken { figures: taken.into_iter().collect(), room }
    }

    /// Writes figures in their order, so many at once, and says whether they could be written. It takes a round for it, so
    /// that others write in between, or what it needs once the task has been told to end. What could not be written goes
    /// back, and has its turn again when the others have had theirs.
    async fn write(&mut self, taken: Taken, at_once: usize, stop: &mut Stop) -> bool {
        let Taken { figures, mut room } = taken;
        let parts = figures.chunks(at_once);
        let mut pace = pace(parts.len(), ROUND);
        let mut written = 0;
        for part in parts {
            let added = self.store.add(part).await;
            let is_added = added.is_ok();
            let (begun, ended) =
                ("figures of usage cannot be written", "figures of usage can be written again");
            self.failing.note(added, begun, ended);
            if !is_added {
                break;
            }
            written += part.len();
            self.shards.leave_room(part.len());
            room -= part.len();
            stop.keep(&mut pace).await;
        }
        // A commit that fails counts as not done: nearly always it is not.
        let is_written = written == figures.len();
        for (it, tokens) in figures.into_iter().skip(written) {
            self.shards.put_back(it, tokens);
        }
        self.shards.leave_room(room);
        is_written
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
    use std::collections::BTreeSet;

    use super::*;
    use crate::clock::SystemClock;
    use crate::domain::organization::OrganizationNumber;

    /// A figure of the number-th day.
    fn figure(consumer: &str, number: i64) -> TokenUse {
        let (consumer, client) = (consumer.parse().unwrap(), "one".parse().unwrap());
        let by = TokenUser::Client { consumer, client };
        TokenUse { day: Day::from_number(number), scope: "a:a".parse().unwrap(), by }
    }

    /// Counts a token of each consumer on each of so many days.
    fn count_days(shards: &Shards, consumers: &[String], days: i64) {
        for consumer in consumers {
            (0..days).for_each(|day| shards.count_by_name(figure(consumer, day)));
        }
    }

    async fn store() -> (Store, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("a.db")).await.unwrap();
        store.migrate().await.unwrap();
        (store, folder)
    }

    async fn written(store: &Store) -> u64 {
        let scope = "a:a".parse().unwrap();
        let days = store.usage_of_scope_by_day(&scope, Day::from_number(0)).await.unwrap();
        days.iter().map(|day| day.tokens).sum()
    }

    fn writer(store: &Store) -> Writer {
        Writer::new(store, Arc::new(Shards::new()), Arc::new(SystemClock))
    }

    /// A consumer of each shard.
    fn consumers() -> Vec<String> {
        let in_block = |block: u32| {
            (0..1_000)
                .map(move |rest| format!("31{block:03}0{rest:03}"))
                .find_map(|number| number.parse::<OrganizationNumber>().is_ok().then_some(number))
        };
        (0..1_000).filter_map(in_block).collect()
    }

    #[tokio::test]
    async fn few_figures_are_written_at_once_and_of_many_each_has_its_turn_within_five_minutes() {
        let (store, _folder) = store().await;
        let mut writer = writer(&store);
        let consumers = consumers();
        for consumer in &consumers[..100] {
            writer.shards.count_by_name(figure(consumer, 1));
        }
        assert!(writer.write_round(&mut Stop::told()).await);
        assert_eq!((written(&store).await, writer.shards.figures()), (100, 0));

        // Of which three shards have enough for a round.
        count_days(&writer.shards, &consumers, 150);
        let mut turns = BTreeSet::new();
        for _ in 0..ROUNDS_MAX {
            let due = writer.take_due();
            writer.shards.leave_room(due.room);
            assert!(due.figures.len() <= 150 * SHARDS_A_ROUND, "{}", due.figures.len());
            for (it, _) in &due.figures {
                turns.insert(it.clone());
                // As if it came all the time.
                writer.shards.count_by_name(it.clone());
            }
        }
        assert_eq!(turns.len(), 1_000 * 150);
    }

    #[tokio::test]
    async fn when_half_the_room_is_taken_what_is_more_has_its_turn_at_once() {
        let (store, _folder) = store().await;
        let mut writer = writer(&store);
        let consumers = consumers();
        let half = i64::try_from(FIGURES_MAX / 2 / consumers.len()).unwrap();
        count_days(&writer.shards, &consumers, half + 10);
        let due = writer.take_due().figures.len();
        assert!((10 * 1_000..11 * 1_000).contains(&due), "{due}");
    }

    #[tokio::test]
    async fn a_stop_writes_all_that_waits_and_not_only_what_is_due() {
        let (store, _folder) = store().await;
        let uses = TokenUses::start(&store, Arc::new(SystemClock));
        count_days(&uses.shards, &consumers(), 100);
        uses.finish().await;
        assert_eq!((written(&store).await, uses.shards.figures()), (100_000, 0));
    }

    #[tokio::test]
    async fn figures_that_could_not_be_written_go_back_and_others_have_their_turn_first() {
        let (store, folder) = store().await;
        let mut writer = writer(&store);
        let consumers = consumers();
        count_days(&writer.shards, &consumers, 150);
        drop(folder);
        assert!(!writer.write_round(&mut Stop::told()).await);
        assert_eq!((writer.shards.figures(), writer.next_shard), (150_000, SHARDS_A_ROUND));
        writer.shards.count_by_name(figure(&consumers[0], 0));
        writer.next_shard = 0;
        let first = writer.take_due().figures.into_iter().next();
        assert_eq!(first, Some((figure(&consumers[0], 0), 2)));
    }
}
