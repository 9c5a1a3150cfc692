//! A register of delegations as small as can be: it says what a test tells it to, and remembers who asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

use crate::harness::http::read_head;

/// What a lookup asked, and its head.
#[derive(Clone, Debug)]
pub(crate) struct Lookup {
    pub(crate) head: String,
    pub(crate) consumer: String,
    pub(crate) supplier: String,
    pub(crate) scope: String,
}

impl Lookup {
    fn read(head: String) -> Self {
        let target = head.split(' ').nth(1).unwrap();
        let query = target.split_once('?').map_or("", |(_, query)| query);
        let value = |name: &str| {
            let found = query.split('&').find_map(|pair| pair.strip_prefix(name));
            found.unwrap_or("").trim_start_matches('=').replace("%3A", ":")
        };
        let (consumer, supplier) = (value("consumerOrg"), value("supplierOrg"));
        Self { consumer, supplier, scope: value("scope"), head }
    }

    /// The delegation that was asked for.
    pub(crate) fn delegation(&self) -> Value {
        json!({
            "consumer_org": self.consumer,
            "supplier_org": self.supplier,
            "delegation_scheme_Id": "0f1d4a3e-6c5d-4f3c-9b51-1d0d7b7b3f11",
            "scopes": ["other:scope", self.scope],
            "created": "2026-05-01T10:00:00+02:00",
            "resourceid": "test-resource",
        })
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// What the register does when it is asked.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Says that all is delegated.
    Confirm,
    /// Sends the pieces, each after its pause, and closes the connection.
    Send(Vec<(Duration, Vec<u8>)>),
}

impl Act {
    /// A whole answer with JSON.
    pub(crate) fn json(body: &Value) -> Self {
        Self::answer("200 OK", "", body.to_string().as_bytes())
    }

    /// A whole answer.
    pub(crate) fn answer(status: &str, headers: &str, body: &[u8]) -> Self {
        Self::Send(vec![(Duration::ZERO, whole(status, headers, body))])
    }
}

/// The bytes of an answer; `headers` are lines with their ends.
pub(crate) fn whole(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n{headers}\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// A running register.
pub(crate) struct TestRegister {
    pub(crate) address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    act: Act,
    lookups: Vec<Lookup>,
}

impl TestRegister {
    /// A register that confirms everything until it is told otherwise.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Mutex::new(Shared { act: Act::Confirm, lookups: Vec::new() }));
        let its_own = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&its_own)));
            }
        });
        Self { address, shared }
    }

    /// Tells it what to do from now on.
    pub(crate) fn act(&self, act: Act) {
        lock(&self.shared).act = act;
    }

    /// Who has asked so far.
    pub(crate) fn lookups(&self) -> Vec<Lookup> {
        lock(&self.shared).lookups.clone()
    }
}

fn lock(shared: &Mutex<Shared>) -> std::sync::MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(mut stream: TcpStream, shared: Arc<Mutex<Shared>>) {
    let Some(head) = read_head(&mut stream).await else { return };
    let lookup = Lookup::read(head);
    let act = {
        let mut shared = lock(&shared);
        shared.lookups.push(lookup.clone());
        shared.act.clone()
    };
    let pieces = match act {
        Act::Send(pieces) => pieces,
        Act::Confirm => {
            // Long enough for others who ask the same to come meanwhile.
            let answer = json!([lookup.delegation()]).to_string();
            vec![(Duration::from_millis(50), whole("200 OK", "", answer.as_bytes()))]
        }
    };
    for (pause, piece) in pieces {
        tokio::time::sleep(pause).await;
        if stream.write_all(&piece).await.is_err() {
            return;
        }
    }
}
