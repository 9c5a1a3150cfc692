//! What every page knows about who reads it, and how it becomes an answer.

use std::fmt::Display;
use std::sync::Arc;

use askama::Template;
use askama::filters::Safe;
use axum::extract::FromRequestParts;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse as _, Response};
use fluent_bundle::FluentValue;

use crate::app::App;
use crate::clock::Timestamp;
use crate::domain::environment::Environment;
use crate::domain::names::names;
use crate::domain::organization::OrganizationNumber;
use crate::domain::right::Right;
use crate::http::portal::assets;
use crate::http::portal::notice::Notice;
use crate::http::portal::refused::Refused;
use crate::http::portal::texts::Texts;
use crate::http::portal::visible::visible;
use crate::http::portal::{numbers, rules, times};
use crate::registry::{Actor, Session};

/// How light the pages are.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Scheme {
    /// As the device is.
    #[default]
    Auto,
    /// Light letters on dark ground.
    Dark,
    /// Dark letters on light ground.
    Light,
}

names!(pub(super) Scheme { Auto = "auto", Dark = "dark", Light = "light" });

/// The parts of the portal, as the navigation has them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Section {
    /// What may we call?
    Callable,
    Clients,
    Delegations,
    /// Nowhere in the navigation.
    #[default]
    None,
    /// The operator's pages.
    Operator,
    /// The organization: business data and users.
    Organization,
    Overview,
    Prefixes,
    Scopes,
}

impl Section {
    /// The end of the name of its text.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Callable => "callable",
            Self::Clients => "clients",
            Self::Delegations => "delegations",
            Self::None => "none",
            Self::Operator => "operator",
            Self::Organization => "organization",
            Self::Overview => "overview",
            Self::Prefixes => "prefixes",
            Self::Scopes => "scopes",
        }
    }
}

/// The navigation, in order, with where it leads.
pub(super) const NAVIGATION: [(Section, &str); 8] = [
    (Section::Overview, "/portal"),
    (Section::Callable, "/portal/callable"),
    (Section::Clients, "/portal/clients"),
    (Section::Scopes, "/portal/scopes"),
    (Section::Prefixes, "/portal/prefixes"),
    (Section::Delegations, "/portal/delegations"),
    (Section::Organization, "/portal/organization"),
    (Section::Operator, "/portal/operator"),
];

/// Who reads a page, and how.
#[derive(Clone)]
pub(super) struct Page {
    texts: &'static Texts,
    /// How light it is.
    pub(super) scheme: Scheme,
    /// The environment that this server is.
    pub(super) environment: Arc<Environment>,
    /// Who is signed in, if anybody is.
    pub(super) session: Option<Arc<Session>>,
    /// What every form of the page must bring back.
    pub(super) form_token: String,
    /// The page's own address, for what leads back to it.
    pub(super) address: String,
    /// What has just been done.
    pub(super) notice: Option<Notice>,
    /// In which part of the portal the page is.
    pub(super) section: Section,
    /// The request.
    pub(super) trace_id: String,
}

/// What a page is made of, as [`super::visit`] finds it.
pub(super) struct PageParts {
    pub(super) texts: &'static Texts,
    pub(super) scheme: Scheme,
    pub(super) environment: Arc<Environment>,
    pub(super) session: Option<Arc<Session>>,
    pub(super) form_token: String,
    pub(super) address: String,
    pub(super) notice: Option<Notice>,
    pub(super) trace_id: String,
}

impl Page {
    /// The languages, each by its own name.
    pub(super) const LANGUAGES: [(&'static str, &'static str); 3] =
        [("nb", "Bokmål"), ("nn", "Nynorsk"), ("en", "English")];

    /// How light a page can be, in the order in which one chooses.
    pub(super) const SCHEMES: [Scheme; 3] = [Scheme::Auto, Scheme::Light, Scheme::Dark];

    pub(super) fn new(parts: PageParts) -> Self {
        let PageParts {
            texts,
            scheme,
            environment,
            session,
            form_token,
            address,
            notice,
            trace_id,
        } = parts;
        let section = Section::None;
        Self { texts, scheme, environment, session, form_token, address, notice, section, trace_id }
    }

    /// The same page in that part of the portal.
    #[must_use]
    pub(super) fn at(mut self, section: Section) -> Self {
        self.section = section;
        self
    }

    /// The texts of the reader's language.
    pub(super) fn texts(&self) -> &'static Texts {
        self.texts
    }

    /// The tag of the reader's language (RFC 5646).
    pub(super) fn language(&self) -> &'static str {
        self.texts.language().name()
    }

    /// The text of that name.
    pub(super) fn say(&self, name: &str) -> String {
        self.texts.say(name)
    }

    /// The text for one of several words: its name is `begin-word`.
    pub(super) fn word(&self, begin: &str, word: &str) -> String {
        self.texts.say(&format!("{begin}-{word}"))
    }

    /// The text of that name with one thing filled in.
    pub(super) fn fill1(&self, name: &str, place: &'static str, value: &impl Display) -> String {
        self.texts.fill(name, &[(place, value.to_string().into())])
    }

    /// The text of that name with two things filled in.
    pub(super) fn fill2(
        &self,
        name: &str,
        (first, one): (&'static str, &dyn Display),
        (second, other): (&'static str, &dyn Display),
    ) -> String {
        let values = [(first, one.to_string().into()), (second, other.to_string().into())];
        self.texts.fill(name, &values)
    }

    /// The text of that name for a number of things (`$count`), so that one is not many.
    pub(super) fn count(&self, name: &str, count: impl Into<FluentValue<'static>>) -> String {
        self.texts.fill(name, &[("count", count.into())])
    }

    /// A rule that the registry says is broken, in the reader's language where that is known.
    pub(super) fn rule(&self, english: &str) -> Safe<String> {
        rules::markup(self.texts, english)
    }

    /// A name as people should see it: nothing in it hides.
    pub(super) fn visible(&self, name: &str) -> String {
        visible(name)
    }

    /// A day.
    pub(super) fn day(&self, moment: &Timestamp) -> String {
        times::day(*moment, self.texts.language())
    }

    /// A day and time.
    pub(super) fn moment(&self, moment: &Timestamp) -> String {
        times::moment(*moment, self.texts.language())
    }

    /// A day, for machines too.
    pub(super) fn day_element(&self, moment: &Timestamp) -> Safe<String> {
        Safe(format!("<time datetime=\"{moment}\">{}</time>", self.day(moment)))
    }

    /// A day and time, for machines too.
    pub(super) fn moment_element(&self, moment: &Timestamp) -> Safe<String> {
        Safe(format!("<time datetime=\"{moment}\">{}</time>", self.moment(moment)))
    }

    /// When something ends, for machines to the second, and for people as the last day on which it holds.
    pub(super) fn end_element(&self, end: &Timestamp) -> Safe<String> {
        let said = times::end(*end, self.texts.language());
        Safe(format!("<time datetime=\"{end}\">{said}</time>"))
    }

    /// A number with its thousands apart.
    pub(super) fn number(&self, number: &u64) -> String {
        numbers::grouped(*number, self.texts.language())
    }

    /// Where a stylesheet, script or picture of the portal is.
    pub(super) fn asset(&self, file: &str) -> String {
        assets::address(file)
    }

    /// A picture beside words that say the same.
    pub(super) fn icon(&self, name: &str) -> Safe<String> {
        let sprite = assets::address("icons.svg");
        Safe(format!(
            "<svg class=\"icon\" aria-hidden=\"true\"><use href=\"{sprite}#{name}\"></use></svg>"
        ))
    }

    /// What makes a form ours; every form has it.
    pub(super) fn token_field(&self) -> Safe<String> {
        let token = &self.form_token;
        Safe(format!("<input type=\"hidden\" name=\"form_token\" value=\"{token}\">"))
    }

    /// Whether who reads the page may do what `right` allows.
    pub(super) fn may(&self, right: Right) -> bool {
        self.session.as_ref().is_some_and(|session| session.actor(None).require(right).is_ok())
    }

    /// Whether the operator reads the page.
    pub(super) fn is_operator(&self) -> bool {
        self.may(Right::Operate)
    }

    /// The parts of the portal that are of use to who reads the page, and where they are.
    pub(super) fn navigation(&self) -> impl Iterator<Item = (Section, &'static str)> {
        let operator = self.is_operator();
        let shown = move |(section, _): &(Section, &str)| *section != Section::Operator || operator;
        NAVIGATION.into_iter().filter(shown)
    }
}

/// Somebody who is signed in, and may have rights.
pub(super) struct SignedIn {
    /// The page they read.
    pub(super) page: Page,
    /// Them, as the one who acts.
    pub(super) actor: Actor,
    /// Their organization.
    pub(super) organization: OrganizationNumber,
    /// Their session.
    pub(super) session: Arc<Session>,
}

impl<S: Send + Sync> FromRequestParts<S> for Page {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        parts.extensions.get::<Self>().cloned().ok_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let page = parts.extensions.get::<Page>().cloned().ok_or(Refused::NotFound)?;
        let session = page.session.clone().ok_or(Refused::SignIn)?;
        let actor = session.actor(Some(page.trace_id.clone()));
        let organization = session.organization.number;
        Ok(Self { page, actor, organization, session })
    }
}

/// A page as an answer.
pub(super) fn show(template: &impl Template) -> Response {
    show_with(StatusCode::OK, template)
}

/// A form that was not accepted, as an answer: 422 (RFC 9110 section 15.5.21).
pub(super) fn show_again(template: &impl Template) -> Response {
    show_with(StatusCode::UNPROCESSABLE_ENTITY, template)
}

pub(super) fn show_with(status: StatusCode, template: &impl Template) -> Response {
    const HEADERS: [(HeaderName, &str); 2] =
        [(CONTENT_TYPE, "text/html; charset=utf-8"), (CACHE_CONTROL, "no-store")];
    match template.render() {
        Ok(page) => (status, HEADERS, page).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page cannot be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Sends the browser on (RFC 9110 section 15.4.4).
pub(super) fn go_to(address: &str) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, address)]).into_response()
}

/// The same after something has been done, which the next page says.
pub(super) fn done(app: &App, notice: Notice, address: &str) -> Response {
    let mut response = go_to(address);
    let cookie = super::cookies::Cookie::Notice.set(notice.name(), app.portal_is_https);
    if let Some(cookie) = cookie {
        response.headers_mut().append(axum::http::header::SET_COOKIE, cookie);
    }
    response
}
