//! A token, fetched in the browser with the client's own key.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::app::App;
use crate::domain::scope::ScopeName;
use crate::http::portal::consumer::client::{Head, Tab, load};
use crate::http::portal::consumer::snippets::Endpoints;
use crate::http::portal::consumer::standing::{Customer, Standing, standings};
use crate::http::portal::page::{Page, SignedIn, show};
use crate::http::portal::refused::Refused;

#[derive(Template)]
#[template(path = "consumer/try.html", config = ".askama.toml")]
struct Try {
    page: Page,
    head: Head,
    /// Each with whether it is ticked.
    scopes: Vec<(ScopeName, bool)>,
    customers: Vec<Customer>,
    /// For whom, unless somebody says otherwise.
    customer: Option<Customer>,
    endpoints: Endpoints,
}

/// `GET /portal/clients/{id}/try`
pub(super) async fn try_it(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let actor = signed_in.actor.clone();
    let it = load(signed_in, &app, &id, Tab::Try).await?;
    let standings = standings(&app, &actor, &it.file.registration.value.client).await?;
    let customer = standings.usual_customer().cloned();
    let first = standings.usable(customer.as_ref().map(|it| it.number)).first().copied().cloned();
    let ticked = |it: &Standing| (it.scope.clone(), Some(&it.scope) == first.as_ref());
    Ok(show(&Try {
        scopes: standings.scopes.iter().map(ticked).collect(),
        customers: standings.customers,
        customer,
        page: it.page,
        head: it.head,
        endpoints: Endpoints::of(&app),
    }))
}
