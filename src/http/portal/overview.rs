//! The first page: what needs whoever has signed in, how much is used, and where to go on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::app::App;
use crate::clock::{DAY_SECONDS, Timestamp};
use crate::domain::access::{AccessCase, AccessState};
use crate::domain::alert::AlertKind;
use crate::domain::client::{ClientId, KeyId};
use crate::domain::environment::SelfService;
use crate::domain::prefix_request::{PrefixRequest, PrefixRequestState};
use crate::domain::record::Recorded;
use crate::domain::refused_request::RefusedRequest;
use crate::domain::registration::RegisteredKey;
use crate::domain::right::Right;
use crate::domain::user::User;
use crate::http::portal::organization::alerts::AlertLine;
use crate::http::portal::page::{Page, Section, SignedIn, show};
use crate::http::portal::refused::Refused;
use crate::http::portal::visible::visible;
use crate::registry::{
    AccessFilter, AccessSide, ClientFilter, PrefixFilter, PrefixRequestFilter, RegistryError,
    ScopeFilter,
};

/// Days before its end from which a key needs somebody.
const KEY_SOON_DAYS: i64 = 30;

/// Days for which a key that has ended is still spoken of; later it is a client that nobody misses.
const KEY_ENDED_DAYS: i64 = 14;

/// Days for which an alert is news.
const ALERT_DAYS: i64 = 7;

/// Things of one kind that are shown; more of them have a page of their own.
const SHOWN: u32 = 5;

/// The newest refusals that are grouped, and for how long they need somebody.
const REFUSALS_READ: u32 = 100;
const REFUSAL_SECONDS: i64 = DAY_SECONDS;

/// Days of use that are summed.
const USE_DAYS: u32 = 30;

/// From how many refusals in that time on something is wrong; fewer are a mistake that somebody makes while trying.
const REFUSALS_CRITICAL: u64 = 10;

/// Refusals of one client.
struct Refusals {
    client: ClientId,
    name: String,
    /// For what reasons, in the order of their codes.
    codes: BTreeSet<String>,
    count: u64,
    /// The newest.
    trace_id: String,
}

/// What needs somebody.
#[derive(Default)]
struct Attention {
    keys: Vec<RegisteredKey>,
    requests: Vec<Recorded<AccessCase>>,
    more_requests: bool,
    /// For the operator.
    prefix_requests: Vec<Recorded<PrefixRequest>>,
    alerts: Vec<AlertLine>,
    refusals: Vec<Refusals>,
}

impl Attention {
    fn is_empty(&self) -> bool {
        self.keys.is_empty()
            && self.requests.is_empty()
            && self.prefix_requests.is_empty()
            && self.alerts.is_empty()
            && self.refusals.is_empty()
    }
}

/// How much there is.
struct Figures {
    consumed: u64,
    provided: u64,
    has_clients: bool,
    has_scopes: bool,
    has_prefix: bool,
}

#[derive(Template)]
#[template(path = "overview.html", config = ".askama.toml")]
struct Overview {
    page: Page,
    name: String,
    now: Timestamp,
    /// `None` for somebody who may see nothing.
    shown: Option<(Attention, Figures)>,
    /// Who can give somebody without roles one.
    whom: Vec<User>,
}

impl Overview {
    fn may(&self, right: &str) -> bool {
        Right::from_name(right).is_some_and(|right| self.page.may(right))
    }

    fn is_restricted(&self) -> bool {
        self.page.environment.self_service == SelfService::Restricted
    }

    fn has_ended(&self, key: &RegisteredKey) -> bool {
        key.key.expires_at <= self.now
    }

    /// What there is to say about the end of a key.
    fn ends(&self, key: &RegisteredKey) -> String {
        let day = self.page.day(&key.key.expires_at);
        let kid = visible(key.key.id.as_str());
        let name = if self.has_ended(key) { "overview-key-ended" } else { "overview-key-ends" };
        self.page.fill2(name, ("kid", &kid), ("day", &day))
    }

    fn asks(&self, case: &AccessCase) -> String {
        let consumer = case.access.consumer.to_string();
        let who = visible(case.consumer_name.as_deref().unwrap_or(&consumer));
        self.page.fill2("overview-asks", ("organization", &who), ("scope", &case.access.scope))
    }

    fn asks_for_prefix(&self, request: &PrefixRequest) -> String {
        let number = request.organization.to_string();
        let who = visible(request.organization_name.as_deref().unwrap_or(&number));
        self.page.fill2("operator-asks", ("organization", &who), ("prefix", &request.prefix))
    }

    fn refused(&self, refusals: &Refusals) -> String {
        let codes = refusals.codes.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let values = [("count", refusals.count.into()), ("code", codes.into())];
        self.page.texts().fill("overview-refused", &values)
    }

    fn is_critical(&self, refusals: &Refusals) -> bool {
        refusals.count >= REFUSALS_CRITICAL
    }
}

/// `GET /portal`
pub(super) async fn overview(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
) -> Result<Response, Refused> {
    let page = signed_in.page.clone().at(Section::Overview);
    let sees = page.may(Right::ReadClients) && page.may(Right::ReadScopes);
    let look = Look { app: &app, signed_in: &signed_in, now: app.issuer.clock.now() };
    let shown =
        if sees { Some((look.attention(&page).await?, look.figures().await?)) } else { None };
    let whom = if sees { Vec::new() } else { app.registry.whom_to_ask(&signed_in.session).await? };
    let name = visible(&signed_in.session.user.name);
    Ok(show(&Overview { page, name, now: look.now, shown, whom }))
}

struct Look<'a> {
    app: &'a App,
    signed_in: &'a SignedIn,
    now: Timestamp,
}

impl Look<'_> {
    async fn attention(&self, page: &Page) -> Result<Attention, Refused> {
        let (actor, own) = (&self.signed_in.actor, self.signed_in.organization);
        let registry = &self.app.registry;
        let filter = AccessFilter {
            owner: Some(own),
            state: Some(AccessState::Requested),
            ..AccessFilter::default()
        };
        let requests = registry.accesses(actor, AccessSide::Owned, filter, SHOWN).await?;
        let news = self.now.minus_seconds(ALERT_DAYS * DAY_SECONDS);
        let alerts = registry.alerts(actor, own, None, SHOWN).await?;
        // Who waits for an answer is shown as long as they do.
        let waits = |kind| matches!(kind, AlertKind::AccessRequested | AlertKind::PrefixRequested);
        let alerts = alerts.items.into_iter();
        let alerts = alerts.filter(|alert| alert.created_at >= news && !waits(alert.kind));
        Ok(Attention {
            keys: self.keys().await?,
            requests: requests.items,
            more_requests: requests.has_more,
            prefix_requests: self.prefix_requests(page).await?,
            alerts: alerts.map(|alert| AlertLine::new(page, alert)).collect(),
            refusals: self.refusals().await?,
        })
    }

    /// What waits for the operator, if that is who reads.
    async fn prefix_requests(
        &self,
        page: &Page,
    ) -> Result<Vec<Recorded<PrefixRequest>>, RegistryError> {
        if !page.is_operator() {
            return Ok(Vec::new());
        }
        let state = Some(PrefixRequestState::Requested);
        let filter = PrefixRequestFilter { state, ..PrefixRequestFilter::default() };
        let registry = &self.app.registry;
        Ok(registry.prefix_requests(&self.signed_in.actor, filter, SHOWN).await?.items)
    }

    /// Keys that end soon, or have ended lately.
    async fn keys(&self) -> Result<Vec<RegisteredKey>, RegistryError> {
        let soon = self.now.plus_seconds(KEY_SOON_DAYS * DAY_SECONDS);
        let ended = self.now.minus_seconds(KEY_ENDED_DAYS * DAY_SECONDS);
        // The list goes on after a key. This one stands before all that ended in that second.
        let first = ("-".parse::<ClientId>().ok(), "-".parse::<KeyId>().ok());
        let after = match &first {
            (Some(client), Some(kid)) => Some((ended, client, kid)),
            _ => None,
        };
        let (actor, own) = (&self.signed_in.actor, Some(self.signed_in.organization));
        let registry = &self.app.registry;
        Ok(registry.keys_by_expiry(actor, own, Some(soon), after, SHOWN).await?.items)
    }

    /// What has been refused to our clients lately, by client, the most first.
    async fn refusals(&self) -> Result<Vec<Refusals>, RegistryError> {
        let (actor, own) = (&self.signed_in.actor, self.signed_in.organization);
        let oldest = self.now.minus_seconds(REFUSAL_SECONDS);
        let found = self.app.registry.refused_requests(actor, None, None, REFUSALS_READ).await?;
        let mut groups: BTreeMap<ClientId, Refusals> = BTreeMap::new();
        for refusal in found.items.into_iter().filter(|refusal| refusal.at >= oldest) {
            let code = refusal.code.clone().unwrap_or_else(|| refusal.error.clone());
            let RefusedRequest { client: Some(client), trace_id, .. } = refusal else { continue };
            // The operator is shown those of everybody elsewhere.
            if client.organization != own {
                continue;
            }
            let (client, name, codes) = (client.id, String::new(), BTreeSet::new());
            let first = || Refusals { client: client.clone(), name, codes, count: 0, trace_id };
            let group = groups.entry(client.clone()).or_insert_with(first);
            group.count += 1;
            group.codes.insert(code);
        }
        let mut groups: Vec<Refusals> = groups.into_values().collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.count));
        groups.truncate(usize::try_from(SHOWN).unwrap_or(usize::MAX));
        let ids: Vec<ClientId> = groups.iter().map(|group| group.client.clone()).collect();
        let mut names = self.app.registry.client_names(actor, &ids).await?;
        for group in &mut groups {
            group.name = visible(&names.remove(&group.client).unwrap_or_default());
        }
        Ok(groups)
    }

    async fn figures(&self) -> Result<Figures, RegistryError> {
        let (actor, own) = (&self.signed_in.actor, self.signed_in.organization);
        let registry = &self.app.registry;
        let usage = registry.usage_of_organization(actor, own, USE_DAYS).await?;
        let filter = ClientFilter { organization: Some(own), ..ClientFilter::default() };
        let clients = registry.clients(actor, filter, 1).await?;
        let filter = ScopeFilter { owner: Some(own), ..ScopeFilter::default() };
        let scopes = registry.scopes(actor, filter, 1).await?;
        let filter = PrefixFilter { owner: Some(own), ..PrefixFilter::default() };
        let prefixes = registry.prefixes(&filter, 1).await?;
        Ok(Figures {
            consumed: usage.consumed.tokens,
            provided: usage.provided.tokens,
            has_clients: !clients.items.is_empty(),
            has_scopes: !scopes.items.is_empty(),
            has_prefix: !prefixes.items.is_empty(),
        })
    }
}
