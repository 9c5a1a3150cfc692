//! Organizations that ask for access: those of one scope, and those of all.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::app::App;
use crate::clock::Timestamp;
use crate::domain::access::{AccessCase, AccessState};
use crate::domain::organization::OrganizationNumber;
use crate::domain::record::Recorded;
use crate::domain::right::Right;
use crate::domain::scope::ScopeName;
use crate::http::portal::fields::{Decision, Fields};
use crate::http::portal::form_errors::FormErrors;
use crate::http::portal::notice::Notice;
use crate::http::portal::page::{Page, Section, SignedIn, done, go_to, show, show_again};
use crate::http::portal::provider::access::{as_before, read_terms};
use crate::http::portal::provider::scope::{Head, Loaded, Tab, load};
use crate::http::portal::provider::{address, check_text};
use crate::http::portal::query::{PAGE_ITEMS, Pager, Query};
use crate::http::portal::refused::Refused;
use crate::http::portal::visible::visible;
use crate::registry::{AccessFilter, AccessSide};

/// A request as lists show it.
struct Row {
    scope: ScopeName,
    number: OrganizationNumber,
    name: String,
    message: String,
    asked: Timestamp,
    version: i64,
    /// The page on which it is decided about.
    address: String,
}

impl Row {
    fn new(it: &Recorded<AccessCase>) -> Self {
        let case = &it.value;
        let (scope, number) = (&case.access.scope, case.access.consumer);
        let message = case.message.as_deref().unwrap_or_default();
        Self {
            scope: scope.clone(),
            number,
            name: visible(case.consumer_name.as_deref().unwrap_or_default()),
            message: message.lines().map(visible).collect::<Vec<_>>().join("\n"),
            asked: it.updated_at,
            version: it.version.0,
            address: format!("{}/requests/{number}", address(scope)),
        }
    }
}

#[derive(Template)]
#[template(path = "provider/inbox.html", config = ".askama.toml")]
struct Inbox {
    page: Page,
    rows: Vec<Row>,
    pager: Pager,
    may_write: bool,
}

/// `GET /portal/requests?after=`: what waits for an answer, over all scopes of the organization.
pub(super) async fn inbox(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    query: Query,
) -> Result<Response, Refused> {
    let after = query.0.text("after").split_once(' ').and_then(|(scope, consumer)| {
        Some((scope.parse::<ScopeName>().ok()?, consumer.parse().ok()?))
    });
    let is_later = after.is_some();
    let filter = AccessFilter {
        owner: Some(signed_in.organization),
        state: Some(AccessState::Requested),
        after,
        ..AccessFilter::default()
    };
    let side = AccessSide::Owned;
    let found = app.registry.accesses(&signed_in.actor, side, filter, PAGE_ITEMS).await?;
    let last = found.items.last().filter(|_| found.has_more).map(|last| &last.value.access);
    let last = last.map(|last| format!("{} {}", last.scope, last.consumer));
    let page = signed_in.page.at(Section::Scopes);
    Ok(show(&Inbox {
        may_write: page.may(Right::WriteScopes),
        page,
        rows: found.items.iter().map(Row::new).collect(),
        pager: Pager::new("/portal/requests".to_owned(), is_later, last),
    }))
}

#[derive(Template)]
#[template(path = "provider/requests.html", config = ".askama.toml")]
struct OfScope {
    page: Page,
    head: Head,
    rows: Vec<Row>,
    pager: Pager,
    may_write: bool,
}

/// `GET /portal/scopes/{scope}/requests?after=`
pub(super) async fn of_scope(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    query: Query,
) -> Result<Response, Refused> {
    let it = load(signed_in, &app, &name, Tab::Requests).await?;
    let scope = &it.scope.value;
    let filter = AccessFilter {
        owner: Some(scope.owner),
        scope: Some(scope.name.clone()),
        state: Some(AccessState::Requested),
        inactive: true,
        after: query.read("after").map(|consumer| (scope.name.clone(), consumer)),
        ..AccessFilter::default()
    };
    let is_later = filter.after.is_some();
    let found = app.registry.accesses(&it.actor, AccessSide::Owned, filter, PAGE_ITEMS).await?;
    let last = found.items.last().filter(|_| found.has_more);
    let last = last.map(|last| last.value.access.consumer.to_string());
    let pager = Pager::new(format!("{}/requests", it.head.address), is_later, last);
    let rows = found.items.iter().map(Row::new).collect();
    let may_write = it.head.may_write;
    Ok(show(&OfScope { page: it.page, head: it.head, rows, pager, may_write }))
}

#[derive(Template)]
#[template(path = "provider/request.html", config = ".askama.toml")]
struct RequestPage {
    page: Page,
    head: Head,
    row: Row,
    typed: Fields,
    errors: FormErrors,
}

struct LoadedRequest {
    of: Loaded,
    case: Recorded<AccessCase>,
}

async fn load_request(
    signed_in: SignedIn,
    app: &App,
    (scope, number): (String, String),
) -> Result<LoadedRequest, Refused> {
    let number: OrganizationNumber = number.parse().map_err(|_| Refused::NotFound)?;
    let of = load(signed_in, app, &scope, Tab::Requests).await?;
    let case = app.registry.access(&of.actor, &of.head.name, number).await?;
    Ok(LoadedRequest { of, case })
}

fn view(it: LoadedRequest, typed: Fields, errors: FormErrors) -> RequestPage {
    RequestPage { page: it.of.page, head: it.of.head, row: Row::new(&it.case), typed, errors }
}

/// `GET /portal/scopes/{scope}/requests/{number}`
pub(super) async fn form(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(key): Path<(String, String)>,
) -> Result<Response, Refused> {
    let it = load_request(signed_in, &app, key).await?;
    if it.case.value.access.state != AccessState::Requested {
        let number = it.case.value.access.consumer;
        return Ok(go_to(&format!("{}/accesses/{number}", it.of.head.address)));
    }
    let typed = as_before(&it.case.value, app.issuer.clock.now());
    Ok(show(&view(it, typed, FormErrors::default())))
}

/// `POST /portal/scopes/{scope}/requests/{number}`: with `approve` gives the access, with `deny` says why not.
pub(super) async fn decide(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(key): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Refused> {
    let it = load_request(signed_in, &app, key).await?;
    let (page, actor, scope) = (&it.of.page, &it.of.actor, &it.of.head.name);
    let (number, seen) = (it.case.value.access.consumer, fields.version());
    let mut errors = FormErrors::default();
    let Some(decision) = fields.decision() else {
        errors.add("reason", page.say("provider-decision-missing"));
        return Ok(show_again(&view(it, fields, errors)));
    };
    let denies = decision == Decision::Deny;
    let (field, notice) =
        if denies { ("reason", Notice::AccessDenied) } else { ("expires", Notice::AccessGiven) };
    let decided = if denies {
        let reason = fields.filled("reason").map(str::to_owned);
        check_text(page, "reason", reason.as_deref().unwrap_or_default(), &mut errors);
        if reason.is_none() {
            errors.add("reason", page.say("provider-reason-missing"));
        }
        if !errors.is_empty() {
            return Ok(show_again(&view(it, fields, errors)));
        }
        app.registry.deny_request(actor, scope, number, reason, seen).await
    } else {
        let now = app.issuer.clock.now();
        let case = &it.case.value;
        // The button in the list decides about the access alone.
        let is_short = !fields.ticked("expires") && !fields.ticked("note");
        let typed = if is_short { as_before(case, now) } else { fields.clone() };
        let terms = read_terms(page, &typed, Some(case), now, &mut errors);
        if !errors.is_empty() {
            return Ok(show_again(&view(it, fields, errors)));
        }
        app.registry.approve_request(actor, scope, number, terms, seen).await
    };
    match decided {
        Ok(_) => Ok(done(&app, notice, "/portal/requests")),
        Err(error) => {
            let errors = FormErrors::of_registry(page, field, error)?;
            Ok(show_again(&view(it, fields, errors)))
        }
    }
}
