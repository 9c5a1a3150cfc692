//! Changing what a client is called, what it is for, and how long its tokens live.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::app::App;
use crate::domain::right::Right;
use crate::http::portal::consumer::client::{Head, Loaded, Tab, load};
use crate::http::portal::fields::Fields;
use crate::http::portal::form_errors::FormErrors;
use crate::http::portal::notice::Notice;
use crate::http::portal::page::{Page, SignedIn, done, show, show_again};
use crate::http::portal::refused::Refused;

/// The longest name and description, in characters, as the registry has it.
pub(super) const LINE_CHARACTERS_MAX: usize = 255;

#[derive(Template)]
#[template(path = "consumer/edit.html", config = ".askama.toml")]
struct Edit {
    page: Page,
    head: Head,
    typed: Fields,
    errors: FormErrors,
}

/// `GET /portal/clients/{id}/edit`
pub(super) async fn form(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let it = load(signed_in, &app, &id, Tab::Overview).await?;
    it.require(Right::WriteClients)?;
    let typed = as_it_is(&it);
    Ok(show(&Edit { page: it.page, head: it.head, typed, errors: FormErrors::default() }))
}

fn as_it_is(it: &Loaded) -> Fields {
    let registration = &it.file.registration.value;
    Fields::default()
        .with("name", &registration.client.name)
        .with("description", &registration.description)
        .with("lifetime", registration.client.token_lifetime_seconds.to_string())
}

/// `POST /portal/clients/{id}/edit`
pub(super) async fn save(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Refused> {
    let actor = signed_in.actor.clone();
    let it = load(signed_in, &app, &id, Tab::Overview).await?;
    let mut errors = check_purpose(&it.page, &fields);
    let lifetime = fields.text("lifetime").parse::<u32>().ok();
    if lifetime.is_none() {
        errors.add("lifetime", it.page.say("clients-lifetime-wrong"));
    }
    if let (true, Some(lifetime)) = (errors.is_empty(), lifetime) {
        let expected = fields.version();
        let (name, description) = (fields.text("name"), fields.text("description"));
        let edit = |registration: &mut crate::domain::registration::ClientRegistration| {
            name.clone_into(&mut registration.client.name);
            description.clone_into(&mut registration.description);
            registration.client.token_lifetime_seconds = lifetime;
            Ok(())
        };
        match app.registry.change_client(&actor, &it.id, expected, edit).await {
            Ok(_) => {
                let address = format!("/portal/clients/{}", it.id);
                return Ok(done(&app, Notice::Saved, &address));
            }
            Err(error) => errors = FormErrors::of_registry(&it.page, "name", error)?,
        }
    }
    Ok(show_again(&Edit { page: it.page, head: it.head, typed: fields, errors }))
}

/// What is wrong with the name and the purpose of a client.
pub(super) fn check_purpose(page: &Page, fields: &Fields) -> FormErrors {
    let mut errors = FormErrors::default();
    let name = fields.text("name");
    if name.is_empty() {
        errors.add("name", page.say("clients-name-missing"));
    } else if name.chars().count() > LINE_CHARACTERS_MAX || name.contains(char::is_control) {
        errors.add("name", page.say("clients-name-wrong"));
    }
    let purpose = fields.text("description");
    if purpose.chars().count() > LINE_CHARACTERS_MAX || purpose.contains(char::is_control) {
        errors.add("description", page.say("clients-description-wrong"));
    }
    errors
}
