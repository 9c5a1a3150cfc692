//! A token, fetched in the browser with the client's own key.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::app::App;
use crate::http::portal::consumer::client::{Head, Tab, load};
use crate::http::portal::consumer::snippets::Endpoints;
use crate::http::portal::page::{Page, SignedIn, show};
use crate::http::portal::refused::Refused;

#[derive(Template)]
#[template(path = "consumer/try.html", config = ".askama.toml")]
struct Try {
    page: Page,
    head: Head,
    scopes: Vec<String>,
    endpoints: Endpoints,
}

/// `GET /portal/clients/{id}/try`
pub(super) async fn try_it(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let it = load(signed_in, &app, &id, Tab::Try).await?;
    let scopes = &it.file.registration.value.client.scopes;
    let scopes = scopes.iter().map(ToString::to_string).collect();
    Ok(show(&Try { page: it.page, head: it.head, scopes, endpoints: Endpoints::of(&app) }))
}
