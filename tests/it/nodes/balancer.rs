//! A load balancer: it sends every connection to one of the nodes that say that they are ready.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::nodes::process::{Home, get};

/// Time between two looks at a node: twice as often as load balancers look.
const LOOK: Duration = Duration::from_millis(250);

/// How long a node may take to say that it is ready.
const LOOK_MAX: Duration = Duration::from_millis(500);

/// A node as the balancer knows it.
struct Backend {
    token: SocketAddr,
    management: SocketAddr,
    is_ready: AtomicBool,
}

/// The balancer; it goes with this value.
pub(super) struct Balancer {
    pub(super) address: SocketAddr,
    #[expect(dead_code, reason = "dropped, not read")]
    tasks: JoinSet<()>,
}

impl Balancer {
    /// One in front of these, which are ready.
    pub(super) async fn start(homes: &[Home]) -> Self {
        let backend = |home: &Home| Backend {
            token: home.token,
            management: home.management,
            is_ready: AtomicBool::new(true),
        };
        let backends: Arc<[Backend]> = homes.iter().map(backend).collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        for place in 0..backends.len() {
            tasks.spawn(watch(Arc::clone(&backends), place));
        }
        tasks.spawn(async move {
            let next = Arc::new(AtomicUsize::new(0));
            while let Ok((client, _)) = listener.accept().await {
                let (backends, next) = (Arc::clone(&backends), Arc::clone(&next));
                tokio::spawn(async move { carry(client, &backends, &next).await });
            }
        });
        Self { address, tasks }
    }
}

async fn watch(backends: Arc<[Backend]>, place: usize) {
    let backend = &backends[place];
    loop {
        let answer = tokio::time::timeout(LOOK_MAX, get(backend.management, "/readyz")).await;
        let is_ready = answer.ok().flatten().is_some_and(|reply| reply.status == 200);
        backend.is_ready.store(is_ready, Ordering::SeqCst);
        tokio::time::sleep(LOOK).await;
    }
}

/// Carries a connection to the next node that is ready and there.
async fn carry(mut client: TcpStream, backends: &[Backend], next: &AtomicUsize) {
    let first = next.fetch_add(1, Ordering::SeqCst);
    let in_turn = (0..backends.len()).map(|turn| &backends[(first + turn) % backends.len()]);
    for backend in in_turn.filter(|backend| backend.is_ready.load(Ordering::SeqCst)) {
        if let Ok(mut server) = TcpStream::connect(backend.token).await {
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            let _ = copy_bidirectional(&mut client, &mut server).await;
            return;
        }
    }
}
