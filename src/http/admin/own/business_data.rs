//! Business data of organizations: where invoices go, whom to call, who is told when something happens.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::domain::alert::AlertKind;
use crate::domain::business::{AlertPoint, BusinessData, ContactPoint, ContactRole, Invoice};
use crate::domain::language::Language;
use crate::domain::record::Recorded;
use crate::http::admin::body::{JsonBody, NoQuery, PathOf};
use crate::http::admin::caller::Caller;
use crate::http::admin::error::ApiError;
use crate::http::admin::own::etag::{IfMatch, IfMatchHeader, Tagged};
use crate::http::admin::own::path::OrganizationPath;
use crate::http::admin::own::problem::{ChangeErrors, LookErrors};
use crate::http::admin::value::{read, word};

/// Business data of an organization.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[schema(as = BusinessData)]
#[serde(deny_unknown_fields)]
struct BusinessDataBody {
    invoice: InvoiceBody,
    #[schema(max_items = 20)]
    contact_points: Vec<ContactPointBody>,
    /// Who is told when something happens. An address stands here once.
    #[schema(max_items = 20)]
    alert_points: Vec<AlertPointBody>,
}

/// Where invoices go.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[schema(as = Invoice)]
#[serde(deny_unknown_fields)]
struct InvoiceBody {
    /// The postal address, line by line.
    #[serde(default)]
    #[schema(max_items = 6, example = json!(["Postboks 1", "0001 Oslo"]))]
    address_lines: Vec<String>,
    #[schema(format = "email", max_length = 254)]
    email: Option<String>,
    /// For invoices by EHF.
    #[schema(pattern = "^[0-9]{4}:[A-Za-z0-9._-]{1,50}$", example = "0192:991825827")]
    peppol_id: Option<String>,
    /// What the invoice must say for the organization to know it.
    #[schema(max_length = 255)]
    reference: Option<String>,
}

/// Somebody at an organization.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[schema(as = ContactPoint)]
#[serde(deny_unknown_fields)]
struct ContactPointBody {
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    #[schema(pattern = "^(commercial|security|technical)$", example = "technical")]
    role: String,
    #[schema(format = "email", max_length = 254)]
    email: String,
    #[schema(pattern = r"^\+?[0-9]+( [0-9]+)*$", example = "+47 22 45 10 00")]
    phone: Option<String>,
}

/// An address to which alerts are mailed.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[schema(as = AlertPoint)]
#[serde(deny_unknown_fields)]
struct AlertPointBody {
    #[schema(format = "email", max_length = 254)]
    email: String,
    #[schema(pattern = "^(nb|nn|en)$", example = "nb")]
    language: String,
    /// What the alerts are about.
    #[schema(min_items = 1, example = json!(["key_expiring", "scope_deactivated"]))]
    kinds: Vec<String>,
}

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(show, replace))
}

/// The business data of one's own organization, or of any for the operator.
#[utoipa::path(
    get,
    path = "/organizations/{organization}/business-data",
    operation_id = "business_data_show",
    tag = "Organizations",
    params(OrganizationPath),
    security(("bearer" = ["idporten:dcr.read"])),
    responses(LookErrors, (status = 200, body = BusinessDataBody, headers(("ETag" = String))))
)]
async fn show(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    PathOf(path): PathOf<OrganizationPath>,
) -> Result<Tagged<BusinessDataBody>, ApiError> {
    Ok(tagged(app.registry.business_data(&actor, path.number()?).await?))
}

/// Puts business data in the place of all that is there.
#[utoipa::path(
    put,
    path = "/organizations/{organization}/business-data",
    operation_id = "business_data_replace",
    tag = "Organizations",
    params(OrganizationPath, IfMatchHeader),
    request_body = BusinessDataBody,
    security(("bearer" = ["portvakt:organization.write"])),
    responses(ChangeErrors, (status = 200, body = BusinessDataBody, headers(("ETag" = String))))
)]
async fn replace(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    IfMatch(expected): IfMatch,
    PathOf(path): PathOf<OrganizationPath>,
    JsonBody(body): JsonBody<BusinessDataBody>,
) -> Result<Tagged<BusinessDataBody>, ApiError> {
    let (number, data) = (path.number()?, body.read()?);
    Ok(tagged(app.registry.change_business_data(&actor, number, expected, data).await?))
}

fn tagged(found: Recorded<BusinessData>) -> Tagged<BusinessDataBody> {
    Tagged(StatusCode::OK, found.version, found.value.into())
}

impl BusinessDataBody {
    fn read(self) -> Result<BusinessData, ApiError> {
        Ok(BusinessData {
            invoice: Invoice {
                address_lines: self.invoice.address_lines,
                email: maybe("email", self.invoice.email)?,
                peppol_id: maybe("peppol_id", self.invoice.peppol_id)?,
                reference: self.invoice.reference,
            },
            contact_points: all(self.contact_points, ContactPointBody::read)?,
            alert_points: all(self.alert_points, AlertPointBody::read)?,
        })
    }
}

impl ContactPointBody {
    fn read(self) -> Result<ContactPoint, ApiError> {
        Ok(ContactPoint {
            name: self.name,
            role: word("role", &self.role, ContactRole::ALL, ContactRole::name)?,
            email: read("email", &self.email)?,
            phone: maybe("phone", self.phone)?,
        })
    }
}

impl AlertPointBody {
    fn read(self) -> Result<AlertPoint, ApiError> {
        let mut kinds = Vec::new();
        for text in &self.kinds {
            let kind = word("kinds", text, AlertKind::ALL, AlertKind::name)?;
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        Ok(AlertPoint {
            email: read("email", &self.email)?,
            language: word("language", &self.language, Language::ALL, Language::name)?,
            kinds,
        })
    }
}

fn maybe<T: std::str::FromStr<Err: ToString>>(
    name: &'static str,
    text: Option<String>,
) -> Result<Option<T>, ApiError> {
    text.map(|text| read(name, &text)).transpose()
}

fn all<T, U>(items: Vec<T>, read: impl Fn(T) -> Result<U, ApiError>) -> Result<Vec<U>, ApiError> {
    items.into_iter().map(read).collect()
}

impl From<BusinessData> for BusinessDataBody {
    fn from(data: BusinessData) -> Self {
        let contact_points = data.contact_points.into_iter().map(|point| ContactPointBody {
            name: point.name,
            role: point.role.name().to_owned(),
            email: point.email.into(),
            phone: point.phone.map(String::from),
        });
        let alert_points = data.alert_points.into_iter().map(|point| AlertPointBody {
            email: point.email.into(),
            language: point.language.name().to_owned(),
            kinds: point.kinds.iter().map(|kind| kind.name().to_owned()).collect(),
        });
        Self {
            invoice: InvoiceBody {
                address_lines: data.invoice.address_lines,
                email: data.invoice.email.map(String::from),
                peppol_id: data.invoice.peppol_id.map(String::from),
                reference: data.invoice.reference,
            },
            contact_points: contact_points.collect(),
            alert_points: alert_points.collect(),
        }
    }
}
