//! What was asked and answered, and the check of all of it afterwards, by a program and not by eye.
//!
//! The invariants have numbers. I1: no assertion is worth two tokens. I2: every token verifies with the keys that any node
//! publishes. I3: what was acknowledged to whoever changed something lasts, and what was withdrawn is not used any more.
//! I4: whatever is refused is refused in the form of OAuth, and with nothing but 400, 401, 403, 429 and 503. I5: the time
//! from the end of a fault to the second in which 99 % of all requests work. I6: memory and descriptors do not grow.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use josekit::jwk::Jwk;
use josekit::jws::RS256;
use serde_json::Value;

use crate::harness::http::Reply;

/// The share of requests that work when all is well again, in percent.
const WELL_PERCENT: usize = 99;

/// The time over which it is measured.
pub(crate) const WELL_TIME: Duration = Duration::from_secs(1);

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Which assertion it was: its `jti`.
    pub(crate) jti: String,
    /// The client that asked.
    pub(crate) client: String,
    pub(crate) sent: Instant,
    pub(crate) answered: Instant,
    pub(crate) outcome: Outcome,
}

/// What became of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    /// A token.
    Token(String),
    /// An error of OAuth, with its code where it has one.
    Refused { status: u16, error: String, code: String },
    /// The connection ended before there was an answer.
    Lost,
    /// Something that no server may answer.
    Odd(String),
}

/// A change that was acknowledged, after which a client gets tokens or does not.
#[derive(Clone, Debug)]
pub(crate) struct Switch {
    pub(crate) client: String,
    pub(crate) began: Instant,
    pub(crate) acknowledged: Instant,
    pub(crate) works: bool,
}

/// What those saw who fetched key sets.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeySets {
    /// How often there was one, and how often none.
    pub(crate) fetched: usize,
    pub(crate) failed: usize,
    /// Each that there was.
    distinct: Vec<Value>,
}

/// Every request and every change.
#[derive(Default)]
pub(crate) struct Ledger {
    entries: Mutex<Vec<Entry>>,
    switches: Mutex<Vec<Switch>>,
    key_sets: Mutex<KeySets>,
    registered: Mutex<Vec<String>>,
}

impl Outcome {
    /// What an answer means; none is a connection that ended.
    pub(crate) fn of(reply: Option<&Reply>) -> Self {
        let Some(reply) = reply else { return Self::Lost };
        let json = reply.json();
        let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
        let code = text("error_uri").rsplit('/').next().unwrap_or_default().to_owned();
        match (reply.status, reply.token()) {
            (200, Some(token)) => Self::Token(token),
            (503, _) if reply.header("retry-after").is_none() => {
                Self::Odd(format!("without Retry-After: {}", reply.text()))
            }
            (status @ (400 | 401 | 403 | 429 | 503), None)
                if !text("error").is_empty() && !text("error_description").is_empty() =>
            {
                Self::Refused { status, error: text("error"), code }
            }
            _ => Self::Odd(reply.text()),
        }
    }

    pub(crate) fn is_token(&self) -> bool {
        matches!(self, Self::Token(_))
    }

    /// That it has been used.
    pub(crate) fn is_replay(&self) -> bool {
        matches!(self, Self::Refused { status: 400, code, .. } if code == "MP-012")
    }

    pub(crate) fn is_unavailable(&self) -> bool {
        matches!(self, Self::Refused { status: 503, .. })
    }
}

impl Entry {
    /// How long the answer took.
    pub(crate) fn took(&self) -> Duration {
        self.answered - self.sent
    }
}

impl Ledger {
    pub(crate) fn add(&self, entry: Entry) {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }

    /// Notes a change that has been acknowledged.
    pub(crate) fn add_switch(&self, switch: Switch) {
        self.switches.lock().unwrap_or_else(PoisonError::into_inner).push(switch);
    }

    /// Notes a key set that has been fetched, or that there was none.
    pub(crate) fn add_key_set(&self, key_set: Option<Value>) {
        let mut key_sets = self.key_sets.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(key_set) = key_set else {
            key_sets.failed += 1;
            return;
        };
        key_sets.fetched += 1;
        if !key_sets.distinct.contains(&key_set) {
            key_sets.distinct.push(key_set);
        }
    }

    /// What was seen by those who fetched key sets.
    pub(crate) fn key_sets(&self) -> KeySets {
        self.key_sets.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes a client whose registration has been acknowledged.
    pub(crate) fn add_registered(&self, client: String) {
        self.registered.lock().unwrap_or_else(PoisonError::into_inner).push(client);
    }

    /// All of these.
    pub(crate) fn registered(&self) -> Vec<String> {
        self.registered.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Every request so far, in the order in which the answers came.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// I1 and I4, and whoever is told that an assertion has been used which nobody had asked with before: everything that may
    /// not be.
    pub(crate) fn faults(&self) -> Vec<String> {
        let entries = self.entries();
        let mut faults = Vec::new();
        let asked = times_asked(&entries);
        let mut tokens: HashMap<&str, usize> = HashMap::new();
        for entry in &entries {
            match &entry.outcome {
                Outcome::Token(_) => *tokens.entry(&entry.jti).or_default() += 1,
                Outcome::Odd(what) => faults.push(format!("I4: {}: {what}", entry.jti)),
                it if it.is_replay() && asked[&*entry.jti] == 1 => {
                    faults.push(format!(
                        "{} was asked once and is said to have been used",
                        entry.jti
                    ));
                }
                Outcome::Refused { .. } | Outcome::Lost => {}
            }
        }
        let twice = tokens.iter().filter(|(_, count)| **count > 1);
        faults.extend(twice.map(|(jti, count)| format!("I1: {jti} was worth {count} tokens")));
        faults
    }

    /// I2: tokens that do not verify with each of these key sets, and of those that were fetched meanwhile.
    pub(crate) fn unverified(&self, key_sets: &[Value]) -> usize {
        let fetched = self.key_sets().distinct;
        let sets: Vec<_> = key_sets
            .iter()
            .chain(&fetched)
            .map(|set| {
                let jwk = |key: &Value| Jwk::from_bytes(key.to_string()).unwrap();
                let keys = set["keys"].as_array().unwrap().iter();
                keys.map(|key| RS256.verifier_from_jwk(&jwk(key)).unwrap()).collect::<Vec<_>>()
            })
            .collect();
        let entries = self.entries();
        let tokens = entries.iter().filter_map(|entry| match &entry.outcome {
            Outcome::Token(token) => Some(token),
            _ => None,
        });
        let verifies = |token: &str| {
            sets.iter().all(|keys| {
                keys.iter().any(|key| josekit::jws::deserialize_compact(token, key).is_ok())
            })
        };
        tokens.filter(|token| !verifies(token)).count()
    }

    /// I3: of the requests of a client that had been switched off for `bound` when they were sent, and was not about to be
    /// switched on, those that had a token; and how many there were.
    pub(crate) fn used_after(&self, bound: Duration) -> (usize, usize) {
        let switches = self.switches.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let entries = self.entries();
        let is_off = |entry: &Entry| {
            let own = || switches.iter().filter(|switch| switch.client == entry.client);
            let before = own().rfind(|switch| switch.acknowledged + bound <= entry.sent);
            let after = own().any(|switch| {
                switch.works
                    && switch.began <= entry.answered
                    && before.is_some_and(|before| before.began < switch.began)
            });
            before.is_some_and(|before| !before.works) && !after
        };
        let off: Vec<_> = entries.iter().filter(|entry| is_off(entry)).collect();
        (off.iter().filter(|entry| entry.outcome.is_token()).count(), off.len())
    }

    /// The first token for an assertion that was sent for the first time after that moment, if there is one.
    pub(crate) fn first_token_after(&self, moment: Instant) -> Option<Instant> {
        let entries = self.entries();
        let entries = entries.iter().filter(|entry| entry.sent > moment);
        entries.filter(|entry| entry.outcome.is_token()).map(|entry| entry.answered).min()
    }

    /// I5: from that moment to the beginning of the first second in which 99 % of all requests work.
    pub(crate) fn well_after(&self, moment: Instant) -> Option<Duration> {
        well(self.entries(), moment)
    }

    /// The same for the requests of all other clients than this one.
    pub(crate) fn well_without(&self, client: &str, moment: Instant) -> Option<Duration> {
        let mut entries = self.entries();
        entries.retain(|entry| entry.client != client);
        well(entries, moment)
    }

    /// How often what happened.
    pub(crate) fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for entry in self.entries() {
            let what = match entry.outcome {
                Outcome::Token(_) => "token".to_owned(),
                Outcome::Refused { status, error, code } => {
                    format!("{status} {error} {code}").trim().to_owned()
                }
                Outcome::Lost => "lost".to_owned(),
                Outcome::Odd(_) => "odd".to_owned(),
            };
            *counts.entry(what).or_default() += 1;
        }
        counts
    }
}

/// How often each assertion was sent.
fn times_asked(entries: &[Entry]) -> HashMap<String, usize> {
    let mut times = HashMap::new();
    for entry in entries {
        *times.entry(entry.jti.clone()).or_default() += 1;
    }
    times
}

fn well(mut entries: Vec<Entry>, moment: Instant) -> Option<Duration> {
    let asked = times_asked(&entries);
    // Of two that were sent at once, one has been used when the other comes.
    let works = |entry: &Entry| {
        entry.outcome.is_token() || entry.outcome.is_replay() && asked[&entry.jti] > 1
    };
    entries.retain(|entry| entry.sent >= moment);
    entries.sort_by_key(|entry| entry.sent);
    let last = entries.last()?.sent;
    let starts = entries.iter().map(|entry| entry.sent).filter(|at| *at + WELL_TIME <= last);
    starts.map(|start| start - moment).find(|start| {
        let start = moment + *start;
        let within: Vec<_> = entries
            .iter()
            .filter(|entry| entry.sent >= start && entry.sent < start + WELL_TIME)
            .collect();
        let good = within.iter().filter(|entry| works(entry)).count();
        good * 100 >= within.len() * WELL_PERCENT
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::clock::tick;

    fn entry(jti: &str, sent: Instant, outcome: Outcome) -> Entry {
        let client = "a".to_owned();
        let answered = sent + Duration::from_millis(1);
        Entry { jti: jti.to_owned(), client, sent, answered, outcome }
    }

    fn token() -> Outcome {
        Outcome::Token("t".to_owned())
    }

    fn used() -> Outcome {
        let (error, code) = ("invalid_grant".to_owned(), "MP-012".to_owned());
        Outcome::Refused { status: 400, error, code }
    }

    fn unavailable() -> Outcome {
        let error = "temporarily_unavailable".to_owned();
        Outcome::Refused { status: 503, error, code: String::new() }
    }

    #[test]
    fn two_tokens_for_one_assertion_and_odd_answers_are_found() {
        let ledger = Ledger::default();
        let at = tick();
        ledger.add(entry("1", at, token()));
        ledger.add(entry("2", at, token()));
        ledger.add(entry("2", at, unavailable()));
        ledger.add(entry("3", at, Outcome::Lost));
        assert_eq!(ledger.faults(), Vec::<String>::new());
        ledger.add(entry("1", at, token()));
        ledger.add(entry("4", at, Outcome::Odd("500".to_owned())));
        let faults = ledger.faults();
        assert!(
            faults.len() == 2 && faults[0].starts_with("I4") && faults[1].starts_with("I1"),
            "{faults:?}"
        );
    }

    #[test]
    fn one_who_asks_once_is_not_told_that_the_assertion_has_been_used() {
        let (ledger, at) = (Ledger::default(), tick());
        ledger.add(entry("1", at, token()));
        ledger.add(entry("1", at, used()));
        ledger.add(entry("2", at, token()));
        ledger.add(entry("2", at + WELL_TIME, token()));
        assert_eq!(ledger.well_after(at), Some(Duration::ZERO));
        ledger.add(entry("3", at, used()));
        assert_eq!(ledger.well_after(at), None);
        assert!(ledger.faults().iter().any(|fault| fault.starts_with("3 was asked once")));
    }

    #[test]
    fn recovery_is_the_first_second_in_which_nearly_all_works() {
        let (ledger, at) = (Ledger::default(), tick());
        for tenth in 0_u32..50 {
            let outcome = if tenth < 17 { unavailable() } else { token() };
            ledger.add(entry(&tenth.to_string(), at + Duration::from_millis(100) * tenth, outcome));
        }
        assert_eq!(ledger.well_after(at), Some(Duration::from_millis(1_700)));
    }

    #[test]
    fn a_token_for_a_client_that_is_off_is_found_but_not_while_it_is_being_switched() {
        let (ledger, at) = (Ledger::default(), tick());
        let second = Duration::from_secs(1);
        let switch = |began: u32, works| Switch {
            client: "a".to_owned(),
            began: at + second * began,
            acknowledged: at + second * began,
            works,
        };
        ledger.add_switch(switch(1, false));
        ledger.add_switch(switch(10, true));
        for (sent, wrong) in [(0, 0), (2, 0), (5, 1), (10, 1), (20, 1)] {
            ledger.add(entry("1", at + second * sent, token()));
            assert_eq!(ledger.used_after(second * 2), (wrong, wrong), "{sent}");
        }
    }
}
