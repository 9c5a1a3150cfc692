//! One scope: what stands above all its tabs, and the tab about the scope itself.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::app::App;
use crate::domain::record::Recorded;
use crate::domain::right::Right;
use crate::domain::scope::{Scope, ScopeAudience, ScopeName, ScopeStatus};
use crate::http::portal::page::{Page, Section, SignedIn, show};
use crate::http::portal::provider::address;
use crate::http::portal::refused::Refused;
use crate::http::portal::visible::visible;
use crate::registry::Actor;

/// A tab of a scope.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Tab {
    /// The scope itself.
    About,
    /// Who has access.
    Accesses,
    /// The change log.
    History,
    /// Who asks for access.
    Requests,
    /// How many tokens are issued.
    Usage,
}

impl Tab {
    /// The end of the name of its text, and of its address.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::About => "about",
            Self::Accesses => "accesses",
            Self::History => "history",
            Self::Requests => "requests",
            Self::Usage => "usage",
        }
    }
}

/// The tabs, in order.
const TABS: [Tab; 5] = [Tab::Accesses, Tab::Requests, Tab::Usage, Tab::About, Tab::History];

/// What stands above all tabs of a scope.
pub(super) struct Head {
    pub(super) name: ScopeName,
    /// Where its pages are.
    pub(super) address: String,
    pub(super) description: String,
    pub(super) is_active: bool,
    /// Whether every organization may use it without being given access.
    pub(super) is_open: bool,
    /// The end of the name of the text about who can find it.
    pub(super) visibility: String,
    pub(super) version: i64,
    pub(super) may_write: bool,
    pub(super) tab: Tab,
}

impl Head {
    fn new(page: &Page, found: &Recorded<Scope>, tab: Tab) -> Self {
        let scope = &found.value;
        Self {
            address: address(&scope.name),
            name: scope.name.clone(),
            description: visible(&scope.description),
            is_active: scope.status == ScopeStatus::Active,
            is_open: scope.audience == ScopeAudience::AnyOrganization,
            visibility: scope.visibility.name().to_ascii_lowercase(),
            version: found.version.0,
            may_write: page.may(Right::WriteScopes),
            tab,
        }
    }

    /// The tabs with where they are.
    pub(super) fn tabs(&self) -> Vec<(Tab, String)> {
        let tab = |tab: Tab| match tab {
            Tab::Accesses => (tab, self.address.clone()),
            other => (tab, format!("{}/{}", self.address, other.name())),
        };
        TABS.map(tab).into()
    }
}

/// A scope that the reader may see.
pub(super) struct Loaded {
    pub(super) page: Page,
    pub(super) actor: Actor,
    pub(super) scope: Recorded<Scope>,
    pub(super) head: Head,
}

/// The scope of that name, for a page on that tab.
pub(super) async fn load(
    signed_in: SignedIn,
    app: &App,
    name: &str,
    tab: Tab,
) -> Result<Loaded, Refused> {
    let name: ScopeName = name.parse().map_err(|_| Refused::NotFound)?;
    let SignedIn { page, actor, .. } = signed_in;
    let scope = app.registry.scope(&actor, &name).await?;
    let page = page.at(Section::Scopes);
    let head = Head::new(&page, &scope, tab);
    Ok(Loaded { page, actor, scope, head })
}

#[derive(Template)]
#[template(path = "provider/about.html", config = ".askama.toml")]
struct About {
    page: Page,
    head: Head,
    scope: Recorded<Scope>,
    /// The name of the register of delegations.
    register: Option<String>,
    long: Option<String>,
}

/// `GET /portal/scopes/{scope}/about`
pub(super) async fn about(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Response, Refused> {
    let it = load(signed_in, &app, &name, Tab::About).await?;
    let source = it.scope.value.delegation_source.as_ref();
    let register = source.map(|issuer| {
        let known = app.registry.delegation_sources().iter().find(|known| known.issuer == *issuer);
        known.map_or_else(|| issuer.clone(), |known| known.name.clone())
    });
    let long = it.scope.value.details.long_description.as_ref();
    let long = long.map(|text| text.lines().map(visible).collect::<Vec<_>>().join("\n"));
    Ok(show(&About { page: it.page, head: it.head, scope: it.scope, register, long }))
}
