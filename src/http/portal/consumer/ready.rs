//! What a client needs to fetch its first token, ready to be pasted.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::app::App;
use crate::domain::algorithm::Algorithm;
use crate::domain::registration::RegisteredKey;
use crate::http::portal::consumer::client::{Head, Loaded, Tab, load};
use crate::http::portal::consumer::snippets::{self, Endpoints, Filling, Signing, Snippet};
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
    endpoints: Endpoints,
    snippets: Vec<Snippet>,
}

/// `GET /portal/clients/{id}/ready?kid=`
pub(super) async fn ready(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, Refused> {
    let it = load(signed_in, &app, &id, Tab::Overview).await?;
    let signing = signing(&it, query.0.text("kid"));
    let client = &it.file.registration.value.client;
    let scopes: Vec<&str> =
        client.scopes.iter().map(crate::domain::scope::ScopeName::as_str).collect();
    let scopes = scopes.join(" ");
    let endpoints = Endpoints::of(&app);
    let filling = Filling {
        client_id: client.id.as_str(),
        scopes: &scopes,
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
