//! Bounded caches over the store, so that a warm request reads no database.
//!
//! A cached value must never outlive the change that made it wrong, and the cache library stores the
//! result of a load that was under way when its entry was invalidated. So nothing is invalidated: the
//! version of a key is part of what it is cached under. A change raises the version; a load that began
//! before ends up under the old version, where nobody looks any more. A version is shared by keys whose
//! hashes collide, which costs a needless load now and then and never a stale answer.

use std::collections::HashSet;
use std::fmt::Debug;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::future::Cache;
use moka::policy::EvictionPolicy;

use crate::domain::access::{Access, Delegation, UsedAccess};
use crate::domain::change::{Change, ChangedNoun};
use crate::domain::client::ClientId;
use crate::domain::organization::{OrganizationNumber, OrganizationStatus};
use crate::domain::scope::{Scope, ScopeName};
use crate::store::{Store, StoreError};
use crate::token::client_key::KeyedClient;
use crate::token::last_use::Noted;
use crate::token::refusal::Refusal;

/// How many of each noun are kept. Beyond that those that have not been used for longest make room: that may be what a
/// change has left behind, however often it was used before.
const CLIENTS_MAX: u64 = 200_000;
const SCOPES_MAX: u64 = 50_000;
const ACCESSES_MAX: u64 = 500_000;
const DELEGATIONS_MAX: u64 = 500_000;
const ORGANIZATIONS_MAX: u64 = 10_000;

/// How many unknown keys of each noun are remembered, and for how long: enough that a client with a
/// wrong id does not reach the database with every request, and no more.
const ABSENT_MAX: u64 = 10_000;
const ABSENT_SECONDS: u64 = 30;

/// What the alarm calls a registered key whose row is read and whose document is no key that counts here.
const KEY_DOCUMENT: &str = "client_key.jwk";

/// How long a load may take. Whoever waits for it would rather be told 503.
const LOAD_TIME_MAX: Duration = Duration::from_secs(1);

/// Counters that versions are read from.
const VERSIONS: u64 = 4_096;

/// Everything the token path reads, cached.
pub struct Caches {
    store: Store,
    clients: Cached<ClientId, KeyedClient>,
    scopes: Cached<ScopeName, Scope>,
    accesses: Cached<(ScopeName, OrganizationNumber), KnownAccess>,
    delegations: Cached<(OrganizationNumber, OrganizationNumber, ScopeName), Delegation>,
    /// The organizations that may not take part: few, so that nothing has to be kept of each of the others.
    inactive: Cached<(), HashSet<OrganizationNumber>>,
    /// Those of them that have been asked for.
    organizations: Cached<OrganizationNumber, OrganizationStatus>,
}

/// An access, and when its use was last noted.
#[derive(Debug)]
pub struct KnownAccess {
    /// The access.
    pub access: Access,
    pub(super) noted: Noted,
}

impl Caches {
    /// Empty caches over `store`.
    pub fn new(store: Store) -> Self {
        Self {
            store,
            clients: Cached::new(CLIENTS_MAX),
            scopes: Cached::new(SCOPES_MAX),
            accesses: Cached::new(ACCESSES_MAX),
            delegations: Cached::new(DELEGATIONS_MAX),
            inactive: Cached::new(1),
            organizations: Cached::new(ORGANIZATIONS_MAX),
        }
    }

    /// The client of that id with its keys parsed.
    pub async fn client(&self, id: &ClientId) -> Result<Option<Arc<KeyedClient>>, Refusal> {
        let load = async || {
            let Some(file) = self.store.client_file(id).await? else { return Ok(None) };
            let client = file.registration.value.client;
            let client = KeyedClient::new(client, file.keys, file.last_used_at);
            let unreadable = self.store.unreadable_rows();
            for (key, read) in client.readings() {
                unreadable.note(KEY_DOCUMENT, &format!("{id} {key}"), read);
            }
            Ok(Some(client))
        };
        self.clients.find(id.clone(), load).await
    }

    /// The scope of that name.
    pub async fn scope(&self, name: &ScopeName) -> Result<Option<Arc<Scope>>, Refusal> {
        let load = async || self.store.scope_by_name(name).await;
        self.scopes.find(name.clone(), load).await
    }

    /// The access of that organization to that scope.
    pub async fn access(
        &self,
        scope: &ScopeName,
        consumer: OrganizationNumber,
    ) -> Result<Option<Arc<KnownAccess>>, Refusal> {
        let load = async || {
            let found = self.store.access(scope, consumer).await?;
            Ok(found.map(|UsedAccess { access, last_used_at }| {
                let noted = Noted::at(last_used_at);
                KnownAccess { access, noted }
            }))
        };
        self.accesses.find((scope.clone(), consumer), load).await
    }

    /// The delegation of that scope between those organizations.
    pub async fn delegation(
        &self,
        consumer: OrganizationNumber,
        supplier: OrganizationNumber,
        scope: &ScopeName,
    ) -> Result<Option<Arc<Delegation>>, Refusal> {
        let load = async || {
            let found = self.store.delegation(consumer, supplier, scope).await?;
            Ok(found.map(|found| found.value))
        };
        self.delegations.find((consumer, supplier, scope.clone()), load).await
    }

    /// Whether an organization takes part. One that is not registered here does: it only has been granted
    /// something, or has delegated it.
    pub async fn takes_part(&self, number: OrganizationNumber) -> Result<bool, Refusal> {
        if self.inactive().await?.is_some_and(|inactive| !inactive.contains(&number)) {
            return Ok(true);
        }
        let load = async || self.store.organization_status(number).await;
        let status = self.organizations.find(number, load).await?;
        Ok(status.is_none_or(|status| *status == OrganizationStatus::Active))
    }

    async fn inactive(&self) -> Result<Option<Arc<HashSet<OrganizationNumber>>>, Refusal> {
        let load = async || self.store.inactive_organizations().await.map(Some);
        self.inactive.find((), load).await
    }

    /// Reads which organizations may not take part, unless it is known. Everybody needs it, also while the database is
    /// away. When it fails, the next lookup tries again.
    pub(super) async fn learn_inactive(&self) {
        let _ = self.inactive().await;
    }

    /// Makes every later lookup see a change that has been committed.
    pub fn follow(&self, change: &Change) {
        let mut parts = change.key.split(' ');
        let mut part = || parts.next().unwrap_or("");
        let Some(noun) = change.noun else {
            return self.all_changed();
        };
        match noun {
            ChangedNoun::Access => match (part().parse(), part().parse()) {
                (Ok(scope), Ok(consumer)) => self.accesses.changed(&(scope, consumer)),
                _ => self.accesses.all_changed(),
            },
            ChangedNoun::Client => match part().parse() {
                Ok(id) => self.clients.changed(&id),
                Err(_) => self.clients.all_changed(),
            },
            ChangedNoun::Delegation => match (part().parse(), part().parse(), part().parse()) {
                (Ok(consumer), Ok(supplier), Ok(scope)) => {
                    self.delegations.changed(&(consumer, supplier, scope));
                }
                _ => self.delegations.all_changed(),
            },
            ChangedNoun::Scope => match part().parse() {
                Ok(name) => self.scopes.changed(&name),
                Err(_) => self.scopes.all_changed(),
            },
            ChangedNoun::Organization => {
                self.inactive.changed(&());
                match part().parse() {
                    Ok(number) => self.organizations.changed(&number),
                    Err(_) => self.organizations.all_changed(),
                }
            }
            ChangedNoun::Node
            | ChangedNoun::Prefix
            | ChangedNoun::PrefixRequest
            | ChangedNoun::SigningKey
            | ChangedNoun::User => {}
        }
    }

    /// Makes every later lookup read anew.
    pub(super) fn all_changed(&self) {
        self.accesses.all_changed();
        self.clients.all_changed();
        self.delegations.all_changed();
        self.inactive.all_changed();
        self.organizations.all_changed();
        self.scopes.all_changed();
    }
}

/// A cache of one noun.
struct Cached<K, V> {
    present: Cache<(K, u64), Arc<V>>,
    absent: Cache<(K, u64), ()>,
    versions: Box<[AtomicU64]>,
    hasher: RandomState,
}

/// Why a load brought nothing; shared by all who waited for it.
#[derive(Debug)]
enum Miss {
    Absent,
    Failed(String),
}

impl<K, V> Cached<K, V>
where
    K: Clone + Debug + Eq + Hash + Send + Sync + 'static,
    V: Send + Sync + 'static,
{
    fn new(entries_max: u64) -> Self {
        Self {
            present: Cache::builder()
                .max_capacity(entries_max)
                .eviction_policy(EvictionPolicy::lru())
                .build(),
            absent: Cache::builder()
                .max_capacity(ABSENT_MAX)
                .time_to_live(Duration::from_secs(ABSENT_SECONDS))
                .build(),
            versions: (0..VERSIONS).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
        }
    }

    /// The value of `key`. Many who ask for a key that is not cached cause one load.
    async fn find(
        &self,
        key: K,
        load: impl AsyncFnOnce() -> Result<Option<V>, StoreError>,
    ) -> Result<Option<Arc<V>>, Refusal> {
        let version = self.version(&key).load(Ordering::Acquire);
        let entry = (key, version);
        if let Some(value) = self.present.get(&entry).await {
            return Ok(Some(value));
        }
        if self.absent.get(&entry).await.is_some() {
            return Ok(None);
        }
        // In a box, because whoever asks would otherwise be as large as a load, which is rare.
        let load = Box::pin(async {
            match tokio::time::timeout(LOAD_TIME_MAX, load()).await {
                Ok(Ok(Some(value))) => Ok(Arc::new(value)),
                Ok(Ok(None)) => Err(Miss::Absent),
                Ok(Err(error)) => Err(Miss::Failed(error.to_string())),
                Err(_) => Err(Miss::Failed("the database is too slow".to_owned())),
            }
        });
        match self.present.try_get_with(entry.clone(), load).await {
            Ok(value) => Ok(Some(value)),
            Err(miss) => match &*miss {
                Miss::Absent => {
                    self.absent.insert(entry, ()).await;
                    Ok(None)
                }
                Miss::Failed(cause) => Err(Refusal::Unavailable { cause: cause.clone() }),
            },
        }
    }

    fn changed(&self, key: &K) {
        self.version(key).fetch_add(1, Ordering::Release);
    }

    fn all_changed(&self) {
        for version in &self.versions {
            version.fetch_add(1, Ordering::Release);
        }
    }

    fn version(&self, key: &K) -> &AtomicU64 {
        let hash = self.hasher.hash_one(key);
        let slot = usize::try_from(hash % VERSIONS).unwrap_or_default();
        &self.versions[slot]
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, AtomicUsize};

    use tokio::sync::Notify;
    use tokio::task::yield_now;

    use super::*;

    #[tokio::test]
    async fn many_who_ask_for_a_cold_key_cause_one_load() {
        let cache = Arc::new(Cached::<u32, u32>::new(10));
        let loads = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (0..100)
            .map(|_| {
                let (cache, loads) = (Arc::clone(&cache), Arc::clone(&loads));
                tokio::spawn(async move {
                    let load = async || {
                        loads.fetch_add(1, Ordering::Relaxed);
                        yield_now().await;
                        Ok(Some(7))
                    };
                    *cache.find(1, load).await.unwrap().unwrap()
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), 7);
        }
        assert_eq!(loads.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn what_is_absent_is_remembered_until_it_changes() {
        let cache = Cached::<u32, u32>::new(10);
        assert_eq!(cache.find(1, async || Ok(None)).await.unwrap(), None);
        assert_eq!(cache.find(1, async || Ok(Some(7))).await.unwrap(), None);
        cache.changed(&1);
        assert_eq!(cache.find(1, async || Ok(Some(7))).await.unwrap(), Some(Arc::new(7)));
    }

    #[tokio::test]
    async fn a_load_under_way_during_a_change_is_not_seen_afterwards() {
        let cache = Arc::new(Cached::<u32, &str>::new(10));
        let (started, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let slow = tokio::spawn({
            let (cache, started, go_on) =
                (Arc::clone(&cache), Arc::clone(&started), Arc::clone(&go_on));
            async move {
                let load = async || {
                    started.notify_one();
                    go_on.notified().await;
                    Ok(Some("old"))
                };
                cache.find(1, load).await
            }
        });
        started.notified().await;
        cache.changed(&1);
        assert_eq!(cache.find(1, async || Ok(Some("new"))).await.unwrap(), Some(Arc::new("new")));
        go_on.notify_one();
        assert_eq!(slow.await.unwrap().unwrap(), Some(Arc::new("old")));
        assert_eq!(cache.find(1, async || Ok(Some("newer"))).await.unwrap(), Some(Arc::new("new")));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn however_loads_and_changes_meet_nothing_old_is_kept() {
        let (cache, kept) = (Arc::new(Cached::<u32, u32>::new(10)), Arc::new(AtomicU32::new(0)));
        for round in 1..=10_000 {
            let (its, read) = (Arc::clone(&cache), Arc::clone(&kept));
            let reader = tokio::spawn(async move {
                let load = async || {
                    let value = read.load(Ordering::SeqCst);
                    yield_now().await;
                    Ok(Some(value))
                };
                its.find(1, load).await
            });
            yield_now().await;
            kept.store(round, Ordering::SeqCst);
            cache.changed(&1);
            reader.await.unwrap().unwrap();
            let now = cache.find(1, async || Ok(Some(kept.load(Ordering::SeqCst)))).await.unwrap();
            assert_eq!(now, Some(Arc::new(round)));
        }
    }

    #[tokio::test]
    async fn a_failed_load_is_not_remembered() {
        let cache = Cached::<u32, u32>::new(10);
        let broken = async || Err(StoreError::corrupt("client", &"test"));
        assert!(matches!(cache.find(1, broken).await, Err(Refusal::Unavailable { .. })));
        assert_eq!(cache.find(1, async || Ok(Some(7))).await.unwrap(), Some(Arc::new(7)));
    }
}
