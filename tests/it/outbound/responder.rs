//! Real responders of OpenSSL, and a server that asks them. Its clock is the machine's, moved by as much as a test says,
//! because responders have no other.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use portvakt::clock::{Clock as _, SystemClock};
use rcgen::{CertificateParams, CustomExtension, KeyPair, SerialNumber};
use serde_json::Value;
use tempfile::TempDir;
use time::OffsetDateTime;

use super::lists::{get, state};
use crate::harness::caller::Caller;
use crate::harness::chain::{Pki, Trust, pem};
use crate::harness::clock::tick;
use crate::harness::der::{object_identifier, sequence, tlv};
use crate::harness::http::Reply;
use crate::harness::place::Place;
use crate::harness::row::check_refusal;
use crate::harness::server::{TestServer, certified};

/// How long a change may take to be seen: the interval, a question, and a machine that is busy.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// No request waits longer.
pub(super) const WAIT_MAX: Duration = Duration::from_secs(2);

/// Asks anew every second, which stands for the ten minutes of production. Answers count for five minutes.
pub(super) const EVERY_SECOND: &str = "[ocsp]\nrefresh_seconds = 1\nanswer_seconds_max = 300\n";

/// Whether the command is there; plain `cargo test` runs without it.
pub(super) fn openssl_is_there() -> bool {
    let there = Command::new("openssl").arg("version").stdout(Stdio::null()).status().is_ok();
    if !there {
        println!("left out: there is no openssl command");
    }
    there
}

/// A responder of OpenSSL.
pub(super) struct Responder {
    process: Child,
    pub(super) port: u16,
}

impl Responder {
    /// A responder for the authority in `folder`, which signs as `signer` of that folder; at any port, if it is 0.
    pub(super) fn start(folder: &Path, signer: &str, port: u16) -> Self {
        let (certificate, key) = (format!("{signer}.pem"), format!("{signer}.key"));
        let mut process = Command::new("openssl")
            .current_dir(folder)
            .args(["ocsp", "-port", &port.to_string(), "-index", "index.txt", "-nmin", "60"])
            .args(["-CA", "ca.pem", "-rsigner", &certificate, "-rkey", &key])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // It says where it listens: "ACCEPT [::]:38509 PID=2951".
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let port = line.split(" PID=").next().unwrap().rsplit(':').next().unwrap();
        let port = port.trim().parse().unwrap_or_else(|_| panic!("{line}"));
        Self { process, port }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        // One that has ended already needs no end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An authority that is in force now, with what its responders read.
pub(super) struct Authority {
    pub(super) pki: Pki,
    pub(super) folder: TempDir,
}

/// Makes a certificate valid around now.
fn in_force(params: &mut CertificateParams) {
    let now = moment(0);
    params.not_before = now - time::Duration::days(10);
    params.not_after = now + time::Duration::days(10);
}

/// The moment so many seconds from now.
pub(super) fn moment(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(SystemClock.now().seconds() + seconds).unwrap()
}

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let its =
            Self { pki: Pki::with(name, in_force, in_force), folder: TempDir::new().unwrap() };
        its.signer("ca", &its.pki.ca.der, &its.pki.ca.key);
        its.index(&[]);
        its
    }

    /// Lets responders sign as this one.
    pub(super) fn signer(&self, name: &str, der: &[u8], key: &KeyPair) {
        self.write(&format!("{name}.pem"), &pem("CERTIFICATE", der));
        self.write(&format!("{name}.key"), &key.serialize_pem());
    }

    fn write(&self, name: &str, text: &str) {
        // Responders look at the file when they are asked, so it is never there in half.
        let file = self.folder.path().join(name);
        let new = file.with_extension("new");
        std::fs::write(&new, text).unwrap();
        std::fs::rename(new, file).unwrap();
    }

    /// Says what is known: serial numbers, and whether they are revoked.
    pub(super) fn index(&self, known: &[(u64, bool)]) {
        let mut text = String::new();
        for (serial, is_revoked) in known {
            let (state, revoked) =
                if *is_revoked { ("R", "250101000000Z,keyCompromise") } else { ("V", "") };
            // No two that are valid may have one name.
            let name = format!("/CN={serial}");
            let _ =
                writeln!(text, "{state}\t400101000000Z\t{revoked}\t{serial:X}\tunknown\t{name}");
        }
        self.write("index.txt", &text);
    }

    /// A client with a certificate of this serial number, which names its responder, if it names one.
    pub(super) fn caller(&self, serial: u64, responder: Option<&str>) -> Caller {
        let leaf = self.pki.ca.leaf(|p| {
            in_force(p);
            p.serial_number = Some(SerialNumber::from(serial));
            p.custom_extensions.extend(responder.map(access));
        });
        certified(&leaf.key, &[&leaf.der])
    }

    /// A list of the root, which clears the intermediate for a month.
    pub(super) fn list_of_root(&self) -> Vec<u8> {
        self.pki.root.crl(|p| (p.this_update, p.next_update) = (moment(-60), moment(30 * 86_400)))
    }

    /// A list of the intermediate, which clears everybody for a day.
    pub(super) fn list(&self) -> Vec<u8> {
        self.pki.ca.crl(|p| (p.this_update, p.next_update) = (moment(-60), moment(86_400)))
    }

    /// A trust set that asks these responders beside these lists.
    pub(super) fn trust(&self, rule: &str, responders: &[String], lists: Vec<Vec<u8>>) -> Trust {
        let more = format!("ocsp = {rule:?}\nocsp_responders = {responders:?}\n");
        Trust { more, ..Trust::with_crls(&self.pki, lists) }
    }
}

/// `authorityInfoAccess` with the address of a responder.
fn access(url: &str) -> CustomExtension {
    let ocsp = object_identifier("1.3.6.1.5.5.7.48.1");
    let content = sequence(&[sequence(&[ocsp, tlv(0x86, url.as_bytes())])]);
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], content)
}

/// A server whose clock is the machine's, moved.
pub(super) struct Asking {
    pub(super) server: TestServer,
    ahead: Arc<AtomicI64>,
}

impl Asking {
    pub(super) async fn start(trust: Trust, settings: &str) -> Self {
        Self::on(Place::new().await, trust, settings).await
    }

    /// The same there.
    pub(super) async fn on(place: Place, trust: Trust, settings: &str) -> Self {
        let server = TestServer::on(place, &[trust], settings).await;
        let ahead = Arc::new(AtomicI64::new(0));
        let (clock, its) = (Arc::clone(&server.clock), Arc::clone(&ahead));
        clock.set(SystemClock.now().seconds());
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(50)).await;
                clock.set(SystemClock.now().seconds() + its.load(Ordering::SeqCst));
            }
        });
        Self { server, ahead }
    }

    /// Moves the clock of the server so far ahead of the machine's.
    pub(super) fn ahead(&self, seconds: i64) {
        self.ahead.store(seconds, Ordering::SeqCst);
        self.server.clock.set(SystemClock.now().seconds() + seconds);
    }

    /// What asking for a token comes to. No request waits for long.
    pub(super) async fn ask(&self, caller: &Caller) -> Reply {
        let now = self.server.clock.now().seconds();
        let draft = caller.draft().claim("iat", now).claim("exp", now + 60);
        let reply = self.server.ask(&draft.sign()).await;
        assert!(reply.took < WAIT_MAX, "a request waited for {:?}", reply.took);
        match reply.status {
            400 => check_refusal(&reply, 400, "invalid_grant", "MP-120").unwrap(),
            503 => check_refusal(&reply, 503, "temporarily_unavailable", "").unwrap(),
            _ => assert_eq!(reply.status, 200, "{}", reply.text()),
        }
        reply
    }

    /// Waits until asking comes to `status`.
    pub(super) async fn until(&self, caller: &Caller, status: u16) {
        let began = tick();
        loop {
            let found = self.ask(caller).await.status;
            if found == status {
                return;
            }
            let late = began.elapsed() >= PATIENCE;
            assert!(!late, "{found} and not {status}: {}", state(&self.server).await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The entry of a responder in the state of revocation.
    pub(super) async fn responder(&self, url: &str) -> Value {
        let state = state(&self.server).await;
        let all = state["responders"].as_array().unwrap();
        all.iter().find(|it| it["url"] == url).unwrap_or_else(|| panic!("{url}: {state}")).clone()
    }

    /// A line of the metrics.
    pub(super) async fn metric(&self, name: &str) -> Option<String> {
        let text = get(&self.server, "/metrics").await.text();
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.map(|rest| rest.trim().to_owned())
    }
}
