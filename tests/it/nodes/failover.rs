//! N08 (R21): the primary dies, and a standby takes over that lacks its last moments.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portvakt::clock::{SystemClock, SystemRandom, Timestamp};
use portvakt::domain::client::ClientStatus;
use portvakt::keys::SealingKey;
use portvakt::registry::{Registry, RegistryRules};
use portvakt::store::Store;
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::{JoinSet, spawn_blocking};

use crate::harness::ISSUER;
use crate::harness::caller::Caller;
use crate::harness::clock::tick;
use crate::harness::mark::most;
use crate::harness::place::Place;
use crate::harness::proxy::Proxy;
use crate::harness::server::{actor, caller, sealing_key};
use crate::harness::sql::Sql;
use crate::nodes::cluster::{Cluster, SOCKET, url_in};
use crate::nodes::ledger::{Entry, Ledger};
use crate::nodes::process::{Home, fresh};
use crate::nodes::traffic::{Keep, Traffic};

/// How long the standby has learned nothing when the primary dies.
const LAG: Duration = Duration::from_secs(1);

/// From the moment when there is a primary again to the first token.
const UNAVAILABLE_MAX: Duration = Duration::from_secs(15);

/// The same where an older copy is put back, which is noticed when something is spent or followed; from then on the fence
/// holds for some fifteen seconds.
const FENCED_MAX: Duration = Duration::from_secs(17);

/// How late answers are of a database that is as far away as another city in another country.
const FAR: Duration = Duration::from_millis(40);

/// How soon a change holds on every node, also after the numbers of changes have leapt.
const HOLDS_MAX: Duration = Duration::from_secs(2);

/// Where nodes find the primary, whichever it is: what a virtual address or a proxy does in operation.
struct Address {
    folder: TempDir,
    upstream: Arc<Mutex<PathBuf>>,
}

impl Address {
    fn of(cluster: &Cluster) -> Self {
        let folder = TempDir::new().unwrap();
        let listener = UnixListener::bind(folder.path().join(SOCKET)).unwrap();
        let upstream = Arc::new(Mutex::new(cluster.socket()));
        let its = Arc::clone(&upstream);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let upstream = its.lock().unwrap().clone();
                tokio::spawn(async move {
                    if let Ok(mut server) = UnixStream::connect(upstream).await {
                        let _ = copy_bidirectional(&mut client, &mut server).await;
                    }
                });
            }
        });
        Self { folder, upstream }
    }

    fn turn(&self, cluster: &Cluster) {
        *self.upstream.lock().unwrap() = cluster.socket();
    }

    fn url(&self) -> String {
        url_in(self.folder.path())
    }
}

/// A primary, and a standby that follows it.
async fn pair() -> (Cluster, Cluster) {
    let make = || {
        let primary = Cluster::new();
        let standby = primary.standby();
        (primary, standby)
    };
    spawn_blocking(make).await.unwrap()
}

/// The standby as a primary.
async fn made_primary(standby: Cluster) -> Cluster {
    let promote = move || {
        standby.promote();
        standby
    };
    spawn_blocking(promote).await.unwrap()
}

/// Changes configuration as another process does.
pub(super) async fn registry(url: &str) -> Registry {
    let store = Store::connect(url).await.unwrap();
    let seal = SealingKey::from_base64(&sealing_key()).unwrap().audit_seal();
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    Registry::alone(store, clock, random, seal, RegistryRules::new(ISSUER, 7_200))
}

pub(super) async fn switch(registry: &Registry, client: &str, works: bool) {
    let status = if works { ClientStatus::Active } else { ClientStatus::Deactivated };
    let client = client.parse().unwrap();
    registry.set_client_status(&actor(), &client, status, None).await.unwrap();
}

/// Waits until that client has tokens at every node, or has none.
async fn holds(homes: &[Home], client: &str, works: bool) -> Duration {
    let began = tick();
    for home in homes {
        let mut keep = Keep::new(home.token);
        loop {
            let draft = fresh(&caller(client));
            let outcome = keep.ask(&Ledger::default(), client, &draft.jti, &draft.sign()).await;
            if outcome.is_token() == works {
                break;
            }
            assert!(began.elapsed() < most(HOLDS_MAX), "{client}: still {outcome:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n08_what_a_standby_does_not_know_to_be_spent_is_not_worth_a_second_token() {
    let (primary, standby) = pair().await;
    let place = Place::on(primary.database()).await;
    let address = Address::of(&primary);
    let home = |name| Home::new(place.folder.path(), name, Some(address.url()), "");
    let mut homes = vec![home("a"), home("b")];
    let mut nodes = vec![homes[0].start().await.0, homes[1].start().await.0];

    let addresses: Vec<_> = homes.iter().map(|home| home.token).collect();
    let changes = registry(&address.url()).await;
    let traffic = Traffic::steady(&addresses, changes.clone());
    tokio::time::sleep(Duration::from_millis(800)).await;
    primary.lag();
    // Forgotten as well: a change that the nodes have followed.
    switch(&changes, "rs256", false).await;
    holds(&homes, "rs256", false).await;
    tokio::time::sleep(LAG).await;
    let sql = place.sql().await;
    let commits = sql.number("select max(seq) from replay_log").await;
    let primary = spawn_blocking(move || {
        primary.crash();
        primary
    })
    .await
    .unwrap();
    let died = tick();
    let standby = made_primary(standby).await;
    address.turn(&standby);
    let promoted = tick();

    // One that has seen nothing of it, so that only the fence can tell.
    homes.push(home("c"));
    nodes.push(homes[2].start().await.0);
    let before: Vec<Entry> =
        traffic.ledger.entries().into_iter().filter(|entry| entry.sent < died).collect();
    let late = until_first_token(&traffic.ledger, promoted).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let ledger = Arc::clone(&traffic.ledger);
    let sent = traffic.stop().await;

    // Everything that was spent is tried again at every node.
    let mut fenced = 0;
    for home in &homes {
        let mut keep = Keep::new(home.token);
        for (jti, assertion) in &sent {
            if !before.iter().any(|entry| entry.jti == *jti) {
                continue;
            }
            let outcome = keep.ask(&ledger, "any", jti, assertion).await;
            assert!(!outcome.is_token(), "{jti}: it is older than what is known to be spent");
            fenced += usize::from(outcome.is_unavailable());
        }
    }
    assert_eq!(ledger.faults(), Vec::<String>::new());
    let own = Sql::connect(&standby.url()).await;
    let kept = own.number("select max(seq) from replay_log where seq < 1000000000").await;
    println!(
        "{:?}; commits spent and forgotten: {}; replays: {}, of {} assertions at three nodes, refused by the fence: {fenced}; \
         tokens issued twice: 0 (at most 0); promoted {:?} after the primary died; first token {late:?} later (at \
         most {UNAVAILABLE_MAX:?})",
        ledger.counts(),
        commits - kept,
        before.len() * homes.len(),
        before.len(),
        promoted - died,
    );
    assert!(commits > kept, "the standby lacked nothing");
    assert!(fenced > before.len() / 2, "{fenced}");
    assert!(late <= most(UNAVAILABLE_MAX), "{late:?}");

    // What was forgotten does not count on the nodes that had followed it, and what is changed now does.
    holds(&homes, "rs256", true).await;
    let changes = registry(&address.url()).await;
    for works in [false, true] {
        switch(&changes, "ps256", works).await;
        holds(&homes, "ps256", works).await;
    }
    drop((nodes, primary));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n08_a_primary_that_lives_on_and_takes_no_writes_is_not_followed_any_more() {
    let (primary, standby) = pair().await;
    let place = Place::on(primary.database()).await;
    let address = Address::of(&primary);
    let home = Home::new(place.folder.path(), "a", Some(address.url()), "");
    let (_node, _) = home.start().await;
    let homes = [home];
    for client in ["es256", "rs256"] {
        holds(&homes, client, true).await;
    }
    look_for_many(&homes[0]).await;
    // Until the standby has all of that, too.
    tokio::time::sleep(Duration::from_secs(1)).await;
    // Who is connected stays so, and is answered.
    let sql = place.sql().await;
    sql.execute("alter system set default_transaction_read_only = on").await;
    sql.execute("select pg_reload_conf()").await;
    let standby = made_primary(standby).await;
    address.turn(&standby);
    let promoted = tick();
    let changes = registry(&address.url()).await;
    switch(&changes, "rs256", false).await;
    // It is the first to be read again, over what has been idle since before: the old primary would have it work.
    let mut keep = Keep::new(homes[0].token);
    let mut ask = async || {
        let draft = fresh(&caller("rs256"));
        keep.ask(&Ledger::default(), "rs256", &draft.jti, &draft.sign()).await
    };
    let outcome = loop {
        let outcome = ask().await;
        if !outcome.is_unavailable() {
            break outcome;
        }
        assert!(promoted.elapsed() < most(UNAVAILABLE_MAX), "still {outcome:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(!outcome.is_token(), "it was switched off on the new primary: {outcome:?}");
    // With the key of es256.
    let traffic = Traffic::start(&[homes[0].token], 1, Duration::from_millis(50));
    let late = until_first_token(&traffic.ledger, promoted).await;
    println!("first token {late:?} after the promotion (at most {UNAVAILABLE_MAX:?})");
    let outcome = ask().await;
    let is_refused = !outcome.is_token() && !outcome.is_unavailable();
    assert!(is_refused, "it was switched off on the new primary: {outcome:?}");
    traffic.stop().await;
    drop(primary);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n08_an_older_copy_that_is_started_as_it_is_is_fenced_by_who_has_seen_more() {
    let primary = spawn_blocking(Cluster::new).await.unwrap();
    let place = Place::on(primary.database()).await;
    let address = Address::of(&primary);
    let home = |name| Home::new(place.folder.path(), name, Some(address.url()), "");
    let homes = [home("a"), home("b")];
    let nodes = [homes[0].start().await.0, homes[1].start().await.0];
    let addresses: Vec<_> = homes.iter().map(|home| home.token).collect();
    let changes = registry(&address.url()).await;
    let (primary, copy) = spawn_blocking(move || {
        let copy = primary.copy();
        (primary, copy)
    })
    .await
    .unwrap();
    // What the copy does not know: that these clients work no more, and what is spent.
    for client in ["rs256", "ps256"] {
        switch(&changes, client, false).await;
        holds(&homes, client, false).await;
    }
    let traffic = Traffic::start(&addresses, 1, Duration::from_millis(20));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let ledger = Arc::clone(&traffic.ledger);
    let sent = traffic.stop().await;
    let (primary, copy) = spawn_blocking(move || {
        primary.stop();
        copy.start();
        (primary, copy)
    })
    .await
    .unwrap();
    address.turn(&copy);
    let put_back = tick();

    let traffic = Traffic::start(&addresses, 1, Duration::from_millis(50));
    let late = until_first_token(&traffic.ledger, put_back).await;
    let mut fenced = 0;
    for home in &homes {
        let mut keep = Keep::new(home.token);
        for (jti, assertion) in &sent {
            let outcome = keep.ask(&ledger, "any", jti, assertion).await;
            assert!(!outcome.is_token(), "{jti}: it is older than what is known to be spent");
            fenced += usize::from(outcome.is_unavailable());
        }
    }
    assert_eq!(ledger.faults(), Vec::<String>::new());
    assert!(fenced > sent.len(), "{fenced} of {} at two nodes", sent.len());
    traffic.stop().await;
    holds(&homes, "rs256", true).await;
    // What is changed now holds everywhere, although its number would have been one that all have seen.
    let changes = registry(&address.url()).await;
    for works in [false, true] {
        switch(&changes, "ps256", works).await;
        holds(&homes, "ps256", works).await;
    }
    println!(
        "{:?}; replays: {}, refused by the fence: {fenced}; tokens issued twice: 0 (at most 0); first token {late:?} \
         after it was put back (at most {FENCED_MAX:?})",
        ledger.counts(),
        sent.len() * homes.len(),
    );
    assert!(late <= most(FENCED_MAX), "{late:?}");
    drop((nodes, primary));
}

#[tokio::test]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n08_the_fence_is_set_in_time_also_from_far_away() {
    let place = Place::new().await;
    let url = |place: &Place| place.database.as_ref().expect("PostgreSQL").url();
    let near = Store::connect(&url(&place)).await.unwrap();
    near.latest_change().await.unwrap();
    place.sql().await.execute("update fence set history = '1 00000001 2'").await;
    let proxy = Proxy::start();
    let far = Store::connect(&url(&proxy.before(&place))).await.unwrap();
    proxy.delay(FAR);
    let mut log = far.replay_log();
    let began = tick();
    log.append(&[[1; 32]], Timestamp::from_seconds(9)).await.unwrap();
    println!(
        "connected, fenced and appended in {:?}, with {FAR:?} for each answer",
        began.elapsed()
    );
    assert!(log.fenced_at().is_some(), "the history is another one");
}

/// Asks for clients that are not there, all at once, so that the node has all connections that it looks for them over.
async fn look_for_many(home: &Home) {
    let mut asking = JoinSet::new();
    for number in 0..8 {
        let nobody = Caller { client_id: format!("nobody-{number}"), ..caller("rs256") };
        let (mut keep, draft) = (Keep::new(home.token), fresh(&nobody));
        asking.spawn(async move {
            keep.ask(&Ledger::default(), "nobody", &draft.jti, &draft.sign()).await
        });
    }
    let outcomes = asking.join_all().await;
    assert!(outcomes.iter().all(|outcome| !outcome.is_token()), "{outcomes:?}");
}

async fn until_first_token(ledger: &Ledger, promoted: Instant) -> Duration {
    loop {
        if let Some(first) = ledger.first_token_after(promoted) {
            return first - promoted;
        }
        assert!(promoted.elapsed() < most(UNAVAILABLE_MAX), "no token: {:?}", ledger.counts());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
