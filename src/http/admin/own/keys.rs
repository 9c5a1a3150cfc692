//! Keys of clients. They belong to their client: their entity tag is the client's.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::clock::{DAY_SECONDS, Timestamp};
use crate::domain::client::{ClientId, KeyId};
use crate::domain::registration::{ClientFile, RegisteredKey};
use crate::http::admin::body::{JsonBody, NoQuery, PathOf, QueryOf, Reply};
use crate::http::admin::caller::Caller;
use crate::http::admin::error::ApiError;
use crate::http::admin::own::etag::{IfMatch, IfMatchHeader, Tagged};
use crate::http::admin::own::page::{PageQuery, PageReply, Pages, part};
use crate::http::admin::own::problem::{EndErrors, LookErrors, MakeErrors};
use crate::http::admin::value::{read, read_client_id, read_key_id, read_time};
use crate::keys::client_jwk::ClientJwk;
use crate::registry::RegistryError;

/// Days that a key lives on beside its successor when nobody says otherwise: time enough for every machine of a
/// client to change.
const OVERLAP_DAYS: i64 = 14;

/// A key of a client.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Key)]
struct KeyReply {
    client_id: String,
    kid: String,
    alg: &'static str,
    /// The public key (RFC 7517).
    jwk: Map<String, Value>,
    /// Whether it is locked to a certificate.
    certificate: bool,
    /// From this moment on it is refused with MP-121.
    #[schema(format = DateTime)]
    expires_at: String,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
    /// When a token was last issued to it, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, nullable = false)]
    last_used_at: Option<String>,
}

/// The keys of a client.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Keys)]
struct KeysReply {
    /// At most five, oldest first.
    items: Vec<KeyReply>,
}

/// A key and the one before it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RenewedKey)]
struct RenewedReply {
    /// The new one.
    key: KeyReply,
    /// The old one, which is valid until it ends.
    old: KeyReply,
}

/// A key to be registered: as a JWK, or as PEM.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewKey)]
#[serde(deny_unknown_fields)]
struct NewKeyBody {
    /// The public key (RFC 7517), with `kid` and `alg`.
    jwk: Option<Map<String, Value>>,
    /// A public key or a certificate.
    pem: Option<String>,
    /// The id of a key given as PEM; the server makes one when nothing is said.
    #[schema(pattern = "^[A-Za-z0-9._:-]{1,255}$")]
    kid: Option<String>,
}

/// The successor of a key: as a JWK, or as PEM.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct KeyRenewal {
    /// The public key (RFC 7517), with `kid` and `alg`.
    jwk: Option<Map<String, Value>>,
    /// A public key or a certificate.
    pem: Option<String>,
    /// The id of a key given as PEM; the server makes one when nothing is said.
    #[schema(pattern = "^[A-Za-z0-9._:-]{1,255}$")]
    kid: Option<String>,
    /// When the old key ends; in 14 days when nothing is said.
    #[schema(format = DateTime)]
    old_ends_at: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ExpiryQuery {
    /// Of this organization only; the operator may ask for any.
    #[param(format = "organization-number", pattern = "^[0-9]{9}$")]
    organization: Option<String>,
    /// That end before this moment.
    #[param(format = DateTime)]
    before: Option<String>,
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    cursor: Option<String>,
}

impl From<&RegisteredKey> for KeyReply {
    fn from(it: &RegisteredKey) -> Self {
        let jwk: Map<String, Value> = serde_json::from_str(&it.key.jwk).unwrap_or_default();
        Self {
            client_id: it.client.to_string(),
            kid: it.key.id.to_string(),
            alg: it.key.algorithm.name(),
            certificate: jwk.contains_key("x5c"),
            jwk,
            expires_at: it.key.expires_at.to_string(),
            created_at: it.created_at.to_string(),
            updated_at: it.updated_at.to_string(),
            last_used_at: it.last_used_at.map(|moment| moment.to_string()),
        }
    }
}

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(withdraw))
        .routes(routes!(renew))
        .routes(routes!(by_expiry))
}

/// The keys of a client, oldest first.
#[utoipa::path(
    get,
    path = "/clients/{client_id}/keys",
    operation_id = "client_keys_list",
    tag = "Keys",
    params(("client_id" = String, Path)),
    security(("bearer" = ["idporten:dcr.read"])),
    responses(
        (status = 200, description = "The keys", body = KeysReply, headers(("ETag" = String))),
        LookErrors,
    )
)]
async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    PathOf(id): PathOf<String>,
) -> Result<Tagged<KeysReply>, ApiError> {
    Ok(all(&app.registry.client(&actor, &read_client_id(&id)?).await?))
}

/// Registers one more key on a client.
#[utoipa::path(
    post,
    path = "/clients/{client_id}/keys",
    operation_id = "client_keys_create",
    tag = "Keys",
    params(("client_id" = String, Path)),
    request_body = NewKeyBody,
    security(("bearer" = ["idporten:dcr.modify"])),
    responses((status = 201, description = "The key", body = KeyReply), MakeErrors)
)]
async fn add(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    PathOf(id): PathOf<String>,
    JsonBody(new): JsonBody<NewKeyBody>,
) -> Result<Reply<KeyReply>, ApiError> {
    let id = read_client_id(&id)?;
    let (_, document) = document(&app, new.jwk, new.pem, new.kid)?;
    let key = app.registry.add_client_key(&actor, &id, &document, None).await?;
    Ok(Reply(StatusCode::CREATED, KeyReply::from(&key)))
}

/// Withdraws a key: it is refused from now on.
#[utoipa::path(
    delete,
    path = "/clients/{client_id}/keys/{kid}",
    operation_id = "client_keys_withdraw",
    tag = "Keys",
    params(("client_id" = String, Path), ("kid" = String, Path), IfMatchHeader),
    security(("bearer" = ["idporten:dcr.modify"])),
    responses(
        (status = 200, description = "The keys that are left", body = KeysReply,
            headers(("ETag" = String))),
        EndErrors,
    )
)]
async fn withdraw(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    IfMatch(expected): IfMatch,
    _: NoQuery,
    PathOf((id, kid)): PathOf<(String, String)>,
) -> Result<Tagged<KeysReply>, ApiError> {
    let (id, kid) = (read_client_id(&id)?, read_key_id(&kid)?);
    Ok(all(&app.registry.withdraw_client_key(&actor, &id, &kid, expected).await?))
}

/// Registers the successor of a key. Both are valid until the old one ends.
#[utoipa::path(
    post,
    path = "/clients/{client_id}/keys/{kid}/renew",
    operation_id = "client_keys_renew",
    tag = "Keys",
    params(
        ("client_id" = String, Path),
        ("kid" = String, Path),
    ),
    request_body = KeyRenewal,
    security(("bearer" = ["idporten:dcr.modify"])),
    responses((status = 201, description = "The two keys", body = RenewedReply), MakeErrors)
)]
async fn renew(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    PathOf((id, kid)): PathOf<(String, String)>,
    JsonBody(new): JsonBody<KeyRenewal>,
) -> Result<Reply<RenewedReply>, ApiError> {
    let (id, old) = (read_client_id(&id)?, read_key_id(&kid)?);
    let (kid, document) = document(&app, new.jwk, new.pem, new.kid)?;
    let old_ends_at = match new.old_ends_at {
        Some(text) => read_time("old_ends_at", &text)?,
        None => app.issuer.clock.now().plus_seconds(OVERLAP_DAYS * DAY_SECONDS),
    };
    let file = app.registry.renew_client_key(&actor, &id, &old, &document, old_ends_at, None);
    let file = file.await?;
    // Somebody else may have withdrawn one of them since.
    let key = |kid: &KeyId| file.key(kid).map(KeyReply::from).ok_or(RegistryError::Stale);
    Ok(Reply(StatusCode::CREATED, RenewedReply { key: key(&kid)?, old: key(&old)? }))
}

/// Keys of every client, the first to end first.
#[utoipa::path(
    get,
    path = "/keys",
    operation_id = "keys_list",
    tag = "Keys",
    params(ExpiryQuery),
    security(("bearer" = ["idporten:dcr.read"])),
    responses((status = 200, description = "A page of keys", body = PageReply<KeyReply>), LookErrors)
)]
async fn by_expiry(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    QueryOf(query): QueryOf<ExpiryQuery>,
) -> Result<Reply<PageReply<KeyReply>>, ApiError> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let pages = Pages::new(&app, &actor, "keys", &page)?;
    let organization = query.organization.map(|it| read("organization", &it)).transpose()?;
    let before = query.before.map(|it| read_time("before", &it)).transpose()?;
    let after: Option<(i64, ClientId, KeyId)> = pages
        .after(&page)?
        .map(|parts| Ok::<_, ApiError>((part(&parts, 0)?, part(&parts, 1)?, part(&parts, 2)?)))
        .transpose()?;
    let after =
        after.as_ref().map(|(end, client, kid)| (Timestamp::from_seconds(*end), client, kid));
    let found =
        app.registry.keys_by_expiry(&actor, organization, before, after, pages.limit).await?;
    let place = |it: &RegisteredKey| {
        vec![it.key.expires_at.seconds().to_string(), it.client.to_string(), it.key.id.to_string()]
    };
    Ok(Reply(StatusCode::OK, pages.reply(found, place, |it| KeyReply::from(&it))))
}

fn all(file: &ClientFile) -> Tagged<KeysReply> {
    let items = file.keys.iter().map(KeyReply::from).collect();
    Tagged(StatusCode::OK, file.registration.version, KeysReply { items })
}

/// The key that a body brings, as a JWK document, and its id.
fn document(
    app: &App,
    jwk: Option<Map<String, Value>>,
    pem: Option<String>,
    kid: Option<String>,
) -> Result<(KeyId, String), ApiError> {
    let read = match (jwk, pem, kid) {
        (Some(jwk), None, None) => {
            let document = Value::Object(jwk).to_string();
            let read = ClientJwk::parse(document.as_bytes()).map_err(RegistryError::from)?;
            // The document as it came, because it may say when the key is to end.
            return Ok((read.id, document));
        }
        (None, Some(pem), kid) => {
            let id = match kid {
                Some(kid) => read("kid", &kid)?,
                None => app.registry.new_key_id(),
            };
            ClientJwk::from_text(&pem, &id).map_err(RegistryError::from)?
        }
        (Some(_), None, Some(_)) => {
            return Err(ApiError::parameter("kid", "a JWK has its kid inside"));
        }
        _ => return Err(ApiError::parameter("jwk", "say either jwk or pem")),
    };
    Ok((read.id, read.document))
}
