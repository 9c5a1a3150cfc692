//! Names looked up by the operating system, a few at a time.
//!
//! Such a lookup blocks a thread, for seconds when no name server answers, and cannot be called off. Who asks a
//! register gives up long before; without a bound, the threads that are left behind would add up until
//! nothing else that blocks could run.

use std::io;
use std::net::ToSocketAddrs as _;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;

/// Threads that may be blocked by name lookups of one register.
const RESOLUTIONS_MAX: usize = 4;

/// The resolver of the operating system behind a bound.
pub(super) struct FewResolutions(Arc<Semaphore>);

impl Default for FewResolutions {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(RESOLUTIONS_MAX)))
    }
}

impl Resolve for FewResolutions {
    fn resolve(&self, name: Name) -> Resolving {
        let turns = Arc::clone(&self.0);
        Box::pin(async move {
            let turn = turns.acquire_owned().await?;
            let found = tokio::task::spawn_blocking(move || -> io::Result<Addrs> {
                let addresses = (name.as_str(), 0).to_socket_addrs()?;
                // Given back by the thread, not by who waits for it and may be gone.
                drop(turn);
                Ok(Box::new(addresses))
            });
            Ok(found.await??)
        })
    }
}
