//! On-behalf-of objects of clients: kept and returned, and of no use to machines.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::domain::record::Recorded;
use crate::domain::registration::{OnBehalfOf, OnBehalfOfId};
use crate::http::admin::body::{JsonBody, PathOf, Reply};
use crate::http::admin::caller::Caller;
use crate::http::admin::compatible::error::{BodyErrors, ChangeErrors, ThingErrors};
use crate::http::admin::compatible::{said, time};
use crate::http::admin::error::ApiError;
use crate::http::admin::value::{read, read_client_id};
use crate::registry::RegistryError;

/// A customer of a log-in client.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = compatible::ClientOnBehalfOf)]
pub(super) struct OnBehalfOfReply {
    onbehalfof: String,
    name: String,
    orgno: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logo_uri: Option<String>,
    created: String,
    last_updated: String,
}

impl From<Recorded<OnBehalfOf>> for OnBehalfOfReply {
    fn from(found: Recorded<OnBehalfOf>) -> Self {
        let object = found.value;
        Self {
            onbehalfof: object.id.to_string(),
            name: object.name,
            orgno: object.organization.to_string(),
            description: object.description,
            uri: object.uri,
            logo_uri: object.logo_uri,
            created: time(found.created_at),
            last_updated: time(found.updated_at),
        }
    }
}

/// A customer of a log-in client, to be added or changed.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = compatible::ClientOnBehalfOfRequest)]
struct OnBehalfOfBody {
    /// Its identifier within the client; in a change that of the address.
    onbehalfof: Option<String>,
    name: Option<String>,
    #[schema(format = "organization-number")]
    orgno: Option<String>,
    description: Option<String>,
    uri: Option<String>,
    logo_uri: Option<String>,
}

impl OnBehalfOfBody {
    fn into_object(self, id: OnBehalfOfId) -> Result<OnBehalfOf, ApiError> {
        Ok(OnBehalfOf {
            id,
            name: self.name.unwrap_or_default(),
            organization: read("orgno", &self.orgno.unwrap_or_default())?,
            description: said(self.description),
            uri: said(self.uri),
            logo_uri: said(self.logo_uri),
        })
    }
}

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(show, replace, remove))
}

/// The on-behalf-of objects of a client.
#[utoipa::path(
    get,
    path = "/clients/{client_id}/onbehalfof",
    operation_id = "digdir_on_behalf_of_list",
    tag = "Digdir: on-behalf-of",
    params(("client_id" = String, Path)),
    security(("bearer" = ["idporten:dcr.read"])),
    responses((status = 200, body = [OnBehalfOfReply]), ThingErrors)
)]
async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    PathOf(client): PathOf<String>,
) -> Result<Reply<Vec<OnBehalfOfReply>>, ApiError> {
    let found = app.registry.on_behalf_of(&actor, &read_client_id(&client)?).await?;
    Ok(Reply(StatusCode::OK, found.into_iter().map(OnBehalfOfReply::from).collect()))
}

/// Adds an on-behalf-of object.
#[utoipa::path(
    post,
    path = "/clients/{client_id}/onbehalfof",
    operation_id = "digdir_on_behalf_of_add",
    tag = "Digdir: on-behalf-of",
    params(("client_id" = String, Path)),
    request_body = OnBehalfOfBody,
    security(("bearer" = ["idporten:dcr/onbehalfof.write"])),
    responses((status = 201, body = OnBehalfOfReply), BodyErrors)
)]
async fn add(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    PathOf(client): PathOf<String>,
    JsonBody(body): JsonBody<OnBehalfOfBody>,
) -> Result<Reply<OnBehalfOfReply>, ApiError> {
    let client = read_client_id(&client)?;
    let id = read("onbehalfof", body.onbehalfof.as_deref().unwrap_or_default())?;
    let object = body.into_object(id)?;
    let added = app.registry.add_on_behalf_of(&actor, &client, object).await?;
    Ok(Reply(StatusCode::CREATED, added.into()))
}

/// An on-behalf-of object.
#[utoipa::path(
    get,
    path = "/clients/{client_id}/onbehalfof/{onbehalfof}",
    operation_id = "digdir_on_behalf_of_show",
    tag = "Digdir: on-behalf-of",
    params(("client_id" = String, Path), ("onbehalfof" = String, Path)),
    security(("bearer" = ["idporten:dcr.read"])),
    responses((status = 200, body = OnBehalfOfReply), ThingErrors)
)]
async fn show(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    PathOf((client, id)): PathOf<(String, String)>,
) -> Result<Reply<OnBehalfOfReply>, ApiError> {
    let (client, id) = (read_client_id(&client)?, read_id(&id)?);
    let found = app.registry.on_behalf_of_one(&actor, &client, &id).await?;
    Ok(Reply(StatusCode::OK, found.into()))
}

/// Puts an on-behalf-of object in the place of the one of that id.
#[utoipa::path(
    put,
    path = "/clients/{client_id}/onbehalfof/{onbehalfof}",
    operation_id = "digdir_on_behalf_of_replace",
    tag = "Digdir: on-behalf-of",
    params(("client_id" = String, Path), ("onbehalfof" = String, Path)),
    request_body = OnBehalfOfBody,
    security(("bearer" = ["idporten:dcr/onbehalfof.write"])),
    responses((status = 200, body = OnBehalfOfReply), BodyErrors)
)]
async fn replace(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    PathOf((client, id)): PathOf<(String, String)>,
    JsonBody(body): JsonBody<OnBehalfOfBody>,
) -> Result<Reply<OnBehalfOfReply>, ApiError> {
    let (client, id) = (read_client_id(&client)?, read_id(&id)?);
    if body.onbehalfof.as_deref().is_some_and(|said| said != id.as_str()) {
        let problem = "it must be the one in the address; it never changes";
        return Err(ApiError::parameter("onbehalfof", problem));
    }
    let object = body.into_object(id)?;
    let changed = app.registry.change_on_behalf_of(&actor, &client, object).await?;
    Ok(Reply(StatusCode::OK, changed.into()))
}

/// Takes an on-behalf-of object away.
#[utoipa::path(
    delete,
    path = "/clients/{client_id}/onbehalfof/{onbehalfof}",
    operation_id = "digdir_on_behalf_of_remove",
    tag = "Digdir: on-behalf-of",
    params(("client_id" = String, Path), ("onbehalfof" = String, Path)),
    security(("bearer" = ["idporten:dcr/onbehalfof.write"])),
    responses((status = 200, body = OnBehalfOfReply), ChangeErrors)
)]
async fn remove(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    PathOf((client, id)): PathOf<(String, String)>,
) -> Result<Reply<OnBehalfOfReply>, ApiError> {
    let (client, id) = (read_client_id(&client)?, read_id(&id)?);
    let before = app.registry.on_behalf_of_one(&actor, &client, &id).await?;
    app.registry.remove_on_behalf_of(&actor, &client, &id).await?;
    Ok(Reply(StatusCode::OK, before.into()))
}

/// The id in an address. What cannot be one is none that is there.
fn read_id(text: &str) -> Result<OnBehalfOfId, ApiError> {
    text.parse().map_err(|_| RegistryError::Absent { noun: "on-behalf-of object" }.into())
}
