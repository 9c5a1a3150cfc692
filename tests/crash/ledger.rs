//! What was asked and answered, and the check of all of it afterwards, by a program and not by eye.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use josekit::jwk::Jwk;
use josekit::jws::RS256;

use crate::assertions::Assertion;
use crate::client::Answer;

/// How an assertion fared once.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    /// A token was issued.
    Issued,
    /// It was refused as used (MP-012).
    Used,
    /// The answer was lost, or was 503: whether it was used is unknown.
    Unknown,
    /// Anything else, which may not be.
    Wrong(String),
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) assertion: Assertion,
    pub(crate) sent: Duration,
    pub(crate) answered: Duration,
    pub(crate) outcome: Outcome,
    /// The token, if one was issued.
    pub(crate) token: Option<String>,
}

/// Every request, in the order in which the answers came.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<Vec<Record>>);

/// How often what happened.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) issued: usize,
    pub(crate) used: usize,
    pub(crate) unknown: usize,
}

impl Outcome {
    /// What an answer means.
    pub(crate) fn of(answer: &Answer) -> Self {
        let json: Option<serde_json::Value> = serde_json::from_str(&answer.body).ok();
        let text = |name: &str| json.as_ref().and_then(|json| json.get(name)?.as_str());
        let uri = text("error_uri").unwrap_or("");
        match (answer.status, text("error")) {
            (200, None) if answer.token().is_some() => Self::Issued,
            (400, Some("invalid_grant")) if uri.ends_with("/MP-012") => Self::Used,
            (503, Some("temporarily_unavailable")) => Self::Unknown,
            _ => Self::Wrong(format!("{} {}", answer.status, answer.body)),
        }
    }
}

impl Ledger {
    pub(crate) fn add(&self, record: Record) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(record);
    }

    /// Every request so far.
    pub(crate) fn records(&self) -> Vec<Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for record in self.records() {
            match record.outcome {
                Outcome::Issued => counts.issued += 1,
                Outcome::Used => counts.used += 1,
                Outcome::Unknown => counts.unknown += 1,
                Outcome::Wrong(_) => {}
            }
        }
        counts
    }

    /// How many assertions whose answer was lost turned out to be used, and how many to be fresh.
    pub(crate) fn fates_of_unknown(&self) -> (usize, usize) {
        let mut fates = (0, 0);
        for history in by_jti(&self.records()).values() {
            let unknown = history.iter().find(|record| record.outcome == Outcome::Unknown);
            let Some(unknown) = unknown else { continue };
            match history.iter().find(|record| record.outcome == Outcome::Issued) {
                Some(issued) if issued.sent > unknown.sent => fates.1 += 1,
                Some(_) => {}
                None => fates.0 += usize::from(history.len() > 1),
            }
        }
        fates
    }

    /// Tokens that do not verify with any of these keys, which are published as one set.
    pub(crate) fn unverified(&self, keys: &str) -> usize {
        let keys: serde_json::Value = serde_json::from_str(keys).unwrap();
        let keys = keys["keys"].as_array().unwrap().iter();
        let read = |key: &serde_json::Value| {
            RS256.verifier_from_jwk(&Jwk::from_bytes(key.to_string()).unwrap()).unwrap()
        };
        let keys: Vec<_> = keys.map(read).collect();
        let verifies = |token: &String| {
            keys.iter().any(|key| josekit::jws::deserialize_compact(token, key).is_ok())
        };
        let records = self.records();
        records.iter().filter_map(|record| record.token.as_ref()).filter(|it| !verifies(it)).count()
    }

    /// Everything that may not be.
    pub(crate) fn faults(&self) -> Vec<String> {
        let records = self.records();
        let mut faults = Vec::new();
        for (jti, history) in by_jti(&records) {
            for fault in faults_of(&history) {
                let told: Vec<_> =
                    history.iter().map(|r| (r.sent, r.answered, &r.outcome)).collect();
                faults.push(format!("{jti}: {fault}: {told:?}"));
            }
        }
        faults
    }
}

fn by_jti(records: &[Record]) -> HashMap<&str, Vec<&Record>> {
    let mut histories: HashMap<&str, Vec<&Record>> = HashMap::new();
    for record in records {
        histories.entry(&*record.assertion.jti).or_default().push(record);
    }
    histories
}

fn faults_of(history: &[&Record]) -> Vec<String> {
    let of = |outcome: Outcome| history.iter().filter(move |record| record.outcome == outcome);
    let mut faults = Vec::new();
    if of(Outcome::Issued).count() > 1 {
        faults.push("two tokens for one assertion".to_owned());
    }
    let may_be_used = of(Outcome::Issued).chain(of(Outcome::Unknown)).count() > 0;
    if of(Outcome::Used).count() > 0 && !may_be_used {
        faults.push("refused as used, but nobody has used it".to_owned());
    }
    let refused_first =
        |issued: &&&Record| of(Outcome::Used).any(|used| used.answered < issued.sent);
    if of(Outcome::Issued).any(|issued| refused_first(&issued)) {
        faults.push("a token after it had been refused as used".to_owned());
    }
    for record in history {
        if let Outcome::Wrong(what) = &record.outcome {
            faults.push(what.clone());
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(history: &[(u64, u64, Outcome)]) -> Ledger {
        let ledger = Ledger::default();
        for (sent, answered, outcome) in history {
            ledger.add(Record {
                assertion: Assertion { jti: "a".into(), text: "".into(), expires_at: 0 },
                sent: Duration::from_secs(*sent),
                answered: Duration::from_secs(*answered),
                outcome: outcome.clone(),
                token: None,
            });
        }
        ledger
    }

    #[test]
    fn a_history_that_may_be_has_no_fault() {
        use Outcome::{Issued, Unknown, Used};
        for history in [
            vec![(1, 2, Issued), (3, 4, Used), (3, 5, Used)],
            vec![(1, 4, Used), (1, 5, Issued)],
            vec![(1, 2, Unknown), (3, 4, Issued), (5, 6, Used)],
            vec![(1, 2, Unknown), (3, 4, Used), (5, 6, Used)],
        ] {
            assert_eq!(ledger(&history).faults(), Vec::<String>::new(), "{history:?}");
        }
    }

    #[test]
    fn a_history_that_may_not_be_is_found() {
        use Outcome::{Issued, Unknown, Used, Wrong};
        for (history, fault) in [
            (vec![(1, 2, Issued), (3, 4, Issued)], "two tokens"),
            (vec![(1, 2, Unknown), (3, 4, Issued), (3, 4, Issued)], "two tokens"),
            (vec![(1, 2, Used)], "nobody has used it"),
            (vec![(1, 2, Unknown), (3, 4, Used), (5, 6, Issued)], "after it had been refused"),
            (vec![(1, 2, Wrong("500".to_owned()))], "500"),
        ] {
            let faults = ledger(&history).faults();
            assert!(faults.len() == 1 && faults[0].contains(fault), "{faults:?}");
        }
    }
}
