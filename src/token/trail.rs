//! How far a request came, how long each step took, and what had become known by then.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::domain::european_business::EuropeanBusiness;
use crate::domain::step::Step;
use crate::token::caller::Caller;
use crate::token::client_key::KeyedClient;
use crate::token::jws::Said;

/// The steps a request has been through.
pub struct Trail<'a> {
    clock: &'a dyn Clock,
    last: Duration,
    taken: Vec<(Step, Duration)>,
    failed_at: Option<Step>,
    facts: Facts,
}

/// What is known about a request. It is shared with the checks and not copied, because most requests are
/// not refused.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    said: Option<Arc<Said>>,
    sender: Sender,
}

/// Who has sent a request, as far as it is known.
#[derive(Clone, Debug, Default)]
pub enum Sender {
    /// The European business whose certificate it came with, whatever the assertion says.
    Business(Arc<EuropeanBusiness>),
    /// The client that the assertion names, active or not; whether it is from that client is another question.
    Client(Arc<KeyedClient>),
    /// Nobody who is known.
    #[default]
    Nobody,
}

impl Facts {
    /// What the assertion says, whether or not that is true.
    pub(super) fn said(&self) -> Option<&Said> {
        self.said.as_deref()
    }

    /// Who has sent it.
    pub fn sender(&self) -> &Sender {
        &self.sender
    }

    /// The client that has sent it, if it is one.
    pub fn client(&self) -> Option<&KeyedClient> {
        match &self.sender {
            Sender::Client(client) => Some(client),
            Sender::Business(_) | Sender::Nobody => None,
        }
    }

    /// The European business that has sent it, if it is one.
    pub fn business(&self) -> Option<&EuropeanBusiness> {
        match &self.sender {
            Sender::Business(business) => Some(business),
            Sender::Client(_) | Sender::Nobody => None,
        }
    }
}

impl<'a> Trail<'a> {
    /// A trail that begins now.
    pub fn new(clock: &'a dyn Clock) -> Self {
        Self {
            clock,
            last: clock.uptime(),
            taken: Vec::with_capacity(Step::ALL.len()),
            failed_at: None,
            facts: Facts::default(),
        }
    }

    /// How long each step took that came to an end, the failed one included.
    pub fn taken(&self) -> &[(Step, Duration)] {
        &self.taken
    }

    /// The step at which the request was refused.
    pub fn failed_at(&self) -> Option<Step> {
        self.failed_at
    }

    /// Whether a step came to an end, and well.
    pub fn has_passed(&self, step: Step) -> bool {
        self.failed_at != Some(step) && self.taken.iter().any(|(taken, _)| *taken == step)
    }

    /// What has become known.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Notes what the assertion says.
    pub(super) fn note_said(&mut self, said: &Arc<Said>) {
        self.facts.said = Some(Arc::clone(said));
    }

    /// Notes which client the assertion names, if there is one.
    pub(super) fn note_client(&mut self, client: Option<&Arc<KeyedClient>>) {
        self.facts.sender =
            client.map_or(Sender::Nobody, |client| Sender::Client(Arc::clone(client)));
    }

    /// Notes who it is that asks. A certificate may tell otherwise than the assertion.
    pub(super) fn note_caller(&mut self, caller: &Caller) {
        if let Caller::Business(business) = caller {
            self.facts.sender = Sender::Business(Arc::clone(business));
        }
    }
}

/// Marks the result of a step on the trail: `parse(text).at(Step::Parse, &mut trail)?`.
pub trait At: Sized {
    /// Notes that `step` has ended, and whether it failed, and hands the result on.
    #[must_use]
    fn at(self, step: Step, trail: &mut Trail<'_>) -> Self;
}

impl<T, E> At for Result<T, E> {
    fn at(self, step: Step, trail: &mut Trail<'_>) -> Self {
        let now = trail.clock.uptime();
        trail.taken.push((step, now.saturating_sub(trail.last)));
        trail.last = now;
        if self.is_err() {
            trail.failed_at = Some(step);
        }
        self
    }
}
