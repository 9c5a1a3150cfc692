//! One trust set: which files hold its certificates, and by which rules it judges.

use std::path::{Path, PathBuf};

use crate::config::raw::RawTrust;
use crate::config::{ConfigError, choose, required};

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
    /// Unknown passes.
    SoftFail,
}

/// Client authentication, e-mail protection, smart-card logon, document signing (RFC 9336).
pub const EXTENDED_KEY_USAGES: [&str; 4] =
    ["1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4", "1.3.6.1.4.1.311.20.2.2", "1.3.6.1.5.5.7.3.36"];

impl TrustSet {
    pub(super) fn check(name: String, raw: RawTrust, folder: &Path) -> Result<Self, ConfigError> {
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
                ("soft_fail", Revocation::SoftFail),
                ("not_checked", Revocation::NotChecked),
            ],
        )?;
        Ok(Self {
            anchors: files(anchors),
            intermediates: files(raw.intermediates.unwrap_or_default()),
            crls: files(raw.crls.unwrap_or_default()),
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
