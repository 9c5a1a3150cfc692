//! Signing in, with a password and then perhaps a second factor, and signing out.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::app::App;
use crate::domain::email_address::EmailAddress;
use crate::domain::sign_in::SignInWays;
use crate::domain::source::Source;
use crate::http::portal::cookies::Cookie;
use crate::http::portal::fields::Fields;
use crate::http::portal::notice::Notice;
use crate::http::portal::page::{Page, done, go_to, show, show_with};
use crate::http::portal::people::problem::problem;
use crate::http::portal::preferences::local;
use crate::http::portal::query::encoded;
use crate::http::portal::refused::Refused;
use crate::registry::{PeopleError, SessionToken, SignInPlace, SignedIn};

/// What tells the marks of browsers from other things that are sealed.
const BROWSER_PURPOSE: &str = "browser in which somebody has signed in";

/// Bytes of such a mark: too many to guess, and to meet twice.
const BROWSER_BYTES: usize = 16;

#[derive(Template)]
#[template(path = "people/sign_in.html", config = ".askama.toml")]
struct SignInPage {
    page: Page,
    ways: SignInWays,
    /// The OpenID providers: each by its name in addresses, and for people.
    providers: Vec<(String, String)>,
    email: String,
    next: String,
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "people/code.html", config = ".askama.toml")]
struct CodePage {
    page: Page,
    next: String,
    problem: Option<String>,
}

/// The fields of a query.
pub(super) fn query(RawQuery(query): RawQuery) -> Fields {
    Fields::parse(query.unwrap_or_default().as_bytes())
}

/// The token of the browser's session, whether or not it opens anything.
pub(super) fn token(app: &App, headers: &HeaderMap) -> Option<SessionToken> {
    Cookie::Session.read(headers, app.portal_is_https).and_then(|text| text.parse().ok())
}

/// `GET /portal/sign-in`
pub(super) async fn form(State(app): State<Arc<App>>, page: Page, raw: RawQuery) -> Response {
    let next = local(query(raw).text("next")).to_owned();
    if page.session.is_some() {
        return go_to(&next);
    }
    show(&sign_in_page(&app, page, String::new(), next, None))
}

fn sign_in_page(
    app: &App,
    page: Page,
    email: String,
    next: String,
    problem: Option<String>,
) -> SignInPage {
    let ways = app.registry.people_rules().sign_in;
    let owned = |(name, shown): (&str, &str)| (name.to_owned(), shown.to_owned());
    let providers = app.open_id.names().map(owned).collect();
    SignInPage { page, ways, providers, email, next, problem }
}

/// `POST /portal/sign-in`
pub(super) async fn sign_in(
    State(app): State<Arc<App>>,
    page: Page,
    headers: HeaderMap,
    source: Option<Extension<Source>>,
    fields: Fields,
) -> Result<Response, Refused> {
    let (email, next) = (fields.text("email").to_owned(), local(fields.text("next")).to_owned());
    let outcome = match email.parse::<EmailAddress>() {
        Ok(address) => {
            let previous = token(&app, &headers);
            let (password, trace_id) = (fields.raw("password"), Some(page.trace_id.as_str()));
            let place = place(&app, &headers, &address, source);
            app.registry.sign_in(&address, password, &place, previous.as_ref(), trace_id).await
        }
        Err(_) => Err(PeopleError::Refused),
    };
    match outcome {
        Ok(SignedIn::Done(opened)) => Ok(open(&app, &opened, &next).await?),
        Ok(SignedIn::NeedsSecondFactor(half)) => {
            let response = go_to(&format!("/portal/sign-in/code?next={}", encoded(&next)));
            Ok(with_session(&app, response, &half))
        }
        Err(error) => {
            let (status, problem) = problem(&page, error)?;
            Ok(show_with(status, &sign_in_page(&app, page, email, next, Some(problem))))
        }
    }
}

/// `GET /portal/sign-in/code`
pub(super) async fn code_form(page: Page, raw: RawQuery) -> Response {
    let next = local(query(raw).text("next")).to_owned();
    show(&CodePage { page, next, problem: None })
}

/// `POST /portal/sign-in/code`
pub(super) async fn prove(
    State(app): State<Arc<App>>,
    page: Page,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Refused> {
    let next = local(fields.text("next")).to_owned();
    let half = token(&app, &headers).ok_or(Refused::SignIn)?;
    let code = fields.text("code");
    match app.registry.prove_second_factor(&half, code, Some(&page.trace_id)).await {
        Ok(opened) => Ok(open(&app, &opened, &next).await?),
        Err(error) => {
            let (status, problem) = problem(&page, error)?;
            Ok(show_with(status, &CodePage { page, next, problem: Some(problem) }))
        }
    }
}

/// `POST /portal/sign-out`
pub(super) async fn sign_out(
    State(app): State<Arc<App>>,
    page: Page,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    if let Some(token) = token(&app, &headers) {
        let signed_out = app.registry.sign_out(&token, Some(&page.trace_id)).await;
        if let Err(error) = signed_out {
            problem(&page, error)?;
            return Ok(show_with(
                StatusCode::SERVICE_UNAVAILABLE,
                &CodePage { page, next: String::new(), problem: None },
            ));
        }
    }
    Ok(without_session(&app, done(&app, Notice::SignedOut, "/portal/sign-in")))
}

/// Sends somebody who has just signed in on, to be spoken to in their own language.
pub(super) async fn open(
    app: &App,
    opened: &SessionToken,
    next: &str,
) -> Result<Response, Refused> {
    let mut response = with_session(app, go_to(next), opened);
    if let Some(session) = app.registry.session(opened).await? {
        let known = Cookie::Browser.set(&mark(app, &session.user.email), app.portal_is_https);
        known.map(|cookie| response.headers_mut().append(SET_COOKIE, cookie));
        let language = session.user.language.name();
        let cookie = Cookie::Language.set(language, app.portal_is_https);
        cookie.map(|cookie| response.headers_mut().append(SET_COOKIE, cookie));
    }
    Ok(response)
}

/// Where somebody tries to sign in from with an address: a browser in which that has been done before has its own count,
/// whoever else tries from the same network.
fn place(
    app: &App,
    headers: &HeaderMap,
    email: &EmailAddress,
    source: Option<Extension<Source>>,
) -> SignInPlace {
    let cookie = Cookie::Browser.read(headers, app.portal_is_https).unwrap_or_default();
    match (app.cursors.open(email.as_str(), BROWSER_PURPOSE, cookie), source) {
        (Some(mark), _) => SignInPlace::KnownBrowser(mark),
        (None, Some(Extension(source))) => SignInPlace::Source(source),
        (None, None) => SignInPlace::Unknown,
    }
}

/// What makes a browser known for one address. It names neither the address nor a session.
fn mark(app: &App, email: &EmailAddress) -> String {
    let mut bytes = [0; BROWSER_BYTES];
    app.issuer.random.fill(&mut bytes);
    app.cursors.seal(email.as_str(), BROWSER_PURPOSE, &URL_SAFE_NO_PAD.encode(bytes))
}

fn with_session(app: &App, mut response: Response, token: &SessionToken) -> Response {
    let cookie = Cookie::Session.set(token.as_str(), app.portal_is_https);
    cookie.map(|cookie| response.headers_mut().append(SET_COOKIE, cookie));
    response
}

/// Takes the cookie of the session away.
pub(super) fn without_session(app: &App, mut response: Response) -> Response {
    let cookie = Cookie::Session.clear(app.portal_is_https);
    cookie.map(|cookie| response.headers_mut().append(SET_COOKIE, cookie));
    response
}
