//! Switching a client off, with a look at what ends, and on again.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::app::App;
use crate::clock::{DAY_SECONDS, Timestamp};
use crate::domain::client::ClientStatus;
use crate::domain::right::Right;
use crate::http::portal::consumer::client::{Head, Loaded, Tab, load};
use crate::http::portal::fields::Fields;
use crate::http::portal::form_errors::FormErrors;
use crate::http::portal::notice::Notice;
use crate::http::portal::page::{Page, SignedIn, done, show, show_again};
use crate::http::portal::refused::Refused;

/// Days after its last use in which a client counts as being used: whoever switches it off types its name.
const USED_DAYS: i64 = 30;

#[derive(Template)]
#[template(path = "consumer/deactivate.html", config = ".askama.toml")]
struct Deactivate {
    page: Page,
    head: Head,
    used: Option<Timestamp>,
    /// The name that must be typed.
    must_type: Option<String>,
    scopes: Vec<String>,
    errors: FormErrors,
}

/// `GET /portal/clients/{id}/deactivate`
pub(super) async fn form(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let it = load(signed_in, &app, &id, Tab::Overview).await?;
    it.require(Right::WriteClients)?;
    Ok(show(&view(it, FormErrors::default())))
}

/// `POST /portal/clients/{id}/deactivate`
pub(super) async fn deactivate(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Refused> {
    let actor = signed_in.actor.clone();
    let it = load(signed_in, &app, &id, Tab::Overview).await?;
    if must_type(&it).is_some_and(|name| name.trim() != fields.text("confirm")) {
        let errors = FormErrors::one("confirm", it.page.say("clients-confirm-wrong"));
        return Ok(show_again(&view(it, errors)));
    }
    let expected = fields.version();
    let status = ClientStatus::Deactivated;
    match app.registry.set_client_status(&actor, &it.id, status, expected).await {
        Ok(_) => {
            let address = format!("/portal/clients/{}", it.id);
            Ok(done(&app, Notice::ClientDeactivated, &address))
        }
        Err(error) => {
            let errors = FormErrors::of_registry(&it.page, "confirm", error)?;
            Ok(show_again(&view(it, errors)))
        }
    }
}

/// `POST /portal/clients/{id}/restore`
pub(super) async fn restore(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Refused> {
    let id = id.parse().map_err(|_| Refused::NotFound)?;
    let expected = fields.version();
    let status = ClientStatus::Active;
    app.registry.set_client_status(&signed_in.actor, &id, status, expected).await?;
    Ok(done(&app, Notice::ClientRestored, &format!("/portal/clients/{id}")))
}

fn must_type(it: &Loaded) -> Option<String> {
    let recently = it.now.minus_seconds(USED_DAYS * DAY_SECONDS);
    let is_used = it.file.last_used_at.is_some_and(|used| used >= recently);
    is_used.then(|| it.head.name.clone())
}

fn view(it: Loaded, errors: FormErrors) -> Deactivate {
    Deactivate {
        must_type: must_type(&it),
        used: it.file.last_used_at,
        scopes: it.file.registration.value.client.scopes.iter().map(ToString::to_string).collect(),
        page: it.page,
        head: it.head,
        errors,
    }
}
