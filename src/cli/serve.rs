//! `portvakt serve`: start-up and shutdown, as a checklist.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::app::{self, App};
use crate::cli::check_config;
use crate::cli::failure::Failure;
use crate::clock::{SystemClock, SystemRandom};
use crate::config::{self, Config};
use crate::http::listen::Listener;
use crate::http::{SourceRule, TlsKeys, admin_router, management_router, token_router};
use crate::telemetry::{self, LogFormat};

/// Run the server.
#[derive(Args, Debug)]
pub(super) struct Serve {
    /// The configuration file.
    #[arg(long)]
    config: PathBuf,
}

impl Serve {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let config = check_config::load(&self.config)?;
        let server = Server::start(&config).await?;
        Ok(server.run().await?)
    }
}

/// A server whose listeners are bound.
pub(super) struct Server {
    app: Arc<App>,
    drain: Duration,
    token: Listener,
    admin: Listener,
    management: Listener,
}

/// The addresses that were bound.
pub(super) struct Addresses {
    pub(super) token: SocketAddr,
    pub(super) admin: SocketAddr,
    pub(super) management: SocketAddr,
}

impl Server {
    /// Everything that can fail, in the order in which it depends on what went before.
    pub(super) async fn start(config: &Config) -> anyhow::Result<Self> {
        let format = match config.log.format {
            config::LogFormat::Json => LogFormat::Json,
            config::LogFormat::Text => LogFormat::Text,
        };
        telemetry::start_logging(format, &config.log.filter).map_err(anyhow::Error::msg)?;
        provide_descriptors(config);
        let token = bind(&config.token_listener).await?;
        let admin = bind(&config.admin_listener).await?;
        let management = bind(&config.management_listener).await?;
        let store = app::open_store(&config.database).await.context("database")?;
        let app = App::build(config, store, Arc::new(SystemClock), Arc::new(SystemRandom));
        let app = Box::pin(app).await?;
        Ok(Self { app: Arc::new(app), drain: config.drain, token, admin, management })
    }

    /// The addresses that were bound.
    pub(super) fn addresses(&self) -> std::io::Result<Addresses> {
        Ok(Addresses {
            token: self.token.address()?,
            admin: self.admin.address()?,
            management: self.management.address()?,
        })
    }

    /// Serves until the process is told to stop, then finishes what is under way.
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let (stop, stopped) = watch::channel(false);
        let wait = |signal: &watch::Receiver<bool>| {
            let mut signal = signal.clone();
            async move {
                let _ = signal.wait_for(|given| *given).await;
            }
        };
        let app = Arc::clone(&self.app);
        tracing::info!(issuer = app.issuer.rules.grant.issuer, "serving");
        let announce = async {
            let mut orders = Orders::listen()?;
            let order = orders.next().await;
            tracing::info!("stopping");
            app.drain();
            if order == Order::Drain {
                // Whoever sends work here is told by readiness; until they have noticed, they send some more.
                let _ = tokio::time::timeout(self.drain, orders.next()).await;
            }
            stop.send_replace(true);
            anyhow::Ok(())
        };
        let (served, all_served) = watch::channel(false);
        let apis = async {
            let token = self.token.serve(token_router(Arc::clone(&self.app)), wait(&stopped));
            let admin = self.admin.serve(admin_router(Arc::clone(&self.app)), wait(&stopped));
            tokio::try_join!(token, admin)?;
            served.send_replace(true);
            anyhow::Ok(())
        };
        // Last to go, so that whoever watches sees "stopping" until everything has been answered.
        let management = async {
            let router = management_router(Arc::clone(&self.app));
            Ok(self.management.serve(router, wait(&all_served)).await?)
        };
        let served = tokio::try_join!(announce, apis, management);
        self.app.finish().await;
        served.map(|_| ())
    }
}

/// File descriptors beside those of connections: databases, listeners, files that are read again.
const OTHER_DESCRIPTORS: u64 = 100;

/// Raises the limit of open files, as far as the system lets us, to what the configured connections need.
fn provide_descriptors(config: &Config) {
    let listeners = [&config.token_listener, &config.admin_listener, &config.management_listener];
    let connections: u64 = listeners.iter().map(|it| u64::from(it.connections_max)).sum();
    let needed = connections + OTHER_DESCRIPTORS;
    match rlimit::increase_nofile_limit(needed) {
        Ok(limit) if limit < needed => tracing::warn!(
            limit,
            needed,
            "fewer files may be open than connections_max needs; raise LimitNOFILE or lower connections_max"
        ),
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, needed, "the limit of open files cannot be raised"),
    }
}

async fn bind(listener: &config::Listener) -> anyhow::Result<Listener> {
    let tls = match &listener.tls {
        Some(files) => Some(TlsKeys::load(files.certificate.clone(), files.key.clone())?),
        None => None,
    };
    let bound = Listener::bind(listener.address, tls, listener.connections_max).await;
    let bound = bound.with_context(|| format!("listening on {}", listener.address))?;
    let header = listener.source_address_header.as_deref();
    Ok(bound.with_sources(SourceRule::new(listener.behind_proxy, header)))
}

/// How the server is told to stop.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Order {
    /// SIGTERM, which supervisors send.
    Drain,
    /// SIGINT, which a terminal sends: whoever sits there does not want to wait.
    Stop,
}

/// Listens for orders to stop.
struct Orders {
    terminate: Signal,
    interrupt: Signal,
}

impl Orders {
    fn listen() -> std::io::Result<Self> {
        let (terminate, interrupt) = (SignalKind::terminate(), SignalKind::interrupt());
        Ok(Self { terminate: signal(terminate)?, interrupt: signal(interrupt)? })
    }

    async fn next(&mut self) -> Order {
        tokio::select! {
            _ = self.terminate.recv() => Order::Drain,
            _ = self.interrupt.recv() => Order::Stop,
        }
    }
}
