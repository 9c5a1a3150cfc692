//! The change log of the organization: what has been done to its things, and what it has done to others'.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::app::App;
use crate::domain::audit::AuditFilter;
use crate::http::portal::acts::Act;
use crate::http::portal::page::{Page, Section, SignedIn, show};
use crate::http::portal::query::{PAGE_ITEMS, Pager, Query};
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
    let before: Option<i64> = query.read("after");
    let (actor, filter) = (&signed_in.actor, own(&signed_in));
    let found = app.registry.audit_rows(actor, filter, before, PAGE_ITEMS).await?;
    let last = found.items.last().filter(|_| found.has_more).map(|row| row.seq.to_string());
    let pager = Pager::new(LIST.to_owned(), before.is_some(), last);
    let page = signed_in.page.at(Section::Organization);
    let acts = found.items.into_iter().map(|row| Act::new(&page, row)).collect();
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
    let seq: i64 = seq.parse().map_err(|_| Refused::NotFound)?;
    let (before, filter) = (Some(seq.saturating_add(1)), own(&signed_in));
    let found = app.registry.audit_rows(&signed_in.actor, filter, before, 1).await?;
    let row = found.items.into_iter().find(|row| row.seq == seq).ok_or(Refused::NotFound)?;
    let page = signed_in.page.at(Section::Organization);
    let act = Act::new(&page, row);
    Ok(show(&ActPage { page, act }))
}
