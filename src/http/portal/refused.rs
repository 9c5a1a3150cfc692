//! What is answered in place of a page, and the page that says so.

use askama::Template;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::domain::right::Right;
use crate::domain::user::{Role, User};
use crate::http::portal::page::{Page, go_to, show_with};
use crate::http::portal::query::encoded;
use crate::registry::RegistryError;

/// Why there is no page.
#[derive(Clone, Debug)]
pub(super) enum Refused {
    /// It comes from elsewhere, or from a page that is too old.
    Forged,
    /// There is no such page, or what it is about is not there or not the reader's to see.
    NotFound,
    /// The registry does not do it.
    Registry(std::sync::Arc<RegistryError>),
    /// Somebody must sign in first.
    SignIn,
    /// They had, and their session has ended since they opened the form.
    SignedOut,
}

impl From<RegistryError> for Refused {
    fn from(error: RegistryError) -> Self {
        Self::Registry(std::sync::Arc::new(error))
    }
}

/// The page itself is made by [`shape`], which knows who reads it.
impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl Refused {
    fn status(&self) -> StatusCode {
        match self {
            Self::Forged | Self::SignedOut => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Registry(error) => match &**error {
                RegistryError::Absent { .. } | RegistryError::NotYours { .. } => {
                    StatusCode::NOT_FOUND
                }
                RegistryError::Forbidden { .. } => StatusCode::FORBIDDEN,
                RegistryError::Conflict { .. } | RegistryError::Stale | RegistryError::Unseen => {
                    StatusCode::CONFLICT
                }
                RegistryError::Invalid { .. } | RegistryError::Key(_) => {
                    StatusCode::UNPROCESSABLE_ENTITY
                }
                RegistryError::NoMail | RegistryError::Store(_) | RegistryError::Unfollowed(_) => {
                    StatusCode::SERVICE_UNAVAILABLE
                }
            },
            Self::SignIn => StatusCode::UNAUTHORIZED,
        }
    }
}

/// The page that says why there is none.
#[derive(Template)]
#[template(path = "refused.html", config = ".askama.toml")]
struct RefusedPage {
    page: Page,
    /// The end of the names of the texts.
    word: &'static str,
    /// What the registry says, in its own words.
    detail: Option<String>,
    /// The right that is missing.
    needed: Option<Right>,
}

impl RefusedPage {
    /// The names of the roles of which each would do, as people are given them; empty where no role brings the right.
    fn roles(&self, needed: &Right) -> String {
        let brings = |role: &&Role| User::rights_of(&[**role]).by_which(*needed).is_some();
        let people = Role::ALL.iter().filter(|role| **role != Role::Operator).filter(brings);
        let names: Vec<String> = people.map(|role| self.page.word("role", role.name())).collect();
        names.join(self.page.say("refused-or").as_str())
    }
}

/// Gives an answer without a page the page that belongs to it.
pub(super) fn shape(response: Response, page: Page) -> Response {
    let status = response.status();
    let bare = (status.is_client_error() || status.is_server_error())
        && response.headers().get(CONTENT_TYPE).is_none_or(|kind| {
            !kind.as_bytes().starts_with(b"text/html")
                && !kind.as_bytes().starts_with(b"application/json")
        });
    if !bare {
        return response;
    }
    let refused = response.extensions().get::<Refused>().cloned();
    if matches!(refused, Some(Refused::SignIn)) {
        return go_to(&format!("/portal/sign-in?next={}", encoded(&page.address)));
    }
    let (word, detail, needed) = explain(refused.as_ref(), status);
    let mut shaped = show_with(status, &RefusedPage { page, word, detail, needed });
    for (name, value) in response.headers() {
        if name != CONTENT_TYPE && !shaped.headers().contains_key(name) {
            shaped.headers_mut().append(name, value.clone());
        }
    }
    shaped
}

fn explain(
    refused: Option<&Refused>,
    status: StatusCode,
) -> (&'static str, Option<String>, Option<Right>) {
    match refused {
        Some(Refused::Forged) => ("forged", None, None),
        Some(Refused::SignedOut) => ("signed-out", None, None),
        Some(Refused::Registry(error)) => match &**error {
            RegistryError::Forbidden { needed: Right::Operate } => ("operators", None, None),
            RegistryError::Forbidden { needed } => ("forbidden", None, Some(*needed)),
            RegistryError::Absent { .. } | RegistryError::NotYours { .. } => {
                ("not-found", None, None)
            }
            RegistryError::Stale | RegistryError::Unseen => ("stale", None, None),
            RegistryError::Store(_) | RegistryError::Unfollowed(_) => ("unavailable", None, None),
            RegistryError::Conflict { rule } => ("not-done", Some(rule.clone()), None),
            RegistryError::Invalid { problem, .. } => ("not-done", Some(problem.clone()), None),
            RegistryError::Key(problem) => ("not-done", Some(problem.to_string()), None),
            RegistryError::NoMail => ("no-mail", None, None),
        },
        _ if status == StatusCode::NOT_FOUND || status == StatusCode::METHOD_NOT_ALLOWED => {
            ("not-found", None, None)
        }
        _ if status == StatusCode::PAYLOAD_TOO_LARGE => ("too-large", None, None),
        _ if status == StatusCode::TOO_MANY_REQUESTS => ("too-many", None, None),
        _ if status.is_server_error() => ("unavailable", None, None),
        _ => ("not-done", None, None),
    }
}
