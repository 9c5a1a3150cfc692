//! Presets of rules for enterprise certificates of one kind. They name no authority: whose certificates count, the
//! operator says with files.

use crate::domain::names::names;
use crate::domain::trust::TrustEnvironment;

/// A kind of enterprise certificates, from which a trust set takes the rules that it does not set itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TrustProfile {
    /// Certificates for electronic seals of any European country (ETSI EN 319 412-3).
    EuropeanSeal,
    /// Norwegian enterprise certificates of the current profile (SEID 2).
    Norwegian,
    /// The same, and those of the profile before (SEID 1), the last of which ended in 2025.
    NorwegianSeid1,
}

names!(TrustProfile {
    EuropeanSeal = "european-seal",
    Norwegian = "norwegian",
    NorwegianSeid1 = "norwegian-seid1",
});

/// How a certificate names its organization.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OrganizationAttribute {
    /// By an organizationIdentifier of any country.
    AnyCountry,
    /// By an organizationIdentifier of the Norwegian register.
    Norwegian,
    /// The same, or nine digits in serialNumber where that is missing.
    NorwegianOrSerialNumber,
}

/// Client authentication, e-mail protection, smart-card logon, document signing (RFC 9336).
pub const EXTENDED_KEY_USAGES: [&str; 4] =
    ["1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4", "1.3.6.1.4.1.311.20.2.2", "1.3.6.1.5.5.7.3.36"];

/// Buypass, and Commfides Legal Person G3: SEID 2.
const NORWEGIAN: [&str; 7] = [
    "2.16.578.1.26.1.3.2",
    "2.16.578.1.26.1.3.5",
    "2.16.578.1.29.13.200",
    "2.16.578.1.29.13.200.*",
    "2.16.578.1.29.13.210",
    "2.16.578.1.29.13.210.*",
    "2.16.578.1.29.13.220.*",
];
/// Commfides Enterprise Class 3: SEID 1. Those of Buypass have the policies above.
const NORWEGIAN_SEID1: [&str; 2] = ["2.16.578.1.29.13.1", "2.16.578.1.29.13.1.1.0"];
/// The test authorities of both, and Digdir's own policy for tests.
const NORWEGIAN_TEST: [&str; 7] = [
    "2.16.578.1.26.1.3.2",
    "2.16.578.1.26.1.3.5",
    "2.16.578.1.26.1.0.3.2",
    "2.16.578.1.29.913.200.*",
    "2.16.578.1.29.913.210.*",
    "2.16.578.1.29.913.220.*",
    "2.16.578.1.1.1.1.100",
];
const NORWEGIAN_SEID1_TEST: [&str; 2] = ["2.16.578.1.29.13.1.1.0", "2.16.578.1.29.913.1.1.0"];
/// QCP-l and QCP-l-qscd (ETSI EN 319 411-2 section 5.3), NCP and NCP+ (ETSI EN 319 411-1 section 5.3).
const EUROPEAN_SEAL: [&str; 4] =
    ["0.4.0.194112.1.1", "0.4.0.194112.1.3", "0.4.0.2042.1.1", "0.4.0.2042.1.2"];

impl TrustProfile {
    /// The certificate policies of which a client's certificate must have one.
    pub fn policies(self, environment: TrustEnvironment) -> Vec<String> {
        let (current, before) = match environment {
            TrustEnvironment::Production => (&NORWEGIAN, &NORWEGIAN_SEID1),
            TrustEnvironment::Test => (&NORWEGIAN_TEST, &NORWEGIAN_SEID1_TEST),
        };
        let policies: Vec<&str> = match self {
            Self::EuropeanSeal => EUROPEAN_SEAL.to_vec(),
            Self::Norwegian => current.to_vec(),
            Self::NorwegianSeid1 => current.iter().chain(before).copied().collect(),
        };
        policies.into_iter().map(str::to_owned).collect()
    }

    /// How it names organizations.
    pub fn organization(self) -> OrganizationAttribute {
        match self {
            Self::EuropeanSeal => OrganizationAttribute::AnyCountry,
            Self::Norwegian => OrganizationAttribute::Norwegian,
            Self::NorwegianSeid1 => OrganizationAttribute::NorwegianOrSerialNumber,
        }
    }
}
