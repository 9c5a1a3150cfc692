//! Signing in with a password: every attempt is counted before it is judged, so that attempts at the same time count
//! too, and whether or not somebody has the address.

use serde_json::json;

use crate::clock::Timestamp;
use crate::domain::email_address::EmailAddress;
use crate::domain::organization::OrganizationStatus;
use crate::domain::user::{UserId, UserStatus};
use crate::keys::secret_token::SessionToken;
use crate::registry::Registry;
use crate::registry::change::Change;
use crate::registry::people::{PeopleError, PeopleRules, on_user, themselves};
use crate::store::{Attempts, Transaction, UserFile};

/// Seconds after which attempts that have failed are forgotten: a day.
const ATTEMPTS_SECONDS: i64 = 24 * 60 * 60;

/// Addresses whose attempts are remembered, at most. To push one out, somebody has to try this many others, and
/// passwords are hashed some at a time: that takes half an hour.
const ATTEMPTS_MAX: i64 = 100_000;

/// Sessions of one user at the same time, at most: each device and browser of somebody, and some.
const SESSIONS_MAX: i64 = 20;

/// What came of the right password.
#[derive(Debug)]
pub enum SignedIn {
    /// The user is signed in.
    Done(SessionToken),
    /// The user has to prove the second factor, in a session that opens nothing before that.
    NeedsSecondFactor(SessionToken),
}

impl Registry {
    /// Signs a user in with their password. The session has a new name, whatever session the browser had before:
    /// that ends.
    pub async fn sign_in(
        &self,
        email: &EmailAddress,
        password: &str,
        previous: Option<&SessionToken>,
        trace_id: Option<&str>,
    ) -> Result<SignedIn, PeopleError> {
        if !self.rules.people.sign_in.password() {
            return Err(PeopleError::Way);
        }
        self.count_attempt(email).await?;
        let file = self.store.user_by_email(email).await?;
        let hash = file.as_ref().and_then(|file| file.proofs.password_hash.clone());
        let is_right = self.passwords.verify(hash.clone(), password, self.random.clone()).await?;
        match file {
            Some(file) if is_right => self.let_in(file, hash, previous, trace_id).await,
            Some(file) => {
                let user = &file.user.value;
                let actor = themselves(user, trace_id);
                let change = self.begin_own(&actor, on_user("sign in", &user.email)).await?;
                Err(change.refuse_person(PeopleError::Refused).await)
            }
            None => {
                self.take_as_long(email).await?;
                Err(PeopleError::Refused)
            }
        }
    }

    /// Counts one more attempt with an address, as if it had failed; whoever succeeds has them forgotten.
    async fn count_attempt(&self, email: &EmailAddress) -> Result<(), PeopleError> {
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        count_attempt(&mut transaction, &self.rules.people, email, now).await?;
        Ok(transaction.commit().await?)
    }

    /// Writes as much as is written about somebody who is registered.
    pub(super) async fn take_as_long(&self, email: &EmailAddress) -> Result<(), PeopleError> {
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        let attempts = transaction.attempts(email).await?;
        put_attempts(&mut transaction, email, attempts, now).await?;
        Ok(transaction.commit().await?)
    }

    /// Opens a session for whoever has shown the right password.
    async fn let_in(
        &self,
        file: UserFile,
        hash: Option<String>,
        previous: Option<&SessionToken>,
        trace_id: Option<&str>,
    ) -> Result<SignedIn, PeopleError> {
        let user = file.user.value;
        let actor = themselves(&user, trace_id);
        let mut change = self.begin_own(&actor, on_user("sign in", &user.email)).await?;
        let file = change.transaction.user(&user.id).await?.ok_or(PeopleError::Refused)?;
        if file.proofs.password_hash != hash {
            // It was the right one until just now.
            return Err(change.refuse_person(PeopleError::Refused).await);
        }
        if let Err(refusal) = check_may_sign_in(&mut change, &file).await {
            return Err(change.refuse_person(refusal).await);
        }
        let needs_second_factor = file.proofs.totp_active;
        let token =
            self.open_session(&mut change, &user.id, !needs_second_factor, previous).await?;
        if needs_second_factor {
            // Recorded, and attempts forgotten, when the second factor has been proved. This one did not fail, so it
            // makes nobody wait; those before it still count against codes.
            let attempts = change.transaction.attempts(&user.email).await?;
            let failed = attempts.failed.saturating_sub(1);
            let attempts = Attempts { failed, locked_until: change.now };
            put_attempts(&mut change.transaction, &user.email, attempts, change.now).await?;
            change.transaction.commit().await?;
            return Ok(SignedIn::NeedsSecondFactor(token));
        }
        change.transaction.forget_attempts(&user.email).await?;
        change.finish_own(Some(json!({ "by": "password" }))).await?;
        Ok(SignedIn::Done(token))
    }

    /// Opens a session in the place of the one that the browser had before. `done` says that no second factor is to
    /// be proved.
    pub(super) async fn open_session(
        &self,
        change: &mut Change<'_>,
        user: &UserId,
        done: bool,
        previous: Option<&SessionToken>,
    ) -> Result<SessionToken, PeopleError> {
        let now = change.now;
        if let Some(previous) = previous {
            change.transaction.delete_session(&previous.hash()).await?;
        }
        let token = SessionToken::generate(&*self.random);
        change.transaction.insert_session(&token.hash(), user, done, now).await?;
        let oldest = now.minus_seconds(self.rules.people.session_seconds);
        change.transaction.forget_sessions(user, SESSIONS_MAX, oldest).await?;
        Ok(token)
    }
}

impl Change<'_> {
    /// Records that a person has tried and was refused.
    pub(super) async fn refuse_person(self, refusal: PeopleError) -> PeopleError {
        // What the trail says is that they were refused; the control plane has no say in why.
        let absent = crate::registry::RegistryError::Absent { noun: "user" };
        match self.refuse(absent).await {
            crate::registry::RegistryError::Absent { .. } => refusal,
            failure => failure.into(),
        }
    }
}

/// Holds that a user may sign in at all, when they have shown who they are.
pub(super) async fn check_may_sign_in(
    change: &mut Change<'_>,
    file: &UserFile,
) -> Result<(), PeopleError> {
    let user = &file.user.value;
    match user.status {
        UserStatus::Active => {}
        UserStatus::Deactivated => return Err(PeopleError::Deactivated),
        UserStatus::Unconfirmed => return Err(PeopleError::Refused),
    }
    let organization = change.transaction.organization(user.organization).await?;
    match organization.map(|found| found.value.status) {
        Some(OrganizationStatus::Active) => Ok(()),
        _ => Err(PeopleError::OrganizationDeactivated),
    }
}

/// Counts one more attempt with an address, unless it has to wait.
pub(super) async fn count_attempt(
    transaction: &mut Transaction,
    rules: &PeopleRules,
    email: &EmailAddress,
    now: Timestamp,
) -> Result<(), PeopleError> {
    let before = transaction.attempts(email).await?;
    if now < before.locked_until {
        return Err(PeopleError::Wait { until: before.locked_until });
    }
    let failed = before.failed.saturating_add(1);
    let locked_until = now.plus_seconds(wait_after(failed, rules));
    put_attempts(transaction, email, Attempts { failed, locked_until }, now).await
}

async fn put_attempts(
    transaction: &mut Transaction,
    email: &EmailAddress,
    attempts: Attempts,
    now: Timestamp,
) -> Result<(), PeopleError> {
    let oldest = now.minus_seconds(ATTEMPTS_SECONDS);
    Ok(transaction.put_attempts(email, attempts, now, oldest, ATTEMPTS_MAX).await?)
}

/// Seconds that the next attempt waits after so many that have failed: none at first, then twice as many each time.
fn wait_after(failed: u32, rules: &PeopleRules) -> i64 {
    match failed.checked_sub(rules.attempts_free) {
        None => 0,
        Some(beyond) => {
            let doubled = 1_i64.checked_shl(beyond.min(30)).unwrap_or(i64::MAX);
            rules.wait_seconds.saturating_mul(doubled).min(rules.wait_seconds_max)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_begins_after_some_attempts_and_doubles_up_to_an_end() {
        let rules = PeopleRules::default();
        let waits = [1, 4, 5, 6, 7, 8, 9, 10, 11, 1_000, u32::MAX].map(|n| wait_after(n, &rules));
        assert_eq!(waits, [0, 0, 30, 60, 120, 240, 480, 900, 900, 900, 900]);
    }
}
