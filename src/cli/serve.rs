//! `portvakt serve`: start-up and shutdown, as a checklist.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::app::{self, App, AppError};
use crate::cli::check_config;
use crate::cli::failure::Failure;
use crate::clock::{SystemClock, SystemRandom};
use crate::config::{self, Config};
use crate::http::listen::Listener;
use crate::http::{SourceRule, TlsKeys, Waiting, admin_router, management_router, token_router};
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
        match Server::start_patiently(&config).await? {
            Some(server) => Ok(server.run().await?),
            None => Ok(()),
        }
    }
}

/// How long it takes until a database that cannot be reached is tried again. It is answered for in between.
const RETRY: Duration = Duration::from_millis(500);

/// A server whose listeners are bound.
pub(super) struct Server {
    app: Arc<App>,
    drain: Duration,
    listeners: Listeners,
    orders: Orders,
}

/// The listeners, bound.
struct Listeners {
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
        let (orders, listeners) = (Orders::listen()?, Listeners::bind(config).await?);
        let app = Arc::new(build(config).await?);
        Ok(Self { app, drain: config.drain, listeners, orders })
    }

    /// The same. A database that cannot be reached is waited for, and who asks meanwhile is told so; whatever else is
    /// wrong ends the start. There is no server if it is told to stop before.
    async fn start_patiently(config: &Config) -> anyhow::Result<Option<Self>> {
        // What comes while it is being built is heard by whoever serves afterwards: a node that has joined the others
        // leaves them again.
        let (mut orders, listeners) = (Orders::listen()?, Listeners::bind(config).await?);
        let app = match build(config).await {
            Err(error) if error.may_pass() && config.database.is_server() => {
                // In a box, because who does not wait would otherwise be as large.
                Box::pin(listeners.wait(config, &error, &mut orders)).await?
            }
            built => Some(built?),
        };
        Ok(app.map(|app| Self { app: Arc::new(app), drain: config.drain, listeners, orders }))
    }

    /// The addresses that were bound.
    pub(super) fn addresses(&self) -> std::io::Result<Addresses> {
        Ok(Addresses {
            token: self.listeners.token.address()?,
            admin: self.listeners.admin.address()?,
            management: self.listeners.management.address()?,
        })
    }

    /// Serves until the process is told to stop, then finishes what is under way.
    pub(super) async fn run(mut self) -> anyhow::Result<()> {
        let (stop, stopped) = watch::channel(false);
        let (app, listeners) = (Arc::clone(&self.app), self.listeners);
        tracing::info!(issuer = app.issuer.rules.grant.issuer, "serving");
        let announce = async {
            let order = self.orders.next().await;
            tracing::info!("stopping");
            app.drain();
            if order == Order::Drain {
                // Whoever sends work here is told by readiness; until they have noticed, they send some more.
                let _ = tokio::time::timeout(self.drain, self.orders.next()).await;
            }
            stop.send_replace(true);
            anyhow::Ok(())
        };
        let (served, all_served) = watch::channel(false);
        let apis = async {
            let token = listeners.token.serve(token_router(Arc::clone(&self.app)), given(&stopped));
            let admin = listeners.admin.serve(admin_router(Arc::clone(&self.app)), given(&stopped));
            tokio::try_join!(token, admin)?;
            served.send_replace(true);
            anyhow::Ok(())
        };
        // Last to go, so that whoever watches sees "stopping" until everything has been answered.
        let management = async {
            let router = management_router(Arc::clone(&self.app));
            Ok(listeners.management.serve(router, given(&all_served)).await?)
        };
        let served = tokio::try_join!(announce, apis, management);
        self.app.finish().await;
        served.map(|_| ())
    }
}

impl Listeners {
    /// Starts what is needed to listen, and to tell of it.
    async fn bind(config: &Config) -> anyhow::Result<Self> {
        let format = match config.log.format {
            config::LogFormat::Json => LogFormat::Json,
            config::LogFormat::Text => LogFormat::Text,
        };
        telemetry::start_logging(format, &config.log.filter).map_err(anyhow::Error::msg)?;
        provide_descriptors(config);
        Ok(Self {
            token: bind(&config.token_listener).await?,
            admin: bind(&config.admin_listener).await?,
            management: bind(&config.management_listener).await?,
        })
    }

    /// Answers that there is no database until there is one, and returns what has been built on it; `None` if it is
    /// told to stop before.
    async fn wait(
        &self,
        config: &Config,
        error: &AppError,
        orders: &mut Orders,
    ) -> anyhow::Result<Option<App>> {
        // What is wrong without a database is told now, and not when there is one.
        app::check_files(config, &SystemClock)?;
        tracing::error!(%error, "waiting for the database");
        let waiting = Waiting::new(&config.issuer, Arc::new(SystemRandom), error.to_string());
        let (over, is_over) = watch::channel(false);
        let building = async {
            let built = retry(config, &waiting, orders).await;
            over.send_replace(true);
            built
        };
        let serving = async {
            let (api, management) = (waiting.api_router(), waiting.management_router());
            tokio::try_join!(
                self.token.serve_first(api.clone(), given(&is_over)),
                self.admin.serve_first(api, given(&is_over)),
                self.management.serve_first(management, given(&is_over)),
            )
        };
        let (built, served) = tokio::join!(building, serving);
        served?;
        built
    }
}

/// Builds the server again and again, until it is built or told to stop.
async fn retry(
    config: &Config,
    waiting: &Waiting,
    orders: &mut Orders,
) -> anyhow::Result<Option<App>> {
    loop {
        tokio::select! {
            _ = orders.next() => {
                tracing::info!("stopping");
                return Ok(None);
            }
            () = tokio::time::sleep(RETRY) => {}
        }
        match build(config).await {
            Err(error) if error.may_pass() => {
                if waiting.wait_for(error.to_string()) {
                    tracing::error!(%error, "still waiting for the database");
                }
            }
            built => return Ok(Some(built?)),
        }
    }
}

/// Everything behind the listeners.
async fn build(config: &Config) -> Result<App, AppError> {
    let store = app::open_store(&config.database).await?;
    let app = App::build(config, store, Arc::new(SystemClock), Arc::new(SystemRandom));
    Box::pin(app).await
}

/// Waits until a signal is given.
fn given(signal: &watch::Receiver<bool>) -> impl Future<Output = ()> + use<> {
    let mut signal = signal.clone();
    async move {
        let _ = signal.wait_for(|given| *given).await;
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
