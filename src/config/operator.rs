//! Who runs the server.

use std::path::{Path, PathBuf};

use crate::config::error::ConfigError;
use crate::config::raw::RawOperator;
use crate::config::required;
use crate::domain::client::ClientId;
use crate::domain::organization::OrganizationNumber;

/// Who runs the server, and with which client they use the admin API for the first time.
#[derive(Clone, Debug)]
pub struct Operator {
    /// The operator's organization.
    pub organization: OrganizationNumber,
    /// Its name.
    pub name: String,
    /// The client's id, and the file with its public key as a JWK.
    pub client: Option<(ClientId, PathBuf)>,
}

impl Operator {
    /// The operator, if the configuration names one.
    pub(super) fn check(raw: RawOperator, folder: &Path) -> Result<Option<Self>, ConfigError> {
        let RawOperator { organization_number, organization_name, client_id, client_jwk_file } =
            raw;
        if organization_number.is_none()
            && (organization_name.is_some() || client_id.is_some() || client_jwk_file.is_some())
        {
            return Err(ConfigError::Missing { key: "operator.organization_number".to_owned() });
        }
        let Some(number) = organization_number else { return Ok(None) };
        let organization = number.parse().map_err(|error| {
            ConfigError::key("operator.organization_number", format!("{number:?}: {error}"))
        })?;
        let client = match (client_id, client_jwk_file) {
            (None, None) => None,
            (Some(id), Some(file)) => {
                let read = id.parse().map_err(|error| {
                    ConfigError::key("operator.client_id", format!("{id:?}: {error}"))
                });
                Some((read?, folder.join(file)))
            }
            (None, Some(_)) => {
                return Err(ConfigError::Missing { key: "operator.client_id".to_owned() });
            }
            (Some(_), None) => {
                return Err(ConfigError::Missing { key: "operator.client_jwk_file".to_owned() });
            }
        };
        let name = required("operator.organization_name", organization_name)?;
        Ok(Some(Self { organization, name, client }))
    }
}
