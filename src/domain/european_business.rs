//! European businesses: organizations that are known by their certificate for electronic seals alone.

use serde::Serialize;

use crate::domain::client::ClientId;
use crate::domain::organization_identifier::OrganizationIdentifier;
use crate::domain::seal::SealKind;

/// A European business as its certificate names it. It is not registered here: what is said of it, the authority that
/// has issued the certificate vouches for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EuropeanBusiness {
    /// What tokens call its client, see [`ClientId::of_serial_number`].
    pub client_id: ClientId,
    /// Which certificate it is, among those of all authorities.
    pub certificate: CertificateId,
    /// Who it is, letter for letter as the certificate says.
    pub identifier: OrganizationIdentifier,
    /// What else the certificate says about it.
    pub names: BusinessNames,
    /// Whether the certificate is a qualified one.
    pub seal: SealKind,
}

/// Which certificate it is: a digest of its issuer and its serial number, which are together those of no other
/// certificate (RFC 5280 section 4.1.2.2).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CertificateId(pub [u8; 32]);

/// The names of an organization beside its identifier, as tokens write them; each is there if the subject has it once.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BusinessNames {
    /// What people usually call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub common_name: Option<String>,
    /// What it is called in its register.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization_name: Option<String>,
    /// The part of it that has the certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organizational_unit_name: Option<String>,
    /// Where it is, by the two letters of ISO 3166.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country_name: Option<String>,
}
