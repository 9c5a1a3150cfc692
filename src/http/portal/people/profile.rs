//! One's own account: name, language, password, sessions.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::Response;

use crate::app::App;
use crate::domain::language::Language;
use crate::http::portal::cookies::Cookie;
use crate::http::portal::fields::Fields;
use crate::http::portal::notice::Notice;
use crate::http::portal::page::{Page, SignedIn, done, show_with};
use crate::http::portal::people::problem::problem;
use crate::http::portal::people::sign_in::without_session;
use crate::http::portal::refused::Refused;
use crate::registry::{PeopleError, SecondFactorState, Session};

#[derive(Template)]
#[template(path = "people/profile.html", config = ".askama.toml")]
struct ProfilePage {
    page: Page,
    session: Arc<Session>,
    second_factor: SecondFactorState,
    /// Whether people have passwords here.
    password: bool,
    least: usize,
    problem: Option<String>,
}

/// `GET /portal/profile`
pub(super) async fn profile(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
) -> Result<Response, Refused> {
    show_profile(&app, signed_in, StatusCode::OK, None).await
}

/// `POST /portal/profile`: name and language.
pub(super) async fn save(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Refused> {
    let (session, trace_id) = (&signed_in.session, Some(signed_in.page.trace_id.as_str()));
    let language = Language::from_name(fields.text("language")).unwrap_or(session.user.language);
    let mut saved = app.registry.set_own_name(session, fields.text("name"), trace_id).await;
    if saved.is_ok() {
        saved = app.registry.set_language(session, language, trace_id).await;
    }
    match saved {
        Ok(()) => {
            let mut response = done(&app, Notice::Saved, "/portal/profile");
            let cookie = Cookie::Language.set(language.name(), app.portal_is_https);
            cookie.map(|cookie| response.headers_mut().append(SET_COOKIE, cookie));
            Ok(response)
        }
        Err(error) => refuse(&app, signed_in, error).await,
    }
}

/// `POST /portal/profile/password`
pub(super) async fn change_password(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Refused> {
    let (current, new) = (fields.raw("current"), fields.raw("password"));
    let trace_id = Some(signed_in.page.trace_id.as_str());
    match app.registry.change_password(&signed_in.session, current, new, trace_id).await {
        Ok(()) => Ok(done(&app, Notice::Saved, "/portal/profile")),
        Err(error) => refuse(&app, signed_in, error).await,
    }
}

/// `POST /portal/profile/sign-out-everywhere`
pub(super) async fn sign_out_everywhere(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
) -> Result<Response, Refused> {
    let trace_id = Some(signed_in.page.trace_id.as_str());
    match app.registry.sign_out_everywhere(&signed_in.session, trace_id).await {
        Ok(()) => Ok(without_session(&app, done(&app, Notice::SignedOut, "/portal/sign-in"))),
        Err(error) => refuse(&app, signed_in, error).await,
    }
}

/// The profile again, with what was wrong.
pub(super) async fn refuse(
    app: &App,
    signed_in: SignedIn,
    error: PeopleError,
) -> Result<Response, Refused> {
    let (status, problem) = problem(&signed_in.page, error)?;
    show_profile(app, signed_in, status, Some(problem)).await
}

async fn show_profile(
    app: &App,
    signed_in: SignedIn,
    status: StatusCode,
    problem: Option<String>,
) -> Result<Response, Refused> {
    let SignedIn { page, session, .. } = signed_in;
    let second_factor = match app.registry.second_factor(&session).await {
        Ok(state) => state,
        Err(error) => {
            super::problem::problem(&page, error)?;
            SecondFactorState::Absent { asks_password: true }
        }
    };
    let rules = app.registry.people_rules();
    let (password, least) = (rules.sign_in.password(), rules.password_characters_min);
    Ok(show_with(status, &ProfilePage { page, session, second_factor, password, least, problem }))
}
