//! A listener: accepts connections, plain or TLS, and serves a router on each until it is told to stop.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::http::source::SourceRule;
use crate::http::stall::Impatient;
use crate::http::tls::{TlsError, TlsKeys};

/// How long a connection may take to send the head of a request, and may stay idle between two.
const HEAD_SECONDS_MAX: u64 = 30;

/// The largest head of a request: a certificate chain in the query string takes 20 KiB.
const HEAD_BYTES_MAX: usize = 48 * 1024;

/// The most headers of a request; busy proxies send about thirty.
const HEADERS_MAX: usize = 100;

/// How long a TLS handshake may take.
const HANDSHAKE_SECONDS_MAX: u64 = 10;

/// How long a peer may take no byte of what is sent to it.
const STALL_SECONDS_MAX: u64 = 30;

/// How long requests under way may take to finish when the server stops.
const DRAIN_SECONDS_MAX: u64 = 10;

/// How often the files of TLS are looked at.
const TLS_RELOAD_SECONDS: u64 = 2;

/// How long accepting pauses after an error such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A socket that is bound and not yet served.
pub struct Listener {
    socket: TcpListener,
    tls: Option<Arc<TlsKeys>>,
    connections_max: u32,
    sources: SourceRule,
}

impl Listener {
    /// Binds `address`. With `tls`, every connection begins with a handshake.
    pub async fn bind(
        address: SocketAddr,
        tls: Option<Arc<TlsKeys>>,
        connections_max: u32,
    ) -> std::io::Result<Self> {
        let (socket, sources) = (TcpListener::bind(address).await?, SourceRule::default());
        Ok(Self { socket, tls, connections_max, sources })
    }

    /// The same, with this rule about where requests come from.
    #[must_use]
    pub fn with_sources(self, sources: SourceRule) -> Self {
        Self { sources, ..self }
    }

    /// The address that was bound, with the port that the system chose if it was asked to.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Serves `router` until `stop` is done, and then until requests under way have been answered.
    pub async fn serve(
        self,
        router: Router,
        stop: impl Future<Output = ()>,
    ) -> Result<(), TlsError> {
        let connections = self.accept(router, stop).await?;
        drop(self.socket);
        drain(connections).await;
        Ok(())
    }

    /// The same, with the socket left open for what is served next: connections are accepted all the time, and
    /// those that are open get one more answer at most.
    pub async fn serve_first(
        &self,
        router: Router,
        stop: impl Future<Output = ()>,
    ) -> Result<(), TlsError> {
        let connections = self.accept(router, stop).await?;
        // Nobody waits: one that sends nothing would keep what comes next from being served.
        tokio::spawn(drain(connections));
        Ok(())
    }

    /// Accepts connections until `stop` is done, and returns those that are open.
    async fn accept(
        &self,
        router: Router,
        stop: impl Future<Output = ()>,
    ) -> Result<GracefulShutdown, TlsError> {
        let acceptor = self.tls.as_ref().map(TlsKeys::acceptor).transpose()?;
        let reload = self.tls.clone().map(|keys| tokio::spawn(reload(keys)));
        let connections = GracefulShutdown::new();
        let places =
            Arc::new(Semaphore::new(usize::try_from(self.connections_max).unwrap_or(usize::MAX)));
        let mut stop = std::pin::pin!(stop);
        let mut failing = false;
        loop {
            let place = tokio::select! {
                place = Arc::clone(&places).acquire_owned() => place,
                () = &mut stop => break,
            };
            let stream = tokio::select! {
                accepted = self.socket.accept() => accepted,
                () = &mut stop => break,
            };
            let (stream, peer) = match stream {
                Ok(accepted) => {
                    failing = false;
                    accepted
                }
                Err(error) => {
                    // Told once: while it lasts it would be told twenty times a second.
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(%error, "connections cannot be accepted");
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let caller = Caller { peer, sources: self.sources.clone() };
            let (router, acceptor, watcher) =
                (router.clone(), acceptor.clone(), connections.watcher());
            tokio::spawn(async move {
                connection(stream, caller, acceptor, router, watcher).await;
                drop(place);
            });
        }
        if let Some(reload) = reload {
            reload.abort();
        }
        Ok(connections)
    }
}

/// Waits until requests under way have been answered.
async fn drain(connections: GracefulShutdown) {
    let _ =
        tokio::time::timeout(Duration::from_secs(DRAIN_SECONDS_MAX), connections.shutdown()).await;
}

impl TlsKeys {
    fn acceptor(self: &Arc<Self>) -> Result<TlsAcceptor, TlsError> {
        Ok(TlsAcceptor::from(Arc::new(self.server_config()?)))
    }
}

/// Who is at the other end of a connection.
#[derive(Clone)]
struct Caller {
    peer: SocketAddr,
    sources: SourceRule,
}

impl Caller {
    /// The request with a note of where it comes from, if that is known.
    fn note(&self, mut request: Request<Incoming>) -> Request<Incoming> {
        if let Some(source) = self.sources.source(self.peer, request.headers()) {
            request.extensions_mut().insert(source);
        }
        request
    }
}

async fn connection(
    stream: TcpStream,
    caller: Caller,
    acceptor: Option<TlsAcceptor>,
    router: Router,
    watcher: Watcher,
) {
    // Answers are small and complete: waiting for more to send would only delay them.
    let _ = stream.set_nodelay(true);
    let stream = Impatient::new(stream, Duration::from_secs(STALL_SECONDS_MAX));
    let Some(acceptor) = acceptor else { return serve(stream, caller, router, watcher).await };
    let limit = Duration::from_secs(HANDSHAKE_SECONDS_MAX);
    match tokio::time::timeout(limit, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => serve(stream, caller, router, watcher).await,
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    caller: Caller,
    router: Router,
    watcher: Watcher,
) {
    let mut server = http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(HEAD_SECONDS_MAX))
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX);
    let router = router.map_request(move |request| caller.note(request));
    let service = TowerToHyperService::new(router);
    let exchange = watcher.watch(server.serve_connection(TokioIo::new(stream), service));
    if let Err(error) = exchange.await {
        tracing::debug!(%error, "a connection ended badly");
    }
}

/// Looks at the files of TLS again and again.
async fn reload(keys: Arc<TlsKeys>) {
    loop {
        tokio::time::sleep(Duration::from_secs(TLS_RELOAD_SECONDS)).await;
        match keys.reload_if_changed() {
            Ok(true) => tracing::info!("the TLS certificate has been replaced"),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "the TLS certificate cannot be replaced"),
        }
    }
}
