//! The task that keeps SQLite's log short, so that no commit has to.

use std::time::Duration;

use crate::store::Store;

/// Time between two rounds. A busy server writes some thousand pages in it, most of them over and over again.
const ROUND: Duration = Duration::from_secs(1);

/// Runs until it is dropped.
pub(super) async fn run(store: Store) {
    let mut is_failing = false;
    loop {
        tokio::time::sleep(ROUND).await;
        let done = store.checkpoint().await;
        match &done {
            Err(error) if !is_failing => {
                tracing::warn!(%error, "the log of the database is not kept short");
            }
            Ok(()) if is_failing => tracing::info!("the log of the database is kept short again"),
            Ok(()) | Err(_) => {}
        }
        is_failing = done.is_err();
    }
}
