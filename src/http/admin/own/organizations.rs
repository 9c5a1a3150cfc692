//! Organizations and their e-mail domains. The operator's to change.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::domain::organization::{
    EmailDomain, Organization, OrganizationNumber, OrganizationStatus,
};
use crate::domain::record::Recorded;
use crate::http::admin::body::{JsonBody, NoQuery, PathOf, QueryOf, Reply};
use crate::http::admin::caller::Caller;
use crate::http::admin::error::ApiError;
use crate::http::admin::own::etag::{IfMatch, IfMatchHeader, Tagged};
use crate::http::admin::own::page::{PageQuery, PageReply, Pages, part, search};
use crate::http::admin::own::patch::given;
use crate::http::admin::own::path::{EmailDomainPath, OrganizationPath};
use crate::http::admin::own::problem::{ChangeErrors, LookErrors, MakeErrors};
use crate::http::admin::value::read;
use crate::registry::Actor;

/// An organization.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Organization)]
struct OrganizationReply {
    /// Its number.
    organization: String,
    name: String,
    /// Whether it takes part: if not, none of its clients gets a token, and nobody gets one on its behalf.
    active: bool,
    created_at: String,
    updated_at: String,
}

/// An organization, with the domains of e-mail addresses that belong to it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrganizationWithDomains)]
struct OrganizationFile {
    #[serde(flatten)]
    organization: OrganizationReply,
    email_domains: Vec<String>,
}

/// An organization to be admitted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewOrganization {
    #[schema(format = "organization-number", pattern = "^[0-9]{9}$", example = "991825827")]
    organization: String,
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// Whoever has an e-mail address there belongs to the organization.
    #[serde(default)]
    #[schema(max_items = 100, example = json!(["example.no"]))]
    email_domains: Vec<String>,
}

/// What is to change of an organization.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OrganizationEdit {
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false, min_length = 1, max_length = 255)]
    name: Option<String>,
    /// Let it take part, or not.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    active: Option<bool>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// With this text in the name or the number.
    #[param(max_length = 255)]
    q: Option<String>,
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    cursor: Option<String>,
}

impl From<&Recorded<Organization>> for OrganizationReply {
    fn from(found: &Recorded<Organization>) -> Self {
        Self {
            organization: found.value.number.to_string(),
            name: found.value.name.clone(),
            active: found.value.status == OrganizationStatus::Active,
            created_at: found.created_at.to_string(),
            updated_at: found.updated_at.to_string(),
        }
    }
}

/// The most e-mail domains that an organization is admitted with; the largest have a dozen.
const EMAIL_DOMAINS_MAX: usize = 100;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, edit))
        .routes(routes!(add_email_domain, remove_email_domain))
}

/// Organizations, by number.
#[utoipa::path(
    get,
    path = "/organizations",
    operation_id = "organizations_list",
    tag = "Organizations",
    params(ListQuery),
    security(("bearer" = ["portvakt:admin"])),
    responses(LookErrors, (status = 200, body = PageReply<OrganizationReply>))
)]
async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    QueryOf(query): QueryOf<ListQuery>,
) -> Result<Reply<PageReply<OrganizationReply>>, ApiError> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let pages = Pages::new(&app, &actor, "organizations", &page)?;
    let after = pages.after(&page)?.map(|parts| part(&parts, 0)).transpose()?;
    let text = search(query.q)?;
    let found = app.registry.organizations(&actor, after, text.as_deref(), pages.limit).await?;
    let reply = pages.reply(
        found,
        |found| vec![found.value.number.to_string()],
        |found| OrganizationReply::from(&found),
    );
    Ok(Reply(StatusCode::OK, reply))
}

/// Admits an organization.
#[utoipa::path(
    post,
    path = "/organizations",
    operation_id = "organizations_create",
    tag = "Organizations",
    request_body = NewOrganization,
    security(("bearer" = ["portvakt:admin"])),
    responses(MakeErrors, (status = 201, body = OrganizationFile, headers(("ETag" = String))))
)]
async fn create(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    JsonBody(new): JsonBody<NewOrganization>,
) -> Result<Tagged<OrganizationFile>, ApiError> {
    let number = read("organization", &new.organization)?;
    if new.email_domains.len() > EMAIL_DOMAINS_MAX {
        let problem = format!("there may be at most {EMAIL_DOMAINS_MAX}");
        return Err(ApiError::parameter("email_domains", problem));
    }
    let domains = new.email_domains.iter().map(|domain| read("email_domains", domain));
    let domains = domains.collect::<Result<Vec<EmailDomain>, _>>()?;
    let organization = Organization::new(number, &new.name);
    app.registry.admit_organization(&actor, &organization, &domains).await?;
    answer(&app, &actor, StatusCode::CREATED, number).await
}

/// One's own organization, or any for the operator.
#[utoipa::path(
    get,
    path = "/organizations/{organization}",
    operation_id = "organizations_show",
    tag = "Organizations",
    params(OrganizationPath),
    security(("bearer" = [])),
    responses(LookErrors, (status = 200, body = OrganizationFile, headers(("ETag" = String))))
)]
async fn show(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    PathOf(path): PathOf<OrganizationPath>,
) -> Result<Tagged<OrganizationFile>, ApiError> {
    answer(&app, &actor, StatusCode::OK, path.number()?).await
}

/// Renames an organization, or decides whether it takes part.
#[utoipa::path(
    patch,
    path = "/organizations/{organization}",
    operation_id = "organizations_edit",
    tag = "Organizations",
    params(OrganizationPath, IfMatchHeader),
    request_body = OrganizationEdit,
    security(("bearer" = ["portvakt:admin"])),
    responses(ChangeErrors, (status = 200, body = OrganizationFile, headers(("ETag" = String))))
)]
async fn edit(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    IfMatch(expected): IfMatch,
    PathOf(path): PathOf<OrganizationPath>,
    JsonBody(edit): JsonBody<OrganizationEdit>,
) -> Result<Tagged<OrganizationFile>, ApiError> {
    let number = path.number()?;
    let apply = |organization: &mut Organization| {
        if let Some(name) = edit.name {
            organization.name = name;
        }
        match edit.active {
            Some(true) => organization.status = OrganizationStatus::Active,
            Some(false) => organization.status = OrganizationStatus::Deactivated,
            None => {}
        }
    };
    app.registry.change_organization(&actor, number, expected, apply).await?;
    answer(&app, &actor, StatusCode::OK, number).await
}

/// Gives an e-mail domain to an organization: whoever has an address there belongs to it.
#[utoipa::path(
    put,
    path = "/organizations/{organization}/email-domains/{domain}",
    operation_id = "organizations_email_domain_add",
    tag = "Organizations",
    params(EmailDomainPath),
    security(("bearer" = ["portvakt:admin"])),
    responses(MakeErrors, (status = 200, body = OrganizationFile, headers(("ETag" = String))))
)]
async fn add_email_domain(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    PathOf(path): PathOf<EmailDomainPath>,
) -> Result<Tagged<OrganizationFile>, ApiError> {
    let number = read("organization", &path.organization)?;
    app.registry.add_email_domain(&actor, number, &read("domain", &path.domain)?).await?;
    answer(&app, &actor, StatusCode::OK, number).await
}

/// Takes an e-mail domain from an organization.
#[utoipa::path(
    delete,
    path = "/organizations/{organization}/email-domains/{domain}",
    operation_id = "organizations_email_domain_remove",
    tag = "Organizations",
    params(EmailDomainPath),
    security(("bearer" = ["portvakt:admin"])),
    responses(LookErrors, (status = 200, body = OrganizationFile, headers(("ETag" = String))))
)]
async fn remove_email_domain(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    PathOf(path): PathOf<EmailDomainPath>,
) -> Result<Tagged<OrganizationFile>, ApiError> {
    let number = read("organization", &path.organization)?;
    app.registry.remove_email_domain(&actor, number, &read("domain", &path.domain)?).await?;
    answer(&app, &actor, StatusCode::OK, number).await
}

async fn answer(
    app: &App,
    actor: &Actor,
    status: StatusCode,
    number: OrganizationNumber,
) -> Result<Tagged<OrganizationFile>, ApiError> {
    let (found, domains) = app.registry.organization(actor, number).await?;
    let file = OrganizationFile {
        organization: OrganizationReply::from(&found),
        email_domains: domains.iter().map(EmailDomain::to_string).collect(),
    };
    Ok(Tagged(status, found.version, file))
}
