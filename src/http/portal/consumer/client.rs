//! One client: what stands above all its tabs, and the first of them.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::app::App;
use crate::clock::Timestamp;
use crate::domain::client::{ClientId, ClientStatus};
use crate::domain::registration::ClientFile;
use crate::domain::right::Right;
use crate::http::portal::consumer::callable::{is_soon, named};
use crate::http::portal::page::{Page, Section, SignedIn, show};
use crate::http::portal::refused::Refused;
use crate::http::portal::visible::visible;
use crate::registry::RegistryError;

/// A tab of a client.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Tab {
    /// The change log.
    History,
    /// The keys.
    Keys,
    /// The client itself.
    Overview,
    /// What was refused.
    Refusals,
    /// The scopes.
    Scopes,
    /// A token, fetched in the browser.
    Try,
}

impl Tab {
    /// The end of its address and of the name of its text.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::History => "history",
            Self::Keys => "keys",
            Self::Overview => "overview",
            Self::Refusals => "refusals",
            Self::Scopes => "scopes",
            Self::Try => "try",
        }
    }
}

/// The tabs, in order.
const TABS: [Tab; 6] =
    [Tab::Overview, Tab::Keys, Tab::Scopes, Tab::Try, Tab::Refusals, Tab::History];

/// How the keys of a client stand together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum KeysState {
    /// It has none: it signs with its enterprise certificate.
    Certificate,
    /// All of them are over, so it gets no tokens.
    Expired,
    /// Every key is good for a while.
    Good,
    /// The last of them ends soon.
    Soon,
}

/// What stands above all tabs of a client.
pub(super) struct Head {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) is_active: bool,
    pub(super) keys: usize,
    pub(super) scopes: usize,
    pub(super) keys_state: KeysState,
    /// When the last of its keys ends.
    pub(super) keys_end: Option<Timestamp>,
    pub(super) version: i64,
    pub(super) may_write: bool,
    pub(super) may_keys: bool,
    /// What the client may do and the reader may not, so that it is not theirs to change.
    pub(super) lacks: Option<Right>,
    pub(super) tab: Tab,
}

impl Head {
    pub(super) fn new(page: &Page, file: &ClientFile, now: Timestamp, tab: Tab) -> Self {
        let registration = &file.registration.value;
        let client = &registration.client;
        // A key may end when another goes on: only the last one tells whether the client stops.
        let keys_end = file.keys.iter().map(|it| it.key.expires_at).max();
        let keys_state = match keys_end {
            None => KeysState::Certificate,
            Some(end) if end <= now => KeysState::Expired,
            Some(end) if is_soon(end, now) => KeysState::Soon,
            Some(_) => KeysState::Good,
        };
        // Who changes a client or its keys could do what it does; and who may not make clients for customers may not
        // change one that is there.
        let carried = client.scopes.iter().filter_map(|scope| Right::from_name(scope.as_str()));
        let carried = carried.chain(client.customer.map(|_| Right::ActForCustomers));
        let writes = page.may(Right::ModifyClients);
        let lacks = carried.into_iter().find(|right| writes && !page.may(*right));
        let may = |right| page.may(right) && lacks.is_none();
        Self {
            id: client.id.to_string(),
            name: visible(&client.name),
            description: visible(&registration.description),
            is_active: client.status == ClientStatus::Active,
            keys: file.keys.len(),
            scopes: client.scopes.len(),
            keys_state,
            keys_end,
            version: file.registration.version.0,
            may_write: may(Right::WriteClients),
            may_keys: may(Right::ModifyClients),
            lacks,
            tab,
        }
    }

    /// The tabs with where they are, and how many things are behind them.
    pub(super) fn tabs(&self) -> Vec<(Tab, String, Option<usize>)> {
        let tab = |tab: Tab| {
            let end = if tab == Tab::Overview { String::new() } else { format!("/{}", tab.name()) };
            let count = match tab {
                Tab::Keys => Some(self.keys),
                Tab::Scopes => Some(self.scopes),
                Tab::History | Tab::Overview | Tab::Refusals | Tab::Try => None,
            };
            (tab, format!("/portal/clients/{}{end}", self.id), count)
        };
        TABS.map(tab).into()
    }

    /// Whether no token can be signed for with a key that is registered.
    pub(super) fn is_expired(&self) -> bool {
        self.keys_state == KeysState::Expired
    }

    /// Whether a new key is needed soon.
    pub(super) fn is_soon(&self) -> bool {
        self.keys_state == KeysState::Soon
    }
}

/// A client that the reader may see.
pub(super) struct Loaded {
    pub(super) page: Page,
    pub(super) id: ClientId,
    pub(super) file: ClientFile,
    pub(super) head: Head,
    pub(super) now: Timestamp,
}

impl Loaded {
    /// Holds that the reader may use `right` on the client, so that nobody fills in a form in vain.
    pub(super) fn require(&self, right: Right) -> Result<(), Refused> {
        let missing = if self.page.may(right) { self.head.lacks } else { Some(right) };
        match missing {
            Some(needed) => Err(RegistryError::Forbidden { needed }.into()),
            None => Ok(()),
        }
    }
}

/// The client of that id, for a page on that tab.
pub(super) async fn load(
    signed_in: SignedIn,
    app: &App,
    id: &str,
    tab: Tab,
) -> Result<Loaded, Refused> {
    let id: ClientId = id.parse().map_err(|_| Refused::NotFound)?;
    let file = app.registry.client(&signed_in.actor, &id).await?;
    let page = signed_in.page.at(Section::Clients);
    let now = app.issuer.clock.now();
    let head = Head::new(&page, &file, now, tab);
    Ok(Loaded { page, id, file, head, now })
}

#[derive(Template)]
#[template(path = "consumer/client.html", config = ".askama.toml")]
struct Overview {
    page: Page,
    head: Head,
    organization: String,
    customer: Option<String>,
    lifetime: u32,
    created: Timestamp,
    updated: Timestamp,
    used: Option<Timestamp>,
}

/// `GET /portal/clients/{id}`
pub(super) async fn overview(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let it = load(signed_in, &app, &id, Tab::Overview).await?;
    let client = &it.file.registration.value.client;
    let numbers: Vec<_> = [client.organization].into_iter().chain(client.customer).collect();
    let names = app.registry.organization_names(&numbers).await?;
    let name = |number| named(number, names.get(&number).map(String::as_str));
    Ok(show(&Overview {
        organization: name(client.organization),
        customer: client.customer.map(name),
        lifetime: client.token_lifetime_seconds,
        created: it.file.registration.created_at,
        updated: it.file.registration.updated_at,
        used: it.file.last_used_at,
        page: it.page,
        head: it.head,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::language::Language;
    use crate::http::portal::consumer::callable::Shown;
    use crate::http::portal::consumer::new_client::Picked;
    use crate::http::portal::consumer::new_key::OVERLAPS;
    use crate::http::portal::texts::Texts;

    #[test]
    fn every_word_of_these_pages_has_its_texts() {
        let texts = Texts::of(Language::Bokmal);
        let named = |begin: &str, words: &[&str]| {
            let names = words.iter().map(|word| format!("{begin}-{word}"));
            names.filter(|name| !texts.has(name)).collect::<Vec<_>>()
        };
        let tabs = TABS.map(Tab::name);
        let shown: Vec<&str> = Shown::ALL.iter().map(|shown| shown.name()).collect();
        let overlaps = OVERLAPS.map(|(word, _)| word);
        let states = [
            "granted",
            "expires-soon",
            "expired",
            "requested",
            "denied",
            "delegated",
            "taken-back",
        ];
        let missing = [
            named("client-tab", &tabs),
            named("callable-tab", &shown),
            named("callable-what", &shown),
            named("callable-none", &shown),
            named("callable-none-why", &shown),
            named("callable-state", &states),
            named("callable-state", &["login", "none", "not-now", "off", "open"]),
            named("ask-needless", &["open", "granted", "requested"]),
            named("client-scopes-filter", &Picked::FILTERS),
            named("client-scopes-no-more", &Picked::FILTERS),
            named("clients-key", &["certificate", "expired", "soon", "ok"]),
            named("keys-state", &["good", "soon", "expired"]),
            named("keys-kind", &["bare", "certificate"]),
            named("keys-overlap", &overlaps),
            named("new-client-step", &["purpose", "scopes", "key"]),
            named("delegations-state", &["holds", "later", "over", "withdrawn"]),
            named("refusals-outcome", &["pass", "fail", "skipped"]),
        ];
        assert_eq!(missing.concat(), Vec::<String>::new());
    }
}
