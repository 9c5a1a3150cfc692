//! Prefixes: who has which, and the operator's assigning, transferring and retiring.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::domain::organization::OrganizationNumber;
use crate::domain::prefix::{Prefix, PrefixName, PrefixStatus};
use crate::domain::record::Recorded;
use crate::http::admin::body::{JsonBody, NoQuery, PathOf, QueryOf, Reply};
use crate::http::admin::caller::Caller;
use crate::http::admin::error::ApiError;
use crate::http::admin::own::etag::{IfMatch, IfMatchHeader, Tagged};
use crate::http::admin::own::page::{PageQuery, PageReply, Pages, part};
use crate::http::admin::own::patch::given;
use crate::http::admin::own::path::PrefixPath;
use crate::http::admin::own::problem::{ChangeErrors, LookErrors, MakeErrors};
use crate::http::admin::value::read;
use crate::registry::PrefixFilter;

/// A prefix.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Prefix)]
struct PrefixReply {
    prefix: String,
    /// The organization that alone may define scopes under it.
    organization: String,
    /// Whether scopes can be made under it.
    active: bool,
    created_at: String,
    updated_at: String,
}

/// A prefix to be assigned.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPrefix {
    #[schema(pattern = "^[a-z0-9][a-z0-9-]{0,30}[a-z0-9]$", example = "nav")]
    prefix: String,
    #[schema(format = "organization-number", pattern = "^[0-9]{9}$", example = "991825827")]
    organization: String,
}

/// What is to change of a prefix.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PrefixEdit {
    /// Hand it over, with every scope under it, to this organization.
    #[serde(default, deserialize_with = "given")]
    #[schema(
        nullable = false,
        format = "organization-number",
        pattern = "^[0-9]{9}$",
        example = "991825827"
    )]
    organization: Option<String>,
    /// Retire it, or take it into use again.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    active: Option<bool>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// Of this organization only.
    #[param(format = "organization-number", pattern = "^[0-9]{9}$")]
    organization: Option<String>,
    /// Retired ones too.
    inactive: Option<bool>,
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    cursor: Option<String>,
}

impl From<&Recorded<Prefix>> for PrefixReply {
    fn from(found: &Recorded<Prefix>) -> Self {
        Self {
            prefix: found.value.name.to_string(),
            organization: found.value.owner.to_string(),
            active: found.value.status == PrefixStatus::Active,
            created_at: found.created_at.to_string(),
            updated_at: found.updated_at.to_string(),
        }
    }
}

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list, assign)).routes(routes!(show, edit))
}

/// Prefixes, by name.
#[utoipa::path(
    get,
    path = "/prefixes",
    operation_id = "prefixes_list",
    tag = "Prefixes",
    params(ListQuery),
    security(("bearer" = [])),
    responses(LookErrors, (status = 200, body = PageReply<PrefixReply>))
)]
async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    QueryOf(query): QueryOf<ListQuery>,
) -> Result<Reply<PageReply<PrefixReply>>, ApiError> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let pages = Pages::new(&app, &actor, "prefixes", &page)?;
    let after = pages.after(&page)?;
    let filter = PrefixFilter {
        owner: query.organization.map(|it| read("organization", &it)).transpose()?,
        inactive: query.inactive.unwrap_or(false),
        after: after.map(|parts| part(&parts, 0)).transpose()?,
    };
    let found = app.registry.prefixes(&filter, pages.limit).await?;
    let reply = pages.reply(
        found,
        |(found, _)| vec![found.value.name.to_string()],
        |(found, _)| PrefixReply::from(&found),
    );
    Ok(Reply(StatusCode::OK, reply))
}

/// Assigns a prefix to an organization.
#[utoipa::path(
    post,
    path = "/prefixes",
    operation_id = "prefixes_assign",
    tag = "Prefixes",
    request_body = NewPrefix,
    security(("bearer" = ["portvakt:admin"])),
    responses(MakeErrors, (status = 201, body = PrefixReply))
)]
async fn assign(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    JsonBody(new): JsonBody<NewPrefix>,
) -> Result<Tagged<PrefixReply>, ApiError> {
    let name: PrefixName = read("prefix", &new.prefix)?;
    let owner: OrganizationNumber = read("organization", &new.organization)?;
    app.registry.assign_prefix(&actor, &name, owner).await?;
    answer(&app, StatusCode::CREATED, &name).await
}

/// A prefix.
#[utoipa::path(
    get,
    path = "/prefixes/{prefix}",
    operation_id = "prefixes_show",
    tag = "Prefixes",
    params(PrefixPath),
    security(("bearer" = [])),
    responses(LookErrors, (status = 200, body = PrefixReply, headers(("ETag" = String))))
)]
async fn show(
    State(app): State<Arc<App>>,
    Caller(_): Caller,
    _: NoQuery,
    PathOf(path): PathOf<PrefixPath>,
) -> Result<Tagged<PrefixReply>, ApiError> {
    answer(&app, StatusCode::OK, &read("prefix", &path.prefix)?).await
}

/// Transfers a prefix to another organization, retires it, or takes it into use again.
#[utoipa::path(
    patch,
    path = "/prefixes/{prefix}",
    operation_id = "prefixes_edit",
    tag = "Prefixes",
    params(PrefixPath, IfMatchHeader),
    request_body = PrefixEdit,
    security(("bearer" = ["portvakt:admin"])),
    responses(ChangeErrors, (status = 200, body = PrefixReply, headers(("ETag" = String))))
)]
async fn edit(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    IfMatch(expected): IfMatch,
    PathOf(path): PathOf<PrefixPath>,
    JsonBody(edit): JsonBody<PrefixEdit>,
) -> Result<Tagged<PrefixReply>, ApiError> {
    let name: PrefixName = read("prefix", &path.prefix)?;
    let to = edit.organization.map(|it| read("organization", &it)).transpose()?;
    match (to, edit.active) {
        (Some(to), None) => app.registry.transfer_prefix(&actor, &name, to, expected).await?,
        (None, Some(active)) => {
            let status = if active { PrefixStatus::Active } else { PrefixStatus::Retired };
            app.registry.set_prefix_status(&actor, &name, status, expected).await?;
        }
        _ => return Err(ApiError::parameter("body", "say either organization or active")),
    }
    answer(&app, StatusCode::OK, &name).await
}

async fn answer(
    app: &App,
    status: StatusCode,
    name: &PrefixName,
) -> Result<Tagged<PrefixReply>, ApiError> {
    let found = app.registry.prefix(name).await?;
    Ok(Tagged(status, found.version, PrefixReply::from(&found)))
}
