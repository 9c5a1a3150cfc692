//! The task that notices what ends soon, and has alerts mailed.

use std::time::Duration;

use crate::registry::{Registry, RegistryError};

/// Time between two rounds of mail: what happens within it comes in one mail. Somebody who grants ten accesses by hand
/// needs longer, and a program does not.
const ROUND: Duration = Duration::from_secs(15);

/// Rounds between two looks for what ends soon: an hour.
const ROUNDS_PER_LOOK: u32 = 240;

/// Runs until it is dropped.
pub(super) async fn run(registry: Registry) {
    let mut rounds = 0;
    loop {
        tokio::time::sleep(ROUND).await;
        if rounds == 0
            && let Err(error) = look(&registry).await
        {
            tracing::warn!(%error, "it cannot be noted which keys end soon; it is tried again in an hour");
        }
        rounds = (rounds + 1) % ROUNDS_PER_LOOK;
        if let Err(error) = registry.mail_alerts().await {
            tracing::warn!(%error, "alerts cannot be mailed; it is tried again");
        }
    }
}

async fn look(registry: &Registry) -> Result<(), RegistryError> {
    registry.note_ending_keys().await?;
    registry.forget_old_alerts().await
}
