//! The task that keeps SQLite's log short, so that no commit has to.

use std::time::Duration;

use crate::store::Store;
use crate::token::background::Failing;

/// Time between two rounds. A busy server writes some thousand pages in it, most of them over and over again.
const ROUND: Duration = Duration::from_secs(1);

/// Runs until it is dropped.
pub(super) async fn run(store: Store) {
    let mut failing = Failing::default();
    loop {
        tokio::time::sleep(ROUND).await;
        let (begun, ended) = (
            "the log of the database is not kept short",
            "the log of the database is kept short again",
        );
        failing.note(store.checkpoint().await, begun, ended);
    }
}
