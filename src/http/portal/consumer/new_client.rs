//! A new client in three steps: what for, which scopes, which key. Each step is an address, so that the browser's
//! way back works; only the last one makes anything.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::app::App;
use crate::domain::access::AccessState;
use crate::domain::client::ClientId;
use crate::domain::integration::IntegrationType;
use crate::domain::organization::OrganizationNumber;
use crate::domain::right::Right;
use crate::domain::scope::{ScopeName, ScopeSummary};
use crate::http::portal::consumer::callable::named;
use crate::http::portal::consumer::edit::check_purpose;
use crate::http::portal::consumer::new_key::{key_errors, read_key, shown_again};
use crate::http::portal::consumer::snippets::Endpoints;
use crate::http::portal::fields::Fields;
use crate::http::portal::form_errors::FormErrors;
use crate::http::portal::page::{Page, Section, SignedIn, go_to, show, show_again};
use crate::http::portal::query::{PAGE_ITEMS, Query};
use crate::http::portal::refused::Refused;
use crate::http::portal::visible::visible;
use crate::registry::{AccessFilter, AccessSide, NewClient, RegistryError, ScopeFilter};

/// What a sealed client id is for, so that it is good for nothing else.
const SEAL: &str = "new client of the portal";

/// What the steps carry on.
struct Wish {
    name: String,
    description: String,
    /// The number of the customer, as it was typed.
    customer: String,
    scopes: Vec<String>,
}

impl Wish {
    fn read(fields: &Fields) -> Self {
        let mut scopes: Vec<String> = Vec::new();
        for scope in fields.all("scope") {
            if scope.parse::<ScopeName>().is_ok() && !scopes.iter().any(|known| known == scope) {
                scopes.push(scope.to_owned());
            }
        }
        Self {
            name: fields.text("name").to_owned(),
            description: fields.text("description").to_owned(),
            customer: fields.text("customer").to_owned(),
            scopes,
        }
    }

    fn customer(&self) -> Result<Option<OrganizationNumber>, ()> {
        let digits = self.customer.replace(' ', "");
        if digits.is_empty() { Ok(None) } else { digits.parse().map(Some).map_err(|_| ()) }
    }
}

#[derive(Template)]
#[template(path = "consumer/new_purpose.html", config = ".askama.toml")]
struct Purpose {
    page: Page,
    wish: Wish,
    errors: FormErrors,
}

/// `GET /portal/clients/new?scope=`
pub(super) async fn purpose(signed_in: SignedIn, query: Query) -> Result<Response, Refused> {
    signed_in.actor.require(Right::WriteClients)?;
    let page = signed_in.page.at(Section::Clients);
    let wish = Wish::read(&query.0);
    Ok(show(&Purpose { page, wish, errors: FormErrors::default() }))
}

/// A scope that can be chosen.
pub(super) struct Candidate {
    pub(super) scope: String,
    pub(super) description: String,
    pub(super) owner: String,
}

/// Scopes to choose from, through one of three filters.
pub(super) struct Picked {
    pub(super) filter: &'static str,
    pub(super) q: String,
    pub(super) candidates: Vec<Candidate>,
    /// The scope after which there are more.
    pub(super) next: Option<String>,
}

impl Picked {
    /// Granted to us, open to all, and what can be delegated to a supplier.
    pub(super) const FILTERS: [&'static str; 3] = ["granted", "open", "delegable"];
}

/// The scopes that the filter `show` and the search `q` leave, after `after`.
pub(super) async fn candidates(
    app: &App,
    signed_in: &SignedIn,
    query: &Query,
) -> Result<Picked, Refused> {
    let said = query.0.text("show");
    let filter = Picked::FILTERS.into_iter().find(|filter| *filter == said).unwrap_or("granted");
    let q = query.search();
    let after: Option<ScopeName> = query.read("after");
    let (candidates, next) = if filter == "granted" {
        granted(app, signed_in, q.as_deref(), after).await?
    } else {
        let filter = ScopeFilter {
            accessible_for_all: (filter == "open").then_some(true),
            delegated: (filter == "delegable").then_some(true),
            product: Some(IntegrationType::Maskinporten),
            text: q.clone(),
            after,
            ..ScopeFilter::default()
        };
        public(app, filter).await?
    };
    Ok(Picked { filter, q: q.unwrap_or_default(), candidates, next })
}

type Found = (Vec<Candidate>, Option<String>);

async fn granted(
    app: &App,
    signed_in: &SignedIn,
    q: Option<&str>,
    after: Option<ScopeName>,
) -> Result<Found, RegistryError> {
    let own = signed_in.organization;
    let filter = AccessFilter {
        consumer: Some(own),
        state: Some(AccessState::Approved),
        after: after.map(|scope| (scope, own)),
        ..AccessFilter::default()
    };
    let registry = &app.registry;
    let page = registry.accesses(&signed_in.actor, AccessSide::Given, filter, PAGE_ITEMS).await?;
    let next = page.items.last().filter(|_| page.has_more);
    let next = next.map(|found| found.value.access.scope.to_string());
    let now = app.issuer.clock.now();
    let q = q.unwrap_or_default().to_lowercase();
    let usable = page.items.into_iter().map(|found| found.value).filter(|case| {
        // An organization has few accesses: a page of them is searched as it is shown.
        case.access.holds_at(now) && case.access.scope.as_str().to_lowercase().contains(&q)
    });
    let candidate = |case: crate::domain::access::AccessCase| Candidate {
        scope: case.access.scope.to_string(),
        description: visible(&case.description),
        owner: named(case.owner, case.owner_name.as_deref()),
    };
    Ok((usable.map(candidate).collect(), next))
}

async fn public(app: &App, filter: ScopeFilter) -> Result<Found, RegistryError> {
    let page = app.registry.public_scopes(filter, PAGE_ITEMS).await?;
    let next = page.items.last().filter(|_| page.has_more);
    let next = next.map(|found| found.scope.value.name.to_string());
    let candidate = |found: ScopeSummary| {
        let scope = found.scope.value;
        Candidate {
            owner: named(scope.owner, found.owner_name.as_deref()),
            scope: scope.name.to_string(),
            description: visible(&scope.description),
        }
    };
    Ok((page.items.into_iter().map(candidate).collect(), next))
}

#[derive(Template)]
#[template(path = "consumer/new_scopes.html", config = ".askama.toml")]
struct ChooseScopes {
    page: Page,
    wish: Wish,
    picked: Picked,
}

impl ChooseScopes {
    /// What a client for one customer cannot use is not offered: it asks with the access of its own organization alone.
    fn filters(&self) -> impl Iterator<Item = &'static str> {
        let for_customer = !self.wish.customer.is_empty();
        Picked::FILTERS.into_iter().filter(move |filter| !(for_customer && *filter == "delegable"))
    }

    /// Those that are not chosen yet.
    fn others(&self) -> impl Iterator<Item = &Candidate> {
        self.picked.candidates.iter().filter(|it| !self.wish.scopes.contains(&it.scope))
    }
}

/// `GET /portal/clients/new/scopes`
pub(super) async fn choose_scopes(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    query: Query,
) -> Result<Response, Refused> {
    signed_in.actor.require(Right::WriteClients)?;
    let wish = Wish::read(&query.0);
    let errors = check_wish(&signed_in.page, &query.0, &wish);
    if !errors.is_empty() {
        let page = signed_in.page.at(Section::Clients);
        return Ok(show_again(&Purpose { page, wish, errors }));
    }
    let picked = candidates(&app, &signed_in, &query).await?;
    Ok(show(&ChooseScopes { page: signed_in.page.at(Section::Clients), wish, picked }))
}

fn check_wish(page: &Page, fields: &Fields, wish: &Wish) -> FormErrors {
    let mut errors = check_purpose(page, fields);
    if wish.customer().is_err() {
        errors.add("customer", page.say("clients-customer-wrong"));
    }
    errors
}

#[derive(Template)]
#[template(path = "consumer/new_key_step.html", config = ".askama.toml")]
struct ChooseKey {
    page: Page,
    wish: Wish,
    organization: String,
    /// The id that the client will have, and the same sealed, so that nobody makes up one.
    id: String,
    sealed_id: String,
    how: String,
    pasted: String,
    endpoints: Endpoints,
    errors: FormErrors,
}

/// `GET /portal/clients/new/key`
pub(super) async fn choose_key(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    query: Query,
) -> Result<Response, Refused> {
    signed_in.actor.require(Right::WriteClients)?;
    let wish = Wish::read(&query.0);
    let errors = check_wish(&signed_in.page, &query.0, &wish);
    if !errors.is_empty() {
        let page = signed_in.page.at(Section::Clients);
        return Ok(show_again(&Purpose { page, wish, errors }));
    }
    let id = app.registry.new_client_id();
    let view = key_step(signed_in, &app, wish, &id, &Fields::default(), FormErrors::default());
    Ok(show(&view))
}

fn key_step(
    signed_in: SignedIn,
    app: &App,
    wish: Wish,
    id: &ClientId,
    fields: &Fields,
    errors: FormErrors,
) -> ChooseKey {
    let owner = signed_in.organization.to_string();
    let organization = &signed_in.session.organization;
    ChooseKey {
        organization: named(organization.number, Some(&organization.name)),
        page: signed_in.page.at(Section::Clients),
        wish,
        sealed_id: app.cursors.seal(&owner, SEAL, id.as_str()),
        id: id.to_string(),
        how: fields.text("how").to_owned(),
        pasted: shown_again(fields.text("key")).to_owned(),
        endpoints: Endpoints::of(app),
        errors,
    }
}

/// `POST /portal/clients`: makes the client.
pub(super) async fn create(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    fields: Fields,
) -> Result<Response, Refused> {
    let wish = Wish::read(&fields);
    let owner = signed_in.organization.to_string();
    let id = app.cursors.open(&owner, SEAL, fields.text("id"));
    let id: ClientId = id.and_then(|id| id.parse().ok()).ok_or(Refused::Forged)?;
    let mut errors = check_wish(&signed_in.page, &fields, &wish);
    if !errors.is_empty() {
        let page = signed_in.page.at(Section::Clients);
        return Ok(show_again(&Purpose { page, wish, errors }));
    }
    let jwks = match fields.text("how") {
        "certificate" => Ok(Vec::new()),
        _ => read_key(&app.registry, &signed_in.page, fields.text("key")).map(|jwk| vec![jwk]),
    };
    match jwks {
        Err(text) => errors.add("key", text),
        Ok(jwks) => match register(&app, &signed_in, &wish, id.clone(), jwks).await {
            Ok(()) => return Ok(go_to(&format!("/portal/clients/{id}/ready"))),
            // The form was sent twice: what it asks for is there.
            Err(RegistryError::Conflict { .. })
                if app.registry.client(&signed_in.actor, &id).await.is_ok() =>
            {
                return Ok(go_to(&format!("/portal/clients/{id}/ready")));
            }
            Err(error) => errors = creation_errors(&signed_in.page, error)?,
        },
    }
    Ok(show_again(&key_step(signed_in, &app, wish, &id, &fields, errors)))
}

async fn register(
    app: &App,
    signed_in: &SignedIn,
    wish: &Wish,
    id: ClientId,
    jwks: Vec<String>,
) -> Result<(), RegistryError> {
    let party = wish.customer().unwrap_or_default();
    let client = NewClient::for_party(&signed_in.actor, party, &wish.name)?;
    let client = NewClient {
        id: Some(id),
        description: wish.description.clone(),
        scopes: wish.scopes.iter().filter_map(|scope| scope.parse().ok()).collect(),
        jwks,
        ..client
    };
    app.registry.register_client(&signed_in.actor, client).await.map(drop)
}

fn creation_errors(page: &Page, error: RegistryError) -> Result<FormErrors, Refused> {
    match error {
        RegistryError::Absent { noun: "organization" } => {
            Ok(FormErrors::one("customer", page.say("clients-customer-unknown")))
        }
        RegistryError::Invalid { field: "scopes", .. } => {
            FormErrors::of_registry(page, "scopes", error)
        }
        other => key_errors(page, other),
    }
}
