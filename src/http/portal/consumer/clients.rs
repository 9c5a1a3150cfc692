//! The list of clients.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::app::App;
use crate::clock::Timestamp;
use crate::domain::client::{ClientId, ClientStatus};
use crate::domain::registration::ClientSummary;
use crate::domain::right::Right;
use crate::domain::scope::ScopeName;
use crate::http::portal::consumer::callable::is_soon;
use crate::http::portal::consumer::new_client::Picked;
use crate::http::portal::page::{Page, Section, SignedIn, show};
use crate::http::portal::query::{PAGE_ITEMS, Pager, Query, encoded};
use crate::http::portal::refused::Refused;
use crate::http::portal::visible::visible;
use crate::registry::ClientFilter;

struct Row {
    id: String,
    name: String,
    is_active: bool,
    scopes: usize,
    used: Option<Timestamp>,
    key_ends: Option<Timestamp>,
    /// The end of the name of the text about its keys, and the kind of its tag.
    key: (&'static str, &'static str),
}

#[derive(Template)]
#[template(path = "consumer/clients.html", config = ".askama.toml")]
struct Clients {
    page: Page,
    q: String,
    scope: Option<ScopeName>,
    /// The scope that is to be put on the one that is chosen, and under which filter it is found there.
    add: Option<(ScopeName, &'static str)>,
    all: bool,
    rows: Vec<Row>,
    pager: Pager,
    may_write: bool,
}

impl Clients {
    /// Whether the list is what one gets without asking for anything.
    fn is_whole(&self) -> bool {
        self.q.is_empty() && self.scope.is_none() && !self.pager.is_later
    }
}

/// `GET /portal/clients?q=&status=&scope=&add=&show=`
pub(super) async fn list(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    query: Query,
) -> Result<Response, Refused> {
    let search = query.search();
    let scope: Option<ScopeName> = query.read("scope");
    let all = query.0.text("status") == "all";
    let after = query.0.text("after").split_once(' ');
    let after: Option<(ClientId, String)> =
        after.and_then(|(id, name)| Some((id.parse().ok()?, name.to_owned())));
    let filter = ClientFilter {
        organization: Some(signed_in.organization),
        scope: scope.clone(),
        inactive: all,
        text: search.clone(),
        after: after.as_ref().map(|(id, _)| id.clone()),
        by_name: true,
        after_name: after.map(|(_, name)| name),
    };
    let is_later = filter.after.is_some();
    let found = app.registry.clients(&signed_in.actor, filter, PAGE_ITEMS).await?;
    let last = found.items.last().filter(|_| found.has_more);
    let last = last.map(|last| &last.registration.value.client);
    let last = last.map(|last| format!("{} {}", last.id, last.name));
    let now = app.issuer.clock.now();
    let q = search.unwrap_or_default();
    let mut address = format!("/portal/clients?status={}", if all { "all" } else { "active" });
    if !q.is_empty() {
        address = format!("{address}&q={}", encoded(&q));
    }
    if let Some(scope) = &scope {
        address = format!("{address}&scope={}", encoded(scope.as_str()));
    }
    let show_in = query.0.text("show");
    let show_in = Picked::FILTERS.into_iter().find(|filter| *filter == show_in);
    let add: Option<ScopeName> = query.read("add");
    let add = add.map(|scope| (scope, show_in.unwrap_or("granted")));
    if let Some((scope, filter)) = &add {
        address = format!("{address}&add={}&show={filter}", encoded(scope.as_str()));
    }
    let page = signed_in.page.at(Section::Clients);
    let may_write = page.may(Right::WriteClients);
    Ok(show(&Clients {
        page,
        q,
        scope,
        add,
        all,
        rows: found.items.iter().map(|client| row(client, now)).collect(),
        pager: Pager::new(address, is_later, last),
        may_write,
    }))
}

fn row(it: &ClientSummary, now: Timestamp) -> Row {
    let client = &it.registration.value.client;
    let key = match it.first_key_expires_at {
        None => ("certificate", "neutral"),
        Some(end) if end <= now => ("expired", "danger"),
        Some(end) if is_soon(end, now) => ("soon", "warning"),
        Some(_) => ("ok", "success"),
    };
    Row {
        id: client.id.to_string(),
        name: visible(&client.name),
        is_active: client.status == ClientStatus::Active,
        scopes: client.scopes.len(),
        used: it.last_used_at,
        key_ends: it.first_key_expires_at,
        key,
    }
}
