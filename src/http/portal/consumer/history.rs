//! Who has changed a client, when, and what.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::app::App;
use crate::domain::audit::AuditFilter;
use crate::domain::change::ChangedNoun;
use crate::domain::client::ClientId;
use crate::http::portal::acts::{self, Act};
use crate::http::portal::consumer::client::{Head, Tab, load};
use crate::http::portal::page::{Page, SignedIn, show};
use crate::http::portal::query::{Pager, Query};
use crate::http::portal::refused::Refused;

#[derive(Template)]
#[template(path = "consumer/history.html", config = ".askama.toml")]
struct HistoryPage {
    page: Page,
    head: Head,
    acts: Vec<Act>,
    act_address: String,
    pager: Pager,
}

fn about(id: &ClientId) -> AuditFilter {
    AuditFilter {
        noun: Some(ChangedNoun::Client.name().to_owned()),
        key: Some(id.to_string()),
        ..AuditFilter::default()
    }
}

/// `GET /portal/clients/{id}/history?after=`
pub(super) async fn list(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, Refused> {
    let actor = signed_in.actor.clone();
    let it = load(signed_in, &app, &id, Tab::History).await?;
    let act_address = format!("/portal/clients/{}/history", it.id);
    let (reader, before) = ((&it.page, &actor), query.read("after"));
    let (acts, pager) =
        acts::list(&app, reader, about(&it.id), before, act_address.clone()).await?;
    Ok(show(&HistoryPage { page: it.page, head: it.head, acts, act_address, pager }))
}

#[derive(Template)]
#[template(path = "consumer/act.html", config = ".askama.toml")]
struct ActPage {
    page: Page,
    head: Head,
    act: Act,
    /// Where the others are.
    act_address: String,
}

/// `GET /portal/clients/{id}/history/{seq}`
pub(super) async fn show_one(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path((id, seq)): Path<(String, String)>,
) -> Result<Response, Refused> {
    let actor = signed_in.actor.clone();
    let it = load(signed_in, &app, &id, Tab::History).await?;
    let act = acts::one(&app, (&it.page, &actor), about(&it.id), &seq).await?;
    let act_address = format!("/portal/clients/{}/history", it.id);
    Ok(show(&ActPage { page: it.page, head: it.head, act, act_address }))
}
