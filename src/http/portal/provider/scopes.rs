//! The list of scopes.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::app::App;
use crate::domain::right::Right;
use crate::domain::scope::{ScopeAudience, ScopeName, ScopeStatus, ScopeSummary, Visibility};
use crate::domain::usage::{Day, Period};
use crate::http::portal::page::{Page, Section, SignedIn, show};
use crate::http::portal::provider::address;
use crate::http::portal::query::{PAGE_ITEMS, Pager, Query, encoded};
use crate::http::portal::refused::Refused;
use crate::http::portal::visible::visible;
use crate::registry::{PrefixFilter, ScopeFilter};

/// The most prefixes that can be chosen from; an organization has a few.
pub(super) const PREFIXES_SHOWN_MAX: u32 = 200;

/// Days that the figure beside a scope is about.
const USAGE_DAYS: u32 = 30;

struct Row {
    name: ScopeName,
    address: String,
    description: String,
    is_active: bool,
    is_open: bool,
    is_public: bool,
    tokens: u64,
}

#[derive(Template)]
#[template(path = "provider/scopes.html", config = ".askama.toml")]
struct Scopes {
    page: Page,
    q: String,
    prefix: String,
    prefixes: Vec<String>,
    all: bool,
    rows: Vec<Row>,
    pager: Pager,
    may_write: bool,
}

impl Scopes {
    /// Whether the list is what one gets without asking for anything.
    fn is_whole(&self) -> bool {
        self.q.is_empty() && self.prefix.is_empty() && !self.pager.is_later
    }
}

/// `GET /portal/scopes?q=&prefix=&status=&after=`
pub(super) async fn list(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    query: Query,
) -> Result<Response, Refused> {
    let prefixes = prefixes(&app, &signed_in).await?;
    let search = query.search();
    let prefix = query.0.filled("prefix").filter(|prefix| prefixes.iter().any(|it| it == prefix));
    let all = query.0.text("status") == "all";
    let filter = ScopeFilter {
        owner: Some(signed_in.organization),
        prefix: prefix.map(str::to_owned),
        inactive: all,
        text: search.clone(),
        after: query.read("after"),
        tokens_from: Period::ending(Day::of(app.issuer.clock.now()), USAGE_DAYS)
            .map(|period| period.first),
        ..ScopeFilter::default()
    };
    let is_later = filter.after.is_some();
    let found = app.registry.scopes(&signed_in.actor, filter, PAGE_ITEMS).await?;
    let last = found.items.last().filter(|_| found.has_more);
    let last = last.map(|last| last.scope.value.name.to_string());
    let q = search.unwrap_or_default();
    let mut address = format!("/portal/scopes?status={}", if all { "all" } else { "active" });
    for (name, value) in [("q", &*q), ("prefix", prefix.unwrap_or_default())] {
        if !value.is_empty() {
            address = format!("{address}&{name}={}", encoded(value));
        }
    }
    let prefix = prefix.unwrap_or_default().to_owned();
    let page = signed_in.page.at(Section::Scopes);
    let may_write = page.may(Right::WriteScopes);
    Ok(show(&Scopes {
        page,
        q,
        prefix,
        prefixes,
        all,
        rows: found.items.into_iter().map(row).collect(),
        pager: Pager::new(address, is_later, last),
        may_write,
    }))
}

/// The prefixes under which the organization can make scopes.
pub(super) async fn prefixes(app: &App, signed_in: &SignedIn) -> Result<Vec<String>, Refused> {
    let owner = Some(signed_in.organization);
    let filter = PrefixFilter { owner, ..PrefixFilter::default() };
    let found = app.registry.prefixes(&filter, PREFIXES_SHOWN_MAX).await?;
    Ok(found.items.into_iter().map(|(prefix, _)| prefix.value.name.to_string()).collect())
}

fn row(it: ScopeSummary) -> Row {
    let scope = it.scope.value;
    Row {
        address: address(&scope.name),
        description: visible(&scope.description),
        is_active: scope.status == ScopeStatus::Active,
        is_open: scope.audience == ScopeAudience::AnyOrganization,
        is_public: scope.visibility == Visibility::Public,
        name: scope.name,
        tokens: it.tokens.unwrap_or_default(),
    }
}
