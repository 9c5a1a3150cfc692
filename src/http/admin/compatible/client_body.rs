//! A client as this API writes and reads it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::client::{ClientStatus, TOKEN_LIFETIME_SECONDS};
use crate::domain::integration::IntegrationType;
use crate::domain::organization::OrganizationNumber;
use crate::domain::record::Recorded;
use crate::domain::registration::{ClientDetails, ClientRegistration};
use crate::domain::scope::ScopeName;
use crate::http::admin::compatible::client_keys::KeySet;
use crate::http::admin::compatible::on_behalf_of::OnBehalfOfReply;
use crate::http::admin::compatible::{said, time};
use crate::http::admin::error::ApiError;
use crate::http::admin::value::{read, read_product};

/// What every client here is: a machine that signs its requests.
const APPLICATION_TYPE: &str = "web";
const AUTH_METHOD: &str = "private_key_jwt";
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// A client.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = compatible::ClientResponse)]
pub(super) struct ClientReply {
    client_id: String,
    client_name: String,
    description: String,
    client_orgno: String,
    /// The organization that uses it, when its tokens stand for another.
    #[serde(skip_serializing_if = "Option::is_none")]
    supplier_orgno: Option<String>,
    active: bool,
    integration_type: &'static str,
    application_type: &'static str,
    token_endpoint_auth_method: &'static str,
    grant_types: [&'static str; 1],
    scopes: Vec<String>,
    access_token_lifetime: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_lifetime: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token_lifetime: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token_usage: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code_challenge_method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logo_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect_uris: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    post_logout_redirect_uris: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frontchannel_logout_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frontchannel_logout_session_required: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sso_disabled: Option<bool>,
    /// Not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) jwks: Option<KeySet>,
    /// Not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) onbehalfof: Option<Vec<OnBehalfOfReply>>,
    created: String,
    last_updated: String,
}

impl From<Recorded<ClientRegistration>> for ClientReply {
    fn from(found: Recorded<ClientRegistration>) -> Self {
        let Recorded { value: it, created_at, updated_at, .. } = found;
        let (client, details) = (it.client, it.details);
        Self {
            client_id: client.id.to_string(),
            client_name: client.name,
            description: it.description,
            client_orgno: client.customer.unwrap_or(client.organization).to_string(),
            supplier_orgno: client.customer.map(|_| client.organization.to_string()),
            active: client.status == ClientStatus::Active,
            integration_type: it.integration_type.name(),
            application_type: APPLICATION_TYPE,
            token_endpoint_auth_method: AUTH_METHOD,
            grant_types: [GRANT_TYPE],
            scopes: client.scopes.iter().map(ScopeName::to_string).collect(),
            access_token_lifetime: client.token_lifetime_seconds,
            authorization_lifetime: details.authorization_lifetime,
            refresh_token_lifetime: details.refresh_token_lifetime,
            refresh_token_usage: details.refresh_token_usage,
            code_challenge_method: details.code_challenge_method,
            client_uri: details.client_uri,
            logo_uri: details.logo_uri,
            redirect_uris: details.redirect_uris,
            post_logout_redirect_uris: details.post_logout_redirect_uris,
            frontchannel_logout_uri: details.frontchannel_logout_uri,
            frontchannel_logout_session_required: details.frontchannel_logout_session_required,
            sso_disabled: details.sso_disabled,
            jwks: None,
            onbehalfof: None,
            created: time(created_at),
            last_updated: time(updated_at),
        }
    }
}

/// A client to be made, or what is to stand in the place of one.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = compatible::ClientRequest)]
pub(super) struct ClientBody {
    client_name: Option<String>,
    description: Option<String>,
    /// The organization that its tokens are to stand for; the caller's own if it is not said.
    client_orgno: Option<String>,
    /// A change that does not say it leaves it as it is.
    active: Option<bool>,
    /// `maskinporten`, which is also what it is when it is not said, or `krr`. It never changes.
    integration_type: Option<String>,
    /// `web`.
    application_type: Option<String>,
    /// `private_key_jwt`.
    token_endpoint_auth_method: Option<String>,
    /// `urn:ietf:params:oauth:grant-type:jwt-bearer` alone.
    grant_types: Option<Vec<String>>,
    scopes: Option<Vec<String>>,
    /// Seconds; 120 if it is not said.
    access_token_lifetime: Option<u32>,
    authorization_lifetime: Option<u32>,
    refresh_token_lifetime: Option<u32>,
    refresh_token_usage: Option<String>,
    code_challenge_method: Option<String>,
    client_uri: Option<String>,
    logo_uri: Option<String>,
    redirect_uris: Option<Vec<String>>,
    post_logout_redirect_uris: Option<Vec<String>>,
    frontchannel_logout_uri: Option<String>,
    frontchannel_logout_session_required: Option<bool>,
    sso_disabled: Option<bool>,
    /// Refused: this server fetches no keys.
    jwks_uri: Option<String>,
}

/// A [`ClientBody`] that has been read.
pub(super) struct ClientRead {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) orgno: Option<OrganizationNumber>,
    pub(super) status: Option<ClientStatus>,
    pub(super) integration_type: Option<IntegrationType>,
    pub(super) scopes: Vec<ScopeName>,
    pub(super) token_lifetime_seconds: u32,
    pub(super) details: ClientDetails,
}

impl ClientBody {
    /// Reads every member, and refuses what a client of a machine cannot be.
    pub(super) fn read(self) -> Result<ClientRead, ApiError> {
        only("application_type", said(self.application_type), APPLICATION_TYPE)?;
        only("token_endpoint_auth_method", said(self.token_endpoint_auth_method), AUTH_METHOD)?;
        for grant_type in self.grant_types.unwrap_or_default() {
            only("grant_types", Some(grant_type), GRANT_TYPE)?;
        }
        if said(self.jwks_uri).is_some() {
            let problem = "this server fetches no keys; register them at /clients/{client_id}/jwks";
            return Err(ApiError::parameter("jwks_uri", problem));
        }
        let status = |active| if active { ClientStatus::Active } else { ClientStatus::Deactivated };
        let product = said(self.integration_type);
        let scopes = self.scopes.unwrap_or_default();
        let lifetime = self.access_token_lifetime.filter(|seconds| *seconds > 0);
        Ok(ClientRead {
            name: self.client_name.unwrap_or_default(),
            description: self.description.unwrap_or_default(),
            orgno: said(self.client_orgno).map(|it| read("client_orgno", &it)).transpose()?,
            status: self.active.map(status),
            integration_type: product
                .map(|word| read_product("integration_type", &word))
                .transpose()?,
            scopes: scopes.iter().map(|name| read("scopes", name)).collect::<Result<_, _>>()?,
            token_lifetime_seconds: lifetime.unwrap_or(TOKEN_LIFETIME_SECONDS),
            details: ClientDetails {
                authorization_lifetime: self.authorization_lifetime,
                refresh_token_lifetime: self.refresh_token_lifetime,
                refresh_token_usage: said(self.refresh_token_usage),
                code_challenge_method: said(self.code_challenge_method),
                client_uri: said(self.client_uri),
                logo_uri: said(self.logo_uri),
                redirect_uris: self.redirect_uris,
                post_logout_redirect_uris: self.post_logout_redirect_uris,
                frontchannel_logout_uri: said(self.frontchannel_logout_uri),
                frontchannel_logout_session_required: self.frontchannel_logout_session_required,
                sso_disabled: self.sso_disabled,
            },
        })
    }
}

fn only(name: &'static str, value: Option<String>, possible: &str) -> Result<(), ApiError> {
    if value.is_none_or(|value| value == possible) {
        return Ok(());
    }
    Err(ApiError::parameter(name, format!("clients here are machines, and have {possible}")))
}
