//! The rest of group A: what a TLS listener speaks, and connections that are only held.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use openssl::ssl::{
    SslConnector, SslMethod, SslSession, SslSessionCacheMode, SslStream, SslVerifyMode, SslVersion,
};
use portvakt::http::listen::Listener;
use portvakt::http::{TlsKeys, token_router};

use crate::harness::chain::{Pki, pem};
use crate::harness::clock::tick;
use crate::harness::http::{Connection, form, post};
use crate::harness::load::{percentile_99, timed_tokens};
use crate::harness::mark::{enough, most_of};
use crate::harness::server::{TestServer, caller};

/// How long handshakes are made, how many threads make them, and how many there are at least: the same processors have
/// both ends to do.
const STORM: Duration = Duration::from_secs(4);
const STORM_THREADS: usize = 4;
const HANDSHAKES_MIN: usize = 1_000;

/// How many times longer tokens may take meanwhile, over a connection that is there already.
const SLOWER_MAX: f64 = 3.0;

/// A TLS listener in front of the same server.
async fn tls_listener(server: &TestServer) -> SocketAddr {
    let authority = Pki::new("TLS").ca;
    let key = rcgen::KeyPair::generate().unwrap();
    let der = authority.certificate(&key, |_| {});
    let (chain, private) = ("tls-chain.pem", "tls-key.pem");
    std::fs::write(server.folder().join(chain), pem("CERTIFICATE", &der)).unwrap();
    std::fs::write(server.folder().join(private), key.serialize_pem()).unwrap();
    let keys = TlsKeys::load(server.folder().join(chain), server.folder().join(private));
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), Some(keys.unwrap()), 100).await;
    let listener = listener.unwrap();
    let address = listener.address().unwrap();
    let router = token_router(Arc::clone(&server.app));
    tokio::spawn(async move { listener.serve(router, std::future::pending()).await });
    address
}

/// What a client needs for handshakes of these versions with these suites.
fn connector(versions: (SslVersion, SslVersion), suites: &str) -> SslConnector {
    let mut connector = SslConnector::builder(SslMethod::tls_client()).unwrap();
    connector.set_verify(SslVerifyMode::NONE);
    connector.set_min_proto_version(Some(versions.0)).unwrap();
    connector.set_max_proto_version(Some(versions.1)).unwrap();
    connector.set_security_level(0);
    connector.set_cipher_list(suites).unwrap();
    connector.build()
}

/// A connection, if there is one after the handshake.
fn connect(
    connector: &SslConnector,
    address: SocketAddr,
    name: Option<&str>,
) -> Option<SslStream<TcpStream>> {
    let configuration = connector.configure().unwrap();
    let configuration = configuration.use_server_name_indication(name.is_some());
    let configuration = configuration.verify_hostname(false);
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    configuration.connect(name.unwrap_or("as.test"), stream).ok()
}

/// What a handshake came to: the version and the suite, or nothing.
fn handshake(
    address: SocketAddr,
    name: Option<&str>,
    versions: (SslVersion, SslVersion),
    suites: &str,
) -> Option<(String, String)> {
    let stream = connect(&connector(versions, suites), address, name)?;
    let suite = stream.ssl().current_cipher().unwrap().name().to_owned();
    Some((stream.ssl().version_str().to_owned(), suite))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_current_tls_is_spoken() {
    // A41
    let server = TestServer::start().await;
    let address = tls_listener(&server).await;
    let (v1, v11) = (SslVersion::TLS1, SslVersion::TLS1_1);
    let (v12, v13) = (SslVersion::TLS1_2, SslVersion::TLS1_3);
    let all = "ALL:@SECLEVEL=0";
    let tried = tokio::task::spawn_blocking(move || {
        let try_one = |name, versions, suites| handshake(address, name, versions, suites);
        assert_eq!(try_one(Some("as.test"), (v1, v1), all), None);
        assert_eq!(try_one(Some("as.test"), (v11, v11), all), None);
        for cbc in ["ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA", "AES128-SHA"] {
            assert_eq!(try_one(Some("as.test"), (v12, v12), cbc), None, "{cbc}");
        }
        let (version, suite) = try_one(Some("as.test"), (v12, v12), all).unwrap();
        assert_eq!(version, "TLSv1.2");
        assert!(suite.contains("GCM") || suite.contains("CHACHA20"), "{suite}");
        // The one certificate is given under any name, and without one.
        for name in [None, Some("elsewhere.test")] {
            let (version, _) = try_one(name, (v12, v13), all).unwrap();
            assert_eq!(version, "TLSv1.3", "{name:?}");
        }
    });
    tried.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_session_allows_early_data() {
    // A42: a request in early data could be sent again by anybody who has seen it.
    let server = TestServer::start().await;
    let address = tls_listener(&server).await;
    let tried = tokio::task::spawn_blocking(move || {
        let sessions: Arc<Mutex<Vec<SslSession>>> = Arc::default();
        let mut connector = SslConnector::builder(SslMethod::tls_client()).unwrap();
        connector.set_verify(SslVerifyMode::NONE);
        connector.set_session_cache_mode(SslSessionCacheMode::CLIENT);
        let kept = Arc::clone(&sessions);
        connector.set_new_session_callback(move |_, session| {
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(session);
        });
        let stream = TcpStream::connect(address).unwrap();
        let mut stream = connector.build().connect("as.test", stream).unwrap();
        stream.write_all(b"GET /jwk HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(answer.starts_with(b"HTTP/1.1 200"));
        let sessions = sessions.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(!sessions.is_empty(), "no session was given, so nothing was seen");
        for session in sessions.iter() {
            assert_eq!(session.max_early_data(), 0);
        }
    });
    tried.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn held_connections_keep_nobody_out() {
    // A40, with as many as a test may open: half of them idle, half in the middle of a header.
    let server = TestServer::start().await;
    let calm = percentile_99(&timed_tokens(&server, 40).await);
    let mut held = Vec::new();
    for i in 0..1_000 {
        let mut connection = Connection::open(server.address).await;
        if i % 2 == 0 {
            connection.send(b"POST /token HTTP/1.1\r\nX-Slow: ").await;
        }
        held.push(connection);
    }
    let busy = percentile_99(&timed_tokens(&server, 40).await);
    assert!(busy < calm * 10 + Duration::from_millis(250), "{calm:?}, then {busy:?}");
    drop(held);
}

/// Asks for tokens over a connection, one after the other, for so long, and returns how long each took.
fn ask_for(stream: &mut SslStream<TcpStream>, time: Duration) -> Vec<Duration> {
    let (began, mut times, mut answer) = (tick(), Vec::new(), [0; 8 * 1024]);
    while began.elapsed() < time {
        let request = String::from_utf8(post(&form(&caller("es256").assertion()))).unwrap();
        let sent = tick();
        stream.write_all(request.replace("Connection: close\r\n", "").as_bytes()).unwrap();
        // The server writes an answer at once, and so in one record.
        let length = stream.read(&mut answer).unwrap();
        times.push(sent.elapsed());
        let answer = String::from_utf8_lossy(&answer[..length]);
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with('}'), "{answer}");
        std::thread::sleep(Duration::from_millis(5));
    }
    times
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_handshakes_keeps_nobody_waiting_whose_connection_is_there() {
    // R40
    let server = TestServer::start().await;
    let address = tls_listener(&server).await;
    let (calm, busy, made) = tokio::task::spawn_blocking(move || {
        let versions = (SslVersion::TLS1_3, SslVersion::TLS1_3);
        let mut kept = connect(&connector(versions, "ALL"), address, None).unwrap();
        let calm = percentile_99(&ask_for(&mut kept, STORM / 2));
        let until = tick() + STORM;
        let storm: Vec<_> = (0..STORM_THREADS)
            .map(|_| {
                std::thread::spawn(move || {
                    let (connector, mut made) = (connector(versions, "ALL"), 0);
                    while tick() < until {
                        assert!(connect(&connector, address, None).is_some());
                        made += 1;
                    }
                    made
                })
            })
            .collect();
        let busy = percentile_99(&ask_for(&mut kept, STORM));
        (calm, busy, storm.into_iter().map(|it| it.join().unwrap()).sum::<usize>())
    })
    .await
    .unwrap();
    println!(
        "{made} handshakes in {STORM:?} (at least {HANDSHAKES_MIN}): p99 of tokens over a connection that was there {busy:?}, \
         {calm:?} before (at most {SLOWER_MAX} times)"
    );
    assert!(enough(made, HANDSHAKES_MIN), "{made} handshakes are no storm");
    assert!(busy <= most_of(calm, SLOWER_MAX), "{calm:?}, then {busy:?}");
}
