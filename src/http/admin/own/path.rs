//! The variable parts of addresses, as they are described and read.

use serde::Deserialize;
use utoipa::IntoParams;

use crate::domain::organization::OrganizationNumber;
use crate::domain::scope::ScopeName;
use crate::http::admin::error::ApiError;
use crate::http::admin::value::read;

#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct OrganizationPath {
    /// The number of the organization.
    #[param(format = "organization-number", pattern = "^[0-9]{9}$", example = "991825827")]
    organization: String,
}

#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct EmailDomainPath {
    /// The number of the organization.
    #[param(format = "organization-number", pattern = "^[0-9]{9}$", example = "991825827")]
    pub(super) organization: String,
    /// The part of e-mail addresses after `@`.
    #[param(max_length = 253, example = "example.no")]
    pub(super) domain: String,
}

#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct PrefixPath {
    #[param(pattern = "^[a-z0-9][a-z0-9-]{0,30}[a-z0-9]$", example = "nav")]
    pub(super) prefix: String,
}

#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct SigningKeyPath {
    /// The id of one of our own signing keys: its RFC 7638 thumbprint.
    #[param(max_length = 43, example = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")]
    pub(super) kid: String,
}

#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct ScopePath {
    /// The name of the scope, percent-encoded: `/` is `%2F`.
    #[param(
        pattern = "^[a-z0-9][a-z0-9_.-]*:[A-Za-z0-9][A-Za-z0-9_./:-]*$",
        max_length = 255,
        example = "nav:arbeid.read"
    )]
    scope: String,
}

#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct AccessPath {
    /// The name of the scope, percent-encoded: `/` is `%2F`.
    #[param(
        pattern = "^[a-z0-9][a-z0-9_.-]*:[A-Za-z0-9][A-Za-z0-9_./:-]*$",
        max_length = 255,
        example = "nav:arbeid.read"
    )]
    scope: String,
    /// The number of the organization that has the access.
    #[param(format = "organization-number", pattern = "^[0-9]{9}$", example = "991825827")]
    consumer: String,
}

impl OrganizationPath {
    pub(super) fn number(&self) -> Result<OrganizationNumber, ApiError> {
        read("organization", &self.organization)
    }
}

impl ScopePath {
    pub(super) fn name(&self) -> Result<ScopeName, ApiError> {
        read("scope", &self.scope)
    }
}

impl AccessPath {
    /// The scope, and who has the access.
    pub(super) fn key(&self) -> Result<(ScopeName, OrganizationNumber), ApiError> {
        Ok((read("scope", &self.scope)?, read("consumer", &self.consumer)?))
    }
}
