//! A server that is killed under load, again and again, on the same folder.
//!
//! What is held: an assertion never yields two tokens, whatever happened in between; one that was accepted is
//! refused as used after the restart; one whose answer was lost yields at most one token; a change that was
//! acknowledged is there afterwards; the database is whole; the published keys stay, and every token verifies
//! with them; and the server is ready again within a second.

mod assertions;
mod changes;
mod client;
mod ledger;
mod server;

use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use portvakt::clock::{Clock as _, Random as _, SystemClock, SystemRandom};
use tokio::runtime::Runtime;

use assertions::{Assertion, Signer};
use changes::Changes;
use client::{Answer, Connection};
use ledger::{Ledger, Outcome, Record};
use server::{Server, Site};

/// How often the server is killed.
const ROUNDS: usize = 20;

/// Connections of the load, and so the most answers that one kill can lose.
const CONNECTIONS: usize = 8;

/// Assertions signed ahead for the load of one round; when they are gone, each connection signs its own.
const AHEAD: usize = 250;

/// Every so many assertions, one is sent twice at the same time.
const TWICE_EVERY: usize = 20;

/// Within what time the server is to be ready again, in the median of the rounds.
const READY_MEDIAN_MAX: Duration = Duration::from_secs(1);

/// And in the worst round, on a machine that is busy with other things.
const READY_WORST_MAX: Duration = Duration::from_secs(5);

/// Rounds whose accepted assertions are used again after each restart. At the end, all are.
const ROUNDS_REPLAYED: usize = 2;

/// The scope that the load asks for.
const SCOPE: &str = "dev:greetings.read";

/// Everything a round needs.
struct Trial {
    site: Site,
    signer: Signer,
    changes: Changes,
    client: String,
    keys: String,
    ledger: Ledger,
    runtime: Runtime,
}

#[test]
fn a_server_that_is_killed_twenty_times_forgets_nothing_and_accepts_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::new(folder.path());
    let (mut server, _) = site.start();
    let trial = Trial::new(site);
    let mut ready = Vec::new();
    let mut marks = vec![0];
    for round in 0..ROUNDS {
        trial.load_and_kill(server, round);
        let took;
        (server, took) = trial.site.start();
        ready.push(took);
        marks.push(trial.ledger.records().len());
        trial.check_after_restart(round);
        trial.replay(marks[(round + 1).saturating_sub(ROUNDS_REPLAYED)]);
        assert_eq!(trial.ledger.faults(), Vec::<String>::new(), "round {round}");
    }
    let replayed = trial.replay(0);
    assert_eq!(trial.ledger.faults(), Vec::<String>::new());
    assert_eq!(trial.ledger.unverified(&trial.keys), 0, "tokens do not verify");
    server.kill();
    assert_eq!(trial.runtime.block_on(trial.changes.integrity()), "ok");
    ready.sort_unstable();
    let (median, worst) = (ready[ROUNDS / 2], ready[ROUNDS - 1]);
    trial.report(median, worst, replayed);
    let lost = trial.ledger.counts().unknown;
    assert!(lost >= ROUNDS, "{lost} answers lost: the server was not killed under load");
    assert!(median <= READY_MEDIAN_MAX, "ready after {median:?} in the median");
    assert!(worst <= READY_WORST_MAX, "ready after {worst:?} in the worst round");
}

impl Trial {
    fn new(site: Site) -> Self {
        let variables = site.variables();
        let (key, issuer) =
            (&variables["MASKINPORTEN_CLIENT_JWK"], &variables["MASKINPORTEN_ISSUER"]);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self {
            signer: Signer::new(key, issuer),
            changes: Changes {
                database: site.database(),
                organization: variables["PORTVAKT_CONSUMER_ORGNO"].clone(),
                public_jwk: changes::public_half(key),
            },
            client: variables["MASKINPORTEN_CLIENT_ID"].clone(),
            keys: site.published_keys(),
            ledger: Ledger::default(),
            runtime,
            site,
        }
    }

    /// Loads the server, has another process change something, and kills the server in the middle of it.
    fn load_and_kill(&self, server: Server, round: usize) {
        let ahead = (0..AHEAD).flat_map(|number| {
            let assertion = self.signer.assertion(&self.client, SCOPE);
            let times = if number % TWICE_EVERY == 0 { 2 } else { 1 };
            std::iter::repeat_n(assertion, times)
        });
        let ahead = Mutex::new(ahead.collect::<Vec<_>>());
        let next = || {
            let ahead = ahead.lock().unwrap().pop();
            Some(ahead.unwrap_or_else(|| self.signer.assertion(&self.client, SCOPE)))
        };
        let dying = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..CONNECTIONS {
                scope.spawn(|| self.drive(&next, &dying));
            }
            thread::sleep(up_to(Duration::from_millis(300)));
            self.runtime.block_on(self.changes.make(round));
            thread::sleep(up_to(Duration::from_millis(60)));
            dying.store(true, Ordering::SeqCst);
            server.kill();
        });
    }

    /// Sends one assertion after the other over one connection, until there are no more or the server dies.
    fn drive(&self, next: &(dyn Fn() -> Option<Assertion> + Sync), dying: &AtomicBool) {
        let mut connection = None;
        while let Some(assertion) = next() {
            let form = format!(
                "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion={}",
                assertion.text
            );
            let sent = SystemClock.uptime();
            let answer = match connection.take() {
                Some(connection) => Ok(connection),
                None => Connection::open(self.site.token),
            };
            let answer = answer.and_then(|mut open| {
                let answer = open.post_form("/dev/token", &form)?;
                connection = Some(open);
                Ok(answer)
            });
            let outcome = match &answer {
                Ok(answer) => Outcome::of(answer),
                Err(_) if dying.load(Ordering::SeqCst) => Outcome::Unknown,
                Err(error) => Outcome::Wrong(format!("the living server did not answer: {error}")),
            };
            let (answered, token) =
                (SystemClock.uptime(), answer.as_ref().ok().and_then(Answer::token));
            self.ledger.add(Record { assertion, sent, answered, outcome, token });
            if answer.is_err() {
                break;
            }
        }
    }

    /// What was acknowledged before the kill holds after it.
    fn check_after_restart(&self, round: usize) {
        assert_eq!(self.site.published_keys(), self.keys);
        assert_eq!(self.status_of(&changes::client(round)), 200, "a new client is lost");
        if let Some(before) = round.checked_sub(1) {
            let status = self.status_of(&changes::client(before));
            assert_eq!(status, 400, "a client that was switched off is on again");
        }
        assert_eq!(self.runtime.block_on(self.changes.integrity()), "ok", "round {round}");
    }

    fn status_of(&self, client: &str) -> u16 {
        let assertion = self.signer.assertion(client, changes::SCOPE);
        let form = format!(
            "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion={}",
            assertion.text
        );
        let connection = Connection::open(self.site.token);
        connection.and_then(|mut open| open.post_form("/dev/token", &form)).unwrap().status
    }

    /// Uses every assertion once more that was accepted since the mark, and twice, at the same time, every one
    /// whose answer was lost. Those that would be refused as too old are left out. Returns how many.
    fn replay(&self, mark: usize) -> usize {
        let alive = SystemClock.now().seconds() + 5;
        let mut again = Vec::new();
        for record in self.ledger.records().into_iter().skip(mark) {
            let times = match record.outcome {
                Outcome::Issued => 1,
                Outcome::Unknown => 2,
                Outcome::Used | Outcome::Wrong(_) => 0,
            };
            if record.assertion.expires_at > alive {
                again.extend(std::iter::repeat_n(record.assertion, times));
            }
        }
        let count = again.len();
        let again = Mutex::new(again);
        let next = || again.lock().unwrap().pop();
        thread::scope(|scope| {
            for _ in 0..CONNECTIONS {
                scope.spawn(|| self.drive(&next, &AtomicBool::new(false)));
            }
        });
        count
    }

    /// Says what was measured, also when the test passes.
    fn report(&self, median: Duration, worst: Duration, replayed: usize) {
        let counts = self.ledger.counts();
        let (used, fresh) = self.ledger.fates_of_unknown();
        let _ = writeln!(
            std::io::stderr(),
            "crash: {ROUNDS} kills; ready again after {} ms in the median, {} ms at worst; {} tokens, \
             {} refused as used ({replayed} of them at the end), {} answers lost ({used} of them were used, \
             {fresh} were not)",
            median.as_millis(),
            worst.as_millis(),
            counts.issued,
            counts.used,
            counts.unknown,
        );
    }
}

/// A random time up to `most`.
fn up_to(most: Duration) -> Duration {
    let mut random = [0; 4];
    SystemRandom.fill(&mut random);
    most.mul_f64(f64::from(u32::from_le_bytes(random)) / f64::from(u32::MAX))
}
