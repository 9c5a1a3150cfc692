//! One trust set: which files hold its certificates, and by which rules it judges.

use std::path::{Path, PathBuf};

use crate::config::ocsp::check_responders;
use crate::config::outbound::{Clear, Outbound};
use crate::config::raw::RawTrust;
use crate::config::trust_profile::{EXTENDED_KEY_USAGES, OrganizationAttribute, TrustProfile};
use crate::config::{ConfigError, choose, required};
use crate::domain::remote_url::RemoteUrl;
use crate::domain::trust::{OcspRule, TrustEnvironment};

/// A named set of certificate authorities.
#[derive(Clone, Debug)]
pub struct TrustSet {
    /// The name its operator gave it.
    pub name: String,
    /// What its certificates are for.
    pub environment: TrustEnvironment,
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
    /// What responders are asked.
    pub ocsp: OcspRule,
    /// Where the responders are that may be asked.
    pub ocsp_responders: Vec<RemoteUrl>,
    /// Dotted policies of which one is needed; `None` leaves the check out.
    pub policies: Option<Vec<String>>,
    /// Dotted extended key usages of which one is needed where the extension is there.
    pub extended_key_usages: Vec<String>,
    /// How certificates name their organization.
    pub organization: OrganizationAttribute,
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
        if anchors.is_empty() {
            return Err(ConfigError::key(key("anchors"), "is empty, so it would trust nobody"));
        }
        let environment = choose(
            &key("environment"),
            raw.environment.as_deref().unwrap_or(TrustEnvironment::Production.name()),
            &TrustEnvironment::ALL.iter().map(|it| (it.name(), *it)).collect::<Vec<_>>(),
        )?;
        let profile = raw.profile.as_deref().map(|profile| {
            let known: Vec<_> = TrustProfile::ALL.iter().map(|it| (it.name(), *it)).collect();
            choose(&key("profile"), profile, &known)
        });
        let profile = profile.transpose()?;
        let of_profile = profile.map(|profile| profile.policies(environment));
        let policies = required(&key("policies"), raw.policies.or(of_profile))?;
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
        let (ocsp, ocsp_responders) = check_responders(
            &format!("trust.{name}"),
            raw.ocsp.as_deref(),
            &raw.ocsp_responders.unwrap_or_default(),
            revocation,
            outbound,
        )?;
        let crl_urls = raw.crl_urls.unwrap_or_default();
        if crl_urls.len() > CRL_URLS_MAX {
            let problem = format!("has {} addresses; at most {CRL_URLS_MAX}", crl_urls.len());
            return Err(ConfigError::key(key("crl_urls"), problem));
        }
        let url = |url: &String| outbound.url(&key("crl_urls"), url, Clear::Anything);
        let of_profile =
            profile.map_or(OrganizationAttribute::Norwegian, TrustProfile::organization);
        let organization = match (of_profile, raw.organization_from_serial_number) {
            (known, None) => known,
            (OrganizationAttribute::AnyCountry, Some(_)) => {
                let problem = "is for Norwegian certificates, and the profile is for others";
                return Err(ConfigError::key(key("organization_from_serial_number"), problem));
            }
            (_, Some(true)) => OrganizationAttribute::NorwegianOrSerialNumber,
            (_, Some(false)) => OrganizationAttribute::Norwegian,
        };
        Ok(Self {
            environment,
            anchors: files(anchors),
            intermediates: files(raw.intermediates.unwrap_or_default()),
            crls: files(raw.crls.unwrap_or_default()),
            crl_urls: crl_urls.iter().map(url).collect::<Result<_, _>>()?,
            crl_distribution_points: raw.crl_distribution_points.unwrap_or(true),
            revocation,
            ocsp,
            ocsp_responders,
            policies: (policies != ["any"]).then_some(policies),
            extended_key_usages: raw
                .extended_key_usages
                .unwrap_or_else(|| EXTENDED_KEY_USAGES.map(str::to_owned).to_vec()),
            organization,
            name,
        })
    }

    /// Holds that certificates for real and for tests do not count on one server. European authorities issue none for
    /// tests, so a server whose Norwegian certificates are for tests may accept European ones of production.
    pub(super) fn check_environments(sets: &[Self]) -> Result<(), ConfigError> {
        let is_european = |set: &Self| set.organization == OrganizationAttribute::AnyCountry;
        let tests = || sets.iter().filter(|set| set.environment == TrustEnvironment::Test);
        let clash =
            |production: &&Self| tests().find(|test| !is_european(production) || is_european(test));
        let mut real = sets.iter().filter(|it| it.environment == TrustEnvironment::Production);
        let found = real.find_map(|production| Some((production, clash(&production)?)));
        let Some((production, test)) = found else { return Ok(()) };
        let problem = format!(
            "is test, and that of trust.{} is production: certificates for tests and for real must not count on \
             one server",
            production.name
        );
        Err(ConfigError::key(format!("trust.{}.environment", test.name), problem))
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
