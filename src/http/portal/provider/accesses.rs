//! Who has access to a scope: the table, and the same as a file.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};

use crate::app::App;
use crate::clock::Timestamp;
use crate::domain::access::{AccessCase, AccessState};
use crate::domain::organization::OrganizationNumber;
use crate::domain::record::Recorded;
use crate::http::portal::consumer::callable::is_soon;
use crate::http::portal::csv;
use crate::http::portal::page::{Page, SignedIn, show};
use crate::http::portal::provider::scope::{Head, Loaded, Tab, load};
use crate::http::portal::query::{PAGE_ITEMS, Pager, Query, encoded};
use crate::http::portal::refused::Refused;
use crate::http::portal::visible::visible;
use crate::registry::{AccessFilter, AccessSide};

/// The most accesses that go into a file. It is made in memory; the admin API has the rest.
const EXPORT_ROWS_MAX: usize = 20_000;

/// Accesses that are read at once for a file.
const ROWS_READ: u32 = 1_000;

/// An access as tables show it.
pub(super) struct Row {
    pub(super) number: OrganizationNumber,
    pub(super) name: String,
    /// The end of the name of the text about its state, and the kind of its tag.
    pub(super) state: (&'static str, &'static str),
    pub(super) since: Timestamp,
    pub(super) expires: Option<Timestamp>,
    pub(super) note: String,
    pub(super) used: Option<Timestamp>,
    /// The page on which it is changed or decided about.
    pub(super) address: String,
    pub(super) holds: bool,
}

impl Row {
    pub(super) fn new(it: &Recorded<AccessCase>, scope_address: &str, now: Timestamp) -> Self {
        let case = &it.value;
        let number = case.access.consumer;
        let of = if case.access.state == AccessState::Requested { "requests" } else { "accesses" };
        Self {
            number,
            name: visible(case.consumer_name.as_deref().unwrap_or_default()),
            state: state(case, now),
            since: it.created_at,
            expires: case.access.expires_at.filter(|_| case.access.state == AccessState::Approved),
            note: visible(case.note.as_deref().unwrap_or_default()),
            used: case.last_used_at,
            address: format!("{scope_address}/{of}/{number}"),
            holds: case.access.holds_at(now),
        }
    }
}

/// How an access stands at `now`.
fn state(case: &AccessCase, now: Timestamp) -> (&'static str, &'static str) {
    match (case.access.state, case.access.expires_at) {
        (AccessState::Denied, _) if case.taken_back => ("taken-back", "neutral"),
        (AccessState::Denied, _) => ("denied", "danger"),
        (AccessState::Requested, _) => ("requested", "info"),
        (AccessState::Approved, Some(end)) if end <= now => ("expired", "neutral"),
        (AccessState::Approved, Some(end)) if is_soon(end, now) => ("soon", "warning"),
        (AccessState::Approved, _) => ("active", "success"),
    }
}

#[derive(Template)]
#[template(path = "provider/accesses.html", config = ".askama.toml")]
struct Accesses {
    page: Page,
    head: Head,
    q: String,
    /// The state that is asked for, as a word; empty for any.
    state: String,
    rows: Vec<Row>,
    pager: Pager,
}

impl Accesses {
    fn is_whole(&self) -> bool {
        self.q.is_empty() && self.state.is_empty() && !self.pager.is_later
    }

    fn states(&self) -> [(&'static str, &'static str); 4] {
        [
            ("", "provider-state-any"),
            ("APPROVED", "provider-state-approved"),
            ("DENIED", "provider-access-denied"),
            ("REQUESTED", "provider-access-requested"),
        ]
    }
}

/// What a list of the accesses to a scope asks for.
fn filter(it: &Loaded, query: &Query) -> AccessFilter {
    let scope = &it.scope.value;
    AccessFilter {
        owner: Some(scope.owner),
        scope: Some(scope.name.clone()),
        state: AccessState::from_name(query.0.text("state")),
        inactive: true,
        text: query.search(),
        after: query.read("after").map(|consumer| (scope.name.clone(), consumer)),
        ..AccessFilter::default()
    }
}

/// `GET /portal/scopes/{scope}?q=&state=&after=`
pub(super) async fn list(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    query: Query,
) -> Result<Response, Refused> {
    let it = load(signed_in, &app, &name, Tab::Accesses).await?;
    let filter = filter(&it, &query);
    let (is_later, q) = (filter.after.is_some(), filter.text.clone().unwrap_or_default());
    let state = filter.state.map_or("", AccessState::name).to_owned();
    let found = app.registry.accesses(&it.actor, AccessSide::Owned, filter, PAGE_ITEMS).await?;
    let last = found.items.last().filter(|_| found.has_more);
    let last = last.map(|last| last.value.access.consumer.to_string());
    let address = format!("{}?q={}&state={state}", it.head.address, encoded(&q));
    let now = app.issuer.clock.now();
    let rows = found.items.iter().map(|case| Row::new(case, &it.head.address, now)).collect();
    let pager = Pager::new(address, is_later, last);
    Ok(show(&Accesses { page: it.page, head: it.head, q, state, rows, pager }))
}

/// `GET /portal/scopes/{scope}/accesses/export`, with the same filters: a file for a spreadsheet.
pub(super) async fn export(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    query: Query,
) -> Result<Response, Refused> {
    let it = load(signed_in, &app, &name, Tab::Accesses).await?;
    let mut filter = filter(&it, &query);
    let head = [
        "number",
        "name",
        "state",
        "expires_at",
        "note",
        "created_at",
        "updated_at",
        "last_used_at",
    ];
    let mut text = csv::line(head.map(str::to_owned));
    let mut rows = 0;
    while rows < EXPORT_ROWS_MAX {
        let asked = filter.clone();
        let found = app.registry.accesses(&it.actor, AccessSide::Owned, asked, ROWS_READ).await?;
        rows += found.items.len();
        let last = found.items.last().map(|last| &last.value.access);
        filter.after = last.map(|last| (last.scope.clone(), last.consumer));
        for case in found.items {
            text.push_str(&line(case));
        }
        if !found.has_more {
            break;
        }
    }
    Ok(file("accesses.csv", text))
}

fn line(it: Recorded<AccessCase>) -> String {
    let time = |moment: Option<Timestamp>| moment.map(|at| at.to_string()).unwrap_or_default();
    let case = it.value;
    csv::line([
        case.access.consumer.to_string(),
        case.consumer_name.unwrap_or_default(),
        case.access.state.name().to_owned(),
        time(case.access.expires_at),
        case.note.unwrap_or_default(),
        it.created_at.to_string(),
        it.updated_at.to_string(),
        time(case.last_used_at),
    ])
}

/// A file for a spreadsheet, as an answer.
pub(super) fn file(name: &str, text: String) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, text).into_response()
}
