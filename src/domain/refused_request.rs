//! Refused token requests: what is kept of one, and the explanation that follows from it.

use crate::clock::Timestamp;
use crate::domain::client::ClientId;
use crate::domain::excerpt::Excerpt;
use crate::domain::organization::OrganizationNumber;
use crate::domain::organization_identifier::OrganizationIdentifier;
use crate::domain::step::Step;

/// A token request that was refused, and why. It holds no assertion, token or key, and nothing that the
/// owner of the client may not know.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RefusedRequest {
    /// The identifier that the answer and the log have.
    pub trace_id: String,
    /// When, by the server's clock.
    pub at: Timestamp,
    /// The client that the assertion named. `None` when there is no such client: then the record belongs to
    /// nobody, and only the operator may read it.
    pub client: Option<NamedClient>,
    /// The European business whose certificate it came with; then there is no client.
    pub business: Option<NamedBusiness>,
    /// Whether the assertion was signed by a key of the client or the business. If not, anybody may have sent it in the
    /// client's name, and what the record says of the assertion is what that anybody wrote.
    pub signature_verified: bool,
    /// The `error` of the answer.
    pub error: String,
    /// The MP code of the answer.
    pub code: Option<String>,
    /// The sentence that the client was answered.
    pub answer: Excerpt,
    /// The steps that were passed, in order.
    pub passed: Vec<Step>,
    /// The step that failed; `None` when the server gave up between two, because it could not decide.
    pub failed: Option<Step>,
    /// What the failed check saw, if that can be told.
    pub seen: Option<Excerpt>,
    /// What it expected, if that can be told.
    pub expected: Option<Excerpt>,
    /// The `kid` that the assertion named.
    pub kid: Option<Excerpt>,
    /// The organization of the certificate, once the certificate itself had been found in order.
    pub certificate_organization: Option<OrganizationNumber>,
    /// The scopes that were asked for, as they were written.
    pub scopes: Option<Excerpt>,
    /// The organization on whose behalf the token was asked for.
    pub consumer: Option<OrganizationNumber>,
}

/// A client that exists, and whose it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NamedClient {
    /// Its identifier.
    pub id: ClientId,
    /// The organization that it belongs to, and the record with it.
    pub organization: OrganizationNumber,
}

/// A European business that has shown its certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NamedBusiness {
    /// Who it is.
    pub identifier: OrganizationIdentifier,
    /// What its tokens would call its client.
    pub client: ClientId,
}

/// What became of one step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StepOutcome {
    /// The request passed it.
    Passed,
    /// The request was refused there.
    Failed,
    /// The request did not come so far.
    NotReached,
}

impl StepOutcome {
    /// The outcome as it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NotReached => "not reached",
        }
    }
}

/// One line of an explanation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ExplainedStep<'a> {
    /// The step.
    pub step: Step,
    /// What became of it.
    pub outcome: StepOutcome,
    /// What it saw; of the failed step only.
    pub seen: Option<&'a Excerpt>,
    /// What it expected; of the failed step only.
    pub expected: Option<&'a Excerpt>,
}

/// The place of a record in lists, which are sorted by it, newest first.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RefusedRequestPlace {
    /// When.
    pub at: Timestamp,
    /// Which one of that second.
    pub trace_id: String,
}

impl RefusedRequest {
    /// The client that sent it, or what tokens would call that of a European business.
    pub fn client_id(&self) -> Option<&ClientId> {
        let client = self.client.as_ref().map(|client| &client.id);
        client.or_else(|| self.business.as_ref().map(|business| &business.client))
    }

    /// Every step of a token request in order, with what became of it.
    pub fn steps(&self) -> [ExplainedStep<'_>; Step::ALL.len()] {
        Step::ALL.map(|step| {
            let failed = self.failed == Some(step);
            ExplainedStep {
                step,
                outcome: match failed {
                    true => StepOutcome::Failed,
                    false if self.passed.contains(&step) => StepOutcome::Passed,
                    false => StepOutcome::NotReached,
                },
                seen: self.seen.as_ref().filter(|_| failed),
                expected: self.expected.as_ref().filter(|_| failed),
            }
        })
    }

    /// Where it stands in lists; the page after it begins behind this place.
    pub fn place(&self) -> RefusedRequestPlace {
        RefusedRequestPlace { at: self.at, trace_id: self.trace_id.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explains_every_step_in_order() {
        let mut record = RefusedRequest {
            trace_id: "0".repeat(32),
            at: Timestamp::from_seconds(1),
            client: None,
            business: None,
            signature_verified: false,
            error: "invalid_grant".to_owned(),
            code: Some("MP-124".to_owned()),
            answer: Excerpt::of("Invalid JWT signature"),
            passed: vec![Step::Form, Step::Parse, Step::Client, Step::Key],
            failed: Some(Step::Signature),
            seen: Some(Excerpt::of("a")),
            expected: Some(Excerpt::of("b")),
            kid: None,
            certificate_organization: None,
            scopes: None,
            consumer: None,
        };
        let outcomes = |record: &RefusedRequest| record.steps().map(|line| line.outcome.name());
        let (ok, not) = ("passed", "not reached");
        assert_eq!(outcomes(&record), [ok, ok, ok, ok, "failed", not, not, not, not]);
        let told: Vec<bool> = record.steps().iter().map(|line| line.seen.is_some()).collect();
        assert_eq!(told.iter().filter(|told| **told).count(), 1);
        assert!(told[4]);
        // A server that could not decide has failed no check of the client.
        record.passed = vec![Step::Form];
        record.failed = None;
        assert_eq!(outcomes(&record), [ok, not, not, not, not, not, not, not, not]);
        assert!(record.steps().iter().all(|line| line.seen.is_none()));
    }
}
