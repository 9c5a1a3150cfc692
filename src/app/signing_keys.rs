//! The task that has signing keys take turns.

use std::time::Duration;

use crate::registry::{OtherAlgorithms, Registry, RegistryError};

/// Time between two looks. Turns are announced hours ahead, so a minute more or less does not matter.
const PAUSE: Duration = Duration::from_mins(1);

/// Runs until it is dropped. `differing` says whether there are nodes with other settings.
pub(super) async fn run(registry: Registry, differing: impl Fn() -> bool) {
    loop {
        let others = if differing() { OtherAlgorithms::Kept } else { OtherAlgorithms::Retired };
        match registry.keep_signing_keys(others).await {
            Ok(()) => {}
            // Another node was faster, or there is no room.
            Err(error @ (RegistryError::Conflict { .. } | RegistryError::Absent { .. })) => {
                tracing::info!(%error, "a signing key was not announced or retired here");
            }
            Err(error) => {
                tracing::error!(%error, "signing keys cannot be looked after; it is tried again in a minute");
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}
