//! What servers have to do all day, whatever happens to them: clients that come when they come, however long others wait,
//! half of them with the certificate of their business; now and then an assertion that is sent to two nodes at once; APIs
//! that fetch the key sets; and somebody who registers clients.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portvakt::clock::{Clock as _, SystemClock};
use portvakt::registry::{NewClient, Registry};
use tokio::task::JoinSet;

use crate::harness::CONSUMER;
use crate::harness::caller::{Caller, Draft, new_jti};
use crate::harness::chain::at;
use crate::harness::clock::NOW;
use crate::harness::server::{actor, caller, certified, pki};
use crate::harness::sql::Sql;
use crate::nodes::ledger::Ledger;
use crate::nodes::process::{fresh, get};
use crate::nodes::traffic::{CLIENTS, Keep, Traffic};

/// Requests a second.
const RATE: u32 = 200;

/// Of so many assertions one is sent to two nodes at once: now of one client, now of another.
const TWICE_EVERY: usize = 49;

/// How often the key set of each node is fetched.
const KEY_SETS_EVERY: Duration = Duration::from_millis(200);

/// How often somebody registers a client.
const CHANGE_EVERY: Duration = Duration::from_millis(500);

/// Connections to a node that are kept when all is calm again.
const KEPT_MAX: usize = 8;

/// How long before and after now a certificate is valid.
const CERTIFICATE_SECONDS: i64 = 24 * 60 * 60;

impl Traffic {
    /// What nodes at these addresses have to do all day. They must trust the test PKI.
    pub(crate) fn steady(addresses: &[SocketAddr], changes: Registry) -> Self {
        Self::all_day(addresses, changes, SystemClock.now().seconds(), fresh)
    }

    /// The same for servers in this process, whose time is that of the tests.
    pub(crate) fn steady_inside(addresses: &[SocketAddr], changes: Registry) -> Self {
        Self::all_day(addresses, changes, NOW, Caller::draft)
    }

    fn all_day(
        addresses: &[SocketAddr],
        changes: Registry,
        now: i64,
        make: fn(&Caller) -> Draft,
    ) -> Self {
        let (ledger, stop) = (Arc::new(Ledger::default()), Arc::new(AtomicBool::new(false)));
        let mut tasks = JoinSet::new();
        let work = || Work { ledger: Arc::clone(&ledger), stop: Arc::clone(&stop) };
        let nodes: Vec<_> = addresses.iter().map(|it| Arc::new(Connections::to(*it))).collect();
        tasks.spawn(work().ask(nodes, callers(now), make));
        for address in addresses {
            tasks.spawn(work().fetch_key_sets(*address));
        }
        tasks.spawn(work().register_clients(changes));
        Self { ledger, stop, tasks }
    }
}

/// Of the clients whose registration was acknowledged while there was traffic, those that are not there.
pub(crate) async fn lost_registrations(ledger: &Ledger, sql: &Sql) -> Vec<String> {
    let mut lost = Vec::new();
    for id in ledger.registered() {
        if sql.number(&format!("select count(*) from client where id = '{id}'")).await != 1 {
            lost.push(id);
        }
    }
    lost
}

/// By turns one that sends its certificate and one whose key is registered.
fn callers(now: i64) -> Vec<Caller> {
    let leaf = pki().ca.leaf(|params| {
        params.not_before = at(now - CERTIFICATE_SECONDS - NOW);
        params.not_after = at(now + CERTIFICATE_SECONDS - NOW);
    });
    let certified = certified(&leaf.key, &[&leaf.der]);
    CLIENTS.iter().flat_map(|name| [caller(name), certified.clone()]).collect()
}

/// The connections to a node.
struct Connections {
    address: SocketAddr,
    /// Those that nobody uses now.
    idle: Mutex<Vec<Keep>>,
}

impl Connections {
    fn to(address: SocketAddr) -> Self {
        Self { address, idle: Mutex::new(Vec::new()) }
    }

    async fn ask(self: Arc<Self>, ledger: Arc<Ledger>, asked: Arc<Asked>) {
        let idle = self.idle.lock().unwrap().pop();
        let mut keep = idle.unwrap_or_else(|| Keep::new(self.address));
        keep.ask(&ledger, &asked.client, &asked.jti, &asked.assertion).await;
        let mut idle = self.idle.lock().unwrap();
        if idle.len() < KEPT_MAX {
            idle.push(keep);
        }
    }
}

/// What a client sends.
struct Asked {
    client: String,
    jti: String,
    assertion: String,
}

/// What goes on until it is stopped.
struct Work {
    ledger: Arc<Ledger>,
    stop: Arc<AtomicBool>,
}

impl Work {
    fn is_over(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// Sends assertions at the rate, and returns them by their `jti`. What is late is made up for.
    async fn ask(
        self,
        nodes: Vec<Arc<Connections>>,
        callers: Vec<Caller>,
        make: fn(&Caller) -> Draft,
    ) -> Vec<(String, String)> {
        let (mut due, mut sent) =
            (tokio::time::interval(Duration::from_secs(1) / RATE), Vec::new());
        let mut under_way = JoinSet::new();
        for (number, caller) in callers.iter().cycle().enumerate() {
            due.tick().await;
            if self.is_over() {
                break;
            }
            let draft = make(caller);
            let (client, jti) = (caller.client_id.clone(), draft.jti.clone());
            let asked = Arc::new(Asked { client, jti, assertion: draft.sign() });
            sent.push((asked.jti.clone(), asked.assertion.clone()));
            // Each kind of client comes to every node.
            let first = number / callers.len() + number;
            let times = if number % TWICE_EVERY == 0 { 2 } else { 1 };
            for place in first..first + times {
                let node = Arc::clone(&nodes[place % nodes.len()]);
                under_way.spawn(node.ask(Arc::clone(&self.ledger), Arc::clone(&asked)));
            }
            while let Some(done) = under_way.try_join_next() {
                done.unwrap();
            }
        }
        under_way.join_all().await;
        sent
    }

    async fn fetch_key_sets(self, address: SocketAddr) -> Vec<(String, String)> {
        while !self.is_over() {
            let reply = get(address, "/jwk").await;
            self.ledger.add_key_set(reply.filter(|it| it.status == 200).map(|it| it.json()));
            tokio::time::sleep(KEY_SETS_EVERY).await;
        }
        Vec::new()
    }

    async fn register_clients(self, changes: Registry) -> Vec<(String, String)> {
        while !self.is_over() {
            let id = format!("registered-{}", new_jti());
            let client = NewClient {
                id: Some(id.parse().unwrap()),
                ..NewClient::new(CONSUMER.parse().unwrap(), "Registered under load")
            };
            if changes.register_client(&actor(), client).await.is_ok() {
                self.ledger.add_registered(id);
            }
            tokio::time::sleep(CHANGE_EVERY).await;
        }
        Vec::new()
    }
}
