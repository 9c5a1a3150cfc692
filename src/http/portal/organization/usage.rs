//! What the organization uses, and what others use of it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::app::App;
use crate::domain::usage::{OrganizationUsage, TokensByScope, USAGE_DAYS_MAX};
use crate::http::portal::page::{Page, Section, SignedIn, show};
use crate::http::portal::query::Query;
use crate::http::portal::refused::Refused;

/// The periods that can be chosen, in days, the usual one first.
const PERIODS: [u32; 4] = [30, 7, 90, 365];

#[derive(Template)]
#[template(path = "organization/usage.html", config = ".askama.toml")]
struct UsagePage {
    page: Page,
    usage: OrganizationUsage,
    days: u32,
}

impl UsagePage {
    fn periods(&self) -> [u32; 4] {
        let mut periods = PERIODS;
        periods.sort_unstable();
        periods
    }

    /// What was consumed and what was provided, each with the begin of the names of its texts.
    fn sides(&self) -> [(&'static str, &TokensByScope); 2] {
        let OrganizationUsage { consumed, provided, .. } = &self.usage;
        [("organization-consumed", consumed), ("organization-provided", provided)]
    }
}

/// `GET /portal/organization/usage?days=`
pub(super) async fn usage(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    query: Query,
) -> Result<Response, Refused> {
    let asked: Option<u32> = query.read("days");
    let days = asked.filter(|days| (1..=USAGE_DAYS_MAX).contains(days)).unwrap_or(PERIODS[0]);
    let number = signed_in.organization;
    let usage = app.registry.usage_of_organization(&signed_in.actor, number, days).await?;
    Ok(show(&UsagePage { page: signed_in.page.at(Section::Organization), usage, days }))
}
