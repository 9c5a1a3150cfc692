//! N20: signing keys take turns on three nodes under load (R16), in an emergency at once (R17), and a node that dies while it
//! makes one leaves nothing behind (R19). That two nodes make one key at the same time is N05 (R18).

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use portvakt::clock::Clock as _;
use portvakt::domain::right::Right;
use portvakt::registry::{OtherAlgorithms, RegistryError, SigningStart};
use serde_json::Value;

use crate::admin::own::API;
use crate::harness::PROVIDER;
use crate::harness::admin::{AdminServer, operator};
use crate::harness::clock::tick;
use crate::harness::http::{Connection, exchange, form, post, request};
use crate::harness::mark::most;
use crate::harness::published::{accepts, key_set, kid_of, kids};
use crate::harness::server::{TestServer, actor, caller};
use crate::nodes::ledger::{Ledger, Outcome};
use crate::nodes::process::{Home, fresh};
use crate::nodes::rounds;
use crate::nodes::traffic::{CLIENTS, Keep, Traffic, key_sets};

/// How often keys take turns.
const TURNS: usize = 2;

/// How long a key is published before it signs, and how long after it has signed its last token is certainly dead.
const DAY: i64 = 24 * 60 * 60;
const LAST_TOKEN_DEAD: i64 = DAY + 2 * 60 * 60;

/// How long it may take to make a key.
const MADE_MAX: Duration = Duration::from_secs(5);

/// How soon every node does as one has been told.
const EVERYWHERE_MAX: Duration = Duration::from_secs(1);
const EMERGENCY_MAX: Duration = Duration::from_secs(2);

/// Time between two requests of one client, and how long traffic flows before and after something is done.
const PAUSE: Duration = Duration::from_millis(20);
const FLOWS: Duration = Duration::from_millis(300);

/// Three nodes on one database, whose clocks go together.
struct Three([TestServer; 3]);

impl Three {
    async fn start() -> Self {
        let first = TestServer::start().await;
        Self([first.beside().await, first.beside().await, first])
    }

    fn addresses(&self) -> [SocketAddr; 3] {
        self.0.each_ref().map(|node| node.address)
    }

    fn traffic(&self) -> Traffic {
        Traffic::by(&self.0[0].clock, &self.addresses(), CLIENTS.len(), PAUSE)
    }

    /// Sets the clocks one after the other, so that for a while they differ.
    async fn set_clocks(&self, seconds: i64) {
        for node in &self.0 {
            node.clock.set(seconds);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until a key is published everywhere, or nowhere.
    async fn until_published(&self, kid: &str, is: bool) -> Duration {
        let began = tick();
        for address in self.addresses() {
            while kids(address).await.iter().any(|it| it == kid) != is {
                assert!(began.elapsed() <= most(EMERGENCY_MAX), "{kid} is published: not {is}");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        began.elapsed()
    }
}

/// Stops the traffic, holds that each of its tokens is signed with a key of each of these sets, and says which keys signed.
async fn check(traffic: Traffic, key_sets: &[Value]) -> BTreeSet<String> {
    tokio::time::sleep(FLOWS).await;
    let ledger = Arc::clone(&traffic.ledger);
    traffic.stop().await;
    assert_eq!(ledger.faults(), Vec::<String>::new());
    assert_eq!(ledger.unverified(key_sets), 0);
    let entries = ledger.entries();
    let other = entries.iter().find(|it| !it.outcome.is_token());
    assert!(other.is_none() && !entries.is_empty(), "{other:?}");
    let tokens = entries.iter().filter_map(|entry| match &entry.outcome {
        Outcome::Token(token) => Some(kid_of(token)),
        _ => None,
    });
    tokens.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n20_while_keys_take_turns_no_token_is_refused_by_whoever_fetches_keys_once_a_day() {
    let three = Three::start().await;
    let mut old = kids(three.0[0].address).await.remove(0);
    for turn in 0..rounds(TURNS) {
        let began = three.0[0].clock.now().seconds();
        let traffic = three.traffic();
        let registry = &three.0[turn % 3].app.registry;
        let made = registry.rotate_signing_key(&actor(), SigningStart::Announced).await.unwrap();
        let new = made.record.kid;
        let published = three.until_published(&new, true).await;
        // What APIs have that fetched just then, and do not again before the day is over.
        let fetched = key_sets(&three.addresses()).await;
        assert_eq!(check(traffic, &fetched).await, BTreeSet::from([old.clone()]));

        three.set_clocks(began + DAY - 1).await;
        let traffic = three.traffic();
        tokio::time::sleep(FLOWS).await;
        three.set_clocks(began + DAY).await;
        let both = check(traffic, &fetched).await;
        assert_eq!(both, BTreeSet::from([old.clone(), new.clone()]));
        for address in three.addresses() {
            assert!(kids(address).await.contains(&old), "its last tokens are alive");
        }

        three.set_clocks(began + DAY + LAST_TOKEN_DEAD).await;
        let traffic = three.traffic();
        let [a, b, c] = three
            .0
            .each_ref()
            .map(|node| Box::pin(node.app.registry.keep_signing_keys(OtherAlgorithms::Retired)));
        let kept = tokio::join!(a, b, c);
        assert!(kept.0.is_ok() || kept.1.is_ok() || kept.2.is_ok(), "{kept:?}");
        let gone = three.until_published(&old, false).await;
        let rest = key_sets(&three.addresses()).await;
        assert_eq!(check(traffic, &rest).await, BTreeSet::from([new.clone()]));
        println!(
            "turn {turn}: published everywhere after {published:?}, gone after {gone:?} (at most {EVERYWHERE_MAX:?} each)"
        );
        assert!(published.max(gone) <= most(EVERYWHERE_MAX));
        old = new;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n20_in_an_emergency_every_node_signs_with_another_key_and_forgets_the_old_one() {
    let three = Three::start().await;
    let old = kids(three.0[0].address).await.remove(0);
    let traffic = three.traffic();
    tokio::time::sleep(FLOWS).await;
    // Two operators, at two nodes, at the same moment.
    let (one, other) = (&three.0[0].app.registry, &three.0[1].app.registry);
    let (by, now) = (actor(), SigningStart::Now);
    // So that both have a connection, and neither begins when the other is done.
    for registry in [one, other] {
        registry.signing_keys(&by).await.unwrap();
    }
    let of_old = three.0[1].ask(&caller("es256").assertion()).await.token().unwrap();
    let asked = tokio::join!(one.rotate_signing_key(&by, now), other.rotate_signing_key(&by, now));
    let (registry, began) = (one, tick());
    let made = match asked {
        (Ok(made), Err(RegistryError::Conflict { .. }))
        | (Err(RegistryError::Conflict { .. }), Ok(made)) => made,
        both => panic!("not one new key: {both:?}"),
    };
    let new = made.record.kid;
    for address in three.addresses() {
        let mut keep = Keep::new(address);
        loop {
            let draft = caller("es256").draft();
            let outcome = keep.ask(&Ledger::default(), "es256", &draft.jti, &draft.sign()).await;
            assert!(began.elapsed() <= most(EMERGENCY_MAX), "{outcome:?}");
            if matches!(outcome, Outcome::Token(token) if kid_of(&token) == new) {
                break;
            }
        }
    }
    let signs = began.elapsed();
    let both = check(traffic, &key_sets(&three.addresses()).await).await;
    assert_eq!(both, BTreeSet::from([old.clone(), new]));

    let of_new = three.0[1].ask(&caller("es256").assertion()).await.token().unwrap();
    registry.retire_signing_key(&actor(), &old).await.unwrap();
    let gone = three.until_published(&old, false).await;
    println!(
        "signs on three nodes after {signs:?}, the old one is gone after {gone:?} (at most {EMERGENCY_MAX:?} each)"
    );
    assert!(gone <= most(EMERGENCY_MAX));
    for address in three.addresses() {
        let keys = key_set(address).await;
        assert!(accepts(&keys, &of_new) && !accepts(&keys, &of_old));
    }
    let acts =
        "select count(*) from audit where noun = 'signing_key' and action in ('rotate', 'retire')";
    assert_eq!(three.0[0].sql().await.number(acts).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n20_a_node_that_dies_while_it_makes_a_key_leaves_none_that_it_cannot_sign_with() {
    let admin = AdminServer::trusting(&[], "").await;
    let (server, client) = (&admin.server, admin.client(PROVIDER, Right::Operate.name()).await);
    let url = server.place.database.as_ref().unwrap().url();
    let home = Home::new(server.folder(), "node", Some(url), &operator());
    let node = home.start().await.0;
    let before = kids(home.token).await;
    let reply = exchange(home.token, &post(&form(&fresh(&client).sign()))).await.unwrap();
    let bearer = format!("Bearer {}", reply.token().expect("a token"));
    let headers = [("Content-Type", "application/json"), ("Authorization", &*bearer)];
    let rotate = request(&format!("POST {API}/signing-keys"), &headers, b"{}");

    // The key is in the table, and what is written of it into the trail is waited for: there the node dies.
    let sql = server.sql().await;
    let standing = sql.lock("audit in share mode").await;
    let mut connection = Connection::open(home.admin).await;
    connection.send(&rotate).await;
    let is_made = "select count(*) from pg_locks as made join pg_locks as waits using (pid) \
                   join pg_database on made.database = pg_database.oid \
                   where datname = current_database() and made.relation = 'signing_key'::regclass \
                   and made.mode = 'RowExclusiveLock' and made.granted \
                   and waits.relation = 'audit'::regclass and not waits.granted";
    let began = tick();
    while sql.number(is_made).await == 0 {
        assert!(began.elapsed() < most(MADE_MAX), "the key is not made");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    node.kill();
    drop(standing);
    assert!(connection.reply().await.is_none(), "nobody is told that it is made");

    let node = home.start().await.0;
    for address in [home.token, server.address] {
        assert_eq!(kids(address).await, before);
    }
    let keys = "select count(*) from signing_key";
    assert_eq!(sql.number(keys).await, 1);
    let made = exchange(home.admin, &rotate).await.unwrap();
    assert_eq!(made.status, 201, "{}", made.text());
    let new = made.json()["kid"].as_str().unwrap().to_owned();
    let published = async || kids(server.address).await.contains(&new);
    let began = tick();
    while !published().await {
        assert!(began.elapsed() <= most(EVERYWHERE_MAX), "the other node does not publish it");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    println!(
        "a node died between a key and its trail: {} keys left of it (at most 0); the next is published by the other after \
         {:?} (at most {EVERYWHERE_MAX:?})",
        sql.number(keys).await - 2,
        began.elapsed(),
    );
    drop(node);
    let unusable = "select count(*) from signing_key where sealed_private is null";
    assert_eq!(sql.number(unusable).await, 0);
}
