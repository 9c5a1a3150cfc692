//! Alerts: what the organization should know and has not done itself.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::app::App;
use crate::clock::Timestamp;
use crate::domain::alert::{Alert, AlertDetails, AlertKind};
use crate::domain::organization::OrganizationNumber;
use crate::domain::right::Right;
use crate::http::portal::page::{Page, Section, SignedIn, show};
use crate::http::portal::query::{PAGE_ITEMS, Pager, Query, encoded};
use crate::http::portal::refused::Refused;
use crate::http::portal::visible::visible;

const LIST: &str = "/portal/organization/alerts";

/// An alert as pages show it.
pub(in crate::http::portal) struct AlertLine {
    /// The end of the name of the text for its kind.
    pub(in crate::http::portal) kind: String,
    /// What to say.
    pub(in crate::http::portal) text: String,
    /// What the other organization has written.
    pub(in crate::http::portal) said: Option<String>,
    /// Where something can be done about it.
    pub(in crate::http::portal) address: String,
    /// How grave it is: the kind of its tag.
    pub(in crate::http::portal) tag: &'static str,
    pub(in crate::http::portal) at: Timestamp,
}

impl AlertLine {
    pub(in crate::http::portal) fn new(page: &Page, alert: Alert) -> Self {
        let kind = alert.kind.name().replace('_', "-");
        let (text, said, address) = match alert.details {
            AlertDetails::Key { client, client_name, expires_at, .. } => {
                let name = format!("organization-alert-{kind}");
                let until = page.day(&Timestamp::from_seconds(expires_at));
                let name_of_client = visible(&client_name);
                let text = page.fill2(&name, ("client", &name_of_client), ("day", &until));
                (text, None, format!("/portal/clients/{}/keys", encoded(&client)))
            }
            AlertDetails::Prefix { prefix, organization, organization_name, said } => {
                let who = who(organization, organization_name);
                let name = format!("organization-alert-{kind}");
                let text = page.fill2(&name, ("organization", &who), ("prefix", &prefix));
                let address = format!("/portal/operator/prefix-requests/{prefix}/{organization}");
                (text, Some(visible(&said)), address)
            }
            AlertDetails::Scope { scope, organization, organization_name, granted, said } => {
                let who = who(organization, organization_name);
                let name = match granted {
                    Some(true) => "organization-alert-access-granted".to_owned(),
                    Some(false) => "organization-alert-access-denied".to_owned(),
                    None => format!("organization-alert-{kind}"),
                };
                let text = page.fill2(&name, ("organization", &who), ("scope", &scope));
                let address = match alert.kind {
                    AlertKind::AccessRequested => {
                        format!("/portal/scopes/{}/requests/{organization}", encoded(&scope))
                    }
                    _ => format!("/portal/callable?q={}", encoded(&scope)),
                };
                (text, said.as_deref().map(visible), address)
            }
        };
        let tag = match alert.kind {
            AlertKind::AccessWithdrawn | AlertKind::ScopeDeactivated => "danger",
            AlertKind::CertificateExpiring | AlertKind::KeyExpiring => "warning",
            AlertKind::AccessDecided | AlertKind::AccessRequested | AlertKind::PrefixRequested => {
                "info"
            }
        };
        Self { kind, text, said, address, tag, at: alert.created_at }
    }
}

/// An organization by its name, or by its number if it has none here.
fn who(number: OrganizationNumber, name: Option<String>) -> String {
    name.map_or_else(|| number.to_string(), |name| visible(&name))
}

#[derive(Template)]
#[template(path = "organization/alerts.html", config = ".askama.toml")]
struct AlertsPage {
    page: Page,
    alerts: Vec<AlertLine>,
    pager: Pager,
    may_write: bool,
}

/// `GET /portal/organization/alerts?after=`
pub(super) async fn list(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    query: Query,
) -> Result<Response, Refused> {
    let before: Option<i64> = query.read("after");
    let (actor, number) = (&signed_in.actor, signed_in.organization);
    let found = app.registry.alerts(actor, number, before, PAGE_ITEMS).await?;
    let last = found.items.last().filter(|_| found.has_more).map(|alert| alert.id.to_string());
    let pager = Pager::new(LIST.to_owned(), before.is_some(), last);
    let page = signed_in.page.at(Section::Organization);
    let may_write = page.may(Right::WriteBusinessData);
    let alerts = found.items.into_iter().map(|alert| AlertLine::new(&page, alert)).collect();
    Ok(show(&AlertsPage { page, alerts, pager, may_write }))
}
