//! The task that tells the audit trail in which outages this node has issued tokens.

use std::time::Duration;

use tokio::sync::mpsc;

use crate::registry::Registry;
use crate::token::replay::Outage;

/// Time between two attempts to write it down; the database has just come back.
const PAUSE: Duration = Duration::from_secs(5);

/// Runs until it is dropped, at the node of that name.
pub(super) async fn run(
    registry: Registry,
    mut ended: mpsc::UnboundedReceiver<Outage>,
    node: String,
) {
    while let Some(outage) = ended.recv().await {
        let Some(until) = outage.until.filter(|_| outage.spent > 0) else { continue };
        tracing::warn!(
            since = %outage.since,
            until = %until,
            tokens = outage.spent,
            "the database is back; tokens were issued without it"
        );
        while let Err(error) = registry.note_outage(&node, outage.since, until, outage.spent).await
        {
            tracing::error!(%error, "an outage cannot be written down; it is tried again");
            tokio::time::sleep(PAUSE).await;
        }
    }
}
