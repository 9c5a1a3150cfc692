//! Lists that are fetched from their authorities, each by a task of its own.
//!
//! A list is read and put into use on a thread that may take its time, one list at a time; requests go on with the
//! old one until the new one is there whole. What cannot be used replaces nothing.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::app::revocation::folder::Folder;
use crate::app::revocation::schedule::{self, Alarm};
use crate::app::revocation::status::FetchStatus;
use crate::clock::{Clock, Random, Timestamp};
use crate::domain::remote_url::RemoteUrl;
use crate::pki::crl::Crl;
use crate::pki::revocation::Taken;
use crate::remote::revocation_list::{Fetched, ListFetcher, Validators};
use crate::telemetry::FetchCounts;
use crate::token::client_key::EnterpriseCertificates;

/// Lists that are fetched at the same time: each may take 64 MiB until it has been read.
const FETCHES_MAX: usize = 2;

/// What is needed to fetch lists.
pub(super) struct Fetching {
    pub(super) certificates: Arc<EnterpriseCertificates>,
    pub(super) fetcher: ListFetcher,
    pub(super) folder: Folder,
    pub(super) refresh: Duration,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    pub(super) counts: FetchCounts,
    pub(super) turns: Turns,
}

/// Who may fetch, and who may read.
pub(super) struct Turns {
    fetch: Semaphore,
    read: Arc<Semaphore>,
}

/// Turns for all lists together.
pub(super) fn turns() -> Turns {
    Turns { fetch: Semaphore::new(FETCHES_MAX), read: Arc::new(Semaphore::new(1)) }
}

/// Where a list is fetched from, and what has come of it.
pub(super) struct Source {
    url: RemoteUrl,
    trust_sets: Vec<String>,
    state: Mutex<State>,
}

/// What has come of fetching from one address.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    /// Of the list that is in use.
    validators: Validators,
    next_update: Option<Timestamp>,
    last: Option<(Timestamp, Outcome)>,
    failures: u32,
    failing_since: Option<Timestamp>,
    alarmed: Option<Alarm>,
}

/// What one attempt has come to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Outcome {
    /// A new list is in use.
    Taken,
    /// The list is still the one that is in use.
    Unchanged,
    /// There was no answer, or none with a list.
    Failed(String),
    /// What came is not used.
    Refused(String),
}

impl Outcome {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Unchanged => "unchanged",
            Self::Failed(_) => "failed",
            Self::Refused(_) => "refused",
        }
    }

    pub(super) fn problem(&self) -> Option<&str> {
        match self {
            Self::Taken | Self::Unchanged => None,
            Self::Failed(problem) | Self::Refused(problem) => Some(problem),
        }
    }
}

/// A list that has been read and put into use, as far as it could be.
struct Used {
    outcome: Outcome,
    validators: Validators,
    next_update: Option<Timestamp>,
}

impl Source {
    pub(super) fn new(url: RemoteUrl, trust_sets: Vec<String>) -> Self {
        Self { url, trust_sets, state: Mutex::default() }
    }

    pub(super) fn url(&self) -> &RemoteUrl {
        &self.url
    }

    pub(super) fn trust_sets(&self) -> &[String] {
        &self.trust_sets
    }

    /// What has come of fetching, if anything was tried.
    pub(super) fn fetch_status(&self) -> Option<FetchStatus> {
        let state = self.state();
        let (at, outcome) = state.last?;
        Some(FetchStatus {
            at,
            result: outcome.name(),
            problem: outcome.problem().map(str::to_owned),
            failing_since: state.failing_since,
        })
    }

    /// What is to be said of a list that cannot be fetched, for each trust set.
    pub(super) fn warnings(&self, now: Timestamp) -> Vec<(String, String)> {
        let state = self.state();
        let alarm = state.failing_since.and_then(|it| schedule::alarm(it, state.next_update, now));
        let Some(alarm) = alarm else { return Vec::new() };
        let warning = state.warning(alarm, &self.url);
        self.trust_sets.iter().map(|set| (set.clone(), warning.clone())).collect()
    }

    fn state(&self) -> State {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes what has come of an attempt; the alarm that has to be given now, if one has.
    fn note(&self, used: Result<Used, Outcome>, now: Timestamp) -> Option<String> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = match used {
            Ok(used) => {
                state.validators = used.validators;
                state.next_update = used.next_update;
                used.outcome
            }
            Err(outcome) => outcome,
        };
        let is_failure = outcome.problem().is_some();
        state.last = Some((now, outcome));
        if !is_failure {
            (state.failures, state.failing_since, state.alarmed) = (0, None, None);
            return None;
        }
        state.failures = state.failures.saturating_add(1);
        let since = *state.failing_since.get_or_insert(now);
        let alarm = schedule::alarm(since, state.next_update, now)?;
        if state.alarmed >= Some(alarm) {
            return None;
        }
        state.alarmed = Some(alarm);
        Some(state.warning(alarm, &self.url))
    }
}

impl State {
    fn warning(&self, alarm: Alarm, url: &RemoteUrl) -> String {
        let problem = self.last.as_ref().and_then(|(_, outcome)| outcome.problem());
        let problem = problem.unwrap_or("it has not been tried");
        let end = self.next_update.map_or_else(|| "-".to_owned(), |end| end.to_string());
        match alarm {
            Alarm::Half => format!(
                "half of the time is over until {end}, when the list ends of which no newer one can be had from {url}: {problem}"
            ),
            Alarm::NearEnd => format!(
                "nine tenths of the time are over until {end}, when the list ends of which no newer one can be had from {url}: {problem}"
            ),
            Alarm::Ended => format!("there is no list that counts from {url}: {problem}"),
        }
    }
}

impl Fetching {
    /// Takes what is kept from earlier into use.
    pub(super) async fn take_kept(self: &Arc<Self>, sources: &[Arc<Source>]) {
        let (fetching, sources) = (Arc::clone(self), sources.to_vec());
        let taken = tokio::task::spawn_blocking(move || {
            let now = fetching.clock.now();
            for source in &sources {
                fetching.take_kept_from(source, now);
            }
            let cleared = fetching.folder.keep_only(sources.iter().map(|it| &it.url));
            if let Err(problem) = cleared {
                tracing::warn!("old revocation lists cannot be removed: {problem}");
            }
        });
        if let Err(error) = taken.await {
            tracing::error!(%error, "what is kept of revocation lists cannot be read");
        }
    }

    fn take_kept_from(&self, source: &Source, now: Timestamp) {
        let kept = match self.folder.read(&source.url) {
            Ok(Some(kept)) => kept,
            Ok(None) => return,
            Err(problem) => {
                tracing::warn!("the list kept from {} cannot be read: {problem}", source.url);
                return;
            }
        };
        match self.put_into_use(source, &kept.bytes, kept.validators, now) {
            // What only some trust sets have taken is asked for whole the next time.
            Ok((Used { outcome: Outcome::Refused(problem), .. }, _)) => {
                tracing::warn!("the list kept from {} is not used: {problem}", source.url);
            }
            Ok((used, _)) => {
                let mut state = source.state.lock().unwrap_or_else(PoisonError::into_inner);
                (state.validators, state.next_update) = (used.validators, used.next_update);
            }
            Err(problem) => {
                tracing::warn!("the list kept from {} is not used: {problem}", source.url);
            }
        }
    }

    /// Fetches from one address until it is dropped.
    pub(super) async fn follow(self: Arc<Self>, source: Arc<Source>) {
        loop {
            let used = self.attempt(&source).await;
            let now = self.clock.now();
            let name = match &used {
                Ok(used) => used.outcome.name(),
                Err(outcome) => outcome.name(),
            };
            self.counts.fetched(name);
            match &used {
                Ok(Used { outcome: Outcome::Taken, .. }) => {
                    tracing::info!("a new revocation list from {} is in use", source.url);
                }
                Err(outcome) if source.state().failures == 0 => {
                    let problem = outcome.problem().unwrap_or_default();
                    tracing::warn!("no revocation list from {}: {problem}", source.url);
                }
                Ok(_) | Err(_) => {}
            }
            if let Some(alarm) = source.note(used, now) {
                tracing::error!("{alarm}");
            }
            let state = source.state();
            let left = state.next_update.map(|end| {
                let left = end.seconds().saturating_sub(now.seconds());
                Duration::from_secs(u64::try_from(left).unwrap_or_default())
            });
            let mut chance = [0];
            self.random.fill(&mut chance);
            tokio::time::sleep(schedule::wait(self.refresh, state.failures, left, chance[0])).await;
        }
    }

    async fn attempt(self: &Arc<Self>, source: &Arc<Source>) -> Result<Used, Outcome> {
        let known = source.state();
        // Neither semaphore is ever closed.
        let _turn = self.turns.fetch.acquire().await;
        let fetched = self.fetcher.fetch(&source.url, &known.validators).await;
        let (bytes, validators) = match fetched.map_err(Outcome::Failed)? {
            Fetched::Unchanged => {
                let State { validators, next_update, .. } = known;
                return Ok(Used { outcome: Outcome::Unchanged, validators, next_update });
            }
            Fetched::List { bytes, validators } => (bytes, validators),
        };
        let _reading = Arc::clone(&self.turns.read).acquire_owned().await;
        let (fetching, source) = (Arc::clone(self), Arc::clone(source));
        let read = tokio::task::spawn_blocking(move || -> Result<Used, String> {
            let now = fetching.clock.now();
            let (used, is_new) = fetching.put_into_use(&source, &bytes, validators, now)?;
            if is_new {
                let written = fetching.folder.write(&source.url, &used.validators, &bytes);
                if let Err(problem) = written {
                    let url = &source.url;
                    tracing::error!("the list from {url} is in use, but not kept: {problem}");
                }
            }
            Ok(used)
        });
        match read.await {
            Ok(Ok(Used {
                outcome: outcome @ (Outcome::Refused(_) | Outcome::Failed(_)), ..
            })) => Err(outcome),
            Ok(used) => used.map_err(Outcome::Refused),
            Err(error) => Err(Outcome::Failed(format!("reading it failed: {error}"))),
        }
    }

    /// Reads a list and puts it into use in every trust set that it is for, and whether it is new to any.
    fn put_into_use(
        &self,
        source: &Source,
        bytes: &[u8],
        validators: Validators,
        now: Timestamp,
    ) -> Result<(Used, bool), String> {
        let list = Arc::new(Crl::read(bytes).map_err(|error| error.to_string())?);
        let mut is_new = false;
        let its = |name: &&str| source.trust_sets.iter().any(|set| set == name);
        let sets = self.certificates.sets().iter().filter(|set| its(&set.name()));
        let mut refused = None;
        for set in sets {
            match set.take_crl(source.url.as_str(), &list, now) {
                Ok(Taken::New) => is_new = true,
                Ok(Taken::Same) => {}
                Err(refusal) => {
                    refused =
                        refused.or_else(|| Some(format!("trust set {}: {refusal}", set.name())));
                }
            }
        }
        let outcome = match refused {
            Some(refusal) => Outcome::Refused(refusal),
            None if is_new => Outcome::Taken,
            None => Outcome::Unchanged,
        };
        Ok((Used { outcome, validators, next_update: list.next_update() }, is_new))
    }
}
