//! Revocation lists while the server runs: files that are read again when they change (`files`), and lists that are
//! fetched from their authorities (`fetching`) and kept for the next start (`folder`).
//!
//! Nothing of it happens in a request. Where lists are fetched from stands in the configuration and in the
//! certificates of the configured authorities; what a client sends is never followed.
//!
//! Beside the lists there are the responders (`responders`), that are asked about the certificates that are in use
//! (`asked`). They are asked in the background, too; only the first use of a certificate waits a moment. What they told is
//! kept for the next start as lists are (`keeping`, `answers`).

mod answers;
mod asked;
mod fetching;
mod files;
mod folder;
mod keeping;
mod kept_file;
mod responders;
mod schedule;
mod status;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::app::AppError;
use crate::clock::{Clock, Random, Timestamp};
use crate::config::{self, Config, Revocation};
use crate::domain::remote_url::RemoteUrl;
use crate::pki::crl::CRL_BYTES_MAX;
use crate::pki::trust_set::TrustSet;
use crate::remote::outbound::OutboundRules;
use crate::remote::revocation_list::ListFetcher;
use crate::telemetry::{AnswerCounts, FetchCounts};
use crate::token::client_key::EnterpriseCertificates;
use fetching::{Fetching, Source};
use folder::Folder;
use responders::Responders;

pub use status::{FetchStatus, ListFacts, ListStatus};

/// Revocation lists while the server runs.
pub struct RevocationLists {
    certificates: Arc<EnterpriseCertificates>,
    sources: Vec<Arc<Source>>,
    clock: Arc<dyn Clock>,
}

impl RevocationLists {
    /// Takes what is kept from earlier into use, warns of what is missing then, and begins to fetch and to watch.
    pub(super) async fn start(
        config: &Config,
        rules: &OutboundRules,
        certificates: &Arc<EnterpriseCertificates>,
        clock: &Arc<dyn Clock>,
        random: &Arc<dyn Random>,
        counts: FetchCounts,
    ) -> Result<(Self, Vec<JoinHandle<()>>), AppError> {
        let sources: Vec<_> = sources(config, certificates).into_iter().map(Arc::new).collect();
        let mut tasks = Vec::new();
        if !sources.is_empty() {
            let urls: Vec<RemoteUrl> = sources.iter().map(|it| it.url().clone()).collect();
            let its = &config.revocation_lists;
            let fetcher = ListFetcher::new(rules, &urls, CRL_BYTES_MAX, its.fetch_time_max);
            let fetcher = fetcher.map_err(AppError::RevocationLists)?;
            let fetching = Arc::new(Fetching {
                certificates: Arc::clone(certificates),
                fetcher,
                folder: Folder::new(its.folder.clone()),
                refresh: its.refresh,
                clock: Arc::clone(clock),
                random: Arc::clone(random),
                counts,
                turns: fetching::turns(),
            });
            fetching.take_kept(&sources).await;
            tasks = sources
                .iter()
                .map(|source| tokio::spawn(Arc::clone(&fetching).follow(Arc::clone(source))))
                .collect();
        }
        for set in certificates.sets() {
            for warning in set.warnings(clock.now()) {
                tracing::warn!(trust_set = set.name(), "{warning}");
            }
        }
        let watching = files::follow(Arc::clone(certificates), config.trust.clone());
        tasks.push(tokio::spawn(watching));
        let (certificates, clock) = (Arc::clone(certificates), Arc::clone(clock));
        Ok((Self { certificates, sources, clock }, tasks))
    }

    /// Every list that is in use or should be, as of now.
    pub fn status(&self) -> Vec<ListStatus> {
        status::all(self.certificates.sets(), &self.sources, self.clock.now())
    }

    /// What will refuse good clients, as of now, with the trust set that it is about.
    pub fn warnings(&self) -> Vec<(String, String)> {
        let now = self.clock.now();
        let of = |set: &TrustSet| {
            let name = set.name().to_owned();
            set.warnings(now).into_iter().map(move |it| (name.clone(), it)).collect::<Vec<_>>()
        };
        let alarms = self.sources.iter().flat_map(|source| source.warnings(now));
        self.certificates.sets().iter().flat_map(of).chain(alarms).collect()
    }

    /// The moment that ages are told as of.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// The certificates that count by these trust sets, and what asks their responders ahead of time, if there are any.
pub(super) fn with_responders(
    sets: Vec<TrustSet>,
    config: &Config,
    rules: &OutboundRules,
    clock: &Arc<dyn Clock>,
    random: &Arc<dyn Random>,
    counts: AnswerCounts,
) -> Result<(Arc<EnterpriseCertificates>, Option<impl Future<Output = ()> + Send + use<>>), AppError>
{
    let sets: Arc<[TrustSet]> = sets.into();
    let responders = Responders::new(config, rules, &sets, clock, random, counts)?;
    let refresh = responders.as_ref().map(Responders::refresh);
    let certificates = EnterpriseCertificates::new(sets);
    let certificates = match responders {
        Some(responders) => certificates.asking(Arc::new(responders)),
        None => certificates,
    };
    Ok((Arc::new(certificates), refresh))
}

/// Where lists are fetched from, each address once, with the trust sets that it is for.
fn sources(config: &Config, certificates: &EnterpriseCertificates) -> Vec<Source> {
    let mut found: BTreeMap<RemoteUrl, Vec<String>> = BTreeMap::new();
    for (its, set) in config.trust.iter().zip(certificates.sets()) {
        if its.revocation == Revocation::NotChecked {
            continue;
        }
        for url in urls(its, set) {
            let sets = found.entry(url).or_default();
            if !sets.contains(&its.name) {
                sets.push(its.name.clone());
            }
        }
    }
    found.into_iter().map(|(url, sets)| Source::new(url, sets)).collect()
}

/// The addresses of one trust set: those of the configuration, and those of its authorities.
fn urls(its: &config::TrustSet, set: &TrustSet) -> Vec<RemoteUrl> {
    let mut urls = its.crl_urls.clone();
    if its.crl_distribution_points {
        for point in set.distribution_points() {
            match point.parse() {
                Ok(url) => urls.push(url),
                Err(problem) => tracing::info!(
                    trust_set = its.name,
                    "the list at {point:?} is not fetched, because its address {problem}"
                ),
            }
        }
    }
    urls
}
