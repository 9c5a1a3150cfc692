//! Our own signing keys, for the operator to look at.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::http::admin::body::{NoQuery, Reply};
use crate::http::admin::caller::Caller;
use crate::http::admin::error::ApiError;
use crate::http::admin::own::problem::LookErrors;

/// One of our signing keys; its public half is in the published key set.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SigningKey)]
struct SigningKeyReply {
    kid: String,
    alg: &'static str,
    /// `ACTIVE`: published; `RETIRED`: not any more.
    state: &'static str,
    #[schema(format = DateTime)]
    created_at: String,
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

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list))
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
    let reply = |key: crate::domain::signing_key::SigningKeyRecord| SigningKeyReply {
        alg: key.algorithm.name(),
        state: key.state.name(),
        created_at: key.created_at.to_string(),
        signs: app.issuer.keys.signs_with(&key.kid),
        kid: key.kid,
    };
    let items = found.into_iter().map(reply).collect();
    Ok(Reply(StatusCode::OK, SigningKeysReply { items }))
}
