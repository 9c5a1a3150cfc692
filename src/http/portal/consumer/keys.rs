//! The keys of a client, and withdrawing one.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::Value;

use crate::app::App;
use crate::clock::Timestamp;
use crate::domain::client::KeyId;
use crate::domain::registration::{CLIENT_KEYS_MAX, RegisteredKey};
use crate::domain::right::Right;
use crate::http::portal::consumer::callable::is_soon;
use crate::http::portal::consumer::client::{Head, Tab, load};
use crate::http::portal::fields::Fields;
use crate::http::portal::form_errors::FormErrors;
use crate::http::portal::notice::Notice;
use crate::http::portal::page::{Page, SignedIn, done, show, show_again};
use crate::http::portal::refused::Refused;

/// A key as a card shows it.
pub(super) struct Card {
    pub(super) kid: String,
    /// The end of the name of the text about what kind of key it is.
    pub(super) kind: &'static str,
    pub(super) detail: String,
    pub(super) algorithm: &'static str,
    /// The end of the name of the text of its state, and the kind of its tag.
    pub(super) state: (&'static str, &'static str),
    pub(super) created: Timestamp,
    pub(super) ends: Timestamp,
    pub(super) used: Option<Timestamp>,
}

impl Card {
    pub(super) fn of(it: &RegisteredKey, now: Timestamp) -> Self {
        let jwk: Value = serde_json::from_str(&it.key.jwk).unwrap_or_default();
        let text = |name: &str| jwk.get(name).and_then(Value::as_str).unwrap_or_default();
        let detail = match text("kty") {
            // Six bits a letter, of which the modulus fills all.
            "RSA" => format!("RSA {}", text("n").len() * 6 / 64 * 64),
            _ => text("crv").to_owned(),
        };
        let end = it.key.expires_at;
        Self {
            kid: it.key.id.to_string(),
            kind: if jwk.get("x5c").is_some() { "certificate" } else { "bare" },
            detail,
            algorithm: it.key.algorithm.name(),
            state: match end {
                _ if end <= now => ("expired", "danger"),
                _ if is_soon(end, now) => ("soon", "warning"),
                _ => ("good", "success"),
            },
            created: it.created_at,
            ends: end,
            used: it.last_used_at,
        }
    }
}

#[derive(Template)]
#[template(path = "consumer/keys.html", config = ".askama.toml")]
struct Keys {
    page: Page,
    head: Head,
    cards: Vec<Card>,
    may_add: bool,
}

/// `GET /portal/clients/{id}/keys`
pub(super) async fn list(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let it = load(signed_in, &app, &id, Tab::Keys).await?;
    let cards: Vec<Card> = it.file.keys.iter().map(|key| Card::of(key, it.now)).collect();
    let may_add = it.head.may_keys && it.head.is_active && cards.len() < CLIENT_KEYS_MAX;
    Ok(show(&Keys { page: it.page, head: it.head, cards, may_add }))
}

#[derive(Template)]
#[template(path = "consumer/withdraw_key.html", config = ".askama.toml")]
struct Withdraw {
    page: Page,
    head: Head,
    card: Card,
    is_last: bool,
    errors: FormErrors,
}

/// `GET /portal/clients/{id}/keys/{kid}/withdraw`
pub(super) async fn ask(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path((id, kid)): Path<(String, String)>,
) -> Result<Response, Refused> {
    Ok(show(&view(signed_in, &app, &id, &kid).await?))
}

/// `POST /portal/clients/{id}/keys/{kid}/withdraw`
pub(super) async fn withdraw(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path((id, kid)): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Refused> {
    let actor = signed_in.actor.clone();
    let client = id.parse().map_err(|_| Refused::NotFound)?;
    let key: KeyId = kid.parse().map_err(|_| Refused::NotFound)?;
    let expected = fields.version();
    match app.registry.withdraw_client_key(&actor, &client, &key, expected).await {
        Ok(_) => {
            let address = format!("/portal/clients/{client}/keys");
            Ok(done(&app, Notice::KeyWithdrawn, &address))
        }
        Err(error) => {
            let mut view = view(signed_in, &app, &id, &kid).await?;
            view.errors = FormErrors::of_registry(&view.page, "withdraw", error)?;
            Ok(show_again(&view))
        }
    }
}

async fn view(signed_in: SignedIn, app: &App, id: &str, kid: &str) -> Result<Withdraw, Refused> {
    let it = load(signed_in, app, id, Tab::Keys).await?;
    it.require(Right::ModifyClients)?;
    let kid: KeyId = kid.parse().map_err(|_| Refused::NotFound)?;
    let card = Card::of(it.file.key(&kid).ok_or(Refused::NotFound)?, it.now);
    let is_last = it.file.keys.len() == 1;
    Ok(Withdraw { page: it.page, head: it.head, card, is_last, errors: FormErrors::default() })
}
