//! One trust set: which files hold its certificates, and by which rules it judges.

use std::path::{Path, PathBuf};

use crate::config::outbound::{Clear, Outbound};
use crate::config::raw::RawTrust;
use crate::config::{ConfigError, choose, required};
use crate::domain::remote_url::RemoteUrl;

/// A named set of certificate authorities.
#[derive(Clone, Debug)]
pub struct TrustSet {
    /// The name its operator gave it.
    pub name: String,
    /// PEM files of roots.
    pub anchors: Vec<PathBuf>,
    /// PEM files of what stands between roots and clients.
    pub intermediates: Vec<PathBuf>,
    /// Files of revocation lists, PEM or DER.
    pub crls: Vec<PathBuf>,
    /// Where revocation lists are fetched from.
    pub crl_urls: Vec<RemoteUrl>,
    /// Whether lists are also fetched from where the configured authorities say that theirs are.
    pub crl_distribution_points: bool,
    /// What is done about revocation.
    pub revocation: Revocation,
    /// Dotted policies of which one is needed; `None` leaves the check out.
    pub policies: Option<Vec<String>>,
    /// Dotted extended key usages of which one is needed where the extension is there.
    pub extended_key_usages: Vec<String>,
    /// Whether nine digits in serialNumber name an organization.
    pub organization_from_serial_number: bool,
}

/// What is done about revocation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Revocation {
    /// Unknown is refused.
    HardFail,
    /// Nothing is looked up.
    NotChecked,
    /// Unknown passes for so many hours after the last list ended.
    SoftFail {
        /// How many.
        hours: u32,
    },
}

/// Lists that one set fetches, at most: no authority has as many.
const CRL_URLS_MAX: usize = 32;

/// For how many hours an ended list counts when nothing is said, and the most that can be said: a day, and a month.
/// Beyond that nobody waits for an authority any more.
const SOFT_FAIL_HOURS: u32 = 24;
const SOFT_FAIL_HOURS_MAX: u32 = 31 * 24;

/// Client authentication, e-mail protection, smart-card logon, document signing (RFC 9336).
pub const EXTENDED_KEY_USAGES: [&str; 4] =
    ["1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4", "1.3.6.1.4.1.311.20.2.2", "1.3.6.1.5.5.7.3.36"];

impl TrustSet {
    pub(super) fn check(
        name: String,
        raw: RawTrust,
        folder: &Path,
        outbound: &Outbound,
    ) -> Result<Self, ConfigError> {
        let key = |key: &str| format!("trust.{name}.{key}");
        let files = |files: Vec<String>| files.iter().map(|file| folder.join(file)).collect();
        let anchors = required(&key("anchors"), raw.anchors)?;
        let policies = required(&key("policies"), raw.policies)?;
        if anchors.is_empty() {
            return Err(ConfigError::key(key("anchors"), "is empty, so it would trust nobody"));
        }
        if policies.is_empty() {
            let problem = "is empty, so it would accept nobody; [\"any\"] leaves the check out";
            return Err(ConfigError::key(key("policies"), problem));
        }
        let revocation = choose(
            &key("revocation"),
            raw.revocation.as_deref().unwrap_or("hard_fail"),
            &[
                ("hard_fail", Revocation::HardFail),
                ("soft_fail", Revocation::SoftFail { hours: SOFT_FAIL_HOURS }),
                ("not_checked", Revocation::NotChecked),
            ],
        )?;
        let revocation = with_hours(&key("soft_fail_hours"), revocation, raw.soft_fail_hours)?;
        let crl_urls = raw.crl_urls.unwrap_or_default();
        if crl_urls.len() > CRL_URLS_MAX {
            let problem = format!("has {} addresses; at most {CRL_URLS_MAX}", crl_urls.len());
            return Err(ConfigError::key(key("crl_urls"), problem));
        }
        let url = |url: &String| outbound.url(&key("crl_urls"), url, Clear::Anything);
        Ok(Self {
            anchors: files(anchors),
            intermediates: files(raw.intermediates.unwrap_or_default()),
            crls: files(raw.crls.unwrap_or_default()),
            crl_urls: crl_urls.iter().map(url).collect::<Result<_, _>>()?,
            crl_distribution_points: raw.crl_distribution_points.unwrap_or(true),
            revocation,
            policies: (policies != ["any"]).then_some(policies),
            extended_key_usages: raw
                .extended_key_usages
                .unwrap_or_else(|| EXTENDED_KEY_USAGES.map(str::to_owned).to_vec()),
            organization_from_serial_number: raw.organization_from_serial_number.unwrap_or(false),
            name,
        })
    }
}

/// Puts the hours into the policy that has some.
fn with_hours(
    key: &str,
    revocation: Revocation,
    hours: Option<u32>,
) -> Result<Revocation, ConfigError> {
    match (revocation, hours) {
        (revocation, None) => Ok(revocation),
        (Revocation::SoftFail { .. }, Some(hours @ 1..=SOFT_FAIL_HOURS_MAX)) => {
            Ok(Revocation::SoftFail { hours })
        }
        (Revocation::SoftFail { .. }, Some(hours)) => {
            let problem = format!("{hours} is not in 1 to {SOFT_FAIL_HOURS_MAX}");
            Err(ConfigError::key(key, problem))
        }
        (_, Some(_)) => Err(ConfigError::key(key, "is set, but revocation is not \"soft_fail\"")),
    }
}
