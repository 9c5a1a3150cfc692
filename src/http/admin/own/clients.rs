//! Clients of organizations, and the scopes on them.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::clock::Timestamp;
use crate::domain::client::{ClientStatus, TOKEN_LIFETIME_SECONDS};
use crate::domain::integration::IntegrationType;
use crate::domain::record::Recorded;
use crate::domain::registration::{ClientFile, ClientRegistration, ClientSummary};
use crate::domain::scope::ScopeName;
use crate::http::admin::body::{JsonBody, NoQuery, PathOf, QueryOf, Reply};
use crate::http::admin::caller::Caller;
use crate::http::admin::error::ApiError;
use crate::http::admin::own::etag::{IfMatch, IfMatchHeader, MayMatch, MayMatchHeader, Tagged};
use crate::http::admin::own::page::{PageQuery, PageReply, Pages, part, search};
use crate::http::admin::own::patch::given;
use crate::http::admin::own::problem::{
    ChangeErrors, DecideErrors, EndErrors, LookErrors, MakeErrors,
};
use crate::http::admin::value::{read, read_client_id};
use crate::registry::{ClientFilter, NewClient};

/// A client.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Client)]
struct ClientReply {
    client_id: String,
    /// The organization whose machines use it.
    #[schema(format = "organization-number", pattern = "^[0-9]{9}$")]
    organization: String,
    /// The organization that its tokens stand for, when that is not its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "organization-number", pattern = "^[0-9]{9}$", nullable = false)]
    customer: Option<String>,
    name: String,
    description: String,
    /// Whether it can get tokens.
    active: bool,
    integration_type: &'static str,
    /// Seconds that its tokens live, before any limit of a scope.
    access_token_lifetime: u32,
    /// The scopes that it may ask for.
    scopes: Vec<String>,
    /// How many keys are registered on it.
    keys: u32,
    /// When the first of them ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, nullable = false)]
    first_key_expires_at: Option<String>,
    /// When a token was last issued to it, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, nullable = false)]
    last_used_at: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
}

/// A client to be registered. The server makes its id.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewClient)]
#[serde(deny_unknown_fields)]
struct NewClientBody {
    /// What people call it.
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// What it is for.
    #[schema(max_length = 255)]
    description: Option<String>,
    /// The organization whose machines use it; that of the caller when nothing is said.
    #[schema(format = "organization-number", pattern = "^[0-9]{9}$", example = "991825827")]
    organization: Option<String>,
    /// The scopes that it may ask for: granted to the organization, open to all, or delegable.
    scopes: Option<Vec<String>>,
    /// Seconds that its tokens live; 120 when nothing is said.
    #[schema(minimum = 1)]
    access_token_lifetime: Option<u32>,
    /// `maskinporten` or `krr`.
    #[schema(example = "maskinporten")]
    integration_type: Option<String>,
    /// Its public keys, at most five, as JWK (RFC 7517).
    #[schema(max_items = 5)]
    keys: Option<Vec<serde_json::Map<String, serde_json::Value>>>,
}

/// What is to change of a client. What is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ClientEdit {
    #[serde(default, deserialize_with = "given")]
    #[schema(min_length = 1, max_length = 255, nullable = false)]
    name: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(max_length = 255, nullable = false)]
    description: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    active: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    #[schema(minimum = 1, nullable = false)]
    access_token_lifetime: Option<u32>,
    /// All of them; to put one on or take one off, see `/clients/{client_id}/scopes/{scope}`.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    scopes: Option<Vec<String>>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// Of this organization only; the operator may ask for any.
    #[param(format = "organization-number", pattern = "^[0-9]{9}$")]
    organization: Option<String>,
    /// With this scope only.
    scope: Option<String>,
    /// With this text in the id, name or description.
    q: Option<String>,
    /// Deactivated ones too.
    inactive: Option<bool>,
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    cursor: Option<String>,
}

impl ClientReply {
    fn new(
        found: &Recorded<ClientRegistration>,
        keys: u32,
        first_key_expires_at: Option<Timestamp>,
        last_used_at: Option<Timestamp>,
    ) -> Self {
        let time = |moment: Timestamp| moment.to_string();
        let client = &found.value.client;
        Self {
            client_id: client.id.to_string(),
            organization: client.organization.to_string(),
            customer: client.customer.map(|customer| customer.to_string()),
            name: client.name.clone(),
            description: found.value.description.clone(),
            active: client.status == ClientStatus::Active,
            integration_type: found.value.integration_type.name(),
            access_token_lifetime: client.token_lifetime_seconds,
            scopes: client.scopes.iter().map(ToString::to_string).collect(),
            keys,
            first_key_expires_at: first_key_expires_at.map(time),
            last_used_at: last_used_at.map(time),
            created_at: found.created_at.to_string(),
            updated_at: found.updated_at.to_string(),
        }
    }
}

impl From<&ClientSummary> for ClientReply {
    fn from(it: &ClientSummary) -> Self {
        Self::new(&it.registration, it.keys, it.first_key_expires_at, it.last_used_at)
    }
}

impl From<&ClientFile> for ClientReply {
    fn from(it: &ClientFile) -> Self {
        let first_end = it.keys.iter().map(|registered| registered.key.expires_at).min();
        let keys = u32::try_from(it.keys.len()).unwrap_or(u32::MAX);
        Self::new(&it.registration, keys, first_end, it.last_used_at)
    }
}

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, register))
        .routes(routes!(show, edit, deactivate))
        .routes(routes!(restore))
        .routes(routes!(put_scope, remove_scope))
}

/// Clients, by id.
#[utoipa::path(
    get,
    path = "/clients",
    operation_id = "clients_list",
    tag = "Clients",
    params(ListQuery),
    security(("bearer" = ["idporten:dcr.read"])),
    responses((status = 200, description = "A page of clients", body = PageReply<ClientReply>), LookErrors)
)]
async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    QueryOf(query): QueryOf<ListQuery>,
) -> Result<Reply<PageReply<ClientReply>>, ApiError> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let pages = Pages::new(&app, &actor, "clients", &page)?;
    let filter = ClientFilter {
        organization: query.organization.map(|it| read("organization", &it)).transpose()?,
        scope: query.scope.map(|it| read("scope", &it)).transpose()?,
        inactive: query.inactive.unwrap_or(false),
        text: search(query.q)?,
        after: pages.after(&page)?.map(|parts| part(&parts, 0)).transpose()?,
        ..ClientFilter::default()
    };
    let found = app.registry.clients(&actor, filter, pages.limit).await?;
    let key = |found: &ClientSummary| vec![found.registration.value.client.id.to_string()];
    Ok(Reply(StatusCode::OK, pages.reply(found, key, |found| ClientReply::from(&found))))
}

/// Registers a client with its scopes and keys.
#[utoipa::path(
    post,
    path = "/clients",
    operation_id = "clients_create",
    tag = "Clients",
    params(),
    request_body = NewClientBody,
    security(("bearer" = ["idporten:dcr.write"])),
    responses(
        (status = 201, description = "The client", body = ClientReply, headers(("ETag" = String))),
        MakeErrors,
    )
)]
async fn register(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    JsonBody(new): JsonBody<NewClientBody>,
) -> Result<Tagged<ClientReply>, ApiError> {
    let organization = match &new.organization {
        Some(organization) => read("organization", organization)?,
        None => actor.own_organization()?,
    };
    let product = match new.integration_type.as_deref() {
        Some(name) => IntegrationType::from_name(name).ok_or_else(|| {
            ApiError::parameter("integration_type", "it must be maskinporten or krr")
        })?,
        None => IntegrationType::Maskinporten,
    };
    let keys = new.keys.unwrap_or_default();
    let client = NewClient {
        description: new.description.unwrap_or_default(),
        integration_type: product,
        token_lifetime_seconds: new.access_token_lifetime.unwrap_or(TOKEN_LIFETIME_SECONDS),
        scopes: scopes(&new.scopes.unwrap_or_default())?,
        jwks: keys.into_iter().map(|jwk| serde_json::Value::Object(jwk).to_string()).collect(),
        ..NewClient::new(organization, &new.name)
    };
    let file = app.registry.register_client(&actor, client).await?;
    Ok(answer(StatusCode::CREATED, &file))
}

/// A client.
#[utoipa::path(
    get,
    path = "/clients/{client_id}",
    operation_id = "clients_show",
    tag = "Clients",
    params(("client_id" = String, Path)),
    security(("bearer" = ["idporten:dcr.read"])),
    responses(
        (status = 200, description = "The client", body = ClientReply, headers(("ETag" = String))),
        LookErrors,
    )
)]
async fn show(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    PathOf(id): PathOf<String>,
) -> Result<Tagged<ClientReply>, ApiError> {
    Ok(answer(StatusCode::OK, &app.registry.client(&actor, &read_client_id(&id)?).await?))
}

/// Changes a client. Its id, organization and product stay what they are.
#[utoipa::path(
    patch,
    path = "/clients/{client_id}",
    operation_id = "clients_change",
    tag = "Clients",
    params(("client_id" = String, Path), IfMatchHeader),
    request_body = ClientEdit,
    security(("bearer" = ["idporten:dcr.write"])),
    responses(
        (status = 200, description = "The client", body = ClientReply, headers(("ETag" = String))),
        ChangeErrors,
    )
)]
async fn edit(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    IfMatch(expected): IfMatch,
    PathOf(id): PathOf<String>,
    JsonBody(edit): JsonBody<ClientEdit>,
) -> Result<Tagged<ClientReply>, ApiError> {
    let new_scopes = edit.scopes.as_deref().map(scopes).transpose()?;
    let change = |it: &mut ClientRegistration| {
        let client = &mut it.client;
        set(&mut client.name, edit.name);
        set(&mut it.description, edit.description);
        set(&mut client.token_lifetime_seconds, edit.access_token_lifetime);
        set(&mut client.scopes, new_scopes);
        set(&mut client.status, edit.active.map(ClientStatus::of));
        Ok(())
    };
    let file = app.registry.change_client(&actor, &read_client_id(&id)?, expected, change).await;
    Ok(answer(StatusCode::OK, &file?))
}

/// Deactivates a client: it gets no more tokens. It is kept, and can be restored.
#[utoipa::path(
    delete,
    path = "/clients/{client_id}",
    operation_id = "clients_deactivate",
    tag = "Clients",
    params(("client_id" = String, Path), IfMatchHeader),
    security(("bearer" = ["idporten:dcr.write"])),
    responses(
        (status = 200, description = "The client", body = ClientReply, headers(("ETag" = String))),
        EndErrors,
    )
)]
async fn deactivate(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    IfMatch(expected): IfMatch,
    PathOf(id): PathOf<String>,
) -> Result<Tagged<ClientReply>, ApiError> {
    let (id, status) = (read_client_id(&id)?, ClientStatus::Deactivated);
    let file = app.registry.set_client_status(&actor, &id, status, expected).await?;
    Ok(answer(StatusCode::OK, &file))
}

/// Restores a client that has been deactivated.
#[utoipa::path(
    post,
    path = "/clients/{client_id}/restore",
    operation_id = "clients_restore",
    tag = "Clients",
    params(("client_id" = String, Path)),
    security(("bearer" = ["idporten:dcr.write"])),
    responses(
        (status = 200, description = "The client", body = ClientReply, headers(("ETag" = String))),
        MakeErrors,
    )
)]
async fn restore(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    PathOf(id): PathOf<String>,
) -> Result<Tagged<ClientReply>, ApiError> {
    let (id, status) = (read_client_id(&id)?, ClientStatus::Active);
    let file = app.registry.set_client_status(&actor, &id, status, None).await?;
    Ok(answer(StatusCode::OK, &file))
}

/// Puts a scope on a client. Without If-Match, what others change meanwhile is kept.
#[utoipa::path(
    put,
    path = "/clients/{client_id}/scopes/{scope}",
    operation_id = "client_scopes_put",
    tag = "Clients",
    params(
        ("client_id" = String, Path),
        ("scope" = String, Path),
        MayMatchHeader,
    ),
    security(("bearer" = ["idporten:dcr.write"])),
    responses(
        (status = 200, description = "The client", body = ClientReply, headers(("ETag" = String))),
        DecideErrors,
    )
)]
async fn put_scope(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    expected: MayMatch,
    _: NoQuery,
    PathOf((id, scope)): PathOf<(String, String)>,
) -> Result<Tagged<ClientReply>, ApiError> {
    let (id, scope): (_, ScopeName) = (read_client_id(&id)?, read("scope", &scope)?);
    let file = app.registry.put_client_scope(&actor, &id, &scope, expected.version()).await?;
    Ok(answer(StatusCode::OK, &file))
}

/// Takes a scope off a client. Without If-Match, what others change meanwhile is kept.
#[utoipa::path(
    delete,
    path = "/clients/{client_id}/scopes/{scope}",
    operation_id = "client_scopes_remove",
    tag = "Clients",
    params(
        ("client_id" = String, Path),
        ("scope" = String, Path),
        MayMatchHeader,
    ),
    security(("bearer" = ["idporten:dcr.write"])),
    responses(
        (status = 200, description = "The client", body = ClientReply, headers(("ETag" = String))),
        DecideErrors,
    )
)]
async fn remove_scope(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    expected: MayMatch,
    _: NoQuery,
    PathOf((id, scope)): PathOf<(String, String)>,
) -> Result<Tagged<ClientReply>, ApiError> {
    let (id, scope): (_, ScopeName) = (read_client_id(&id)?, read("scope", &scope)?);
    let file = app.registry.remove_client_scope(&actor, &id, &scope, expected.version()).await?;
    Ok(answer(StatusCode::OK, &file))
}

fn answer(status: StatusCode, file: &ClientFile) -> Tagged<ClientReply> {
    Tagged(status, file.registration.version, ClientReply::from(file))
}

fn scopes(names: &[String]) -> Result<Vec<ScopeName>, ApiError> {
    names.iter().map(|name| read("scopes", name)).collect()
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}
