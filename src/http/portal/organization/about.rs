//! What the organization is here, and what it has said about itself.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::app::App;
use crate::domain::business::{AlertPoint, BusinessData};
use crate::domain::organization::{EmailDomain, Organization};
use crate::domain::record::Recorded;
use crate::domain::right::Right;
use crate::http::portal::page::{Page, Section, SignedIn, show};
use crate::http::portal::refused::Refused;
use crate::registry::RegistryError;

#[derive(Template)]
#[template(path = "organization/about.html", config = ".askama.toml")]
struct About {
    page: Page,
    organization: Recorded<Organization>,
    domains: Vec<EmailDomain>,
    /// `None` for somebody who may not see it.
    business: Option<BusinessData>,
    may_write: bool,
}

impl About {
    fn kinds(&self, point: &AlertPoint) -> String {
        let word = |kind: &crate::domain::alert::AlertKind| {
            self.page.word("organization-kind", &kind.name().replace('_', "-"))
        };
        point.kinds.iter().map(word).collect::<Vec<_>>().join(", ")
    }

    fn language(&self, point: &AlertPoint) -> &'static str {
        let tag = point.language.name();
        Page::LANGUAGES.iter().find(|(known, _)| *known == tag).map_or("", |(_, name)| name)
    }
}

/// `GET /portal/organization`
pub(super) async fn about(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
) -> Result<Response, Refused> {
    let (actor, number) = (&signed_in.actor, signed_in.organization);
    let (organization, domains) = app.registry.organization(actor, number).await?;
    let business = match app.registry.business_data(actor, number).await {
        Ok(found) => Some(found.value),
        Err(RegistryError::Forbidden { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let page = signed_in.page.at(Section::Organization);
    let may_write = page.may(Right::WriteBusinessData);
    Ok(show(&About { page, organization, domains, business, may_write }))
}
