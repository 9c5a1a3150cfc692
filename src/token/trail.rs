//! How far a request came, and how long each step took.

use std::time::Duration;

use crate::clock::Clock;
use crate::domain::step::Step;

/// The steps a request has been through.
pub struct Trail<'a> {
    clock: &'a dyn Clock,
    last: Duration,
    taken: Vec<(Step, Duration)>,
    failed_at: Option<Step>,
}

impl<'a> Trail<'a> {
    /// A trail that begins now.
    pub fn new(clock: &'a dyn Clock) -> Self {
        Self {
            clock,
            last: clock.uptime(),
            taken: Vec::with_capacity(Step::ALL.len()),
            failed_at: None,
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
