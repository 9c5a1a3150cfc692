//! The keys of clients.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::domain::client::KeyId;
use crate::domain::registration::{ClientFile, RegisteredKey};
use crate::http::admin::body::{JsonBody, PathOf, Reply, TextBody};
use crate::http::admin::caller::Caller;
use crate::http::admin::compatible::error::{BodyErrors, ChangeErrors, ThingErrors};
use crate::http::admin::compatible::time;
use crate::http::admin::error::ApiError;
use crate::http::admin::value::{read_client_id, read_key_id};
use crate::registry::RegistryError;

/// A public key (RFC 7517).
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[schema(as = compatible::JsonWebKey)]
#[serde(default)]
pub(super) struct JsonWebKey {
    kid: String,
    alg: String,
    kty: String,
    #[serde(rename = "use")]
    usage: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crv: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<String>,
    /// The certificates that the key is locked to.
    #[serde(skip_serializing_if = "Option::is_none")]
    x5c: Option<Vec<String>>,
    /// When it ends: seconds since 1970.
    exp: i64,
    created: String,
    last_updated: String,
}

impl JsonWebKey {
    fn new(registered: &RegisteredKey) -> Self {
        let document = serde_json::from_str(&registered.key.jwk).unwrap_or_default();
        Self {
            exp: registered.key.expires_at.seconds(),
            created: time(registered.created_at),
            last_updated: time(registered.updated_at),
            ..document
        }
    }
}

/// The keys of a client.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = compatible::JsonWebKeySet)]
pub(super) struct KeySet {
    keys: Vec<JsonWebKey>,
    /// When the oldest of them was registered; not there without keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_updated: Option<String>,
}

impl KeySet {
    pub(super) fn of(file: &ClientFile) -> Self {
        Self {
            keys: file.keys.iter().map(JsonWebKey::new).collect(),
            created: file.keys.iter().map(|key| key.created_at).min().map(time),
            last_updated: file.keys.iter().map(|key| key.updated_at).max().map(time),
        }
    }
}

/// Keys that are to be all that a client has.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = compatible::JsonWebKeySetRequest)]
struct KeySetBody {
    /// Public keys (RFC 7517) with `kid`, `alg` and, if they are to end before their year is over, `exp`.
    #[schema(value_type = Vec<Object>, min_items = 1, max_items = 5)]
    keys: Vec<Map<String, Value>>,
}

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, replace_all, withdraw_all))
        .routes(routes!(show, replace, withdraw))
}

/// What stands under `/api/v2`.
pub(super) fn version_2() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(add))
}

/// The keys of a client.
#[utoipa::path(
    get,
    path = "/clients/{client_id}/jwks",
    operation_id = "digdir_keys_list",
    tag = "Digdir: keys",
    params(("client_id" = String, Path)),
    security(("bearer" = ["idporten:dcr.read"])),
    responses((status = 200, body = KeySet), ThingErrors)
)]
async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    PathOf(id): PathOf<String>,
) -> Result<Reply<KeySet>, ApiError> {
    let file = app.registry.client(&actor, &read_client_id(&id)?).await?;
    Ok(Reply(StatusCode::OK, KeySet::of(&file)))
}

/// Puts these keys in the place of all that the client has.
#[utoipa::path(
    post,
    path = "/clients/{client_id}/jwks",
    operation_id = "digdir_keys_replace_all",
    tag = "Digdir: keys",
    params(("client_id" = String, Path)),
    request_body = KeySetBody,
    security(("bearer" = ["idporten:dcr.modify"])),
    responses((status = 201, body = KeySet), BodyErrors)
)]
async fn replace_all(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    PathOf(id): PathOf<String>,
    JsonBody(body): JsonBody<KeySetBody>,
) -> Result<Reply<KeySet>, ApiError> {
    let id = read_client_id(&id)?;
    if body.keys.is_empty() {
        let problem = "it is empty; to withdraw every key, use DELETE";
        return Err(ApiError::parameter("keys", problem));
    }
    let jwks: Vec<String> = body.keys.into_iter().map(document).collect();
    let file = app.registry.replace_client_keys(&actor, &id, &jwks, None).await?;
    Ok(Reply(StatusCode::CREATED, KeySet::of(&file)))
}

/// Withdraws every key of a client.
#[utoipa::path(
    delete,
    path = "/clients/{client_id}/jwks",
    operation_id = "digdir_keys_withdraw_all",
    tag = "Digdir: keys",
    params(("client_id" = String, Path)),
    security(("bearer" = ["idporten:dcr.modify"])),
    responses((status = 200), ChangeErrors)
)]
async fn withdraw_all(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    PathOf(id): PathOf<String>,
) -> Result<StatusCode, ApiError> {
    app.registry.withdraw_client_keys(&actor, &read_client_id(&id)?, None).await?;
    Ok(StatusCode::OK)
}

/// A key of a client.
#[utoipa::path(
    get,
    path = "/clients/{client_id}/jwks/{kid}",
    operation_id = "digdir_keys_show",
    tag = "Digdir: keys",
    params(("client_id" = String, Path), ("kid" = String, Path)),
    security(("bearer" = ["idporten:dcr.read"])),
    responses((status = 200, body = JsonWebKey), ThingErrors)
)]
async fn show(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    PathOf((id, kid)): PathOf<(String, String)>,
) -> Result<Reply<JsonWebKey>, ApiError> {
    let file = app.registry.client(&actor, &read_client_id(&id)?).await?;
    Ok(Reply(StatusCode::OK, JsonWebKey::new(key_of(&file, &read_key_id(&kid)?)?)))
}

/// Puts a key in the place of the one of that `kid`, and begins its year again.
#[utoipa::path(
    put,
    path = "/clients/{client_id}/jwks/{kid}",
    operation_id = "digdir_keys_replace",
    tag = "Digdir: keys",
    params(("client_id" = String, Path), ("kid" = String, Path)),
    request_body(content = Object, description = "A public key (RFC 7517)"),
    security(("bearer" = ["idporten:dcr.modify"])),
    responses((status = 200, body = JsonWebKey), BodyErrors)
)]
async fn replace(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    PathOf((id, kid)): PathOf<(String, String)>,
    JsonBody(jwk): JsonBody<Map<String, Value>>,
) -> Result<Reply<JsonWebKey>, ApiError> {
    let (id, kid) = (read_client_id(&id)?, read_key_id(&kid)?);
    let jwk = document(jwk);
    let key = app.registry.put_client_key(&actor, &id, &kid, &jwk, None).await?;
    Ok(Reply(StatusCode::OK, JsonWebKey::new(&key)))
}

/// Withdraws a key, and shows what it was.
#[utoipa::path(
    delete,
    path = "/clients/{client_id}/jwks/{kid}",
    operation_id = "digdir_keys_withdraw",
    tag = "Digdir: keys",
    params(("client_id" = String, Path), ("kid" = String, Path)),
    security(("bearer" = ["idporten:dcr.modify"])),
    responses((status = 200, body = JsonWebKey), ChangeErrors)
)]
async fn withdraw(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    PathOf((id, kid)): PathOf<(String, String)>,
) -> Result<Reply<JsonWebKey>, ApiError> {
    let (id, kid) = (read_client_id(&id)?, read_key_id(&kid)?);
    let before = app.registry.client(&actor, &id).await?;
    let shown = JsonWebKey::new(key_of(&before, &kid)?);
    app.registry.withdraw_client_key(&actor, &id, &kid, None).await?;
    Ok(Reply(StatusCode::OK, shown))
}

/// Registers one more key: a JWK, or PEM with a public key or a certificate, to which the server gives a `kid`.
#[utoipa::path(
    post,
    path = "/clients/{client_id}/key",
    operation_id = "digdir_keys_add",
    tag = "Digdir: keys",
    params(("client_id" = String, Path)),
    request_body(content = String, content_type = "text/plain"),
    security(("bearer" = ["idporten:dcr.modify"])),
    responses((status = 201, body = JsonWebKey), BodyErrors)
)]
async fn add(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    PathOf(id): PathOf<String>,
    TextBody(text): TextBody,
) -> Result<Reply<JsonWebKey>, ApiError> {
    let id = read_client_id(&id)?;
    let key = app.registry.add_client_key(&actor, &id, &text, None).await?;
    Ok(Reply(StatusCode::CREATED, JsonWebKey::new(&key)))
}

/// A key as a document. A member that is `null` counts as absent.
fn document(mut jwk: Map<String, Value>) -> String {
    jwk.retain(|_, value| !value.is_null());
    Value::Object(jwk).to_string()
}

fn key_of<'a>(file: &'a ClientFile, kid: &KeyId) -> Result<&'a RegisteredKey, ApiError> {
    file.key(kid).ok_or(RegistryError::Absent { noun: "key" }.into())
}
