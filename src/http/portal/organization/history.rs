//! The change log of the organization: what has been done to its things, and what it has done to others'.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::app::App;
use crate::domain::audit::AuditFilter;
use crate::http::portal::acts::{self, Act};
use crate::http::portal::page::{Page, Section, SignedIn, show};
use crate::http::portal::query::{Pager, Query};
use crate::http::portal::refused::Refused;

const LIST: &str = "/portal/organization/history";

#[derive(Template)]
#[template(path = "organization/history.html", config = ".askama.toml")]
struct HistoryPage {
    page: Page,
    acts: Vec<Act>,
    pager: Pager,
}

/// What is the organization's own, also for the operator, who has a trail of everything.
fn own(signed_in: &SignedIn) -> AuditFilter {
    AuditFilter { organization: Some(signed_in.organization), ..AuditFilter::default() }
}

/// `GET /portal/organization/history?after=`
pub(super) async fn list(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    query: Query,
) -> Result<Response, Refused> {
    let filter = own(&signed_in);
    let page = signed_in.page.at(Section::Organization);
    let (reader, before) = ((&page, &signed_in.actor), query.read("after"));
    let (acts, pager) = acts::list(&app, reader, filter, before, LIST.to_owned()).await?;
    Ok(show(&HistoryPage { page, acts, pager }))
}

#[derive(Template)]
#[template(path = "organization/act.html", config = ".askama.toml")]
struct ActPage {
    page: Page,
    act: Act,
}

/// `GET /portal/organization/history/{seq}`
pub(super) async fn show_one(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(seq): Path<String>,
) -> Result<Response, Refused> {
    let filter = own(&signed_in);
    let page = signed_in.page.at(Section::Organization);
    let act = acts::one(&app, (&page, &signed_in.actor), filter, &seq).await?;
    Ok(show(&ActPage { page, act }))
}
