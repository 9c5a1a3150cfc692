//! Refused token requests: which step stopped one, what was seen and expected, and what to do.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::app::App;
use crate::clock::Timestamp;
use crate::domain::client::ClientId;
use crate::domain::refused_request::{RefusedRequest, RefusedRequestPlace, StepOutcome};
use crate::domain::scope::ScopeName;
use crate::domain::step::Step;
use crate::http::portal::consumer::client::{Head, Tab, load};
use crate::http::portal::consumer::standing::delegated_by;
use crate::http::portal::page::{Page, Section, SignedIn, go_to, show};
use crate::http::portal::query::{PAGE_ITEMS, Pager, Query};
use crate::http::portal::refused::Refused;
use crate::registry::{Actor, RegistryError};

/// How often, and how long, a page waits for a record that is not there. Records are written four times a second.
const WAITS_MAX: u32 = 4;
const WAIT: Duration = Duration::from_millis(250);

struct Row {
    trace_id: String,
    at: Timestamp,
    client: Option<String>,
    code: String,
    /// The step that failed: the end of the names of its texts.
    step: &'static str,
    scopes: String,
    is_signed: bool,
}

impl Row {
    fn of(it: &RefusedRequest) -> Self {
        Self {
            trace_id: it.trace_id.clone(),
            at: it.at,
            client: it.client.as_ref().map(|client| client.id.to_string()),
            code: it.code.clone().unwrap_or_else(|| it.error.clone()),
            step: step_of(it),
            scopes: it.scopes.as_ref().map(ToString::to_string).unwrap_or_default(),
            is_signed: it.signature_verified,
        }
    }
}

fn step_of(it: &RefusedRequest) -> &'static str {
    it.failed.map_or("none", Step::name)
}

#[derive(Template)]
#[template(path = "consumer/client_refusals.html", config = ".askama.toml")]
struct OfClient {
    page: Page,
    head: Head,
    rows: Vec<Row>,
    pager: Pager,
}

#[derive(Template)]
#[template(path = "consumer/refusals.html", config = ".askama.toml")]
struct List {
    page: Page,
    rows: Vec<Row>,
    pager: Pager,
}

/// `GET /portal/clients/{id}/refusals`
pub(super) async fn of_client(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, Refused> {
    let actor = signed_in.actor.clone();
    let it = load(signed_in, &app, &id, Tab::Refusals).await?;
    let address = format!("/portal/clients/{}/refusals", it.id);
    let (rows, pager) = rows(&app, &actor, Some(&it.id), &query, address).await?;
    Ok(show(&OfClient { page: it.page, head: it.head, rows, pager }))
}

/// `GET /portal/refusals`; with `trace_id` it leads to that one.
pub(super) async fn list(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    query: Query,
) -> Result<Response, Refused> {
    let asked = query.0.text("trace_id");
    if is_trace_id(asked) {
        return Ok(go_to(&format!("/portal/refusals/{asked}")));
    }
    let address = "/portal/refusals".to_owned();
    let (rows, pager) = rows(&app, &signed_in.actor, None, &query, address).await?;
    Ok(show(&List { page: signed_in.page.at(Section::Clients), rows, pager }))
}

/// Whether a text can be the identifier of a request: 32 hexadecimal digits.
fn is_trace_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

async fn rows(
    app: &App,
    actor: &Actor,
    client: Option<&ClientId>,
    query: &Query,
    address: String,
) -> Result<(Vec<Row>, Pager), Refused> {
    let after = query.0.text("after").split_once(' ').and_then(|(at, trace_id)| {
        let at = Timestamp::from_seconds(at.parse().ok()?);
        Some(RefusedRequestPlace { at, trace_id: trace_id.to_owned() })
    });
    let found = app.registry.refused_requests(actor, client, after.as_ref(), PAGE_ITEMS).await?;
    let last = found.items.last().filter(|_| found.has_more);
    let last = last.map(|last| format!("{} {}", last.at.seconds(), last.trace_id));
    let pager = Pager::new(address, after.is_some(), last);
    Ok((found.items.iter().map(Row::of).collect(), pager))
}

/// One step as the page shows it.
struct Decision {
    step: &'static str,
    /// `pass`, `fail` or `skipped`: the class of its element, and the end of the name of a text.
    outcome: &'static str,
    icon: &'static str,
    seen: Option<String>,
    expected: Option<String>,
}

#[derive(Template)]
#[template(path = "consumer/refusal.html", config = ".askama.toml")]
struct One {
    page: Page,
    row: Row,
    client_name: Option<String>,
    answer: String,
    error: String,
    kid: Option<String>,
    certificate: Option<String>,
    consumer: Option<String>,
    decisions: Vec<Decision>,
    /// The name of the text that says what to do.
    remedy: String,
    error_page: Option<String>,
    /// What is copied for those who help.
    support: String,
    /// A scope to ask for, if that is what helps.
    ask: Option<String>,
    /// Those on whose behalf a token can be asked for, if that is what helps.
    customers: Vec<String>,
}

/// `GET /portal/refusals/{trace_id}`
pub(super) async fn one(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(trace_id): Path<String>,
) -> Result<Response, Refused> {
    let it = find(&app, &signed_in.actor, &trace_id).await?;
    let file = match &it.client {
        Some(client) => Some(app.registry.client(&signed_in.actor, &client.id).await?),
        None => None,
    };
    let client = file.as_ref().map(|file| &file.registration.value.client);
    let client_name = client.map(|client| crate::http::portal::visible::visible(&client.name));
    let lacks_access = it.code.as_deref() == Some("MP-250") && it.consumer.is_none();
    let customers = match (client, &it.scopes) {
        (Some(client), Some(scopes)) if lacks_access && client.customer.is_none() => {
            let names: Vec<ScopeName> =
                scopes.to_string().split(' ').filter_map(|name| name.parse().ok()).collect();
            delegated_by(&app, &signed_in.actor, client.organization, &names).await?
        }
        _ => Vec::new(),
    };
    let page = signed_in.page.at(Section::Clients);
    let remedy = if customers.is_empty() {
        remedy(&page, &it)
    } else {
        "refusals-do-consumer-org".to_owned()
    };
    let issuer = &app.issuer.rules.grant.issuer;
    let language = if page.language() == "en" { "en" } else { "nb" };
    let error_page = it.code.as_ref().map(|code| format!("{issuer}errors/{code}#{language}"));
    let ask = (lacks_access && customers.is_empty())
        .then(|| it.scopes.as_ref().map(ToString::to_string))
        .flatten()
        .filter(|scopes| scopes.parse::<ScopeName>().is_ok());
    let text = |it: &Option<crate::domain::excerpt::Excerpt>| it.as_ref().map(ToString::to_string);
    Ok(show(&One {
        row: Row::of(&it),
        client_name,
        answer: it.answer.to_string(),
        error: it.error.clone(),
        kid: text(&it.kid),
        certificate: it.certificate_organization.map(|number| number.to_string()),
        consumer: it.consumer.map(|number| number.to_string()),
        decisions: decisions(&it),
        support: support(&it),
        remedy,
        error_page,
        ask,
        customers,
        page,
    }))
}

/// The record, which may still be on its way: whoever follows the link beside an answer can be faster.
async fn find(app: &App, actor: &Actor, trace_id: &str) -> Result<RefusedRequest, RegistryError> {
    for _ in 0..WAITS_MAX {
        match app.registry.refused_request(actor, trace_id).await {
            Err(RegistryError::Absent { .. }) => tokio::time::sleep(WAIT).await,
            found => return found,
        }
    }
    app.registry.refused_request(actor, trace_id).await
}

fn decisions(it: &RefusedRequest) -> Vec<Decision> {
    let decision = |step: crate::domain::refused_request::ExplainedStep<'_>| {
        let (outcome, icon) = match step.outcome {
            StepOutcome::Passed => ("pass", "success"),
            StepOutcome::Failed => ("fail", "danger"),
            StepOutcome::NotReached => ("skipped", "skipped"),
        };
        Decision {
            step: step.step.name(),
            outcome,
            icon,
            seen: step.seen.map(ToString::to_string),
            expected: step.expected.map(ToString::to_string),
        }
    };
    it.steps().into_iter().map(decision).collect()
}

/// The name of the text that says what to do: that of the code, or else that of the step.
fn remedy(page: &Page, it: &RefusedRequest) -> String {
    if it.failed == Some(Step::Client) && it.client.is_some() {
        return "refusals-do-client-off".to_owned();
    }
    let of_code = it.code.as_ref().map(|code| format!("refusals-do-{}", code.to_lowercase()));
    of_code
        .filter(|name| page.texts().has(name))
        .unwrap_or_else(|| format!("refusals-do-{}", step_of(it)))
}

/// The record as text, in English, for whoever helps. It holds nothing secret, as the record does not.
fn support(it: &RefusedRequest) -> String {
    let mut text = format!("trace_id: {}\nat: {}\n", it.trace_id, it.at);
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = writeln!(text, "{name}: {value}");
        }
    };
    line("client_id", it.client.as_ref().map(|client| client.id.to_string()));
    line("error", Some(it.error.clone()));
    line("code", it.code.clone());
    line("answer", Some(it.answer.to_string()));
    line("kid", it.kid.as_ref().map(ToString::to_string));
    line("scopes", it.scopes.as_ref().map(ToString::to_string));
    line("consumer_org", it.consumer.map(|number| number.to_string()));
    for step in it.steps() {
        line(step.step.name(), Some(step.outcome.name().to_owned()));
        line("  seen", step.seen.map(ToString::to_string));
        line("  expected", step.expected.map(ToString::to_string));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::language::Language;
    use crate::http::portal::texts::Texts;
    use crate::token::refusal::MpCode;

    #[test]
    fn every_step_and_every_code_has_its_texts() {
        let texts = Texts::of(Language::Bokmal);
        for step in Step::ALL.map(Step::name).into_iter().chain(["none"]) {
            for begin in ["refusals-failed", "refusals-do"] {
                assert!(texts.has(&format!("{begin}-{step}")), "{begin}-{step}");
            }
        }
        for step in Step::ALL.map(Step::name) {
            assert!(texts.has(&format!("refusals-step-{step}")), "{step}");
        }
        for code in MpCode::ALL {
            let name = format!("refusals-do-{}", code.name().to_lowercase());
            assert!(texts.has(&name), "{name}");
        }
    }

    #[test]
    fn what_was_seen_is_said_in_the_language_of_the_reader() {
        let say = |english: &str| {
            crate::http::portal::rules::translate(Texts::of(Language::Bokmal), english)
        };
        for (english, bokmal) in [
            (
                "no access of 310000116 to a:b that holds now",
                "310000116 har ikke tilgang til a:b nå",
            ),
            ("the client c, which has been deactivated", "klienten c, som er deaktivert"),
            ("exp - iat is at most 120 seconds", "exp - iat er høyst 120 sekunder"),
            (
                "a key that expired at 2026-06-01T11:58:49Z, 71 seconds before the server's time",
                "en nøkkel som utløp 2026-06-01T11:58:49Z, 71 sekunder før tiden på serveren",
            ),
            (
                "iat 1780 (2026-06-01T11:58:49Z), 71 seconds after the server's time",
                "iat 1780 (2026-06-01T11:58:49Z), 71 sekunder etter tiden på serveren",
            ),
        ] {
            assert_eq!(say(english).as_deref(), Some(bokmal));
        }
        assert_eq!(say("aud \"https://a/\""), None);
    }

    #[test]
    fn a_trace_id_is_32_digits() {
        assert!(is_trace_id("4bf92f3577b34da6a3ce929d0e0e4736"));
        for bad in ["", "4bf92f3577b34da6a3ce929d0e0e473", "../../../../../../../../../../..abc"] {
            assert!(!is_trace_id(bad), "{bad}");
        }
    }
}
