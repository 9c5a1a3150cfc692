//! What responders have told counts after a restart as it did before, though nobody can be asked then; and what lies on the
//! disk is believed no more than what comes over the network.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::responder::{Asking, Authority, EVERY_SECOND, PATIENCE, Responder, openssl_is_there};
use crate::harness::caller::Caller;
use crate::harness::clock::tick;
use crate::harness::place::Place;

/// Serial numbers of clients.
const GOOD: u64 = 0x6001;
const OTHER: u64 = 0x6002;
const REVOKED: u64 = 0x6003;
const STRANGE: u64 = 0x6004;

/// Asks nobody again within a test. Answers count for five minutes.
const ONCE: &str = "[ocsp]\nrefresh_seconds = 3600\nanswer_seconds_max = 300\n";

/// A server that has known its clients, and whose responder is gone.
struct Gone {
    authority: Authority,
    url: String,
    port: u16,
    policy: &'static str,
    place: Place,
    files: PathBuf,
}

impl Gone {
    async fn after_answers(name: &str, policy: &'static str) -> Self {
        let authority = Authority::new(name);
        authority.index(&[(GOOD, false), (OTHER, false), (REVOKED, true)]);
        let responder = Responder::start(authority.folder.path(), "ca", 0);
        let (url, port) = (responder.url(), responder.port);
        let place = Place::new().await;
        let files = place.folder.path().join("revocation-lists/answers");
        let gone = Self { authority, url, port, policy, place, files };
        let asking = gone.start(ONCE).await;
        for (serial, status) in [(GOOD, 200), (OTHER, 200), (REVOKED, 400), (STRANGE, 503)] {
            assert_eq!(asking.ask(&gone.caller(serial)).await.status, status, "{serial:x}");
        }
        let began = tick();
        while answers(&gone.files).len() < 3 {
            assert!(began.elapsed() < PATIENCE, "{:?}", answers(&gone.files));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        gone
    }

    /// A server on what the one before has left.
    async fn start(&self, settings: &str) -> Asking {
        let urls = std::slice::from_ref(&self.url);
        let lists = vec![self.authority.list_of_root()];
        let mut trust = self.authority.trust("alternative", urls, lists);
        trust.revocation = self.policy;
        if self.policy == "soft_fail" {
            trust.more += "soft_fail_hours = 1\n";
        }
        Asking::on(self.place.clone(), trust, settings).await
    }

    fn caller(&self, serial: u64) -> Caller {
        self.authority.caller(serial, Some(&self.url))
    }

    /// What a server that starts now makes of the clients.
    async fn restarted(&self, expected: [(u64, u16); 4]) -> Asking {
        let asking = self.start(ONCE).await;
        for (serial, status) in expected {
            let found = asking.ask(&self.caller(serial)).await.status;
            assert_eq!(found, status, "{serial:x}");
        }
        asking
    }
}

/// The files of answers that are whole.
fn answers(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|it| it == "answer")).collect()
}

/// Rewrites the first line of a file.
fn with_head(file: &Path, change: impl FnOnce(&mut Value)) {
    let bytes = fs::read(file).unwrap();
    let end = bytes.iter().position(|&byte| byte == b'\n').unwrap();
    let mut head = serde_json::from_slice(&bytes[..end]).unwrap();
    change(&mut head);
    fs::write(file, [head.to_string().as_bytes(), &bytes[end..]].concat()).unwrap();
}

/// A place in what an answer says of itself, far from its beginning and its end.
const SIGNED_AT: usize = 100;

const AS_BEFORE: [(u64, u16); 4] = [(GOOD, 200), (OTHER, 200), (REVOKED, 400), (STRANGE, 503)];
const ALL_UNKNOWN: [(u64, u16); 4] = [(GOOD, 503), (OTHER, 503), (REVOKED, 503), (STRANGE, 503)];

#[tokio::test]
async fn a_restart_without_a_responder_has_its_answers_until_they_end() {
    if !openssl_is_there() {
        return;
    }
    let gone = Gone::after_answers("Kept", "hard_fail").await;
    // The second client comes when it is known that nobody answers.
    let asking = gone.restarted(AS_BEFORE).await;
    let found = asking.responder(&gone.url).await;
    assert_eq!(found["question"]["result"], "failed", "{found}");
    assert_eq!(found["certificates"], 3, "{found}");
    asking.ahead(200);
    assert_eq!(asking.ask(&gone.caller(GOOD)).await.status, 200);
    // A restart makes no answer count for longer, and a revocation does not end.
    asking.ahead(400);
    assert_eq!(asking.ask(&gone.caller(GOOD)).await.status, 503);
    drop(asking);
    let late = gone.start(ONCE).await;
    late.ahead(400);
    assert_eq!(late.ask(&gone.caller(GOOD)).await.status, 503);
    assert_eq!(late.ask(&gone.caller(REVOKED)).await.status, 400);
    drop(late);
    // What a responder tells then takes the place of what is kept.
    gone.authority.index(&[(GOOD, true), (OTHER, false), (REVOKED, false)]);
    let _responder = Responder::start(gone.authority.folder.path(), "ca", gone.port);
    let asking = gone.start(EVERY_SECOND).await;
    asking.until(&gone.caller(GOOD), 400).await;
    asking.until(&gone.caller(REVOKED), 200).await;
}

#[tokio::test]
async fn a_restart_keeps_the_hours_of_a_soft_set() {
    if !openssl_is_there() {
        return;
    }
    let gone = Gone::after_answers("Kept softly", "soft_fail").await;
    let asking = gone.start(ONCE).await;
    for (seconds, status) in [(400, 200), (3_600, 200), (3_600 + 400, 503)] {
        asking.ahead(seconds);
        assert_eq!(asking.ask(&gone.caller(GOOD)).await.status, status, "{seconds}");
    }
}

#[tokio::test]
async fn what_lies_on_the_disk_is_judged_like_what_comes_over_the_network() {
    if !openssl_is_there() {
        return;
    }
    let gone = Gone::after_answers("Spoilt", "hard_fail").await;
    let files = answers(&gone.files);
    let originals: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    let restore = || {
        for (file, bytes) in files.iter().zip(&originals) {
            fs::write(file, bytes).unwrap();
        }
    };
    let each = |change: &dyn Fn(&Path)| files.iter().for_each(|file| change(file));
    let spoil = |file: &Path, change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = fs::read(file).unwrap();
        change(&mut bytes);
        fs::write(file, bytes).unwrap();
    };
    // Another bit in what is signed, half of it, nothing, and more than is read.
    each(&|file| {
        spoil(file, &|bytes| {
            let begin = bytes.iter().position(|&byte| byte == b'\n').unwrap();
            bytes[begin + SIGNED_AT] ^= 1;
        });
    });
    gone.restarted(ALL_UNKNOWN).await;
    each(&|file| spoil(file, &|bytes| bytes.truncate(bytes.len() / 2)));
    gone.restarted(ALL_UNKNOWN).await;
    each(&|file| fs::write(file, b"").unwrap());
    gone.restarted(ALL_UNKNOWN).await;
    restore();
    each(&|file| spoil(file, &|bytes| bytes.resize(100_000, 0)));
    gone.restarted(ALL_UNKNOWN).await;
    // Each in the place of another, as it is, and by what it says itself.
    for (place, file) in files.iter().enumerate() {
        fs::write(file, &originals[(place + 1) % originals.len()]).unwrap();
    }
    gone.restarted(ALL_UNKNOWN).await;
    let heads: Vec<Value> = originals
        .iter()
        .map(|bytes| {
            serde_json::from_slice(bytes.split(|&byte| byte == b'\n').next().unwrap()).unwrap()
        })
        .collect();
    for (file, head) in files.iter().zip(&heads) {
        with_head(file, |its| its["certificate"] = head["certificate"].clone());
    }
    gone.restarted(ALL_UNKNOWN).await;
    // It came at another moment, or to another question; a revocation counts however old it is, and for whoever asks.
    restore();
    let received = heads[0]["received"].as_i64().unwrap();
    each(&|file| with_head(file, |head| head["received"] = (received + 3_600).into()));
    gone.restarted(ALL_UNKNOWN).await;
    each(&|file| with_head(file, |head| head["received"] = (received - 3_600).into()));
    gone.restarted([(GOOD, 503), (OTHER, 503), (REVOKED, 400), (STRANGE, 503)]).await;
    let others = [Value::Null, vec![7; 32].into()];
    for nonce in &others {
        restore();
        each(&|file| with_head(file, |head| head["nonce"] = nonce.clone()));
        gone.restarted([(GOOD, 503), (OTHER, 503), (REVOKED, 400), (STRANGE, 503)]).await;
    }
    // And what is as it was counts.
    restore();
    gone.restarted(AS_BEFORE).await;
}
