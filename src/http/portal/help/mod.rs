//! Help: what is asked most, each with an anchor that other pages lead to, and the way to the error codes.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use crate::app::App;
use crate::http::portal::page::{Page, show};

/// Questions that belong together.
struct Group {
    /// The end of the name of its heading.
    name: &'static str,
    /// The questions: their anchors, which are the ends of the names of their texts too, each with the place in the
    /// portal that it leads to.
    questions: &'static [(&'static str, &'static str)],
}

const GROUPS: [Group; 4] = [
    Group {
        name: "begin",
        questions: &[
            ("new-client", "/portal/no-access"),
            ("wrong-organization", "/portal/profile"),
            ("environments", ""),
        ],
    },
    Group {
        name: "call",
        questions: &[
            ("scope-missing", "/portal/callable"),
            ("key-expired", "/portal/clients"),
            ("key-formats", "/portal/clients"),
            ("certificate", ""),
        ],
    },
    Group {
        name: "offer",
        questions: &[
            ("prefix", "/portal/prefixes"),
            ("prefix-empty", "/portal/prefixes"),
            ("grant", "/portal/scopes"),
            ("who-has-access", "/portal/scopes"),
        ],
    },
    Group { name: "roles", questions: &[("access", "/portal/no-access"), ("errors", "")] },
];

#[derive(Template)]
#[template(path = "help/help.html", config = ".askama.toml")]
struct Help {
    page: Page,
    /// Where the error codes are explained.
    errors: String,
    /// The URL of the issuer, which is the audience of assertions.
    issuer: String,
    /// Whether there are mails to look at.
    has_outbox: bool,
}

impl Help {
    fn groups(&self) -> &'static [Group] {
        &GROUPS
    }

    /// The paragraphs of an answer.
    fn answer(&self, question: &str) -> Vec<String> {
        let text = self.page.texts().fill(
            &format!("help-a-{question}"),
            &[
                ("environment", self.page.environment.name.clone().into()),
                ("issuer", self.issuer.clone().into()),
            ],
        );
        text.split("\n\n").map(str::to_owned).collect()
    }
}

/// The pages.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/portal/help", get(help))
}

/// `GET /portal/help`, for everybody.
async fn help(page: Page, State(app): State<Arc<App>>) -> Response {
    let issuer = app.issuer.rules.grant.issuer.clone();
    let errors = format!("{issuer}errors/");
    let has_outbox = app.outbox.is_some();
    show(&Help { page, errors, issuer, has_outbox })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::language::Language;
    use crate::http::portal::texts::Texts;

    #[test]
    fn every_question_has_an_answer() {
        for (question, _) in GROUPS.iter().flat_map(|group| group.questions) {
            for begin in ["help-q", "help-a"] {
                let name = format!("{begin}-{question}");
                assert!(Texts::of(Language::Bokmal).has(&name), "{name}");
            }
        }
    }
}
