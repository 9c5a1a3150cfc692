//! How the revocation lists are, for whoever watches the server.

use std::sync::Arc;

use crate::app::revocation::fetching::Source;
use crate::clock::Timestamp;
use crate::pki::revocation::ListSource;
use crate::pki::trust_set::TrustSet;
use crate::telemetry::{ListLabels, ListMeasures};

/// One list that is in use, or should be.
#[derive(Clone, Debug)]
pub struct ListStatus {
    /// The trust set that it is for.
    pub trust_set: String,
    /// The address that it is fetched from; `None` for one of the files.
    pub url: Option<String>,
    /// The list, if there is one.
    pub list: Option<ListFacts>,
    /// What has come of the last fetch, if it is fetched and was tried.
    pub fetch: Option<FetchStatus>,
}

/// What a list says of itself.
#[derive(Clone, Debug)]
pub struct ListFacts {
    /// Whose it is.
    pub issuer: String,
    /// Its number, decimal, if it has one.
    pub number: Option<String>,
    /// When it was issued.
    pub this_update: Timestamp,
    /// When the next one is to be there.
    pub next_update: Option<Timestamp>,
    /// Seconds since it was issued.
    pub age_seconds: i64,
    /// How many certificates it revokes.
    pub entries: usize,
}

/// What has come of the last fetch.
#[derive(Clone, Debug)]
pub struct FetchStatus {
    /// When it was.
    pub at: Timestamp,
    /// What came of it: taken, unchanged, failed, refused.
    pub result: &'static str,
    /// What was wrong.
    pub problem: Option<String>,
    /// Since when nothing good has come.
    pub failing_since: Option<Timestamp>,
}

impl ListStatus {
    /// The same for metrics.
    pub(in crate::app) fn measures(&self) -> (ListLabels, ListMeasures) {
        let list = self.list.as_ref();
        let labels = ListLabels {
            trust_set: self.trust_set.clone(),
            issuer: list.map(|it| it.issuer.clone()).unwrap_or_default(),
            url: self.url.clone().unwrap_or_default(),
        };
        let since = |it: &FetchStatus| it.failing_since.map_or(0, Timestamp::seconds);
        let measures = ListMeasures {
            this_update: list.map(|it| it.this_update.seconds()),
            next_update: list.and_then(|it| it.next_update).map(Timestamp::seconds),
            entries: list.and_then(|it| i64::try_from(it.entries).ok()),
            failing_since: self.fetch.as_ref().map(since),
        };
        (labels, measures)
    }
}

/// Every list of these trust sets, as of `now`.
pub(super) fn all(sets: &[TrustSet], sources: &[Arc<Source>], now: Timestamp) -> Vec<ListStatus> {
    let mut found = Vec::new();
    for set in sets {
        let held = set.held_lists();
        let its = |source: &&Arc<Source>| source.trust_sets().iter().any(|it| it == set.name());
        let trust_set = set.name().to_owned();
        let facts = |wanted: &ListSource| {
            let of = held.iter().filter(|it| it.source == *wanted);
            let facts = of.map(|it| ListFacts {
                issuer: it.issuer.clone(),
                number: it.number.clone(),
                this_update: it.this_update,
                next_update: it.next_update,
                age_seconds: now.seconds().saturating_sub(it.this_update.seconds()),
                entries: it.entries,
            });
            facts.collect::<Vec<_>>()
        };
        found.extend(facts(&ListSource::Files).into_iter().map(|list| ListStatus {
            trust_set: trust_set.clone(),
            url: None,
            list: Some(list),
            fetch: None,
        }));
        found.extend(sources.iter().filter(its).map(|source| {
            let url = source.url().as_str().to_owned();
            ListStatus {
                trust_set: trust_set.clone(),
                list: facts(&ListSource::Url(url.clone())).pop(),
                url: Some(url),
                fetch: source.fetch_status(),
            }
        }));
    }
    found
}
