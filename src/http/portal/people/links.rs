//! Following a link from a mail, to choose a password. Looking at it changes nothing: programs that read mail look.

use std::sync::Arc;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;

use crate::app::App;
use crate::http::portal::fields::Fields;
use crate::http::portal::notice::Notice;
use crate::http::portal::page::{Page, done, show_with};
use crate::http::portal::people::problem::problem;
use crate::http::portal::people::sign_in::{query, without_session};
use crate::http::portal::refused::Refused;
use crate::registry::{KnownLink, LinkToken, PeopleError};

#[derive(Template)]
#[template(path = "people/link.html", config = ".askama.toml")]
struct LinkPage {
    page: Page,
    /// What the link is for, if it counts.
    link: Option<KnownLink>,
    token: String,
    least: usize,
    problem: Option<String>,
}

/// `GET /portal/link`
pub(super) async fn form(
    State(app): State<Arc<App>>,
    page: Page,
    raw: RawQuery,
) -> Result<Response, Refused> {
    show_link(&app, page, query(raw).text("token"), StatusCode::OK, None).await
}

/// `POST /portal/link`
pub(super) async fn follow(
    State(app): State<Arc<App>>,
    page: Page,
    fields: Fields,
) -> Result<Response, Refused> {
    let text = fields.text("token");
    let password = fields.raw("password");
    let followed = match text.parse::<LinkToken>() {
        Ok(token) => app.registry.follow_link(&token, password, Some(&page.trace_id)).await,
        Err(_) => Err(PeopleError::Link),
    };
    match followed {
        Ok(_) => {
            let response = done(&app, Notice::PasswordChosen, "/portal/sign-in");
            Ok(without_session(&app, response))
        }
        Err(error) => {
            let (status, problem) = problem(&page, error)?;
            show_link(&app, page, text, status, Some(problem)).await
        }
    }
}

async fn show_link(
    app: &App,
    page: Page,
    text: &str,
    status: StatusCode,
    problem: Option<String>,
) -> Result<Response, Refused> {
    let link = match text.parse::<LinkToken>() {
        Ok(token) => match app.registry.look_at_link(&token).await {
            Ok(link) => link,
            Err(error) => {
                super::problem::problem(&page, error)?;
                None
            }
        },
        Err(_) => None,
    };
    let status =
        if link.is_none() && status == StatusCode::OK { StatusCode::NOT_FOUND } else { status };
    let least = app.registry.people_rules().password_characters_min;
    Ok(show_with(status, &LinkPage { page, link, token: text.to_owned(), least, problem }))
}
