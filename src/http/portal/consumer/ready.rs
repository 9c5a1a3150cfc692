//! What a client needs to fetch its first token, ready to be pasted.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::app::App;
use crate::domain::algorithm::Algorithm;
use crate::domain::organization::OrganizationNumber;
use crate::domain::registration::RegisteredKey;
use crate::domain::scope::ScopeName;
use crate::http::portal::consumer::client::{Head, Loaded, Tab, load};
use crate::http::portal::consumer::snippets::{self, Endpoints, Filling, Signing, Snippet};
use crate::http::portal::consumer::standing::{Customer, Standing, standings};
use crate::http::portal::page::{Page, SignedIn, show};
use crate::http::portal::query::Query;
use crate::http::portal::refused::Refused;

#[derive(Template)]
#[template(path = "consumer/ready.html", config = ".askama.toml")]
struct Ready {
    page: Page,
    head: Head,
    /// The key that is filled in, and the others that could be.
    kid: Option<String>,
    kids: Vec<String>,
    algorithm: &'static str,
    scopes: String,
    /// Those that are on the client and cannot be asked for together with these, or not now.
    left_out: Vec<Standing>,
    /// Those for whom tokens can be fetched, whether that is also the own organization, and for whom the code does.
    customers: Vec<Customer>,
    may_own: bool,
    customer: Option<Customer>,
    endpoints: Endpoints,
    snippets: Vec<Snippet>,
}

impl Ready {
    fn is_chosen(&self, customer: &Customer) -> bool {
        self.customer.as_ref().is_some_and(|chosen| chosen.number == customer.number)
    }
}

/// `GET /portal/clients/{id}/ready?kid=&customer=`: code that asks for what can be had at once, for the own organization or
/// for a customer.
pub(super) async fn ready(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, Refused> {
    let actor = signed_in.actor.clone();
    let it = load(signed_in, &app, &id, Tab::Overview).await?;
    let signing = signing(&it, query.0.text("kid"));
    let client = &it.file.registration.value.client;
    let mut standings = standings(&app, &actor, client).await?;
    let asked: Option<OrganizationNumber> = query.read("customer");
    let asked = standings.customers.iter().find(|customer| Some(customer.number) == asked);
    let customer = asked.or_else(|| standings.usual_customer()).cloned();
    let number = customer.as_ref().map(|customer| customer.number);
    let asked_for: Vec<ScopeName> = standings.usable(number).into_iter().cloned().collect();
    let may_own = standings.scopes.iter().any(|it| it.is_usable);
    standings.scopes.retain(|it| !asked_for.contains(&it.scope));
    let scopes: Vec<&str> = asked_for.iter().map(ScopeName::as_str).collect();
    let scopes = scopes.join(" ");
    let consumer_org = number.map(|number| number.to_string());
    let endpoints = Endpoints::of(&app);
    let filling = Filling {
        client_id: client.id.as_str(),
        scopes: &scopes,
        consumer_org: consumer_org.as_deref(),
        endpoints: &endpoints,
        signing: &signing,
    };
    let snippets = snippets::all(&filling);
    Ok(show(&Ready {
        kids: usable(&it).map(|key| key.key.id.to_string()).collect(),
        algorithm: signing.algorithm.name(),
        kid: signing.kid,
        page: it.page,
        head: it.head,
        scopes,
        left_out: standings.scopes,
        customers: standings.customers,
        may_own,
        customer,
        endpoints,
        snippets,
    }))
}

/// The keys that can be signed with now, newest first.
fn usable(it: &Loaded) -> impl Iterator<Item = &RegisteredKey> {
    it.file.keys.iter().rev().filter(|key| key.key.expires_at > it.now)
}

/// The key that was asked for, or the newest; without any, the enterprise certificate, whose keys are RSA.
fn signing(it: &Loaded, kid: &str) -> Signing {
    let asked = usable(it).find(|key| key.key.id.as_str() == kid);
    match asked.or_else(|| usable(it).next()) {
        Some(key) => Signing { kid: Some(key.key.id.to_string()), algorithm: key.key.algorithm },
        None => Signing { kid: None, algorithm: Algorithm::Rs256 },
    }
}
