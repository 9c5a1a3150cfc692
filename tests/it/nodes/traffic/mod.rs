//! Clients that fetch tokens all the time, and write down what comes of it.

mod steady;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use portvakt::clock::Clock as _;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::harness::caller::{Caller, Draft};
use crate::harness::clock::{TestClock, tick};
use crate::harness::http::{Connection, Reply, form, post};
use crate::harness::published::jwks;
use crate::harness::server::caller;
use crate::nodes::ledger::{Entry, Ledger, Outcome};
use crate::nodes::process::fresh;
pub(crate) use crate::nodes::traffic::steady::lost_registrations;

/// Clients whose signatures cost little.
pub(crate) const CLIENTS: [&str; 4] = ["es256", "eddsa", "es384", "other"];

/// Traffic that goes on until it is stopped.
pub(crate) struct Traffic {
    pub(crate) ledger: Arc<Ledger>,
    stop: Arc<AtomicBool>,
    tasks: JoinSet<Vec<(String, String)>>,
}

impl Traffic {
    /// So many clients, each of which asks one of these addresses in turn, and waits so long between two requests.
    pub(crate) fn start(addresses: &[SocketAddr], clients: usize, pause: Duration) -> Self {
        Self::of(addresses, clients, pause, fresh)
    }

    /// The same for servers in this process, whose time is that of the tests.
    pub(crate) fn inside(addresses: &[SocketAddr], clients: usize, pause: Duration) -> Self {
        Self::of(addresses, clients, pause, Caller::draft)
    }

    /// The same where the clock is moved meanwhile.
    pub(crate) fn by(
        clock: &Arc<TestClock>,
        addresses: &[SocketAddr],
        clients: usize,
        pause: Duration,
    ) -> Self {
        let clock = Arc::clone(clock);
        let make = move |caller: &Caller| {
            let now = clock.now().seconds();
            caller.draft().claim("iat", now).claim("exp", now + 60)
        };
        Self::of(addresses, clients, pause, make)
    }

    fn of(
        addresses: &[SocketAddr],
        clients: usize,
        pause: Duration,
        make: impl Fn(&Caller) -> Draft + Clone + Send + 'static,
    ) -> Self {
        let (ledger, stop) = (Arc::new(Ledger::default()), Arc::new(AtomicBool::new(false)));
        let mut tasks = JoinSet::new();
        for number in 0..clients {
            let (ledger, stop) = (Arc::clone(&ledger), Arc::clone(&stop));
            let address = addresses[number % addresses.len()];
            let client = CLIENTS[number % CLIENTS.len()];
            let make = make.clone();
            tasks.spawn(async move {
                let (mut keep, caller) = (Keep::new(address), caller(client));
                let mut spent = Vec::new();
                while !stop.load(Ordering::SeqCst) {
                    let draft = make(&caller);
                    let assertion = draft.sign();
                    let outcome = keep.ask(&ledger, client, &draft.jti, &assertion).await;
                    spent.push((draft.jti.clone(), assertion));
                    if outcome == Outcome::Lost {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                    tokio::time::sleep(pause).await;
                }
                spent
            });
        }
        Self { ledger, stop, tasks }
    }

    /// Stops it, and returns every assertion that was sent, by its `jti`.
    pub(crate) async fn stop(self) -> Vec<(String, String)> {
        self.stop.store(true, Ordering::SeqCst);
        self.tasks.join_all().await.into_iter().flatten().collect()
    }
}

/// Sends everything again that was sent, everywhere, and holds that each is worth a token or has been used. The ledger tells
/// whether anything of it was worth two.
pub(crate) async fn replay(addresses: &[SocketAddr], ledger: &Ledger, sent: &[(String, String)]) {
    for address in addresses {
        let mut keep = Keep::new(*address);
        for (jti, assertion) in sent {
            let outcome = keep.ask(ledger, "any", jti, assertion).await;
            assert!(outcome.is_token() || outcome.is_replay(), "{jti}: {outcome:?}");
        }
    }
}

/// The keys that are published at each of these addresses.
pub(crate) async fn key_sets(addresses: &[SocketAddr]) -> Vec<Value> {
    let mut key_sets = Vec::new();
    for address in addresses {
        key_sets.push(jwks(*address).await);
    }
    key_sets
}

/// A connection that is kept for as long as the other side wants, and then made again.
pub(crate) struct Keep {
    address: SocketAddr,
    connection: Option<Connection>,
}

impl Keep {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, connection: None }
    }

    /// Sends an assertion, and writes down what comes of it.
    pub(crate) async fn ask(
        &mut self,
        ledger: &Ledger,
        client: &str,
        jti: &str,
        assertion: &str,
    ) -> Outcome {
        let sent = tick();
        let outcome = self.exchange(assertion).await;
        let (client, jti, answered) = (client.to_owned(), jti.to_owned(), tick());
        ledger.add(Entry { jti, client, sent, answered, outcome: outcome.clone() });
        outcome
    }

    async fn exchange(&mut self, assertion: &str) -> Outcome {
        let request = String::from_utf8(post(&form(assertion))).unwrap();
        let request = request.replace("Connection: close\r\n", "");
        let connection = match self.connection.take() {
            Some(connection) => Some(connection),
            None => match TcpStream::connect(self.address).await {
                Ok(stream) => Some(Connection::over(stream)),
                Err(_) => None,
            },
        };
        let Some(mut connection) = connection else { return Outcome::Lost };
        connection.send(request.as_bytes()).await;
        let reply = connection.reply().await;
        let keeps = |reply: &Reply| reply.header("connection") != Some("close");
        if reply.as_ref().is_some_and(keeps) {
            self.connection = Some(connection);
        }
        Outcome::of(reply.as_ref())
    }
}
