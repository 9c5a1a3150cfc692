//! How far a request came, how long each step took, and what had become known by then.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::domain::step::Step;
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
    client: Option<Arc<KeyedClient>>,
}

impl Facts {
    /// What the assertion says, whether or not that is true.
    pub(super) fn said(&self) -> Option<&Said> {
        self.said.as_deref()
    }

    /// The client that the assertion names, active or not; whether it is from that client is another
    /// question.
    pub fn client(&self) -> Option<&KeyedClient> {
        self.client.as_deref()
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
        self.facts.client = client.map(Arc::clone);
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
