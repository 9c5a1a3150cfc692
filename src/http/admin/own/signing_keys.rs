//! Our own signing keys: the operator sees how they take turns, replaces and retires them.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::domain::signing_key::SigningKeyState;
use crate::http::admin::body::{JsonBody, NoQuery, PathOf, Reply};
use crate::http::admin::caller::Caller;
use crate::http::admin::error::ApiError;
use crate::http::admin::own::path::SigningKeyPath;
use crate::http::admin::own::problem::{EndErrors, LookErrors, MakeErrors};
use crate::registry::{SigningKey, SigningStart};

/// One of our signing keys; its public half is in the published key set until it is retired.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SigningKey)]
struct SigningKeyReply {
    kid: String,
    alg: &'static str,
    /// `ANNOUNCED`: published, and will sign; `ACTIVE`: tokens are signed with it; `RETIRING`: published until nobody
    /// holds a token of its any more; `RETIRED`: gone.
    state: &'static str,
    #[schema(format = DateTime)]
    created_at: String,
    /// When it begins to sign, or began.
    #[schema(format = DateTime)]
    signs_from: String,
    /// Whether tokens are signed with it now.
    signs: bool,
}

/// Our signing keys.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SigningKeys)]
struct SigningKeysReply {
    /// Newest first.
    items: Vec<SigningKeyReply>,
}

/// How the next signing key begins.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Rotation {
    /// Whether it signs at once, because the one before may be in wrong hands. APIs that keep the key set refuse its
    /// tokens until they fetch it again. Otherwise it is published first, and signs when every API has fetched it.
    #[serde(default)]
    now: bool,
}

impl From<SigningKey> for SigningKeyReply {
    fn from(key: SigningKey) -> Self {
        Self {
            alg: key.record.algorithm.name(),
            state: key.state.name(),
            created_at: key.record.created_at.to_string(),
            signs_from: key.record.signs_from.to_string(),
            signs: key.state == SigningKeyState::Active,
            kid: key.record.kid,
        }
    }
}

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list, rotate)).routes(routes!(retire))
}

/// The keys of this server, newest first.
#[utoipa::path(
    get,
    path = "/signing-keys",
    operation_id = "signing_keys_list",
    tag = "Operation",
    security(("bearer" = ["portvakt:admin"])),
    responses((status = 200, description = "The keys", body = SigningKeysReply), LookErrors)
)]
async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
) -> Result<Reply<SigningKeysReply>, ApiError> {
    let found = app.registry.signing_keys(&actor).await?;
    let items = found.into_iter().map(SigningKeyReply::from).collect();
    Ok(Reply(StatusCode::OK, SigningKeysReply { items }))
}

/// Makes the next signing key, or brings forward the one that is announced.
#[utoipa::path(
    post,
    path = "/signing-keys",
    operation_id = "signing_key_rotate",
    tag = "Operation",
    request_body = Rotation,
    security(("bearer" = ["portvakt:admin"])),
    responses((status = 201, description = "The key", body = SigningKeyReply), MakeErrors)
)]
async fn rotate(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    JsonBody(rotation): JsonBody<Rotation>,
) -> Result<Reply<SigningKeyReply>, ApiError> {
    let start = if rotation.now { SigningStart::Now } else { SigningStart::Announced };
    let key = app.registry.rotate_signing_key(&actor, start).await?;
    Ok(Reply(StatusCode::CREATED, key.into()))
}

/// Retires a key that does not sign: it leaves the key set, and its private half is destroyed.
#[utoipa::path(
    delete,
    path = "/signing-keys/{kid}",
    operation_id = "signing_key_retire",
    tag = "Operation",
    params(SigningKeyPath),
    security(("bearer" = ["portvakt:admin"])),
    responses((status = 200, description = "The key, retired", body = SigningKeyReply), EndErrors)
)]
async fn retire(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    PathOf(path): PathOf<SigningKeyPath>,
    _: NoQuery,
) -> Result<Reply<SigningKeyReply>, ApiError> {
    let key = app.registry.retire_signing_key(&actor, &path.kid).await?;
    Ok(Reply(StatusCode::OK, key.into()))
}
