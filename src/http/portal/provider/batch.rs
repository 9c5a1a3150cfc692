//! Giving many organizations access at once. Nothing is done before one has seen what would come of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::app::App;
use crate::domain::organization::OrganizationNumber;
use crate::domain::right::Right;
use crate::http::portal::fields::Fields;
use crate::http::portal::form_errors::FormErrors;
use crate::http::portal::notice::Notice;
use crate::http::portal::page::{Page, SignedIn, done, show, show_again};
use crate::http::portal::provider::batch_lines::{Line, read};
use crate::http::portal::provider::scope::{Head, Loaded, Tab, load};
use crate::http::portal::refused::Refused;
use crate::http::portal::rules;
use crate::http::portal::visible::visible;
use crate::registry::{AccessTerms, AccessWish, BatchMode, WishOutcome};

/// What would come of a line.
struct Row {
    at: usize,
    number: String,
    name: String,
    /// The end of the name of the text: `new`, `there` or `invalid`; and the kind of its tag.
    outcome: (&'static str, &'static str),
    terms: AccessTerms,
    /// Why not, in the reader's language.
    why: String,
}

#[derive(Template)]
#[template(path = "provider/batch.html", config = ".askama.toml")]
struct Batch {
    page: Page,
    head: Head,
    /// What was pasted.
    lines: String,
    rows: Vec<Row>,
    /// Lines that are too many.
    left: usize,
    errors: FormErrors,
}

impl Batch {
    fn count(&self, outcome: &str) -> usize {
        self.rows.iter().filter(|row| row.outcome.0 == outcome).count()
    }
}

/// `GET /portal/scopes/{scope}/accesses/batch`
pub(super) async fn form(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Response, Refused> {
    signed_in.actor.require(Right::WriteScopes)?;
    let it = load(signed_in, &app, &name, Tab::Accesses).await?;
    let (lines, errors) = (String::new(), FormErrors::default());
    Ok(show(&Batch { page: it.page, head: it.head, lines, rows: Vec::new(), left: 0, errors }))
}

/// `POST /portal/scopes/{scope}/accesses/batch`: tells what would come of the lines, or with `confirm` does it. What is
/// there already stays as it is; its end and note are changed where one sees them.
pub(super) async fn give(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Response, Refused> {
    let it = load(signed_in, &app, &name, Tab::Accesses).await?;
    let lines = fields.raw("lines").to_owned();
    let (read, left) = read(&lines, app.issuer.clock.now());
    let mut errors = FormErrors::default();
    if read.is_empty() {
        errors.add("lines", it.page.say("provider-batch-empty"));
    }
    let confirmed = fields.ticked("confirm");
    let mode = if confirmed { BatchMode::Change } else { BatchMode::Try };
    let rows = rows(&app, &it, read, mode).await?;
    let (head, page) = (it.head, it.page);
    let is_empty = !errors.is_empty();
    if confirmed && rows.iter().any(|row| row.outcome.0 == "new") {
        return Ok(done(&app, Notice::AccessesGiven, &head.address));
    }
    let batch = Batch { page, head, lines, rows, left, errors };
    Ok(if is_empty { show_again(&batch) } else { show(&batch) })
}

async fn rows(
    app: &App,
    it: &Loaded,
    lines: Vec<Line>,
    mode: BatchMode,
) -> Result<Vec<Row>, Refused> {
    let scope = &it.head.name;
    let numbers: Vec<OrganizationNumber> =
        lines.iter().filter_map(|line| Some(line.read.as_ref().ok()?.0)).collect();
    let names = app.registry.organization_names(&numbers).await?;
    let now = app.issuer.clock.now();
    let there = app.registry.accesses_of(&it.actor, scope, &numbers).await?;
    let holding: Vec<OrganizationNumber> =
        there.iter().filter(|access| access.holds_at(now)).map(|access| access.consumer).collect();
    let wish = |line: &Line| {
        let (number, terms) = line.read.as_ref().ok()?;
        let grant = Some(terms.clone());
        let consumer = number.to_string();
        (!holding.contains(number)).then_some(AccessWish { consumer, grant })
    };
    let wishes: Vec<AccessWish> = lines.iter().filter_map(wish).collect();
    let consumers: Vec<String> = wishes.iter().map(|wish| wish.consumer.clone()).collect();
    // Also when nothing is wished for: only who may give access learns who has it.
    let outcomes = app.registry.change_accesses(&it.actor, scope, wishes, mode).await?;
    let outcomes: BTreeMap<String, WishOutcome> = consumers.into_iter().zip(outcomes).collect();
    Ok(lines.into_iter().map(|line| row(&it.page, line, &names, &outcomes)).collect())
}

fn row(
    page: &Page,
    line: Line,
    names: &BTreeMap<OrganizationNumber, String>,
    outcomes: &BTreeMap<String, WishOutcome>,
) -> Row {
    let (at, number) = (line.at, visible(&line.written));
    let name = |number| names.get(&number).map(|name| visible(name)).unwrap_or_default();
    let (new, old, bad) = (("new", "success"), ("there", "neutral"), ("invalid", "danger"));
    match line.read {
        Err(why) => Row {
            why: page.word("provider-batch-why", why),
            outcome: bad,
            name: String::new(),
            terms: AccessTerms::default(),
            at,
            number,
        },
        Ok((consumer, terms)) => {
            let (outcome, why) = match outcomes.get(consumer.as_str()) {
                Some(WishOutcome::Done) => (new, String::new()),
                Some(WishOutcome::Refused { why }) => (bad, said(page, why)),
                Some(WishOutcome::Unchanged) | None => (old, String::new()),
            };
            Row { name: name(consumer), number: consumer.to_string(), at, outcome, terms, why }
        }
    }
}

/// What the registry says, in the reader's language where that is known. It says first which field it is about.
fn said(page: &Page, english: &str) -> String {
    let problem = english.split_once(": ").map_or(english, |(_, problem)| problem);
    let known = [english, problem].into_iter().find_map(|it| rules::translate(page.texts(), it));
    known.unwrap_or_else(|| english.to_owned())
}
