//! A server that publishes lists, and misbehaves when it is told to.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

use crate::harness::http::read_head;

/// What the server does when it is asked for a path.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Sends these bytes and closes the connection.
    Raw(Vec<u8>),
    /// Sends a list, unless who asks has it already.
    Publish(Vec<u8>),
    /// The same from a file, piece by piece, without having it in memory.
    PublishFile(PathBuf),
    /// Sends the bytes, and then the last one again and again, each after a pause, until nobody listens.
    Drip(Vec<u8>, Duration),
    /// Sends the bytes, and then a megabyte again and again.
    Flood(Vec<u8>),
    /// Sends the bytes after a pause, and closes the connection.
    Late(Duration, Vec<u8>),
    /// Says nothing.
    Hang,
}

impl Act {
    /// A whole answer; `headers` are lines with their ends.
    pub(super) fn answer(status: &str, headers: &str, body: &[u8]) -> Self {
        Self::Raw(whole(status, headers, body))
    }

    /// A redirect.
    pub(super) fn redirect(to: &str) -> Self {
        Self::answer("302 Found", &format!("Location: {to}\r\n"), b"")
    }
}

pub(super) fn whole(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// A running server.
pub(super) struct Host {
    pub(super) address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    acts: HashMap<String, Act>,
    connections: usize,
    heads: Vec<String>,
}

impl Host {
    /// A server that knows no path.
    pub(super) async fn start() -> Self {
        Self::at("127.0.0.1:0").await
    }

    /// The same on this address.
    pub(super) async fn at(address: &str) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::<Mutex<Shared>>::default();
        let its_own = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                lock(&its_own).connections += 1;
                tokio::spawn(serve(stream, Arc::clone(&its_own)));
            }
        });
        Self { address, shared }
    }

    /// Tells it what to do from now on when it is asked for `path`.
    pub(super) fn act(&self, path: &str, act: Act) {
        lock(&self.shared).acts.insert(path.to_owned(), act);
    }

    /// The address of a path.
    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How many have connected.
    pub(super) fn connections(&self) -> usize {
        lock(&self.shared).connections
    }

    /// The heads of all requests.
    pub(super) fn heads(&self) -> Vec<String> {
        lock(&self.shared).heads.clone()
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(mut stream: TcpStream, shared: Arc<Mutex<Shared>>) {
    let Some(head) = read_head(&mut stream).await else { return };
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let act = {
        let mut shared = lock(&shared);
        shared.heads.push(head.clone());
        shared.acts.get(&path).cloned()
    };
    // Whoever has gone away has got enough.
    let _ = match act {
        None => stream.write_all(&whole("404 Not Found", "", b"")).await,
        Some(Act::Raw(bytes)) => stream.write_all(&bytes).await,
        Some(Act::Publish(list)) => publish(&mut stream, &head, &list).await,
        Some(Act::PublishFile(file)) => publish_file(&mut stream, &file).await,
        Some(Act::Drip(bytes, pause)) => drip(&mut stream, &bytes, pause).await,
        Some(Act::Flood(bytes)) => flood(&mut stream, &bytes).await,
        Some(Act::Late(pause, bytes)) => {
            tokio::time::sleep(pause).await;
            stream.write_all(&bytes).await
        }
        Some(Act::Hang) => {
            tokio::time::sleep(Duration::from_mins(1)).await;
            Ok(())
        }
    };
}

async fn publish(stream: &mut TcpStream, head: &str, list: &[u8]) -> std::io::Result<()> {
    let sum = list.iter().fold(0_u32, |sum, &byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    let etag = format!("\"{sum:08x}\"");
    let is_known = head.lines().any(|line| {
        line.to_ascii_lowercase().starts_with("if-none-match:") && line.contains(&etag)
    });
    let headers = format!("ETag: {etag}\r\nContent-Type: application/pkix-crl\r\n");
    let bytes = if is_known {
        whole("304 Not Modified", &headers, b"")
    } else {
        whole("200 OK", &headers, list)
    };
    stream.write_all(&bytes).await
}

async fn publish_file(stream: &mut TcpStream, file: &PathBuf) -> std::io::Result<()> {
    use std::io::Read as _;
    let mut file = std::fs::File::open(file)?;
    let length = file.metadata()?.len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    let mut piece = vec![0; 64 * 1024];
    loop {
        let count = file.read(&mut piece)?;
        if count == 0 {
            return Ok(());
        }
        stream.write_all(&piece[..count]).await?;
    }
}

async fn drip(stream: &mut TcpStream, bytes: &[u8], pause: Duration) -> std::io::Result<()> {
    stream.write_all(bytes).await?;
    loop {
        tokio::time::sleep(pause).await;
        stream.write_all(&bytes[bytes.len() - 1..]).await?;
    }
}

async fn flood(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    stream.write_all(bytes).await?;
    let megabyte = vec![b'x'; 1024 * 1024];
    loop {
        stream.write_all(&megabyte).await?;
    }
}
