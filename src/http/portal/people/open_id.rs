//! Signing in through an OpenID provider: the page that leads there, and the one where people come back.
//!
//! The browser is led there by a page, not by a redirect: browsers hold every redirect after a form against
//! `form-action`, also those of the provider to yet another one, which nobody here can list. So the policy stays as
//! narrow as on all pages, and the page works without script.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;

use crate::app::App;
use crate::app::open_id::{Answer, OpenIdError};
use crate::http::portal::cookies::Cookie;
use crate::http::portal::fields::Fields;
use crate::http::portal::page::{Page, show, show_with};
use crate::http::portal::people::problem::problem;
use crate::http::portal::people::sign_in::{open, query, token};
use crate::http::portal::preferences::local;
use crate::http::portal::refused::Refused;

#[derive(Template)]
#[template(path = "people/open_id_leave.html", config = ".askama.toml")]
struct LeavePage {
    page: Page,
    provider: String,
    address: String,
}

#[derive(Template)]
#[template(path = "people/open_id_problem.html", config = ".askama.toml")]
struct ProblemPage {
    page: Page,
    what: String,
}

/// `POST /portal/sign-in/open-id/{name}`: leads to the provider.
pub(super) async fn ask(
    State(app): State<Arc<App>>,
    page: Page,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Response, Refused> {
    let next = local(fields.text("next"));
    let asked = app.open_id.ask(&name, next).await.ok_or(Refused::NotFound)?;
    let question = match asked {
        Ok(question) => question,
        Err(error) => return Ok(refuse(page, &name, &error)),
    };
    let kept = Cookie::OpenId.set(&question.kept, app.portal_is_https);
    let (provider, address) = (question.provider, question.address);
    Ok(with_cookie(show(&LeavePage { page, provider, address }), kept))
}

/// `GET /portal/sign-in/open-id/{name}/callback`: signs in whom the provider sends back. It changes something although
/// it is a GET, as the protocol wants it; what makes it the browser's own is the cookie.
pub(super) async fn come_back(
    State(app): State<Arc<App>>,
    page: Page,
    Path(name): Path<String>,
    headers: HeaderMap,
    raw: RawQuery,
) -> Result<Response, Refused> {
    let said = query(raw);
    let answer = Answer {
        code: said.raw("code").to_owned(),
        state: said.raw("state").to_owned(),
        issuer: said.filled("iss").map(ToOwned::to_owned),
        error: said.filled("error").map(ToOwned::to_owned),
    };
    let secure = app.portal_is_https;
    let kept = Cookie::OpenId.read(&headers, secure);
    let came = app.open_id.come_back(&name, &answer, kept).await.ok_or(Refused::NotFound)?;
    let response = match came {
        Ok(came) => {
            let (language, trace_id) = (page.texts().language(), Some(page.trace_id.as_str()));
            let previous = token(&app, &headers);
            let identity = &came.identity;
            let signed_in =
                app.registry.sign_in_open_id(identity, language, previous.as_ref(), trace_id).await;
            match signed_in {
                Ok(opened) => open(&app, &opened, local(&came.next)).await?,
                Err(error) => {
                    let (status, what) = problem(&page, error)?;
                    show_with(status, &ProblemPage { page, what })
                }
            }
        }
        Err(error) => refuse(page, &name, &error),
    };
    // It has been used, or is of no use.
    Ok(with_cookie(response, Cookie::OpenId.clear(secure)))
}

/// The page that says why nobody is signed in. The operator is told more, because only they can mend most of it.
fn refuse(page: Page, provider: &str, error: &OpenIdError) -> Response {
    let (status, word) = match error {
        OpenIdError::Denied => (StatusCode::FORBIDDEN, "open-id-denied"),
        OpenIdError::Email { .. } => (StatusCode::FORBIDDEN, "open-id-email"),
        OpenIdError::Expired => (StatusCode::BAD_REQUEST, "open-id-expired"),
        OpenIdError::Organization { .. } => (StatusCode::FORBIDDEN, "open-id-organization"),
        OpenIdError::Stranger => (StatusCode::BAD_REQUEST, "open-id-stranger"),
        OpenIdError::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "open-id-unavailable"),
        OpenIdError::Unbelievable(_) => (StatusCode::BAD_GATEWAY, "open-id-unbelievable"),
    };
    let trace_id = page.trace_id.as_str();
    tracing::warn!(provider, trace_id, %error, "nobody was signed in through the OpenID provider");
    let what = page.say(word);
    show_with(status, &ProblemPage { page, what })
}

fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    cookie.map(|cookie| response.headers_mut().append(SET_COOKIE, cookie));
    response
}
