//! Business data: where invoices go, whom to call, and who is told when something happens.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::app::App;
use crate::domain::alert::AlertKind;
use crate::domain::business::ContactRole;
use crate::domain::record::Version;
use crate::domain::right::Right;
use crate::http::portal::fields::Fields;
use crate::http::portal::form_errors::FormErrors;
use crate::http::portal::notice::Notice;
use crate::http::portal::organization::business_form::{ALERT, CONTACT, fill, labels, read, rows};
use crate::http::portal::page::{Page, Section, SignedIn, done, show, show_again};
use crate::http::portal::refused::Refused;
use crate::registry::RegistryError;

#[derive(Template)]
#[template(path = "organization/business.html", config = ".askama.toml")]
struct BusinessPage {
    page: Page,
    fields: Fields,
    version: i64,
    /// Whether the operator's data is written, whom more alerts are about.
    is_operators: bool,
    errors: FormErrors,
}

impl BusinessPage {
    fn contacts(&self) -> std::ops::Range<usize> {
        0..rows(&self.fields, CONTACT)
    }

    fn alerts(&self) -> std::ops::Range<usize> {
        0..rows(&self.fields, ALERT)
    }

    /// The name of a field of a row, which is also its id.
    fn at(&self, row: &str, number: &usize, member: &str) -> String {
        format!("{row}-{number}-{member}")
    }

    fn roles(&self) -> &'static [ContactRole] {
        ContactRole::ALL
    }

    /// Each kind that can come, with the name of its text.
    fn kinds(&self) -> impl Iterator<Item = (&'static str, String)> {
        let comes = |kind: &&AlertKind| self.is_operators || **kind != AlertKind::PrefixRequested;
        let kinds = AlertKind::ALL.iter().filter(comes);
        kinds.map(|kind| (kind.name(), kind.name().replace('_', "-")))
    }

    fn has(&self, field: &str, value: &str) -> bool {
        self.fields.all(field).any(|given| given == value)
    }

    /// Whether a point of alert is written in a row. An empty row offers to tell of everything.
    fn is_empty(&self, email: &str) -> bool {
        self.fields.text(email).is_empty()
    }
}

/// `GET /portal/organization/business-data`
pub(super) async fn form(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
) -> Result<Response, Refused> {
    signed_in.actor.require(Right::WriteBusinessData)?;
    Ok(show(&look(&app, signed_in, FormErrors::default()).await?))
}

/// The form with what is there now.
async fn look(app: &App, signed_in: SignedIn, errors: FormErrors) -> Result<BusinessPage, Refused> {
    let number = signed_in.organization;
    let found = app.registry.business_data(&signed_in.actor, number).await?;
    let page = signed_in.page.at(Section::Organization);
    let (fields, version) = (fill(&found.value), found.version.0);
    let is_operators = app.registry.is_operators(number);
    Ok(BusinessPage { page, fields, version, is_operators, errors })
}

/// `POST /portal/organization/business-data`
pub(super) async fn save(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    fields: Fields,
) -> Result<Response, Refused> {
    let (data, mut errors) = read(&signed_in.page, &fields);
    let version: Option<i64> = fields.text("version").parse().ok();
    if errors.is_empty() {
        let (actor, number) = (&signed_in.actor, signed_in.organization);
        let seen = version.map(Version);
        match app.registry.change_business_data(actor, number, seen, data).await {
            Ok(_) => return Ok(done(&app, Notice::Saved, "/portal/organization")),
            Err(RegistryError::Stale) => {
                let stale = FormErrors::one("address", signed_in.page.say("form-stale"));
                let mut page = look(&app, signed_in, stale).await?;
                let labels = labels();
                let labels = labels.iter().map(|(field, label)| (field.as_str(), *label));
                page.errors = page.errors.beside(&page.page, &fields, &page.fields, labels);
                return Ok(show_again(&page));
            }
            Err(error) => {
                let field = field_of(&error);
                errors = FormErrors::of_registry(&signed_in.page, field, error)?;
            }
        }
    }
    signed_in.actor.require(Right::WriteBusinessData)?;
    let page = signed_in.page.at(Section::Organization);
    let version = version.unwrap_or_default();
    let is_operators = app.registry.is_operators(signed_in.organization);
    Ok(show_again(&BusinessPage { page, fields, version, is_operators, errors }))
}

/// The first field of the part of the form that an error of the registry is about.
fn field_of(error: &RegistryError) -> &'static str {
    match error {
        RegistryError::Invalid { field: "reference", .. } => "reference",
        RegistryError::Invalid { field: "name" | "contact_points", .. } => "contact-0-name",
        RegistryError::Invalid { field: "kinds" | "alert_points", .. } => "alert-0-email",
        _ => "address",
    }
}
