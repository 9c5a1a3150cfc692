//! The audit trail: who did what, with what came of it, and whether anybody has touched it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::app::App;
use crate::domain::audit::AuditFilter;
use crate::domain::change::ChangedNoun;
use crate::http::portal::acts::{self, Act, word};
use crate::http::portal::fields::Fields;
use crate::http::portal::form_errors::FormErrors;
use crate::http::portal::operator::AsOperator;
use crate::http::portal::page::{Page, SignedIn, show};
use crate::http::portal::query::{Pager, Query, encoded};
use crate::http::portal::refused::Refused;
use crate::registry::AuditVerdict;

const LIST: &str = "/portal/operator/audit";

/// The fields by which the trail is searched.
const FIELDS: [&str; 4] = ["organization", "noun", "actor", "key"];

#[derive(Template)]
#[template(path = "operator/audit.html", config = ".askama.toml")]
struct AuditPage {
    page: Page,
    acts: Vec<Act>,
    pager: Pager,
    asked: Fields,
    errors: FormErrors,
    /// The query that asks for the same again.
    same: String,
    verdict: Option<AuditVerdict>,
}

impl AuditPage {
    fn nouns(&self) -> impl Iterator<Item = (&'static str, String)> {
        ChangedNoun::names().map(|noun| (noun, word(&self.page, "act-noun", noun)))
    }

    fn counted(&self, rows: &u64, unsealed: &u64) -> String {
        let (rows, unsealed) = (self.page.number(rows), self.page.number(unsealed));
        self.page.fill2("operator-audit-whole-what", ("rows", &rows), ("unsealed", &unsealed))
    }
}

/// What is asked of the trail, and what cannot be read of it.
pub(super) fn filter(page: &Page, asked: &Fields) -> (AuditFilter, FormErrors) {
    let mut errors = FormErrors::default();
    let mut organization = None;
    if let Some(text) = asked.filled("organization") {
        match text.parse() {
            Ok(number) => organization = Some(number),
            Err(_) => errors.add("organization", page.say("operator-number-shape")),
        }
    }
    let text = |name| asked.filled(name).map(str::to_owned);
    let filter = AuditFilter {
        organization,
        noun: text("noun"),
        key: text("key"),
        actor: text("actor"),
        scope: None,
    };
    (filter, errors)
}

/// `GET /portal/operator/audit?organization=&noun=&actor=&key=&after=`
pub(super) async fn list(
    operator: AsOperator,
    State(app): State<Arc<App>>,
    query: Query,
) -> Result<Response, Refused> {
    show_list(&app, operator, query.0, None).await
}

async fn show_list(
    app: &App,
    operator: AsOperator,
    asked: Fields,
    verdict: Option<AuditVerdict>,
) -> Result<Response, Refused> {
    let AsOperator { page, actor } = operator;
    let (filter, errors) = filter(&page, &asked);
    let before: Option<i64> = asked.text("after").parse().ok();
    let given = FIELDS.iter().filter_map(|name| Some((name, asked.filled(name)?)));
    let same: Vec<String> = given.map(|(name, text)| format!("{name}={}", encoded(text))).collect();
    let same = same.join("&");
    let address = if same.is_empty() { LIST.to_owned() } else { format!("{LIST}?{same}") };
    let (acts, pager) = acts::list(app, (&page, &actor), filter, before, address).await?;
    Ok(show(&AuditPage { page, acts, pager, asked, errors, same, verdict }))
}

/// `POST /portal/operator/audit/verify`: reads the whole trail, which no link should make the server do.
pub(super) async fn verify(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
) -> Result<Response, Refused> {
    let verdict = app.registry.verify_audit(&signed_in.actor).await?;
    show_list(&app, AsOperator::of(signed_in)?, Fields::default(), Some(verdict)).await
}

#[derive(Template)]
#[template(path = "operator/act.html", config = ".askama.toml")]
struct ActPage {
    page: Page,
    act: Act,
}

/// `GET /portal/operator/audit/{seq}`
pub(super) async fn show_one(
    operator: AsOperator,
    State(app): State<Arc<App>>,
    Path(seq): Path<String>,
) -> Result<Response, Refused> {
    let AsOperator { page, actor } = operator;
    let act = acts::one(&app, (&page, &actor), AuditFilter::default(), &seq).await?;
    Ok(show(&ActPage { page, act }))
}
