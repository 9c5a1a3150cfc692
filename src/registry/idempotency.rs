//! Requests that may come twice and shall be done once.

use crate::clock::Timestamp;
use crate::registry::caps::KEPT_ANSWERS_MAX;
use crate::registry::{Actor, Registry, RegistryError};
use crate::store::{KeptAnswer, MarkBounds, MarkedRequest, Repetition};

/// How long an answer is kept: whoever has not heard it within a day asks anew.
const KEPT_SECONDS: i64 = 24 * 60 * 60;

/// How long a request can be under way. A change waits for at most five seconds and is made in one; who takes a
/// minute has died.
const UNDER_WAY_SECONDS: i64 = 60;

/// A request that is being done for the first time.
#[derive(Clone, Debug)]
pub struct FirstTime {
    request: MarkedRequest,
    began: Timestamp,
}

/// Whether a request has come before.
#[derive(Clone, Debug)]
pub enum Once {
    /// It has, and this was the answer.
    Answered(KeptAnswer),
    /// Its key has been used for another request.
    Different,
    /// It has not.
    First(FirstTime),
    /// It has, and it is being done.
    UnderWay,
}

impl Registry {
    /// Says whether the actor has sent a request with that key before.
    pub async fn begin_once(
        &self,
        actor: &Actor,
        key: &str,
        method: &str,
        target: &str,
        body: &[u8],
    ) -> Result<Once, RegistryError> {
        let request = MarkedRequest::new(&actor.name, key, method, target, body);
        let began = self.clock.now();
        let bounds = MarkBounds {
            oldest: began.minus_seconds(KEPT_SECONDS),
            oldest_under_way: began.minus_seconds(UNDER_WAY_SECONDS),
            kept_max: KEPT_ANSWERS_MAX,
        };
        let organization = actor.organization;
        Ok(match self.store.begin_marked(&request, organization, bounds, began).await? {
            Repetition::Answered(answer) => Once::Answered(answer),
            Repetition::Different => Once::Different,
            Repetition::First => Once::First(FirstTime { request, began }),
            Repetition::NoRoom => {
                return Err(RegistryError::conflict(format!(
                    "the organization has sent {KEPT_ANSWERS_MAX} requests with an Idempotency-Key, whose answers \
                     are kept for a day, and no more are; leave the header out"
                )));
            }
            Repetition::UnderWay => Once::UnderWay,
        })
    }

    /// Keeps the answer for when the request comes again.
    pub async fn answer_once(
        &self,
        first: &FirstTime,
        answer: &KeptAnswer,
    ) -> Result<(), RegistryError> {
        Ok(self.store.keep_answer(&first.request, first.began, answer).await?)
    }

    /// Forgets the request: it has failed through no fault of the caller's, and may be tried again.
    pub async fn forget_once(&self, first: &FirstTime) -> Result<(), RegistryError> {
        Ok(self.store.forget_marked(&first.request, first.began).await?)
    }
}
