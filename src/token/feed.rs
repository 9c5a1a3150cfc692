//! Follows the change feed, so that caches and keys are never older than the bound that was configured, and looks at
//! the database's clock, and where its file is, on the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, Notify, watch};

use crate::clock::{Clock as _, Timestamp};
use crate::domain::change::{Change, ChangeSeq, ChangedNoun};
use crate::domain::scope::OutagePolicy;
use crate::keys::{KeyKeeper, KeyKeeperError};
use crate::store::{Store, StoreError};
use crate::token::agreed_clock::AgreedClock;
use crate::token::cache::Caches;
use crate::token::refusal::Refusal;

/// How long one look may take. A database that does not answer is asked again rather than waited for, so that what
/// was lost on the way does not hold up what comes after.
const LOOK_TIME_MAX: Duration = Duration::from_millis(1_500);

/// How long after the last look a node takes no new work, beside the time between two looks, though it still answers
/// by what it has: whoever shares work out had better ask another.
const WORK_AGE_MAX: Duration = Duration::from_millis(2_500);

/// How often the database's clock is looked at.
const COMPARE: Duration = Duration::from_secs(1);

/// Why a node refuses everything that others do not let in.
const OUT: &str =
    "the other nodes took this one for dead, and it differs from one of them: see its log";

/// What is wrong when the feed is another one each time that it is looked at.
const TWO_FEEDS: &str =
    "it has one change feed and then another: its address leads to more than one database";

/// Whether what is cached is right.
#[derive(Debug)]
pub enum Freshness {
    /// It is.
    Fresh,
    /// It may not be, for the reason with which others are refused.
    Stale(Refusal),
}

impl Freshness {
    /// Refuses by what may be wrong where the policy does.
    pub fn allow(&self, policy: OutagePolicy) -> Result<(), Refusal> {
        match policy {
            OutagePolicy::Issue => Ok(()),
            OutagePolicy::Refuse => self.require(false),
        }
    }

    /// Refuses by what may be wrong, unless it is so because of an outage.
    pub fn require(&self, in_outage: bool) -> Result<(), Refusal> {
        match self {
            Self::Stale(refusal) if !in_outage => Err(refusal.clone()),
            Self::Stale(_) | Self::Fresh => Ok(()),
        }
    }
}

/// A follower of the change feed.
pub struct Feed {
    store: Store,
    caches: Arc<Caches>,
    keys: Arc<KeyKeeper>,
    clock: Arc<AgreedClock>,
    stale_max: Duration,
    /// Held while following, so that changes are taken in order.
    followed: Mutex<Followed>,
    /// The last change that holds here, for whoever wants to know.
    applied: watch::Sender<ChangeSeq>,
    /// When the feed was last read to its end, in milliseconds of uptime.
    read_at: AtomicU64,
    /// Whether the database has not answered when it was last looked at.
    is_away: AtomicBool,
    /// Whether other nodes have taken this one for dead, and may not have it beside them.
    is_out: AtomicBool,
}

/// How far the feed has been followed.
struct Followed {
    /// The number of the last change of which the caches know.
    seen: ChangeSeq,
    /// That change, once it has been read: where another one has its number, the feed has begun again.
    last: Option<Change>,
    /// Whether keys are to be read anew because of what has been seen.
    owes_keys: bool,
    /// Whether it is to be read which organizations may not take part.
    owes_inactive: bool,
}

impl Feed {
    /// Begins after the latest change there is. The caches are still empty; the ring of keys is not, so it is
    /// read once more: what changed after it was read the first time would never be followed.
    pub async fn open(
        store: Store,
        caches: Arc<Caches>,
        keys: Arc<KeyKeeper>,
        clock: Arc<AgreedClock>,
        stale_max: Duration,
    ) -> Result<Self, KeyKeeperError> {
        let read_at = AtomicU64::new(milliseconds(clock.uptime()));
        let seen = store.latest_change().await?;
        let (applied, followed) = (watch::Sender::new(seen), Mutex::new(Followed::from(seen)));
        keys.reload().await?;
        Ok(Self {
            store,
            caches,
            keys,
            clock,
            stale_max,
            followed,
            applied,
            read_at,
            is_away: AtomicBool::new(false),
            is_out: AtomicBool::new(false),
        })
    }

    /// The number of the last change that holds here.
    pub fn applied(&self) -> ChangeSeq {
        *self.applied.borrow()
    }

    /// The same, to wait for the next.
    pub fn watch_applied(&self) -> watch::Receiver<ChangeSeq> {
        self.applied.subscribe()
    }

    /// Follows every change that has been committed. Whoever has made a change calls this before telling
    /// anybody that it is done. It may be given up at any time, and goes on from there the next time: where a database
    /// takes long for every answer, all of them together would take too long each time.
    pub async fn catch_up(&self) -> Result<(), KeyKeeperError> {
        let mut followed = self.followed.lock().await;
        let mut has_begun_again = false;
        loop {
            if followed.owes_keys {
                self.keys.reload().await?;
                followed.owes_keys = false;
            }
            self.tell_applied(followed.seen);
            let began = milliseconds(self.clock.uptime());
            let mut changes = self.store.changes_from(followed.seen).await?;
            if followed.is_other(changes.first()) {
                if has_begun_again {
                    return Err(StoreError::Unsuitable(TWO_FEEDS.to_owned()).into());
                }
                self.begin_again(&mut followed).await?;
                has_begun_again = true;
                continue;
            }
            let is_at_end = changes.last().is_none_or(|last| last.seq == followed.seen);
            let seen = followed.seen;
            for change in changes.iter().filter(|change| change.seq > seen) {
                self.caches.follow(change);
                followed.note(change);
            }
            followed.last = changes.pop();
            if is_at_end {
                self.read_at.store(began, Ordering::Release);
                break;
            }
        }
        if followed.owes_inactive {
            self.caches.learn_inactive().await;
            followed.owes_inactive = false;
        }
        Ok(())
    }

    /// Goes on from where the feed is now, and forgets all that is cached: an older copy of the database is in the place of what
    /// was followed.
    async fn begin_again(&self, followed: &mut Followed) -> Result<(), StoreError> {
        self.store.fence_older(followed.seen, followed.last.as_ref()).await?;
        let seen = self.store.latest_change().await?;
        self.caches.all_changed();
        *followed = Followed { owes_keys: true, owes_inactive: true, ..Followed::from(seen) };
        Ok(())
    }

    fn tell_applied(&self, seen: ChangeSeq) {
        self.applied.send_if_modified(|applied| std::mem::replace(applied, seen) != seen);
    }

    /// Looks at the feed every `poll`, and at once when another node says that there is something, until the task is
    /// dropped.
    pub async fn follow(self: Arc<Self>, poll: Duration) {
        let hint = Notify::new();
        tokio::join!(self.store.hear_changes(|| hint.notify_one()), self.look(poll, &hint));
    }

    async fn look(&self, poll: Duration, hint: &Notify) {
        let (mut failing, mut apart) = (false, false);
        let mut next_compare = self.clock.uptime();
        loop {
            // Whether a hint came or the time is up, there is nothing to do but to look.
            let _ = tokio::time::timeout(poll, hint.notified()).await;
            let looked = match tokio::time::timeout(LOOK_TIME_MAX, self.catch_up()).await {
                Ok(looked) => looked.map_err(|error| (error.may_pass(), error.to_string())),
                Err(_) => Err((true, "the database has not answered in time".to_owned())),
            };
            // It says itself what it finds.
            self.store.look_at_file();
            self.is_away.store(matches!(looked, Err((true, _))), Ordering::Release);
            match looked {
                Ok(()) if failing => {
                    tracing::info!("changes can be followed again");
                    failing = false;
                }
                Err((_, error)) if !failing => {
                    tracing::error!(%error, "changes cannot be followed");
                    failing = true;
                }
                Ok(()) | Err(_) => {}
            }
            if self.clock.uptime() >= next_compare {
                next_compare = self.clock.uptime() + COMPARE;
                apart = self.compare_clocks(apart).await;
            }
        }
    }

    /// Looks at the database's clock, and says when it begins and ends to be too far away, as it now is.
    async fn compare_clocks(&self, was_apart: bool) -> bool {
        // That the database does not answer has been told already, and changes do not wait for it.
        let _ = tokio::time::timeout(LOOK_TIME_MAX, self.clock.compare(&self.store)).await;
        let agreement = self.clock.agreement();
        match &agreement {
            Err(Refusal::Unavailable { cause }) if !was_apart => {
                tracing::error!(cause, "no tokens until the clock is right");
            }
            Ok(()) if was_apart => tracing::info!("the clock is right again"),
            Ok(()) | Err(_) => {}
        }
        agreement.is_err()
    }

    /// Refuses new work when the database has not been heard of for a moment, and whatever is refused anyway.
    pub fn require_contact(&self, now: Timestamp, poll: Duration) -> Result<(), Refusal> {
        self.require_fresh(now)?;
        self.require_age(poll + WORK_AGE_MAX)
    }

    /// Whether changes have been followed for as long as something else was heard of the database, which was at that moment
    /// of uptime.
    pub fn keeps_up_with(&self, heard: Duration, poll: Duration) -> bool {
        let read = Duration::from_millis(self.read_at.load(Ordering::Acquire));
        heard <= read + poll + WORK_AGE_MAX
    }

    /// Whether everything is refused from now on, because this node may not run beside those that there are. Returns
    /// whether it was.
    pub fn stand_aside(&self, is_out: bool) -> bool {
        self.is_out.swap(is_out, Ordering::AcqRel)
    }

    /// How right what is cached is. Refuses when the last look is longer ago than an outage may be in which anything is
    /// issued, or when the node's clock, which shows `now`, is wrong.
    pub fn freshness(&self, now: Timestamp, outage_max: Duration) -> Result<Freshness, Refusal> {
        self.clock.require_agreement(now)?;
        self.require_place()?;
        match self.require_age(self.stale_max) {
            Ok(()) => Ok(Freshness::Fresh),
            Err(stale) if self.is_away.load(Ordering::Acquire) => {
                self.require_age(outage_max).map(|()| Freshness::Stale(stale))
            }
            // The database is there, and what is wrong is something else.
            stale => stale.map(|()| Freshness::Fresh),
        }
    }

    /// Refuses when the last look is so long ago that what is cached may be wrong, or when the node's clock, which
    /// shows `now`, is wrong.
    pub fn require_fresh(&self, now: Timestamp) -> Result<(), Refusal> {
        self.clock.require_agreement(now)?;
        self.require_place()?;
        self.require_age(self.stale_max)
    }

    /// Refuses when the database is not the file that was opened: what is read and written there, nobody finds again. And
    /// when it is now that of nodes beside which this one may not run.
    fn require_place(&self) -> Result<(), Refusal> {
        if self.is_out.load(Ordering::Acquire) {
            return Err(Refusal::Unavailable { cause: OUT.to_owned() });
        }
        match self.store.displaced() {
            None => Ok(()),
            Some(cause) => Err(Refusal::Unavailable { cause }),
        }
    }

    fn require_age(&self, most: Duration) -> Result<(), Refusal> {
        let age =
            milliseconds(self.clock.uptime()).saturating_sub(self.read_at.load(Ordering::Acquire));
        if Duration::from_millis(age) <= most {
            Ok(())
        } else {
            let cause = format!("the change feed has not been read for {age} ms");
            Err(Refusal::Unavailable { cause })
        }
    }
}

impl Followed {
    fn from(seen: ChangeSeq) -> Self {
        Self { seen, last: None, owes_keys: false, owes_inactive: false }
    }

    /// Whether the feed is another one than was followed, where `first` is the first change that it has from the last one on.
    fn is_other(&self, first: Option<&Change>) -> bool {
        let was_any = self.seen > ChangeSeq::default();
        was_any
            && match (first, &self.last) {
                (Some(first), Some(last)) => first != last,
                (Some(first), None) => first.seq != self.seen,
                (None, _) => true,
            }
    }

    /// Notes a change that the caches have followed.
    fn note(&mut self, change: &Change) {
        let is_of = |noun| change.noun.is_none_or(|changed| changed == noun);
        self.owes_keys |= is_of(ChangedNoun::SigningKey);
        self.owes_inactive |= is_of(ChangedNoun::Organization);
        self.seen = change.seq;
        if change.noun.is_none() {
            let seq = change.seq.0;
            tracing::warn!(seq, "a change of an unknown kind: everything is read anew");
        }
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
