//! The users of an organization, for its administrators.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;

use crate::app::App;
use crate::domain::email_address::EmailAddress;
use crate::domain::organization::OrganizationNumber;
use crate::domain::record::Recorded;
use crate::domain::right::Right;
use crate::domain::user::{Role, User, UserId, UserStatus};
use crate::http::portal::fields::Fields;
use crate::http::portal::notice::Notice;
use crate::http::portal::page::{Page, Section, SignedIn, done, show, show_with};
use crate::http::portal::people::problem::problem;
use crate::http::portal::people::sign_in::query;
use crate::http::portal::refused::Refused;
use crate::registry::{NewUser, RegistryError, UserFilter};

/// Users on one page.
const PAGE_USERS: u32 = 50;

const LIST: &str = "/portal/organization/users";

#[derive(Template)]
#[template(path = "people/users.html", config = ".askama.toml")]
struct UsersPage {
    page: Page,
    users: Vec<Recorded<User>>,
    organization: Option<OrganizationNumber>,
    query: String,
    next: Option<String>,
}

impl UsersPage {
    /// What counts: what they have been given, and what everybody has here.
    fn roles(&self, user: &User) -> Vec<Role> {
        user.roles_in(self.page.environment.self_service)
    }
}

#[derive(Template)]
#[template(path = "people/user.html", config = ".askama.toml")]
struct UserPage {
    page: Page,
    user: Recorded<User>,
    choosable: Vec<Role>,
    problem: Option<String>,
}

impl UserPage {
    /// Whether everybody has the role here, given or not.
    fn is_everybodys(&self, role: &Role) -> bool {
        let others = User { roles: Vec::new(), ..self.user.value.clone() };
        others.roles_in(self.page.environment.self_service).contains(role)
    }
}

#[derive(Template)]
#[template(path = "people/invite.html", config = ".askama.toml")]
struct InvitePage {
    page: Page,
    fields: Fields,
    choosable: Vec<Role>,
    chosen: Vec<Role>,
    problem: Option<String>,
}

/// The roles that the reader can give to people of that organization.
fn choosable(app: &App, page: &Page, organization: OrganizationNumber) -> Vec<Role> {
    let is_operators = app.registry.is_operators(organization);
    let all = Role::ALL.iter().copied();
    all.filter(|role| match role {
        Role::Administrator => page.is_operator(),
        Role::Operator => page.is_operator() && is_operators,
        Role::Consumer | Role::Provider | Role::Reader => true,
    })
    .collect()
}

/// `GET /portal/organization/users`
pub(super) async fn list(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    raw: RawQuery,
) -> Result<Response, Refused> {
    let asked = query(raw);
    let organization = asked.filled("organization").map(str::parse).transpose();
    let organization = organization.map_err(|_| Refused::NotFound)?;
    let filter = UserFilter {
        organization,
        text: asked.filled("q").map(str::to_owned),
        after: asked.filled("after").and_then(|text| text.parse().ok()),
    };
    let found = app.registry.users(&signed_in.actor, filter, PAGE_USERS).await?;
    let next = found.has_more.then(|| found.items.last()).flatten().map(|last| {
        let mut next = form_urlencoded::Serializer::new(format!("{LIST}?"));
        next.extend_pairs(asked.filled("q").map(|text| ("q", text)));
        next.extend_pairs(asked.filled("organization").map(|text| ("organization", text)));
        next.append_pair("after", last.value.email.as_str()).finish()
    });
    let page = signed_in.page.at(Section::Organization);
    let (users, query) = (found.items, asked.text("q").to_owned());
    Ok(show(&UsersPage { page, users, organization, query, next }))
}

/// `GET /portal/organization/users/{id}`
pub(super) async fn user(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let id = id.parse().map_err(|_| Refused::NotFound)?;
    show_user(&app, signed_in, &id, StatusCode::OK, None).await
}

async fn show_user(
    app: &App,
    signed_in: SignedIn,
    id: &UserId,
    status: StatusCode,
    problem: Option<String>,
) -> Result<Response, Refused> {
    let user = app.registry.user(&signed_in.actor, id).await?;
    let page = signed_in.page.at(Section::Organization);
    let choosable = choosable(app, &page, user.value.organization);
    Ok(show_with(status, &UserPage { page, user, choosable, problem }))
}

/// `POST /portal/organization/users/{id}/roles`
pub(super) async fn set_roles(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Refused> {
    let id: UserId = id.parse().map_err(|_| Refused::NotFound)?;
    let known = app.registry.user(&signed_in.actor, &id).await?.value;
    let choosable = choosable(&app, &signed_in.page, known.organization);
    let Some(mut roles) = chosen(&fields, &choosable) else {
        let problem = signed_in.page.say("problem-role");
        return show_user(&app, signed_in, &id, StatusCode::UNPROCESSABLE_ENTITY, Some(problem))
            .await;
    };
    // What the reader cannot choose stays as it is.
    roles.extend(known.roles.into_iter().filter(|role| !choosable.contains(role)));
    let set = app.registry.set_roles(&signed_in.actor, &id, &roles, fields.version()).await;
    saved(&app, signed_in, &id, set).await
}

/// `POST /portal/organization/users/{id}/deactivate`
pub(super) async fn deactivate(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Refused> {
    set_status(&app, signed_in, &id, false, &fields).await
}

/// `POST /portal/organization/users/{id}/restore`
pub(super) async fn restore(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Refused> {
    set_status(&app, signed_in, &id, true, &fields).await
}

async fn set_status(
    app: &App,
    signed_in: SignedIn,
    id: &str,
    is_active: bool,
    fields: &Fields,
) -> Result<Response, Refused> {
    let id: UserId = id.parse().map_err(|_| Refused::NotFound)?;
    let (actor, seen) = (&signed_in.actor, fields.version());
    let set = app.registry.set_user_status(actor, &id, is_active, seen).await;
    saved(app, signed_in, &id, set).await
}

/// The page of a user after something was done to them, or was not.
async fn saved(
    app: &App,
    signed_in: SignedIn,
    id: &UserId,
    set: Result<Recorded<User>, RegistryError>,
) -> Result<Response, Refused> {
    match set {
        Ok(_) => Ok(done(app, Notice::Saved, &format!("{LIST}/{id}"))),
        Err(error) => {
            let (status, problem) = problem(&signed_in.page, error.into())?;
            show_user(app, signed_in, id, status, Some(problem)).await
        }
    }
}

/// `GET /portal/organization/users/new`
pub(super) async fn invite_form(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
) -> Result<Response, Refused> {
    signed_in.actor.require(Right::ManageUsers)?;
    let page = signed_in.page.at(Section::Organization);
    let choosable = choosable(&app, &page, signed_in.organization);
    let (fields, chosen) = (Fields::default(), Vec::new());
    Ok(show(&InvitePage { page, fields, choosable, chosen, problem: None }))
}

/// `POST /portal/organization/users/new`
pub(super) async fn invite(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Refused> {
    let choosable = choosable(&app, &signed_in.page, signed_in.organization);
    let organization = match fields.filled("organization") {
        Some(number) if signed_in.page.is_operator() => number.parse().ok(),
        _ => Some(signed_in.organization),
    };
    let roles = chosen(&fields, &choosable);
    let invited = match (fields.text("email").parse::<EmailAddress>(), organization, &roles) {
        (Ok(email), Some(organization), Some(roles)) => {
            let new = NewUser {
                email,
                name: fields.text("name").to_owned(),
                organization,
                language: signed_in.page.texts().language(),
                roles: roles.clone(),
            };
            match app.registry.invite(&signed_in.actor, new).await {
                Ok(_) => return Ok(done(&app, Notice::Invited, LIST)),
                Err(error) => problem(&signed_in.page, error)?,
            }
        }
        (Err(_), _, _) => (StatusCode::UNPROCESSABLE_ENTITY, signed_in.page.say("problem-email")),
        (_, None, _) => (StatusCode::UNPROCESSABLE_ENTITY, signed_in.page.say("problem-number")),
        (_, _, None) => (StatusCode::UNPROCESSABLE_ENTITY, signed_in.page.say("problem-role")),
    };
    let (status, problem) = invited;
    let page = signed_in.page.at(Section::Organization);
    let (chosen, problem) = (roles.unwrap_or_default(), Some(problem));
    Ok(show_with(status, &InvitePage { page, fields, choosable, chosen, problem }))
}

/// The roles that were chosen; `None` when one of them is none, or is not there to be chosen.
fn chosen(fields: &Fields, choosable: &[Role]) -> Option<Vec<Role>> {
    let read = |name| Role::from_name(name).filter(|role| choosable.contains(role));
    fields.all("role").map(read).collect()
}
