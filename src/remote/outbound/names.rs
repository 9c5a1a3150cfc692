//! Names looked up a few at a time, and addresses looked at before anybody connects to them.
//!
//! What comes out of here is what the client connects to, so a name that means one address when it is checked and
//! another when it is used does not exist. A lookup by the operating system blocks a thread, for seconds when no name
//! server answers, and cannot be called off. Who asks gives up long before; without a bound, the threads that are left
//! behind would add up until nothing else that blocks could run.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;

use crate::domain::network::Reach;

/// Threads that may be blocked by name lookups for one purpose.
const RESOLUTIONS_MAX: usize = 4;

/// Turns the names of hosts into addresses.
pub trait Names: Send + Sync {
    /// The addresses of a host; this may block.
    fn look_up(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The names that the operating system knows.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemNames;

impl Names for SystemNames {
    fn look_up(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok((name, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
    }
}

/// Names whose addresses are within reach.
pub(super) struct GuardedNames {
    names: Arc<dyn Names>,
    reach: Arc<Reach>,
    turns: Arc<Semaphore>,
}

impl GuardedNames {
    pub(super) fn new(names: Arc<dyn Names>, reach: Arc<Reach>) -> Self {
        Self { names, reach, turns: Arc::new(Semaphore::new(RESOLUTIONS_MAX)) }
    }
}

impl Resolve for GuardedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let (names, reach) = (Arc::clone(&self.names), Arc::clone(&self.reach));
        let turns = Arc::clone(&self.turns);
        Box::pin(async move {
            let turn = turns.acquire_owned().await?;
            let found = tokio::task::spawn_blocking(move || {
                let found = names.look_up(name.as_str());
                // Given back by the thread, not by who waits for it and may be gone.
                drop(turn);
                found
            });
            let addresses: Addrs = Box::new(within_reach(&reach, found.await??)?.into_iter());
            Ok(addresses)
        })
    }
}

/// Those of the addresses that may be connected to, or why none may.
fn within_reach(reach: &Reach, found: Vec<IpAddr>) -> io::Result<Vec<SocketAddr>> {
    let mut refused = None;
    let mut admitted = Vec::new();
    for address in found {
        match reach.admit(address) {
            Ok(address) => admitted.push(SocketAddr::new(address.get(), 0)),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    match refused {
        Some(refused) if admitted.is_empty() => Err(io::Error::other(refused)),
        Some(_) | None => Ok(admitted),
    }
}
