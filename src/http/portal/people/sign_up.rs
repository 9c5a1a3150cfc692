//! Signing up, and asking for a link to choose another password.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse as _, Response};

use crate::app::{App, Asker};
use crate::domain::email_address::EmailAddress;
use crate::domain::source::Source;
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

/// Whether somebody who is not signed in may have a mail sent.
enum Mailing {
    Allowed,
    /// The address has got enough of them, whoever asked: nothing is done, and nobody learns from the answer whether
    /// anything would have been.
    Enough,
    /// Whoever asks has asked too often, and is told so.
    TooMany(Response),
}

fn may_be_mailed(app: &App, source: Option<Extension<Source>>, email: &EmailAddress) -> Mailing {
    let asker = match source {
        Some(Extension(source)) => Asker::Source(source),
        None => Asker::SomebodyFor(email.domain().clone()),
    };
    if let Err(too_many) = app.limits.mails_by_asker.allow(&asker) {
        app.metrics.limited("portal_mail");
        let wait = [(RETRY_AFTER, too_many.retry_after_seconds.to_string())];
        return Mailing::TooMany((StatusCode::TOO_MANY_REQUESTS, wait).into_response());
    }
    match app.limits.mails_by_recipient.allow(email) {
        Ok(()) => Mailing::Allowed,
        Err(_) => Mailing::Enough,
    }
}

fn mailed(app: &App, page: Page, email: String) -> Response {
    let outbox = app.outbox.is_some();
    show(&MailedPage { page, email, outbox })
}

/// `GET /portal/sign-up`
pub(super) async fn form(page: Page) -> Response {
    show(&SignUpPage { page, name: String::new(), email: String::new(), problem: None })
}

/// `POST /portal/sign-up`
pub(super) async fn sign_up(
    State(app): State<Arc<App>>,
    page: Page,
    source: Option<Extension<Source>>,
    fields: Fields,
) -> Result<Response, Refused> {
    let (name, email) = (fields.text("name").to_owned(), fields.text("email").to_owned());
    let (status, problem) = match email.parse::<EmailAddress>() {
        Ok(address) => {
            match may_be_mailed(&app, source, &address) {
                Mailing::Allowed => {}
                Mailing::Enough => return Ok(mailed(&app, page, email)),
                Mailing::TooMany(answer) => return Ok(answer),
            }
            let language = page.texts().language();
            let trace_id = Some(page.trace_id.as_str());
            match app.registry.sign_up(&address, &name, language, trace_id).await {
                Ok(()) => return Ok(mailed(&app, page, email)),
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
    source: Option<Extension<Source>>,
    fields: Fields,
) -> Result<Response, Refused> {
    let email = fields.text("email").to_owned();
    let (status, problem) = match email.parse::<EmailAddress>() {
        Ok(address) => {
            match may_be_mailed(&app, source, &address) {
                Mailing::Allowed => {}
                Mailing::Enough => return Ok(mailed(&app, page, email)),
                Mailing::TooMany(answer) => return Ok(answer),
            }
            match app.registry.ask_for_reset(&address, Some(&page.trace_id)).await {
                Ok(()) => return Ok(mailed(&app, page, email)),
                Err(error) => problem(&page, error)?,
            }
        }
        Err(_) => (StatusCode::UNPROCESSABLE_ENTITY, page.say("problem-email")),
    };
    Ok(show_with(status, &ForgottenPage { page, email, problem: Some(problem) }))
}
