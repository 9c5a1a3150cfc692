//! The task that has signing keys take turns.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::app::settings::Difference;
use crate::clock::Clock;
use crate::registry::{OtherAlgorithms, Registry, RegistryError};

/// Time between two looks. Turns are announced hours ahead, so a minute more or less does not matter.
const PAUSE: Duration = Duration::from_mins(1);

/// Runs until it is dropped. `differing` says which setting another node has otherwise; where there are no other nodes,
/// nothing does.
pub(super) async fn run(
    registry: Registry,
    clock: Arc<dyn Clock>,
    mut differing: Option<watch::Receiver<Option<Difference>>>,
) {
    let mut alike_since = clock.uptime();
    loop {
        if differing.as_mut().is_some_and(has_differed) {
            alike_since = clock.uptime();
        }
        let alike = differing.is_some().then(|| clock.uptime().saturating_sub(alike_since));
        match keep(&registry, alike).await {
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

/// Whether another node has had a setting otherwise since the last look.
fn has_differed(differing: &mut watch::Receiver<Option<Difference>>) -> bool {
    let has_changed = differing.has_changed().unwrap_or(false);
    differing.borrow_and_update().is_some() || has_changed
}

/// Does what is due. `alike` is for how long all nodes are known to have had the same settings; nothing where there is one
/// alone.
async fn keep(registry: &Registry, alike: Option<Duration>) -> Result<(), RegistryError> {
    let published = u64::try_from(registry.signing_turns()?.published_seconds()).unwrap_or(0);
    registry.keep_signing_keys(others(alike, Duration::from_secs(published))).await
}

/// What becomes of the keys of other algorithms, which are `published` for so long after their last token. What a node with
/// another algorithm has signed lives on when it has ended, and one that starts does not know of it.
fn others(alike: Option<Duration>, published: Duration) -> OtherAlgorithms {
    match alike {
        Some(alike) if alike < published => OtherAlgorithms::Kept,
        Some(_) | None => OtherAlgorithms::Retired,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_others_go_when_all_have_been_alike_for_as_long_as_keys_are_published() {
        let seconds = Duration::from_secs;
        assert_eq!(others(None, seconds(60)), OtherAlgorithms::Retired);
        assert_eq!(others(Some(seconds(59)), seconds(60)), OtherAlgorithms::Kept);
        assert_eq!(others(Some(seconds(60)), seconds(60)), OtherAlgorithms::Retired);
    }

    #[test]
    fn who_has_come_and_gone_between_two_looks_has_differed() {
        let (sender, mut differing) = watch::channel(None);
        assert!(!has_differed(&mut differing));
        let difference =
            Difference { setting: "a".to_owned(), here: "b".to_owned(), there: "c".to_owned() };
        sender.send_replace(Some(difference));
        sender.send_replace(None);
        assert!(has_differed(&mut differing));
        assert!(!has_differed(&mut differing));
    }
}
