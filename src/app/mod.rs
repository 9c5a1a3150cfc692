//! Everything a request may need, built once from the configuration; tests build the same.

mod alerts;
mod authorities;
mod build;
mod checkpoints;
mod error;
mod files;
mod limits;
mod nodes;
pub mod open_id;
mod outages;
mod post;
mod registers;
mod revocation;
mod rules;
mod settings;
mod signing_keys;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nodes::Node;
use open_id::OpenIdProviders;
use tokio::task::JoinHandle;

use crate::domain::change::ChangeSeq;
use crate::domain::environment::Environment;
use crate::domain::record::RowName;
use crate::keys::CursorSeal;
use crate::registry::{Registry, RegistryError};
use crate::store::Store;
use crate::telemetry::{Metrics, NodeMeasures};
use crate::token::Issuer;
use crate::token::agreed_clock::AgreedClock;
use crate::token::recorder::Recorder;
use crate::token::refusal::Refusal;
use crate::token::replay::Outage;

pub use error::AppError;
pub use files::{check_files, load_operator, load_sealing_key, open_store};
pub use limits::{Asker, Limits};
pub use nodes::{Reach, dead_seconds};
pub use revocation::{FetchStatus, ListFacts, ListStatus, RevocationLists};
pub use rules::registry_rules;
pub use settings::Difference;

/// The server without its listeners.
pub struct App {
    /// Issues tokens.
    pub issuer: Issuer,
    /// Changes what tokens are issued by.
    pub registry: Registry,
    /// Who else says who somebody is.
    pub open_id: OpenIdProviders,
    /// Seals the cursors of lists.
    pub cursors: CursorSeal,
    /// Where the admin API is reached from outside, if the configuration says.
    pub admin_url: Option<String>,
    /// The folder that mails are written into and shown to everybody, where they are not sent: on a test server.
    pub outbox: Option<PathBuf>,
    /// Whether browsers reach the portal over TLS.
    pub portal_is_https: bool,
    /// The environment that this server is.
    pub environment: Arc<Environment>,
    /// Keeps what was refused, and why.
    pub recorder: Recorder,
    /// How often callers may ask.
    pub limits: Limits,
    /// Which revocation lists are in use, and how they are fetched.
    pub revocation_lists: RevocationLists,
    /// Counts and times.
    pub metrics: Metrics,
    /// Whether the server is on its way out and wants no new work.
    draining: AtomicBool,
    clock: Arc<AgreedClock>,
    store: Store,
    /// The time between two looks at the change feed.
    poll: Duration,
    node: Option<Node>,
    _tasks: Tasks,
}

/// How long nothing may be spent before the server says that it takes no work: a lock that somebody holds for a moment is
/// no reason to send everybody elsewhere.
const SPENDS_NOTHING_MAX: Duration = Duration::from_secs(2);

/// What runs beside requests. Dropped, it ends.
struct Tasks(Vec<JoinHandle<()>>);

impl App {
    /// Whether the server takes new work: it is not on its way out, and what it has cached is right.
    pub fn ready(&self) -> Result<(), String> {
        if self.is_draining() {
            return Err("stopping".to_owned());
        }
        let failing = self.issuer.replay.failing_for();
        match self.outage_under_way() {
            Some(outage) if outage.is_too_long => {
                return Err("the database has been away for too long".to_owned());
            }
            None if failing > SPENDS_NOTHING_MAX => {
                let seconds = failing.as_secs();
                return Err(format!("no assertion could be spent in the database for {seconds} s"));
            }
            Some(_) | None => {}
        }
        let now = self.issuer.clock.now();
        let contact = self.issuer.feed.require_contact(now, self.poll);
        contact.or_else(|refusal| {
            let (feed, outage_max) = (&self.issuer.feed, self.issuer.rules.outage_max);
            // A database that takes what is spent is there, and what is cached should be right.
            let outage = self.issuer.replay.outage();
            let is_away = outage.is_some_and(|outage| outage.is_felt_at(now))
                || feed.keeps_up_with(self.issuer.replay.last_commit(), self.poll);
            let goes_on =
                !outage_max.is_zero() && is_away && feed.freshness(now, outage_max).is_ok();
            if goes_on { Ok(()) } else { Err(as_text(refusal)) }
        })
    }

    /// What is amiss although the server takes work: the database is away, and only scopes that allow it are issued.
    pub fn outage(&self) -> Option<String> {
        if let Some(outage) = self.outage_under_way() {
            return Some(format!(
                "the database has been away since {}; {} tokens have been issued without it, for scopes that allow it",
                outage.since, outage.spent
            ));
        }
        let contact = self.issuer.feed.require_contact(self.issuer.clock.now(), self.poll);
        contact.err().filter(|_| self.ready().is_ok()).map(as_text)
    }

    fn outage_under_way(&self) -> Option<Outage> {
        self.issuer.replay.outage().filter(|outage| outage.until.is_none())
    }

    /// A setting that another node has otherwise, if there is one.
    pub fn differing_setting(&self) -> Option<Difference> {
        self.node.as_ref().and_then(Node::difference)
    }

    /// The rows of the database that could not be read when they were last met.
    pub fn unreadable_rows(&self) -> Vec<RowName> {
        self.store.unreadable_rows().list()
    }

    /// On how many nodes a change holds.
    pub async fn reach(&self, seq: ChangeSeq) -> Result<Reach, RegistryError> {
        if let Some(node) = &self.node {
            return Ok(node.reach(&self.store, seq, self.issuer.feed.applied()).await?);
        }
        Ok(Reach { nodes: 1, behind: usize::from(self.issuer.feed.applied() < seq) })
    }

    /// Whether the server is on its way out.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Announces that the server is on its way out.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Writes what is still to be written, when the last request has been answered.
    pub async fn finish(&self) {
        // One after the other, because the database lets one write at a time.
        self.recorder.finish().await;
        self.issuer.token_uses.finish().await;
        self.issuer.last_uses.finish().await;
        if let Some(node) = &self.node
            && let Err(error) = node.leave().await
        {
            tracing::warn!(%error, "the other nodes could not be told that this one has stopped");
        }
        self.store.settle().await;
    }

    /// Puts how the server and its revocation lists are into the metrics.
    pub fn measure(&self) {
        let node = NodeMeasures {
            is_ready: self.ready().is_ok(),
            clock_apart_seconds: self.clock.apart(),
            has_differing_setting: self.differing_setting().is_some(),
            outage_seconds: self.outage_under_way().map_or(0, |outage| {
                self.issuer.clock.now().seconds().saturating_sub(outage.since.seconds())
            }),
            unreadable_rows: self.store.unreadable_rows().count(),
            outage_tokens: self.issuer.replay.outage().map_or(0, |outage| outage.spent),
        };
        self.metrics.measure_node(node);
        self.metrics.measure_lists(self.revocation_lists.status().iter().map(ListStatus::measures));
    }

    /// Time since the server began, for durations.
    pub fn uptime(&self) -> Duration {
        self.issuer.clock.uptime()
    }
}

fn as_text(refusal: Refusal) -> String {
    match refusal {
        Refusal::Unavailable { cause } => cause,
        other => format!("{other:?}"),
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}
