//! Clients.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::domain::client::ClientStatus;
use crate::domain::integration::IntegrationType;
use crate::domain::registration::{ClientFile, ClientRegistration};
use crate::http::admin::body::{JsonBody, PathOf, QueryOf, Reply};
use crate::http::admin::caller::Caller;
use crate::http::admin::compatible::LIST_MAX;
use crate::http::admin::compatible::client_body::{ClientBody, ClientRead, ClientReply};
use crate::http::admin::compatible::client_keys::KeySet;
use crate::http::admin::compatible::error::{
    ApiErrorResponse, BodyErrors, ChangeErrors, ListErrors, ThingErrors,
};
use crate::http::admin::compatible::on_behalf_of::OnBehalfOfReply;
use crate::http::admin::error::ApiError;
use crate::http::admin::value::read_client_id;
use crate::registry::{Actor, ClientFilter, NewClient, RegistryError};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Deactivated ones too.
    inactive: Option<bool>,
}

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, replace, deactivate))
        .routes(routes!(make_secret))
}

/// The clients of the caller's organization, without their keys.
#[utoipa::path(
    get,
    path = "/clients",
    operation_id = "digdir_clients_list",
    tag = "Digdir: clients",
    params(ListQuery),
    security(("bearer" = ["idporten:dcr.read"])),
    responses((status = 200, body = [ClientReply]), ListErrors)
)]
async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    QueryOf(query): QueryOf<ListQuery>,
) -> Result<Reply<Vec<ClientReply>>, ApiError> {
    let filter = ClientFilter {
        organization: Some(actor.own_organization()?),
        inactive: query.inactive.unwrap_or(false),
        ..ClientFilter::default()
    };
    let page = app.registry.clients(&actor, filter, LIST_MAX).await?;
    let shown = page.items.into_iter().map(|found| ClientReply::from(found.registration));
    Ok(Reply(StatusCode::OK, shown.collect()))
}

/// Registers a client. The server makes its id.
#[utoipa::path(
    post,
    path = "/clients",
    operation_id = "digdir_clients_create",
    tag = "Digdir: clients",
    request_body = ClientBody,
    security(("bearer" = ["idporten:dcr.write"])),
    responses((status = 201, body = ClientReply), BodyErrors)
)]
async fn create(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    JsonBody(body): JsonBody<ClientBody>,
) -> Result<Reply<ClientReply>, ApiError> {
    let body = body.read()?;
    let new = NewClient {
        description: body.description,
        integration_type: body.integration_type.unwrap_or(IntegrationType::Maskinporten),
        token_lifetime_seconds: body.token_lifetime_seconds,
        scopes: body.scopes,
        status: body.status.unwrap_or(ClientStatus::Active),
        details: body.details,
        ..NewClient::for_party(&actor, body.orgno, &body.name)?
    };
    let made = app.registry.register_client(&actor, new).await?;
    Ok(Reply(StatusCode::CREATED, reply(&app, &actor, made).await?))
}

/// A client of the caller's organization.
#[utoipa::path(
    get,
    path = "/clients/{client_id}",
    operation_id = "digdir_clients_show",
    tag = "Digdir: clients",
    params(("client_id" = String, Path)),
    security(("bearer" = ["idporten:dcr.read"])),
    responses((status = 200, body = ClientReply), ThingErrors)
)]
async fn show(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    PathOf(id): PathOf<String>,
) -> Result<Reply<ClientReply>, ApiError> {
    let found = app.registry.client(&actor, &read_client_id(&id)?).await?;
    Ok(Reply(StatusCode::OK, reply(&app, &actor, found).await?))
}

/// Puts a description of a client in the place of the one it has. With `active: true` it also restores the client.
#[utoipa::path(
    put,
    path = "/clients/{client_id}",
    operation_id = "digdir_clients_replace",
    tag = "Digdir: clients",
    params(("client_id" = String, Path)),
    request_body = ClientBody,
    security(("bearer" = ["idporten:dcr.write"])),
    responses((status = 200, body = ClientReply), BodyErrors)
)]
async fn replace(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    PathOf(id): PathOf<String>,
    JsonBody(body): JsonBody<ClientBody>,
) -> Result<Reply<ClientReply>, ApiError> {
    let id = read_client_id(&id)?;
    let body = body.read()?;
    let edit = |registration: &mut ClientRegistration| {
        check_unchanged(registration, &body)?;
        registration.description = body.description;
        registration.details = body.details;
        let client = &mut registration.client;
        client.name = body.name;
        client.scopes = body.scopes;
        client.token_lifetime_seconds = body.token_lifetime_seconds;
        client.status = body.status.unwrap_or(client.status);
        Ok(())
    };
    let changed = app.registry.change_client(&actor, &id, None, edit).await?;
    Ok(Reply(StatusCode::OK, reply(&app, &actor, changed).await?))
}

/// What a client is and for whom never changes, so who says it anew must say the same.
fn check_unchanged(known: &ClientRegistration, body: &ClientRead) -> Result<(), RegistryError> {
    let changed = |field, problem| Err(RegistryError::Invalid { field, problem });
    if body.integration_type.is_some_and(|product| product != known.integration_type) {
        let problem = format!("it is {} and never changes", known.integration_type.name());
        return changed("integration_type", problem);
    }
    let orgno = known.client.customer.unwrap_or(known.client.organization);
    if body.orgno.is_some_and(|said| said != orgno) {
        let problem = format!("it is {orgno} and never changes; register another client");
        return changed("client_orgno", problem);
    }
    Ok(())
}

/// Deactivates a client.
#[utoipa::path(
    delete,
    path = "/clients/{client_id}",
    operation_id = "digdir_clients_deactivate",
    tag = "Digdir: clients",
    params(("client_id" = String, Path)),
    security(("bearer" = ["idporten:dcr.write"])),
    responses((status = 200), ChangeErrors)
)]
async fn deactivate(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    PathOf(id): PathOf<String>,
) -> Result<StatusCode, ApiError> {
    let (id, status) = (read_client_id(&id)?, ClientStatus::Deactivated);
    app.registry.set_client_status(&actor, &id, status, None).await?;
    Ok(StatusCode::OK)
}

/// Answers that clients here have no secret.
#[utoipa::path(
    post,
    path = "/clients/{client_id}/secret",
    operation_id = "digdir_clients_make_secret",
    tag = "Digdir: clients",
    params(("client_id" = String, Path)),
    security(("bearer" = ["idporten:dcr.write"])),
    responses((status = 400, body = ApiErrorResponse), ThingErrors)
)]
async fn make_secret(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    PathOf(id): PathOf<String>,
) -> Result<StatusCode, ApiError> {
    Err(app.registry.refuse_secret(&actor, &read_client_id(&id)?).await.into())
}

/// A client with its keys and on-behalf-of objects.
async fn reply(app: &App, actor: &Actor, file: ClientFile) -> Result<ClientReply, ApiError> {
    let objects = app.registry.on_behalf_of(actor, &file.registration.value.client.id).await?;
    let keys = KeySet::of(&file);
    let mut reply = ClientReply::from(file.registration);
    reply.jwks = Some(keys);
    reply.onbehalfof = Some(objects.into_iter().map(OnBehalfOfReply::from).collect());
    Ok(reply)
}
