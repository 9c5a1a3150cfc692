//! R37: a list of twenty megabytes is published while tokens are fetched.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rcgen::{KeyPair, SerialNumber};

use super::host::{Act, Host};
use crate::harness::caller::{Caller, Key};
use crate::harness::chain::{LEAF_SERIAL, Pki, Trust};
use crate::harness::clock::tick;
use crate::harness::der::{extension, integer, sequence, tlv};
use crate::harness::load::percentile_99;
use crate::harness::server::{TestServer, certified};

/// The folder of what the process of its own is to use, if this is that process.
const FOLDER: &str = "PORTVAKT_TEST_LONG_LIST";

/// Entries of the list: about twenty megabytes.
const ENTRIES: u32 = 420_000;

/// Good requests that are measured before it; during it, as many as there is time for.
const REQUESTS: usize = 300;

/// What one request in a hundred may take longer than half as much again as before, for a machine of two cores on which
/// other tests run.
const SLACK: Duration = Duration::from_millis(100);

/// What the memory of the process may grow by while the list is fetched, read and put into use.
const GROWTH_BYTES_MAX: u64 = 150 * 1024 * 1024;

#[test]
fn a_long_list_stops_nobody_and_takes_little() {
    // Only a process of its own has memory of its own, and the list is made in this one.
    if let Some(folder) = folder() {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(2).enable_all().build().unwrap();
        return runtime.block_on(inside(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let this = "outbound::load::a_long_list_stops_nobody_and_takes_little";
    let mut process = std::process::Command::new(std::env::current_exe().unwrap());
    process.env(FOLDER, folder.path());
    let output = process.args(["--exact", this, "--nocapture"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    println!("{text}");
    assert!(output.status.success() && text.contains("1 passed"), "{text}\n{errors}");
}

/// The folder that this process was given, if it is one of its own.
#[expect(clippy::disallowed_methods, reason = "a test tells itself what it is")]
fn folder() -> Option<PathBuf> {
    std::env::var(FOLDER).ok().map(PathBuf::from)
}

/// Writes a set of authorities, two clients of theirs and their lists.
fn write(folder: &Path) {
    let pki = Pki::new("Long");
    let put = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
    for (name, serial) in [("revoked", LEAF_SERIAL), ("good", &[0x33, 0x44])] {
        let key = KeyPair::generate().unwrap();
        let der = pki.ca.certificate(&key, |params| {
            params.serial_number = Some(SerialNumber::from_slice(serial));
        });
        put(&format!("{name}.der"), &der);
        put(&format!("{name}.key"), key.serialized_der());
    }
    put("root.der", &pki.root.der);
    put("ca.der", &pki.ca.der);
    put("root.crl", &pki.root.crl(|_| {}));
    put("short.crl", &pki.ca.crl(|_| {}));
    let reason = sequence(&[extension("2.5.29.21", false, &[0x0a, 1, 1])]);
    let entry =
        |serial: &[u8]| sequence(&[integer(serial), tlv(0x17, b"260501000000Z"), reason.clone()]);
    let others = (0..ENTRIES).map(|i| entry(&[&[0x5a; 12][..], &i.to_be_bytes()].concat()));
    let entries: Vec<Vec<u8>> = others.chain([entry(LEAF_SERIAL)]).collect();
    let number = extension("2.5.29.20", false, &integer(&[9]));
    let list = pki.ca.hand_made_crl(&entries, &[number]);
    assert!(list.len() > 20_000_000, "{}", list.len());
    put("long.crl", &list);
}

async fn inside(folder: &Path) {
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    let client = |name: &str| {
        let key = Key::from_pkcs8("ES256", &read(&format!("{name}.key")));
        certified(&key, &[&read(&format!("{name}.der"))])
    };
    let (revoked, good) = (client("revoked"), client("good"));
    let host = Host::start().await;
    host.act("/root", Act::Publish(read("root.crl")));
    host.act("/ca", Act::Publish(read("short.crl")));
    let trust = Trust {
        anchors: vec![read("root.der")],
        intermediates: vec![read("ca.der")],
        crls: Vec::new(),
        revocation: "hard_fail",
        serial_number: false,
        more: format!("crl_urls = {:?}\n", [host.url("/root"), host.url("/ca")]),
    };
    let settings = "[revocation_lists]\nrefresh_seconds = 1\nfetch_seconds_max = 60\n";
    let server = TestServer::with(&[trust], settings).await;
    let began = tick();
    while status(&server, &revoked).await.0 != 200 || status(&server, &good).await.0 != 200 {
        assert!(began.elapsed() < Duration::from_secs(20), "the short lists are not there");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // What a request takes while a thread of this process does something else.
    let busy = Arc::new(AtomicBool::new(true));
    let its = Arc::clone(&busy);
    let spinning = std::thread::spawn(move || {
        while its.load(Ordering::Relaxed) {
            std::hint::spin_loop();
        }
    });
    let mut quiet = Vec::new();
    for _ in 0..REQUESTS {
        quiet.push(served(&server, &good).await);
    }
    busy.store(false, Ordering::Relaxed);
    spinning.join().unwrap();
    let before = memory("VmRSS");
    // The highest mark of memory begins anew (proc(5)).
    fs::write("/proc/self/clear_refs", "5").unwrap();
    host.act("/ca", Act::PublishFile(folder.join("long.crl")));
    let began = tick();
    let mut busy = Vec::new();
    loop {
        busy.push(served(&server, &good).await);
        if status(&server, &revoked).await.0 == 400 {
            break;
        }
        assert!(began.elapsed() < Duration::from_mins(1), "the long list is not taken into use");
    }
    let growth = memory("VmHWM").saturating_sub(before);
    let slowest = busy.iter().max().copied().unwrap_or_default();
    let (quiet, busy) = (percentile_99(&quiet), percentile_99(&busy));
    println!(
        "grew by {} MiB after {:?}; of requests, p99 {busy:?}, {quiet:?} before, slowest {slowest:?}",
        growth >> 20,
        began.elapsed()
    );
    assert!(growth <= GROWTH_BYTES_MAX, "{} MiB", growth >> 20);
    assert!(slowest < Duration::from_secs(1), "a request took {slowest:?}");
    let most = quiet * 3 / 2 + SLACK;
    assert!(busy <= most, "p99 is {busy:?} while a list is read, and {quiet:?} before");
}

/// How long a good request takes. Whoever is not revoked is served all the time.
async fn served(server: &TestServer, caller: &Caller) -> Duration {
    let (status, took) = status(server, caller).await;
    assert_eq!(status, 200);
    took
}

async fn status(server: &TestServer, caller: &Caller) -> (u16, Duration) {
    let reply = server.ask(&caller.assertion()).await;
    (reply.status, reply.took)
}

/// A measure of this process, in bytes.
fn memory(name: &str) -> u64 {
    let status = fs::read_to_string(PathBuf::from("/proc/self/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    let kilobytes = line.trim_start_matches(':').trim().trim_end_matches(" kB").trim();
    kilobytes.parse::<u64>().unwrap() * 1024
}
