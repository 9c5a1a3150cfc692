//! Who has changed a scope, when, and what.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::app::App;
use crate::domain::audit::AuditFilter;
use crate::domain::change::ChangedNoun;
use crate::http::portal::acts::Act;
use crate::http::portal::page::{Page, SignedIn, show};
use crate::http::portal::provider::scope::{Head, Loaded, Tab, load};
use crate::http::portal::query::{PAGE_ITEMS, Pager, Query};
use crate::http::portal::refused::Refused;

#[derive(Template)]
#[template(path = "provider/history.html", config = ".askama.toml")]
struct HistoryPage {
    page: Page,
    head: Head,
    acts: Vec<Act>,
    act_address: String,
    pager: Pager,
}

fn about(it: &Loaded) -> AuditFilter {
    AuditFilter {
        organization: Some(it.scope.value.owner),
        noun: Some(ChangedNoun::Scope.name().to_owned()),
        key: Some(it.scope.value.name.to_string()),
        ..AuditFilter::default()
    }
}

/// `GET /portal/scopes/{scope}/history?after=`
pub(super) async fn list(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    query: Query,
) -> Result<Response, Refused> {
    let it = load(signed_in, &app, &name, Tab::History).await?;
    let before: Option<i64> = query.read("after");
    let found = app.registry.audit_rows(&it.actor, about(&it), before, PAGE_ITEMS).await?;
    let last = found.items.last().filter(|_| found.has_more).map(|row| row.seq.to_string());
    let act_address = format!("{}/history", it.head.address);
    let pager = Pager::new(act_address.clone(), before.is_some(), last);
    let acts = found.items.into_iter().map(|row| Act::new(&it.page, row)).collect();
    Ok(show(&HistoryPage { page: it.page, head: it.head, acts, act_address, pager }))
}

#[derive(Template)]
#[template(path = "provider/act.html", config = ".askama.toml")]
struct ActPage {
    page: Page,
    head: Head,
    act: Act,
}

/// `GET /portal/scopes/{scope}/history/{seq}`
pub(super) async fn show_one(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path((name, seq)): Path<(String, String)>,
) -> Result<Response, Refused> {
    let seq: i64 = seq.parse().map_err(|_| Refused::NotFound)?;
    let it = load(signed_in, &app, &name, Tab::History).await?;
    let before = Some(seq.saturating_add(1));
    let found = app.registry.audit_rows(&it.actor, about(&it), before, 1).await?;
    let row = found.items.into_iter().find(|row| row.seq == seq).ok_or(Refused::NotFound)?;
    let act = Act::new(&it.page, row);
    Ok(show(&ActPage { page: it.page, head: it.head, act }))
}
