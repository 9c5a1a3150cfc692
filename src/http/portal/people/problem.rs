//! What the pages say of what people cannot have, in the reader's language.

use axum::http::StatusCode;

use crate::http::portal::page::Page;
use crate::http::portal::refused::Refused;
use crate::http::portal::rules::translate;
use crate::registry::{PasswordProblem, PeopleError, RegistryError};

/// What to say above a form that was not accepted, and the status; what is beyond forms is handed back.
pub(super) fn problem(page: &Page, error: PeopleError) -> Result<(StatusCode, String), Refused> {
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    let said = match error {
        PeopleError::Busy => (StatusCode::SERVICE_UNAVAILABLE, page.say("problem-busy")),
        PeopleError::Code => (refused, page.say("problem-code")),
        PeopleError::Deactivated => (refused, page.say("problem-deactivated")),
        PeopleError::Link => (refused, page.say("problem-link")),
        PeopleError::OrganizationDeactivated => {
            (refused, page.say("problem-organization-deactivated"))
        }
        // The registry has one reason: the address is somebody else's at the provider.
        PeopleError::OpenId(_) => (refused, page.say("open-id-somebody-else")),
        PeopleError::Password(PasswordProblem::Easy) => (refused, page.say("problem-easy")),
        PeopleError::Password(PasswordProblem::Long { most }) => {
            (refused, page.fill1("problem-long", "most", &most))
        }
        PeopleError::Password(PasswordProblem::Short { least }) => {
            (refused, page.fill1("problem-short", "least", &least))
        }
        PeopleError::Refused => (refused, page.say("problem-refused")),
        PeopleError::UnknownDomain { domain } => {
            (refused, page.fill1("problem-unknown-domain", "domain", &domain.as_str()))
        }
        PeopleError::Wait { until } => (
            StatusCode::TOO_MANY_REQUESTS,
            page.fill1("problem-wait", "until", &page.moment(&until)),
        ),
        PeopleError::Registry(RegistryError::NoMail) => {
            (StatusCode::SERVICE_UNAVAILABLE, page.say("problem-no-mail"))
        }
        PeopleError::Registry(RegistryError::Invalid { field: "name", .. }) => {
            (refused, page.say("problem-name"))
        }
        PeopleError::Registry(RegistryError::Conflict { rule }) => {
            (StatusCode::CONFLICT, translate(page.texts(), &rule).unwrap_or(rule))
        }
        PeopleError::Registry(RegistryError::Invalid { problem, .. }) => {
            (refused, translate(page.texts(), &problem).unwrap_or(problem))
        }
        PeopleError::Registry(error) => return Err(error.into()),
        PeopleError::SignedOut => return Err(Refused::SignIn),
        PeopleError::Way => return Err(Refused::NotFound),
        PeopleError::Key(error) => {
            tracing::error!(%error, "the secret of a second factor cannot be used");
            (StatusCode::SERVICE_UNAVAILABLE, page.say("problem-busy"))
        }
    };
    Ok(said)
}
