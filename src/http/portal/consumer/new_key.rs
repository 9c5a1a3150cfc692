//! Registering one more key, or the successor of one: made in the browser, or pasted.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::app::App;
use crate::clock::{DAY_SECONDS, HOUR_SECONDS};
use crate::domain::client::KeyId;
use crate::domain::right::Right;
use crate::http::portal::consumer::client::{Head, Loaded, Tab, load};
use crate::http::portal::consumer::snippets::Endpoints;
use crate::http::portal::fields::Fields;
use crate::http::portal::form_errors::FormErrors;
use crate::http::portal::notice::Notice;
use crate::http::portal::page::{Page, SignedIn, done, show, show_again};
use crate::http::portal::query::Query;
use crate::http::portal::refused::Refused;
use crate::keys::client_jwk::{ClientJwk, ClientJwkError};
use crate::registry::{Registry, RegistryError};

/// How long the old key may be used beside its successor: the ends of the names of the texts, and seconds. An hour
/// for who changes one machine by hand, a month for who must ask others to.
pub(super) const OVERLAPS: [(&str, i64); 4] = [
    ("hour", HOUR_SECONDS),
    ("day", DAY_SECONDS),
    ("week", 7 * DAY_SECONDS),
    ("month", 30 * DAY_SECONDS),
];

/// What is chosen when nobody chooses.
const USUAL_OVERLAP: &str = "week";

#[derive(Template)]
#[template(path = "consumer/new_key.html", config = ".askama.toml")]
struct NewKey {
    page: Page,
    head: Head,
    /// The key that the new one follows.
    renews: Option<String>,
    overlap: String,
    pasted: String,
    scopes: String,
    endpoints: Endpoints,
    errors: FormErrors,
}

impl NewKey {
    fn overlaps(&self) -> [(&'static str, i64); 4] {
        OVERLAPS
    }
}

/// `GET /portal/clients/{id}/keys/new?renew=KID`
pub(super) async fn form(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, Refused> {
    let it = load(signed_in, &app, &id, Tab::Keys).await?;
    it.require(Right::ModifyClients)?;
    let renews: Option<KeyId> = query.read("renew");
    if renews.as_ref().is_some_and(|kid| it.file.key(kid).is_none()) {
        return Err(Refused::NotFound);
    }
    Ok(show(&view(it, &app, renews, USUAL_OVERLAP, "", FormErrors::default())))
}

fn view(
    it: Loaded,
    app: &App,
    renews: Option<KeyId>,
    overlap: &str,
    pasted: &str,
    errors: FormErrors,
) -> NewKey {
    let scopes = &it.file.registration.value.client.scopes;
    NewKey {
        scopes: scopes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        page: it.page,
        head: it.head,
        renews: renews.map(|kid| kid.to_string()),
        overlap: overlap.to_owned(),
        pasted: pasted.to_owned(),
        endpoints: Endpoints::of(app),
        errors,
    }
}

/// `POST /portal/clients/{id}/keys`
pub(super) async fn add(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Refused> {
    let actor = signed_in.actor.clone();
    let it = load(signed_in, &app, &id, Tab::Keys).await?;
    let renews: Option<KeyId> = fields.filled("renew").and_then(|kid| kid.parse().ok());
    let overlap = OVERLAPS.iter().find(|(word, _)| *word == fields.text("overlap"));
    let (word, seconds) = overlap.copied().unwrap_or((USUAL_OVERLAP, 7 * DAY_SECONDS));
    let expected = fields.version();
    let outcome = match read_key(&app.registry, &it.page, fields.text("key")) {
        Err(text) => Err(FormErrors::one("key", text)),
        Ok(jwk) => {
            let done = if let Some(old) = &renews {
                let end = it.now.plus_seconds(seconds);
                let done = app.registry.renew_client_key(&actor, &it.id, old, &jwk, end, expected);
                done.await.map(|_| Notice::KeyRenewed)
            } else {
                let done = app.registry.add_client_key(&actor, &it.id, &jwk, expected).await;
                done.map(|_| Notice::KeyAdded)
            };
            match done {
                Ok(notice) => Ok(notice),
                Err(error) => Err(key_errors(&it.page, error)?),
            }
        }
    };
    match outcome {
        Ok(notice) => {
            // The kid of a successor must be put into the code, which is there.
            let page = if notice == Notice::KeyRenewed { "ready" } else { "keys" };
            Ok(done(&app, notice, &format!("/portal/clients/{}/{page}", it.id)))
        }
        Err(errors) => {
            let pasted = shown_again(fields.text("key"));
            Ok(show_again(&view(it, &app, renews, word, pasted, errors)))
        }
    }
}

/// What somebody pasted, as a JWK document with a `kid`; or what to say about it.
pub(super) fn read_key(registry: &Registry, page: &Page, text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err(page.say("keys-missing"));
    }
    match ClientJwk::from_text(text, &registry.new_key_id()) {
        // As it was written, because it may say when it ends.
        Ok(_) if text.starts_with('{') => Ok(text.to_owned()),
        Ok(read) => Ok(read.document),
        Err(error) => Err(page.say(name_of(&error))),
    }
}

/// What was pasted, for the form that is shown again, unless it is a secret.
pub(super) fn shown_again(text: &str) -> &str {
    let id = KeyId::from_uuid([0; 16]);
    match ClientJwk::from_text(text, &id) {
        // What cannot be read may hold anything.
        Err(ClientJwkError::Private | ClientJwkError::Document | ClientJwkError::Pem) => "",
        _ => text,
    }
}

/// The name of the text about a key that cannot be registered.
fn name_of(error: &ClientJwkError) -> &'static str {
    match error {
        ClientJwkError::Algorithm => "keys-wrong-algorithm",
        ClientJwkError::Certificate => "keys-wrong-certificate",
        ClientJwkError::Document | ClientJwkError::Pem | ClientJwkError::Member(_) => {
            "keys-wrong-text"
        }
        ClientJwkError::KeyId => "keys-wrong-kid",
        ClientJwkError::PublicKey(_) => "keys-wrong-strength",
        ClientJwkError::Expiry => "keys-wrong-exp",
        ClientJwkError::Private => "keys-wrong-private",
        ClientJwkError::Use => "keys-wrong-use",
    }
}

/// What to say at the field of the key.
pub(super) fn key_errors(page: &Page, error: RegistryError) -> Result<FormErrors, Refused> {
    match error {
        RegistryError::Key(error) => Ok(FormErrors::one("key", page.say(name_of(&error)))),
        RegistryError::Invalid { field: "exp", .. } => {
            Ok(FormErrors::one("key", page.say("keys-wrong-exp")))
        }
        RegistryError::Invalid { field: "keys", .. } => {
            Ok(FormErrors::one("key", page.say("keys-too-many")))
        }
        other => FormErrors::of_registry(page, "key", other),
    }
}
