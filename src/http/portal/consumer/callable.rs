//! What may we call? Scopes first, because that is what a consumer asks.

use std::sync::Arc;

use askama::Template;
use askama::filters::Safe;
use axum::extract::State;
use axum::response::Response;

use crate::app::App;
use crate::clock::{DAY_SECONDS, Timestamp};
use crate::domain::access::{AccessCase, AccessState, DelegationSummary};
use crate::domain::integration::IntegrationType;
use crate::domain::names::names;
use crate::domain::organization::OrganizationNumber;
use crate::domain::record::Recorded;
use crate::domain::right::Right;
use crate::domain::scope::{Scope, ScopeAudience, ScopeName, ScopeSummary};
use crate::http::portal::markup::in_parts;
use crate::http::portal::page::{Page, Section, SignedIn, show};
use crate::http::portal::query::{PAGE_ITEMS, Pager, Query};
use crate::http::portal::refused::Refused;
use crate::http::portal::visible::visible;
use crate::registry::{
    AccessFilter, AccessSide, DelegationFilter, RegistryError, ScopeFilter, ScopeUse,
};

/// Days before its end from which on something is said to end soon.
pub(super) const SOON_DAYS: i64 = 30;

/// Whether something that ends at `end` ends so soon that somebody should know.
pub(in crate::http::portal) fn is_soon(end: Timestamp, now: Timestamp) -> bool {
    end <= now.plus_seconds(SOON_DAYS * DAY_SECONDS)
}

/// Which scopes are shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shown {
    /// Those whose owners have denied or withdrawn access.
    Denied,
    /// Those that customers have delegated to us.
    Delegated,
    /// Those in the public list that a search finds.
    Found,
    /// Those that we have been granted.
    Granted,
    /// Those that every organization may use.
    Open,
    /// Those that we have asked for.
    Requested,
}

names!(pub(super) Shown {
    Denied = "denied",
    Delegated = "delegated",
    Found = "found",
    Granted = "granted",
    Open = "open",
    Requested = "requested",
});

/// The tabs, in order.
const TABS: [Shown; 5] =
    [Shown::Granted, Shown::Open, Shown::Delegated, Shown::Requested, Shown::Denied];

/// One scope.
struct Row {
    scope: String,
    description: String,
    owner: String,
    /// The customer that has delegated it.
    customer: Option<String>,
    /// The end of the name of the text of its state, and the kind of its tag.
    state: Option<(&'static str, &'static str)>,
    since: Option<Timestamp>,
    ends: Option<Timestamp>,
    used: Option<Timestamp>,
    message: Option<String>,
    reason: Option<String>,
    clients: u32,
    client_name: String,
    may_have: bool,
    may_ask: bool,
    /// Whether it has been asked for and not been answered.
    may_take_back: bool,
}

impl Row {
    fn in_parts(&self) -> Safe<String> {
        in_parts(&self.scope)
    }
}

#[derive(Template)]
#[template(path = "consumer/callable.html", config = ".askama.toml")]
struct Callable {
    page: Page,
    shown: Shown,
    q: String,
    rows: Vec<Row>,
    pager: Pager,
    may_write: bool,
}

impl Callable {
    fn tabs(&self) -> [Shown; 5] {
        TABS
    }

    /// Under which filter the scope is found when it is put on a client.
    fn picker(&self, row: &Row) -> &'static str {
        match (row.state.map(|(state, _)| state), self.shown) {
            (Some("open"), _) => "open",
            (_, Shown::Delegated) => "delegable",
            _ => "granted",
        }
    }
}

/// `GET /portal/callable?show=granted&q=`
pub(super) async fn list(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    query: Query,
) -> Result<Response, Refused> {
    let search = query.search();
    let shown = match Shown::from_name(query.0.text("show")) {
        Some(shown) => shown,
        None if search.is_some() => Shown::Found,
        None => Shown::Granted,
    };
    let look =
        Look { app: &app, signed_in: &signed_in, query: &query, now: app.issuer.clock.now() };
    let (mut rows, last) = match shown {
        Shown::Granted => look.accesses(AccessState::Approved).await?,
        Shown::Requested => look.accesses(AccessState::Requested).await?,
        Shown::Denied => look.accesses(AccessState::Denied).await?,
        Shown::Delegated => look.delegated().await?,
        Shown::Open => look.public(true, search.clone()).await?,
        Shown::Found => look.public(false, search.clone()).await?,
    };
    look.add_uses(&mut rows).await?;
    let q = search.unwrap_or_default();
    let mut address = format!("/portal/callable?show={}", shown.name());
    if !q.is_empty() {
        address = format!("{address}&q={}", crate::http::portal::query::encoded(&q));
    }
    let pager = Pager::new(address, query.0.filled("after").is_some(), last);
    let page = signed_in.page.at(Section::Callable);
    let may_write = page.may(Right::WriteClients);
    Ok(show(&Callable { page, shown, q, rows, pager, may_write }))
}

/// What a page of rows is made from: the rows, and the key after which the next page begins.
type Found = (Vec<Row>, Option<String>);

struct Look<'a> {
    app: &'a App,
    signed_in: &'a SignedIn,
    query: &'a Query,
    now: Timestamp,
}

impl Look<'_> {
    async fn accesses(&self, state: AccessState) -> Result<Found, RegistryError> {
        let own = self.signed_in.organization;
        let filter = AccessFilter {
            consumer: Some(own),
            state: Some(state),
            inactive: true,
            after: self.query.read("after").map(|scope: ScopeName| (scope, own)),
            ..AccessFilter::default()
        };
        let actor = &self.signed_in.actor;
        let registry = &self.app.registry;
        let page = registry.accesses(actor, AccessSide::Given, filter, PAGE_ITEMS).await?;
        let last = page.items.last().filter(|_| page.has_more);
        let last = last.map(|found| found.value.access.scope.to_string());
        Ok((page.items.into_iter().map(|found| self.access_row(found)).collect(), last))
    }

    fn access_row(&self, found: Recorded<AccessCase>) -> Row {
        let case = found.value;
        let access = &case.access;
        let holds = access.holds_at(self.now);
        let soon = access.expires_at.is_some_and(|end| is_soon(end, self.now));
        let state = match access.state {
            AccessState::Approved if !holds => ("expired", "danger"),
            AccessState::Approved if soon => ("expires-soon", "warning"),
            AccessState::Approved => ("granted", "success"),
            AccessState::Denied if case.taken_back => ("taken-back", "neutral"),
            AccessState::Denied => ("denied", "danger"),
            AccessState::Requested => ("requested", "info"),
        };
        Row {
            scope: access.scope.to_string(),
            description: visible(&case.description),
            owner: named(case.owner, case.owner_name.as_deref()),
            customer: None,
            state: Some(state),
            since: Some(found.updated_at),
            ends: access.expires_at.filter(|_| access.state == AccessState::Approved),
            used: case.last_used_at,
            message: case.message.filter(|_| access.state == AccessState::Requested),
            reason: case.reason,
            clients: 0,
            client_name: String::new(),
            may_have: holds,
            may_ask: match access.state {
                AccessState::Approved => !holds,
                AccessState::Denied => true,
                AccessState::Requested => false,
            },
            may_take_back: access.state == AccessState::Requested,
        }
    }

    async fn delegated(&self) -> Result<Found, RegistryError> {
        let own = self.signed_in.organization;
        let filter = DelegationFilter {
            party: Some(own),
            supplier: Some(own),
            after: self.after_delegation(own),
            ..DelegationFilter::default()
        };
        let registry = &self.app.registry;
        let page = registry.delegations(&self.signed_in.actor, filter, PAGE_ITEMS).await?;
        let last = page.items.last().filter(|_| page.has_more);
        let last = last.map(|found| &found.delegation.value);
        let last = last.map(|last| format!("{} {}", last.consumer, last.scope));
        let row = |found: DelegationSummary| {
            let it = found.delegation.value;
            let holds = it.holds_at(self.now);
            Row {
                scope: it.scope.to_string(),
                description: String::new(),
                owner: String::new(),
                customer: Some(named(it.consumer, found.consumer_name.as_deref())),
                state: Some(if holds { ("delegated", "success") } else { ("not-now", "neutral") }),
                since: Some(it.valid_from),
                ends: it.valid_to,
                used: None,
                message: None,
                reason: None,
                clients: 0,
                client_name: String::new(),
                may_have: holds,
                may_ask: false,
                may_take_back: false,
            }
        };
        Ok((page.items.into_iter().map(row).collect(), last))
    }

    fn after_delegation(
        &self,
        own: OrganizationNumber,
    ) -> Option<(OrganizationNumber, OrganizationNumber, ScopeName)> {
        let (consumer, scope) = self.query.0.text("after").split_once(' ')?;
        Some((consumer.parse().ok()?, own, scope.parse().ok()?))
    }

    async fn public(&self, only_open: bool, text: Option<String>) -> Result<Found, RegistryError> {
        let filter = ScopeFilter {
            accessible_for_all: only_open.then_some(true),
            product: Some(IntegrationType::Maskinporten),
            text,
            after: self.query.read("after"),
            ..ScopeFilter::default()
        };
        let registry = &self.app.registry;
        let page = registry.public_scopes(filter, PAGE_ITEMS).await?;
        let last = page.items.last().filter(|_| page.has_more);
        let last = last.map(|found| found.scope.value.name.to_string());
        let own = self.signed_in.organization;
        let row = |found: &ScopeSummary| Row {
            // Who owns a scope grants it, and asks nobody.
            may_ask: found.scope.value.owner != own && !is_open(&found.scope.value),
            ..public_row(found)
        };
        Ok((page.items.iter().map(row).collect(), last))
    }

    /// Says which of our clients have the scopes: one query for the page.
    async fn add_uses(&self, rows: &mut [Row]) -> Result<(), RegistryError> {
        let mut scopes: Vec<ScopeName> =
            rows.iter().filter_map(|row| row.scope.parse().ok()).collect();
        scopes.sort_unstable();
        scopes.dedup();
        let uses = self.app.registry.scope_uses(&self.signed_in.actor, &scopes).await?;
        for row in rows {
            let found = uses.iter().find(|used| used.scope.as_str() == row.scope);
            if let Some(ScopeUse { clients, client_name, .. }) = found {
                row.clients = *clients;
                row.client_name = visible(client_name);
            }
        }
        Ok(())
    }
}

fn public_row(found: &ScopeSummary) -> Row {
    let scope = &found.scope.value;
    Row {
        scope: scope.name.to_string(),
        description: visible(&scope.description),
        owner: named(scope.owner, found.owner_name.as_deref()),
        customer: None,
        state: is_open(scope).then_some(("open", "success")),
        since: None,
        ends: None,
        used: None,
        message: None,
        reason: None,
        clients: 0,
        client_name: String::new(),
        may_have: is_open(scope),
        may_ask: false,
        may_take_back: false,
    }
}

/// Whether every organization may use the scope.
fn is_open(scope: &Scope) -> bool {
    scope.audience == ScopeAudience::AnyOrganization
}

/// An organization as it is written: its name and number, or its number alone.
pub(super) fn named(number: OrganizationNumber, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{} ({number})", visible(name)),
        None => number.to_string(),
    }
}
