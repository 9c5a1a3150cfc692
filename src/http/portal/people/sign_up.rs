//! Signing up, and asking for a link to choose another password.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::app::App;
use crate::domain::email_address::EmailAddress;
use crate::http::portal::fields::Fields;
use crate::http::portal::page::{Page, show, show_with};
use crate::http::portal::people::problem::problem;
use crate::http::portal::refused::Refused;

#[derive(Template)]
#[template(path = "people/sign_up.html", config = ".askama.toml")]
struct SignUpPage {
    page: Page,
    name: String,
    email: String,
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "people/forgotten.html", config = ".askama.toml")]
struct ForgottenPage {
    page: Page,
    email: String,
    problem: Option<String>,
}

/// The same page whoever asked, and whether or not a mail was sent.
#[derive(Template)]
#[template(path = "people/mailed.html", config = ".askama.toml")]
struct MailedPage {
    page: Page,
    email: String,
    /// Whether mails are put where everybody can read them.
    outbox: bool,
}

/// `GET /portal/sign-up`
pub(super) async fn form(page: Page) -> Response {
    show(&SignUpPage { page, name: String::new(), email: String::new(), problem: None })
}

/// `POST /portal/sign-up`
pub(super) async fn sign_up(
    State(app): State<Arc<App>>,
    page: Page,
    fields: Fields,
) -> Result<Response, Refused> {
    let (name, email) = (fields.text("name").to_owned(), fields.text("email").to_owned());
    let (status, problem) = match email.parse::<EmailAddress>() {
        Ok(address) => {
            let language = page.texts().language();
            let trace_id = Some(page.trace_id.as_str());
            match app.registry.sign_up(&address, &name, language, trace_id).await {
                Ok(()) => {
                    let outbox = app.outbox.is_some();
                    return Ok(show(&MailedPage { page, email, outbox }));
                }
                Err(error) => problem(&page, error)?,
            }
        }
        Err(_) => (StatusCode::UNPROCESSABLE_ENTITY, page.say("problem-email")),
    };
    Ok(show_with(status, &SignUpPage { page, name, email, problem: Some(problem) }))
}

/// `GET /portal/forgotten`
pub(super) async fn forgotten_form(page: Page) -> Response {
    show(&ForgottenPage { page, email: String::new(), problem: None })
}

/// `POST /portal/forgotten`
pub(super) async fn forgotten(
    State(app): State<Arc<App>>,
    page: Page,
    fields: Fields,
) -> Result<Response, Refused> {
    let email = fields.text("email").to_owned();
    let (status, problem) = match email.parse::<EmailAddress>() {
        Ok(address) => match app.registry.ask_for_reset(&address, Some(&page.trace_id)).await {
            Ok(()) => {
                let outbox = app.outbox.is_some();
                return Ok(show(&MailedPage { page, email, outbox }));
            }
            Err(error) => problem(&page, error)?,
        },
        Err(_) => (StatusCode::UNPROCESSABLE_ENTITY, page.say("problem-email")),
    };
    Ok(show_with(status, &ForgottenPage { page, email, problem: Some(problem) }))
}
