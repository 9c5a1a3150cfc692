//! The products that clients and scopes are for, as Digdir's self-service names them.

use crate::domain::names::names;

/// A product (`integration_type`). This server serves [`IntegrationType::Maskinporten`] and
/// [`IntegrationType::Krr`]; scopes may name the others.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum IntegrationType {
    /// Log-in of employees.
    Ansattporten,
    /// Clients of APIs on behalf of persons.
    ApiKlient,
    /// Message exchange.
    EFormidling,
    /// Log-in of persons.
    IdPorten,
    /// The same by SAML.
    IdPortenSaml2,
    /// The register of contact information: machines, with scopes that are fixed.
    Krr,
    /// Machines.
    Maskinporten,
}

names!(IntegrationType {
    Ansattporten = "ansattporten",
    ApiKlient = "api_klient",
    EFormidling = "eformidling",
    IdPorten = "idporten",
    IdPortenSaml2 = "idporten_saml2",
    Krr = "krr",
    Maskinporten = "maskinporten",
});

impl IntegrationType {
    /// Whether its clients are machines, which is what this server has.
    pub fn is_machine(self) -> bool {
        matches!(self, Self::Krr | Self::Maskinporten)
    }
}
