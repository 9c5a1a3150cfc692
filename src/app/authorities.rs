//! Trust sets: loaded from files at the start, and their authorities again when the files change.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::app::AppError;
use crate::app::files::read;
use crate::clock::{Clock, HOUR_SECONDS, Timestamp};
use crate::config::{self, Config, OrganizationAttribute};
use crate::pki::trust_set::{
    OrganizationRule, PolicyRule, RevocationPolicy, SerialNumberRule, TrustRules, TrustSet,
    TrustSetSource,
};
use crate::token::client_key::EnterpriseCertificates;

/// How often the files are looked at. An authority that is taken out stops counting within this time.
const LOOK_SECONDS: u64 = 2;

/// The trust sets of the configuration, as of `now`.
pub(super) fn load(config: &Config, now: Timestamp) -> Result<Vec<TrustSet>, AppError> {
    let load = |set: &config::TrustSet| {
        let problem = |problem| AppError::Trust { name: set.name.clone(), problem };
        let loaded = TrustSet::load(source(set)?, now).map_err(problem);
        loaded.map(|loaded| loaded.asking(set.ocsp, set.ocsp_responders.clone()))
    };
    let sets = config.trust.iter().map(load).collect::<Result<Vec<_>, _>>()?;
    TrustSet::check_all_apart(&sets).map_err(AppError::TrustSets)?;
    Ok(sets)
}

/// The same, having logged what will refuse good clients.
pub(super) fn load_and_warn(config: &Config, now: Timestamp) -> Result<Vec<TrustSet>, AppError> {
    let sets = load(config, now)?;
    for set in &sets {
        warn(set, now);
    }
    Ok(sets)
}

fn warn(set: &TrustSet, now: Timestamp) {
    for warning in set.warnings(now) {
        tracing::warn!(trust_set = set.name(), "{warning}");
    }
}

fn source(set: &config::TrustSet) -> Result<TrustSetSource, AppError> {
    let organization = match set.organization {
        OrganizationAttribute::AnyCountry => OrganizationRule::RequiredOfAnyCountry,
        OrganizationAttribute::Norwegian => {
            OrganizationRule::Required { serial_number: SerialNumberRule::Ignore }
        }
        OrganizationAttribute::NorwegianOrSerialNumber => {
            OrganizationRule::Required { serial_number: SerialNumberRule::Accept }
        }
    };
    Ok(TrustSetSource {
        name: set.name.clone(),
        environment: set.environment,
        anchors_pem: read_all(&set.anchors)?.join(&b'\n'),
        intermediates_pem: read_all(&set.intermediates)?.join(&b'\n'),
        crls: read_all(&set.crls)?,
        rules: TrustRules {
            policies: set.policies.clone().map_or(PolicyRule::Any, PolicyRule::OneOf),
            extended_key_usages: set.extended_key_usages.clone(),
            organization,
            revocation: match set.revocation {
                config::Revocation::HardFail => RevocationPolicy::HardFail,
                config::Revocation::NotChecked => RevocationPolicy::NotChecked,
                config::Revocation::SoftFail { hours } => {
                    RevocationPolicy::SoftFail { seconds: i64::from(hours) * HOUR_SECONDS }
                }
            },
        },
    })
}

fn read_all(files: &[PathBuf]) -> Result<Vec<Vec<u8>>, AppError> {
    files.iter().map(read).collect()
}

/// The files with the authorities of one trust set.
struct Watched {
    set: config::TrustSet,
    /// When each was changed, as far as it could be told, and its length: a file may be replaced twice in a second.
    seen: Vec<Option<(SystemTime, u64)>>,
}

/// Watches the files of the trust sets, until the task is dropped.
pub(super) fn follow(
    certificates: &Arc<EnterpriseCertificates>,
    config: &Config,
    clock: &Arc<dyn Clock>,
) -> impl Future<Output = ()> + Send + use<> {
    let (certificates, clock) = (Arc::clone(certificates), Arc::clone(clock));
    let sets = config.trust.iter().cloned();
    let watched: Vec<Watched> = sets.map(|set| Watched { seen: stamps(&set), set }).collect();
    look(certificates, watched, clock)
}

async fn look(
    certificates: Arc<EnterpriseCertificates>,
    mut watched: Vec<Watched>,
    clock: Arc<dyn Clock>,
) {
    if watched.is_empty() {
        return;
    }
    loop {
        tokio::time::sleep(Duration::from_secs(LOOK_SECONDS)).await;
        for one in &mut watched {
            let seen = stamps(&one.set);
            if seen == one.seen {
                continue;
            }
            one.seen = seen;
            let trust_set = &one.set.name;
            match read_again(&certificates, &one.set, clock.now()) {
                Ok(()) => tracing::info!(trust_set, "the authorities were read again"),
                Err(problem) => {
                    tracing::error!(trust_set, "the old authorities stay in use: {problem}");
                }
            }
        }
    }
}

fn stamps(set: &config::TrustSet) -> Vec<Option<(SystemTime, u64)>> {
    let stamp = |file: &PathBuf| {
        let file = std::fs::metadata(file).ok()?;
        Some((file.modified().ok()?, file.len()))
    };
    set.anchors.iter().chain(&set.intermediates).map(stamp).collect()
}

/// Puts what the files hold into use, all of it or none.
fn read_again(
    certificates: &EnterpriseCertificates,
    set: &config::TrustSet,
    now: Timestamp,
) -> Result<(), String> {
    let read = |files| read_all(files).map_err(|problem| problem.to_string());
    let anchors = read(&set.anchors)?.join(&b'\n');
    let intermediates = read(&set.intermediates)?.join(&b'\n');
    let sets = certificates.sets();
    let used = sets.iter().find(|used| used.name() == set.name).ok_or("the trust set is gone")?;
    used.replace_authorities(&anchors, &intermediates, sets, now)
        .map_err(|problem| problem.to_string())?;
    warn(used, now);
    Ok(())
}
