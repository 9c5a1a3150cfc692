//! Prefixes: one's own, and everybody's.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::domain::prefix::{Prefix, PrefixStatus};
use crate::domain::record::Recorded;
use crate::domain::right::Right;
use crate::http::admin::body::{QueryOf, Reply};
use crate::http::admin::caller::Caller;
use crate::http::admin::compatible::error::{ApiErrorResponse, ListErrors, PublicErrors};
use crate::http::admin::compatible::{LIST_MAX, time};
use crate::http::admin::error::ApiError;
use crate::registry::PrefixFilter;

/// A prefix.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = compatible::ScopePrefix)]
pub(super) struct ScopePrefix {
    prefix: String,
    owner_orgno: String,
    organization_name: String,
    active: bool,
    created: String,
    last_updated: String,
}

impl ScopePrefix {
    fn new(found: &Recorded<Prefix>, organization_name: String) -> Self {
        Self {
            prefix: found.value.name.to_string(),
            owner_orgno: found.value.owner.to_string(),
            organization_name,
            active: found.value.status == PrefixStatus::Active,
            created: time(found.created_at),
            last_updated: time(found.updated_at),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AllQuery {
    /// Retired ones too.
    inactive: Option<bool>,
}

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(own)).routes(routes!(all))
}

/// The prefixes of the caller's organization.
#[utoipa::path(
    get,
    path = "/prefix",
    operation_id = "digdir_prefixes_list",
    tag = "Digdir: prefixes",
    security(("bearer" = ["idporten:scopes.read"])),
    responses(
        (status = 200, body = [ScopePrefix]),
        (status = 401, body = ApiErrorResponse),
        ListErrors,
    )
)]
async fn own(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
) -> Result<Reply<Vec<ScopePrefix>>, ApiError> {
    actor.require(Right::ReadScopes)?;
    let filter = PrefixFilter { owner: Some(actor.own_organization()?), ..PrefixFilter::default() };
    list(&app, filter).await
}

/// Every prefix.
#[utoipa::path(
    get,
    path = "/prefix/all",
    operation_id = "digdir_prefixes_list_all",
    tag = "Digdir: prefixes",
    params(AllQuery),
    responses((status = 200, body = [ScopePrefix]), PublicErrors)
)]
async fn all(
    State(app): State<Arc<App>>,
    QueryOf(query): QueryOf<AllQuery>,
) -> Result<Reply<Vec<ScopePrefix>>, ApiError> {
    let inactive = query.inactive.unwrap_or(false);
    list(&app, PrefixFilter { inactive, ..PrefixFilter::default() }).await
}

async fn list(app: &App, filter: PrefixFilter) -> Result<Reply<Vec<ScopePrefix>>, ApiError> {
    let page = app.registry.prefixes(&filter, LIST_MAX).await?;
    let shown = page.items.into_iter().map(|(found, owner)| ScopePrefix::new(&found, owner));
    Ok(Reply(StatusCode::OK, shown.collect()))
}
