//! Who has changed a scope or the accesses to it, when, and what.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::app::App;
use crate::domain::audit::AuditFilter;
use crate::http::portal::acts::{self, Act};
use crate::http::portal::page::{Page, SignedIn, show};
use crate::http::portal::provider::scope::{Head, Loaded, Tab, load};
use crate::http::portal::query::{Pager, Query};
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
        scope: Some(it.scope.value.name.clone()),
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
    let act_address = format!("{}/history", it.head.address);
    let (reader, before) = ((&it.page, &it.actor), query.read("after"));
    let (acts, pager) = acts::list(&app, reader, about(&it), before, act_address.clone()).await?;
    Ok(show(&HistoryPage { page: it.page, head: it.head, acts, act_address, pager }))
}

#[derive(Template)]
#[template(path = "provider/act.html", config = ".askama.toml")]
struct ActPage {
    page: Page,
    head: Head,
    act: Act,
    /// Where the others are.
    act_address: String,
}

/// `GET /portal/scopes/{scope}/history/{seq}`
pub(super) async fn show_one(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path((name, seq)): Path<(String, String)>,
) -> Result<Response, Refused> {
    let it = load(signed_in, &app, &name, Tab::History).await?;
    let act = acts::one(&app, (&it.page, &it.actor), about(&it), &seq).await?;
    let act_address = format!("{}/history", it.head.address);
    Ok(show(&ActPage { page: it.page, head: it.head, act, act_address }))
}
