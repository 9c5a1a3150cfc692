//! One trust set: which files hold its certificates, and by which rules it judges.

use std::path::{Path, PathBuf};

use crate::config::raw::RawTrust;
use crate::config::trust_profile::{EXTENDED_KEY_USAGES, OrganizationAttribute, TrustProfile};
use crate::config::{ConfigError, choose, required};
use crate::domain::trust::TrustEnvironment;

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
    /// What is done about revocation.
    pub revocation: Revocation,
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
    /// Unknown passes.
    SoftFail,
}

impl TrustSet {
    pub(super) fn check(name: String, raw: RawTrust, folder: &Path) -> Result<Self, ConfigError> {
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
                ("soft_fail", Revocation::SoftFail),
                ("not_checked", Revocation::NotChecked),
            ],
        )?;
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
            revocation,
            policies: (policies != ["any"]).then_some(policies),
            extended_key_usages: raw
                .extended_key_usages
                .unwrap_or_else(|| EXTENDED_KEY_USAGES.map(str::to_owned).to_vec()),
            organization,
            name,
        })
    }

    /// Holds that Norwegian certificates for real and for tests do not count on one server. European ones are their own
    /// matter: there are none for tests, so a test server may accept those of production beside its own.
    pub(super) fn check_environments(sets: &[Self]) -> Result<(), ConfigError> {
        let norwegian = |environment| {
            sets.iter().find(|set| {
                set.environment == environment
                    && set.organization != OrganizationAttribute::AnyCountry
            })
        };
        let found = (norwegian(TrustEnvironment::Production), norwegian(TrustEnvironment::Test));
        let (Some(production), Some(test)) = found else { return Ok(()) };
        let problem = format!(
            "is test, and that of trust.{} is production: certificates for tests and for real must not count on \
             one server",
            production.name
        );
        Err(ConfigError::key(format!("trust.{}.environment", test.name), problem))
    }
}
