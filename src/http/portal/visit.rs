//! What every request to the portal passes: who comes, whether their form is their own, and what browsers are told.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERRER_POLICY,
    SET_COOKIE, STRICT_TRANSPORT_SECURITY, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::app::App;
use crate::domain::language::Language;
use crate::http::error::TraceId;
use crate::http::origin::origin_of;
use crate::http::portal::cookies::Cookie;
use crate::http::portal::notice::Notice;
use crate::http::portal::page::{Page, PageParts, Scheme};
use crate::http::portal::refused::{Refused, shape};
use crate::http::portal::texts::Texts;
use crate::http::portal::{assets, fields};
use crate::registry::Session;

/// The field of every form that says that the form is ours.
const FORM_TOKEN: &str = "form_token";

/// What tells the tokens of forms from other things that are sealed.
const FORM_PURPOSE: &str = "form of the portal";

/// Bytes of what tells one browser from another: too many to guess.
const VISITOR_BYTES: usize = 32;

/// What stands between browsers and the pages.
#[derive(Clone)]
pub(super) struct Door {
    app: Arc<App>,
    /// What pages may load, and whom they may ask.
    policy: HeaderValue,
}

impl Door {
    pub(super) fn of(app: &Arc<App>) -> Self {
        // Scripts ask this server for names, and the token endpoint for a token to try.
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' {}; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            origin_of(&app.issuer.rules.grant.issuer)
        );
        // An issuer that fits no header does not get past the configuration; pages would be bare then.
        let policy = HeaderValue::from_str(&policy)
            .unwrap_or(HeaderValue::from_static("default-src 'none'"));
        Self { app: Arc::clone(app), policy }
    }
}

/// Finds out who comes, refuses forms that are not ours, and gives every answer what browsers must be told.
pub(super) async fn visit(State(door): State<Door>, request: Request, next: Next) -> Response {
    let app = &*door.app;
    if assets::is_asset(request.uri().path()) {
        return with_headers(&door, next.run(request).await);
    }
    let secure = app.portal_is_https;
    let session = match session(app, request.headers()).await {
        Ok(session) => session,
        Err(refused) => return with_headers(&door, refused.into_response()),
    };
    let (seed, new_visitor) = seed(app, request.headers(), session.is_some());
    let page = page(app, &request, session, &seed);
    let notice_shown = page.notice.is_some();
    let mut response = match admit(app, request, &seed, page.clone()).await {
        Ok(request) => next.run(request).await,
        Err(refused) => refused,
    };
    let is_signed_in = page.session.is_some();
    response = shape(response, page);
    // What is for somebody is for nobody else who sits at the machine after them.
    if is_signed_in && !response.headers().contains_key(CACHE_CONTROL) {
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    let mut cookies = Vec::new();
    if new_visitor {
        cookies.extend(Cookie::Visitor.set(&seed, secure));
    }
    // A page that says what has been done says it once.
    if notice_shown && response.status().is_success() {
        cookies.extend(Cookie::Notice.clear(secure));
    }
    for cookie in cookies {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    with_headers(&door, response)
}

/// Who is signed in, if the cookie is that of a session which still counts.
async fn session(app: &App, headers: &HeaderMap) -> Result<Option<Arc<Session>>, Refused> {
    let cookie = Cookie::Session.read(headers, app.portal_is_https);
    let Some(token) = cookie.and_then(|text| text.parse().ok()) else { return Ok(None) };
    Ok(app.registry.session(&token).await?.map(Arc::new))
}

/// What the tokens of this browser's forms are made from, and whether it is new. Signing in makes another, so that
/// a form from before cannot act for whoever has signed in since.
fn seed(app: &App, headers: &HeaderMap, signed_in: bool) -> (String, bool) {
    let secure = app.portal_is_https;
    let cookie = if signed_in { Cookie::Session } else { Cookie::Visitor };
    if let Some(text) = cookie.read(headers, secure).filter(|text| !text.is_empty()) {
        (text.to_owned(), false)
    } else {
        let mut bytes = [0; VISITOR_BYTES];
        app.issuer.random.fill(&mut bytes);
        (URL_SAFE_NO_PAD.encode(bytes), true)
    }
}

fn form_token(app: &App, seed: &str) -> String {
    app.cursors.seal(seed, FORM_PURPOSE, "")
}

fn page(app: &App, request: &Request, session: Option<Arc<Session>>, seed: &str) -> Page {
    let headers = request.headers();
    let secure = app.portal_is_https;
    let scheme = Cookie::Scheme.read(headers, secure).and_then(Scheme::from_name);
    let notice = Cookie::Notice.read(headers, secure).and_then(Notice::from_name);
    let address = request.uri().path_and_query().map_or("/portal", |address| address.as_str());
    Page::new(PageParts {
        texts: Texts::of(language(headers, secure)),
        scheme: scheme.unwrap_or_default(),
        environment: Arc::clone(&app.environment),
        session,
        form_token: form_token(app, seed),
        // What was sent cannot be sent again by a link: a form leads back to where it was.
        address: if request.method() == Method::GET {
            address.to_owned()
        } else {
            "/portal".to_owned()
        },
        notice,
        trace_id: request
            .extensions()
            .get::<TraceId>()
            .map(ToString::to_string)
            .unwrap_or_default(),
    })
}

/// The language that was chosen, or else the first of ours that the browser prefers.
fn language(headers: &HeaderMap, secure: bool) -> Language {
    let chosen = Cookie::Language.read(headers, secure).and_then(Language::from_name);
    let accepted = || {
        let list = headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?;
        list.split(',').find_map(|entry| {
            let tag = entry.split([';', '-']).next().unwrap_or_default().trim();
            Language::from_name(if tag == "no" { "nb" } else { tag })
        })
    };
    chosen.or_else(accepted).unwrap_or_default()
}

/// Lets a request in: one that only looks always, one that changes something when its form is ours.
async fn admit(
    app: &App,
    mut request: Request,
    seed: &str,
    page: Page,
) -> Result<Request, Response> {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        request.extensions_mut().insert(page);
        return Ok(request);
    }
    if !comes_from_here(app, request.headers()) {
        return Err(Refused::Forged.into_response());
    }
    let (mut parts, fields) = fields::read(request).await?;
    let seed_matches = app.cursors.open(seed, FORM_PURPOSE, fields.raw(FORM_TOKEN)).is_some();
    if !seed_matches {
        // Whoever brings a session that counts no longer has not forged anything.
        let secure = app.portal_is_https;
        let was_in =
            page.session.is_none() && Cookie::Session.read(&parts.headers, secure).is_some();
        let refused = if was_in { Refused::SignedOut } else { Refused::Forged };
        return Err(refused.into_response());
    }
    parts.extensions.insert(page);
    parts.extensions.insert(fields);
    Ok(Request::from_parts(parts, axum::body::Body::empty()))
}

/// Whether the browser says that one of our pages sent the form. What says nothing is no browser, and its form
/// still has to be ours.
fn comes_from_here(app: &App, headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let scheme = if app.portal_is_https { "https" } else { "http" };
    let here = format!("{scheme}://{host}");
    let outside = app.admin_url.as_deref().map(origin_of);
    let is_ours = |origin: &[u8]| {
        origin == here.as_bytes() || outside.is_some_and(|known| known.as_bytes() == origin)
    };
    match (site, headers.get(ORIGIN).map(HeaderValue::as_bytes)) {
        (Some(site), _) if site != b"same-origin" => false,
        // Pages without a referrer have the origin `null` in browsers, which then tell the site.
        (Some(_), Some(b"null")) | (_, None) => true,
        (_, Some(origin)) => is_ours(origin),
    }
}

/// What every answer says, whatever it is.
const ALWAYS: [(HeaderName, &str); 5] = [
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

fn with_headers(door: &Door, mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, door.policy.clone());
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if door.app.portal_is_https {
        // A year, as browsers want it before they remember a host for good.
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(STRICT_TRANSPORT_SECURITY, year);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_language_of_ours_that_a_browser_prefers_is_spoken() {
        let speaks = |accepted: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static(accepted));
            language(&headers, false)
        };
        assert_eq!(speaks("en-GB,en;q=0.9"), Language::English);
        assert_eq!(speaks("de,nn-NO;q=0.8,en;q=0.5"), Language::Nynorsk);
        assert_eq!(speaks("no"), Language::Bokmal);
        assert_eq!(speaks("de"), Language::Bokmal);
    }
}
