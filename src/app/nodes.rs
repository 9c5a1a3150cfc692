//! Nodes that share a database: they are the same server, know how far each of the others is, and say so.
//!
//! With another issuer a node's tokens would be another server's, so it does not start. With other rules it would
//! refuse what the others accept, so it does not start either, unless its operator wants that while settings change
//! node by node.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::app::AppError;
use crate::app::settings::{Difference, difference};
use crate::clock::{Clock, Random, Timestamp};
use crate::config::{Config, DifferingSettings};
use crate::domain::change::ChangeSeq;
use crate::store::{NodeRow, Store, StoreError};
use crate::token::feed::Feed;

/// How often a node shows that it is there, when nothing has changed.
const SHOW: Duration = Duration::from_secs(5);

/// The time between two showings, at least, however much is changed.
const SHOW_PAUSE: Duration = Duration::from_millis(20);

/// The time before a node that could not show itself tries again.
const RETRY: Duration = Duration::from_secs(1);

/// How much longer than it issues tokens without the database a node is held to be alive: the time between two
/// showings, what clocks may differ, and the longest that a request takes that has begun in time.
const DEAD_MARGIN_SECONDS: i64 = 20;

/// Seconds after which a node that has not shown itself has died: for so long nodes go on without the change feed, or
/// in an outage.
pub fn dead_seconds(config: &Config) -> i64 {
    let unseen = config.feed.stale_max.max(config.outage.issue);
    let unseen_seconds = i64::try_from(unseen.as_secs()).unwrap_or(i64::MAX);
    unseen_seconds.saturating_add(DEAD_MARGIN_SECONDS)
}

/// What a node is told about the others when it joins them.
pub(super) struct Joining<'a> {
    pub(super) issuer: &'a str,
    pub(super) settings: BTreeMap<String, String>,
    pub(super) differing: DifferingSettings,
    /// Seconds after which a node that has not shown itself has died.
    pub(super) dead_seconds: i64,
}

/// A node among those of its database.
pub(super) struct Node {
    store: Store,
    clock: Arc<dyn Clock>,
    row: NodeRow,
    terms: Terms,
    /// A setting that another node has otherwise, if there is one.
    differing: watch::Sender<Option<Difference>>,
    /// Shows the node to the others.
    show: Option<JoinHandle<()>>,
}

/// On what terms nodes share a database.
#[derive(Clone, Copy)]
struct Terms {
    policy: DifferingSettings,
    /// Seconds after which a node that has not shown itself has died.
    dead_seconds: i64,
}

/// How many nodes there are, and on how many a change does not hold yet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reach {
    /// Nodes that are running.
    pub nodes: usize,
    /// Of them, those on which it does not hold, as far as is known.
    pub behind: usize,
}

impl Reach {
    /// Whether it holds everywhere.
    pub fn is_everywhere(self) -> bool {
        self.behind == 0
    }
}

impl Node {
    /// Joins the others. A file is nobody else's, so there is no node then.
    pub(super) async fn join(
        store: &Store,
        joining: Joining<'_>,
        clock: Arc<dyn Clock>,
        random: &dyn Random,
    ) -> Result<Option<Self>, AppError> {
        if !store.is_shared() {
            return Ok(None);
        }
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        let row = NodeRow {
            id: format!("{:032x}", u128::from_be_bytes(bytes)),
            issuer: joining.issuer.to_owned(),
            applied: None,
            settings: joining.settings,
        };
        let terms = Terms { policy: joining.differing, dead_seconds: joining.dead_seconds };
        let differing = terms.let_in(store, &row, clock.now()).await?;
        let (store, differing) = (store.clone(), watch::Sender::new(differing));
        Ok(Some(Self { store, clock, row, terms, differing, show: None }))
    }

    /// Shows from now on how far the feed has been followed, with the settings as they are each time. A node that others
    /// have taken for dead has the feed count as stale until it has been let in again.
    pub(super) fn show(
        &mut self,
        feed: &Arc<Feed>,
        settings: impl Fn() -> BTreeMap<String, String> + Send + 'static,
    ) {
        let shown = Shown {
            store: self.store.clone(),
            clock: Arc::clone(&self.clock),
            row: self.row.clone(),
            terms: self.terms,
            differing: self.differing.clone(),
            feed: Arc::clone(feed),
        };
        self.show = Some(tokio::spawn(shown.show(settings)));
    }

    /// On how many nodes a change holds. On this one, that is up to `own`; what it has told the others may be older. Who
    /// asks does so over `store`, and not over the connections by which the node shows itself.
    pub(super) async fn reach(
        &self,
        store: &Store,
        seq: ChangeSeq,
        own: ChangeSeq,
    ) -> Result<Reach, StoreError> {
        let oldest = self.clock.now().minus_seconds(self.terms.dead_seconds);
        let nodes = store.nodes_since(oldest).await?;
        let applied =
            |node: &NodeRow| if node.id == self.row.id { Some(own) } else { node.applied };
        let behind = nodes.iter().filter(|node| applied(node).is_none_or(|applied| applied < seq));
        Ok(Reach { nodes: nodes.len(), behind: behind.count() })
    }

    /// What the node is called.
    pub(super) fn id(&self) -> &str {
        &self.row.id
    }

    /// A setting that another node has otherwise, if there is one.
    pub(super) fn difference(&self) -> Option<Difference> {
        self.differing.borrow().clone()
    }

    /// The same, to ask again.
    pub(super) fn watch_difference(&self) -> watch::Receiver<Option<Difference>> {
        self.differing.subscribe()
    }

    /// Leaves the others, so that a server with another issuer can start at once.
    pub(super) async fn leave(&self) -> Result<(), StoreError> {
        self.stop_showing();
        self.store.node_left(&self.row.id).await
    }

    fn stop_showing(&self) {
        if let Some(show) = &self.show {
            show.abort();
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stop_showing();
    }
}

/// A node as the task knows it that shows it.
struct Shown {
    store: Store,
    clock: Arc<dyn Clock>,
    row: NodeRow,
    terms: Terms,
    differing: watch::Sender<Option<Difference>>,
    feed: Arc<Feed>,
}

impl Terms {
    /// Lets a node in, unless it must not run beside those that are there. Returns a setting that one of them has
    /// otherwise, if that is allowed.
    async fn let_in(
        self,
        store: &Store,
        row: &NodeRow,
        now: Timestamp,
    ) -> Result<Option<Difference>, AppError> {
        let mut transaction = store.begin().await?;
        let others = transaction.living_nodes(now.minus_seconds(self.dead_seconds)).await?;
        if let Some(other) = others.iter().find(|other| other.issuer != row.issuer) {
            return Err(AppError::OtherIssuer { other: other.issuer.clone() });
        }
        let differing = first_difference(row, &others);
        match (&differing, self.policy) {
            (Some(difference), DifferingSettings::Refuse) => {
                return Err(AppError::OtherSettings(difference.clone()));
            }
            (Some(difference), DifferingSettings::Warn) => {
                tracing::warn!("{difference}; it should be the same on all");
            }
            (None, _) => {}
        }
        transaction.let_node_in(row, now).await?;
        transaction.commit().await?;
        Ok(differing)
    }
}

impl Shown {
    async fn show(mut self, settings: impl Fn() -> BTreeMap<String, String>) {
        let mut applied = self.feed.watch_applied();
        // However much is changed, and shown, meanwhile.
        let mut next_look = Duration::ZERO;
        loop {
            self.row.applied = Some(*applied.borrow_and_update());
            self.row.settings = settings();
            let (now, uptime) = (self.clock.now(), self.clock.uptime());
            let shown = async {
                if !self.store.node_seen(&self.row, now).await? {
                    return self.come_back(now).await;
                }
                self.feed.stand_aside(false);
                if uptime >= next_look {
                    next_look = uptime + SHOW;
                    self.look_at_others(now).await?;
                }
                Ok::<_, AppError>(true)
            };
            let is_shown = shown.await.unwrap_or_else(|error| {
                tracing::debug!(%error, "this node cannot be shown to the others");
                false
            });
            tokio::time::sleep(SHOW_PAUSE).await;
            // Whether something has changed or the time is up, it shows itself.
            let pause = if is_shown { SHOW } else { RETRY };
            let _ = tokio::time::timeout(pause, applied.changed()).await;
        }
    }

    /// Joins the others again, who have taken this node for dead, and says whether it may: meanwhile one may run there that it
    /// must not run beside, and that has not seen it.
    async fn come_back(&self, now: Timestamp) -> Result<bool, AppError> {
        match self.terms.let_in(&self.store, &self.row, now).await {
            Ok(difference) => {
                tracing::info!("this node is one of the nodes again, which had taken it for dead");
                self.differing.send_replace(difference);
                self.feed.stand_aside(false);
                Ok(true)
            }
            Err(error @ (AppError::OtherIssuer { .. } | AppError::OtherSettings(_))) => {
                if !self.feed.stand_aside(true) {
                    tracing::error!(%error, "this node was away, and is not let in again: it issues no tokens");
                }
                if let AppError::OtherSettings(difference) = error {
                    self.differing.send_replace(Some(difference));
                }
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    async fn look_at_others(&self, now: Timestamp) -> Result<(), StoreError> {
        let others = self.store.nodes_since(now.minus_seconds(self.terms.dead_seconds)).await?;
        let difference = first_difference(&self.row, &others);
        let is_new = self.differing.send_if_modified(|known| {
            let is_new = *known != difference;
            known.clone_from(&difference);
            is_new
        });
        match difference {
            _ if !is_new => {}
            Some(difference) => tracing::warn!("{difference}; it should be the same on all"),
            None => tracing::info!("the settings are the same on all nodes again"),
        }
        Ok(())
    }
}

fn first_difference(own: &NodeRow, others: &[NodeRow]) -> Option<Difference> {
    others.iter().find_map(|other| difference(&own.settings, &other.settings))
}
