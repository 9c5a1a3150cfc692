//! The organizations that take part, and those that come.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::app::App;
use crate::domain::organization::{
    EmailDomain, Organization, OrganizationNumber, OrganizationStatus,
};
use crate::domain::record::Recorded;
use crate::http::portal::fields::Fields;
use crate::http::portal::form_errors::FormErrors;
use crate::http::portal::notice::Notice;
use crate::http::portal::operator::AsOperator;
use crate::http::portal::page::{Page, SignedIn, done, show, show_again};
use crate::http::portal::query::{PAGE_ITEMS, Pager, Query, encoded};
use crate::http::portal::refused::Refused;
use crate::http::portal::visible::visible;
use crate::registry::RegistryError;

pub(super) const LIST: &str = "/portal/operator/organizations";

/// E-mail domains that one form can name: more than any organization has.
const DOMAINS_MAX: usize = 50;

#[derive(Template)]
#[template(path = "operator/organizations.html", config = ".askama.toml")]
struct OrganizationsPage {
    page: Page,
    organizations: Vec<Recorded<Organization>>,
    pager: Pager,
    q: String,
}

impl OrganizationsPage {
    fn is_active(&self, organization: &Organization) -> bool {
        organization.status == OrganizationStatus::Active
    }

    fn shown(&self, name: &str) -> String {
        visible(name)
    }
}

/// `GET /portal/operator/organizations?q=&after=`
pub(super) async fn list(
    operator: AsOperator,
    State(app): State<Arc<App>>,
    query: Query,
) -> Result<Response, Refused> {
    let (after, search) = (query.read::<OrganizationNumber>("after"), query.search());
    let found = app.registry.organizations(&operator.actor, after, search.as_deref(), PAGE_ITEMS);
    let found = found.await?;
    let q = search.unwrap_or_default();
    let address = if q.is_empty() { LIST.to_owned() } else { format!("{LIST}?q={}", encoded(&q)) };
    let last = found.items.last().filter(|_| found.has_more);
    let pager = Pager::new(address, after.is_some(), last.map(|it| it.value.number.to_string()));
    Ok(show(&OrganizationsPage { page: operator.page, organizations: found.items, pager, q }))
}

#[derive(Template)]
#[template(path = "operator/organization_new.html", config = ".askama.toml")]
struct NewOrganization {
    page: Page,
    fields: Fields,
    errors: FormErrors,
}

/// `GET /portal/operator/organizations/new`
pub(super) async fn form(operator: AsOperator) -> Response {
    let (fields, errors) = (Fields::default(), FormErrors::default());
    show(&NewOrganization { page: operator.page, fields, errors })
}

/// `POST /portal/operator/organizations/new`
pub(super) async fn admit(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    fields: Fields,
) -> Result<Response, Refused> {
    let page = &signed_in.page;
    let mut errors = FormErrors::default();
    let number = errors.read_number(page, "operator", "number", fields.text("number"));
    if fields.text("name").is_empty() {
        errors.add("name", page.say("operator-name-missing"));
    }
    let domains = read_domains(page, fields.text("domains"), &mut errors);
    if let Some(number) = number.filter(|_| errors.is_empty()) {
        let organization = Organization::new(number, fields.text("name"));
        let admitted = app.registry.admit_organization(&signed_in.actor, &organization, &domains);
        match admitted.await {
            Ok(()) => {
                let address = format!("{LIST}/{number}");
                return Ok(done(&app, Notice::OrganizationAdmitted, &address));
            }
            Err(error) => errors = FormErrors::of_registry(page, field_of(&error), error)?,
        }
    }
    let page = AsOperator::of(signed_in)?.page;
    Ok(show_again(&NewOrganization { page, fields, errors }))
}

/// The field of the form that an error of the registry is about.
fn field_of(error: &RegistryError) -> &'static str {
    match error {
        RegistryError::Invalid { field: "name", .. } => "name",
        RegistryError::Conflict { rule } if rule.contains("domain") => "domains",
        _ => "number",
    }
}

/// The domains in a text, one a line or with commas between them.
fn read_domains(page: &Page, text: &str, errors: &mut FormErrors) -> Vec<EmailDomain> {
    let parts = text.split([',', ';']).flat_map(str::split_whitespace);
    let mut domains: Vec<EmailDomain> = Vec::new();
    for part in parts.take(DOMAINS_MAX) {
        match part.trim_start_matches('@').parse() {
            Ok(domain) if domains.contains(&domain) => {}
            Ok(domain) => domains.push(domain),
            Err(_) => {
                errors
                    .add("domains", page.fill1("operator-domain-wrong", "domain", &visible(part)));
            }
        }
    }
    domains
}
