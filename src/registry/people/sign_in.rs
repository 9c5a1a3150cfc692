//! Signing in with a password: every attempt is counted before it is judged, so that attempts at the same time count
//! too, and whether or not somebody has the address.
//!
//! Attempts are counted by address and place, so that whoever guesses makes nobody wait but themselves; and from
//! everywhere together, for those who guess from many places. That second count leaves a browser alone in which
//! somebody has signed in with that address before, so that there is always one way in for its owner.

use serde_json::json;

use crate::clock::Timestamp;
use crate::domain::email_address::EmailAddress;
use crate::domain::organization::OrganizationStatus;
use crate::domain::source::Source;
use crate::domain::user::{UserId, UserStatus};
use crate::keys::secret_token::SessionToken;
use crate::registry::Registry;
use crate::registry::change::Change;
use crate::registry::people::{PeopleError, PeopleRules, on_user, themselves};
use crate::store::{Attempts, AttemptsOf, Transaction, UserFile};

/// Seconds after which attempts that have failed are forgotten: a day.
const ATTEMPTS_SECONDS: i64 = 24 * 60 * 60;

/// Addresses whose attempts are remembered, at most. To push one out, somebody has to try this many others, and
/// passwords are hashed some at a time: that takes half an hour.
const ATTEMPTS_MAX: i64 = 100_000;

/// Attempts with one address from everywhere but browsers that are known, as a multiple of those that are free from one
/// place: a handful of people at a handful of places mistype for a day, and a guess among so many is still hopeless.
const EVERYWHERE_TIMES: u32 = 20;

/// Sessions of one user at the same time, at most: each device and browser of somebody, and some.
const SESSIONS_MAX: i64 = 20;

/// Where somebody tries to sign in from. One place does not make another wait.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum SignInPlace {
    /// A browser in which somebody has signed in with that address before, by the mark that it was given then.
    KnownBrowser(String),
    /// Somewhere in the network.
    Source(Source),
    /// Nobody knows where.
    #[default]
    Unknown,
}

impl SignInPlace {
    fn key(&self) -> String {
        match self {
            Self::KnownBrowser(mark) => format!("browser {mark}"),
            Self::Source(source) => format!("source {source}"),
            Self::Unknown => "unknown".to_owned(),
        }
    }

    /// Whether what is tried from here counts towards what is tried from everywhere.
    fn counts_everywhere(&self) -> bool {
        !matches!(self, Self::KnownBrowser(_))
    }
}

/// What somebody proves who has come some of the way. Whoever has not come so far cannot make them wait.
#[derive(Clone, Copy, Debug)]
pub(super) enum Proof {
    /// The second factor, when the password was right.
    Code,
    /// The password or a code once more, when they are signed in.
    Again,
}

impl Proof {
    const fn key(self) -> &'static str {
        match self {
            Self::Again => "again",
            Self::Code => "code",
        }
    }
}

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
        place: &SignInPlace,
        previous: Option<&SessionToken>,
        trace_id: Option<&str>,
    ) -> Result<SignedIn, PeopleError> {
        if !self.rules.people.sign_in.password() {
            return Err(PeopleError::Way);
        }
        self.count_attempt(email, place).await?;
        let file = self.store.user_by_email(email).await?;
        let hash = file.as_ref().and_then(|file| file.proofs.password_hash.clone());
        let is_right = self.passwords.verify(hash.clone(), password, self.random.clone()).await?;
        match file {
            Some(file) if is_right => self.let_in(file, hash, place, previous, trace_id).await,
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
    async fn count_attempt(
        &self,
        email: &EmailAddress,
        place: &SignInPlace,
    ) -> Result<(), PeopleError> {
        let (rules, now) = (&self.rules.people, self.clock.now());
        let mut transaction = self.store.begin().await?;
        let here = place.key();
        count(&mut transaction, rules, AttemptsOf { email, place: Some(&here) }, now).await?;
        if place.counts_everywhere() {
            count(&mut transaction, rules, AttemptsOf { email, place: None }, now).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Writes as much as is written about somebody who is registered.
    pub(super) async fn take_as_long(&self, email: &EmailAddress) -> Result<(), PeopleError> {
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        let everywhere = AttemptsOf { email, place: None };
        let attempts = transaction.attempts(everywhere).await?;
        put_attempts(&mut transaction, everywhere, attempts, now).await?;
        Ok(transaction.commit().await?)
    }

    /// Opens a session for whoever has shown the right password.
    async fn let_in(
        &self,
        file: UserFile,
        hash: Option<String>,
        place: &SignInPlace,
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
        // What was tried from here before was a slip of whoever knows the password.
        forgive(&mut change, &user.email, place).await?;
        let needs_second_factor = file.proofs.totp_active;
        let token =
            self.open_session(&mut change, &user.id, !needs_second_factor, previous).await?;
        if needs_second_factor {
            // Recorded when the second factor has been proved. Codes that have failed still count.
            change.transaction.commit().await?;
            return Ok(SignedIn::NeedsSecondFactor(token));
        }
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

/// Counts one more attempt to prove something when somebody has come some of the way, unless it has to wait.
pub(super) async fn count_proof(
    transaction: &mut Transaction,
    rules: &PeopleRules,
    email: &EmailAddress,
    proof: Proof,
    now: Timestamp,
) -> Result<(), PeopleError> {
    count(transaction, rules, AttemptsOf { email, place: Some(proof.key()) }, now).await
}

/// Forgets the attempts to prove something, because it has been proved.
pub(super) async fn forget_proof(
    transaction: &mut Transaction,
    email: &EmailAddress,
    proof: Proof,
) -> Result<(), PeopleError> {
    Ok(transaction.forget_attempts_from(email, proof.key()).await?)
}

/// Counts one more attempt, unless it has to wait.
async fn count(
    transaction: &mut Transaction,
    rules: &PeopleRules,
    of: AttemptsOf<'_>,
    now: Timestamp,
) -> Result<(), PeopleError> {
    let before = transaction.attempts(of).await?;
    if now < before.locked_until {
        return Err(PeopleError::Wait { until: before.locked_until });
    }
    let times = if of.place.is_none() { EVERYWHERE_TIMES } else { 1 };
    let failed = before.failed.saturating_add(1);
    let wait = wait_after(failed, rules.attempts_free.saturating_mul(times), rules);
    let attempts = Attempts { failed, locked_until: now.plus_seconds(wait) };
    put_attempts(transaction, of, attempts, now).await
}

/// Forgets what was tried from one place, there and in the count of everywhere.
async fn forgive(
    change: &mut Change<'_>,
    email: &EmailAddress,
    place: &SignInPlace,
) -> Result<(), PeopleError> {
    let (now, here, transaction) = (change.now, place.key(), &mut change.transaction);
    let from_here = transaction.attempts(AttemptsOf { email, place: Some(&here) }).await?.failed;
    transaction.forget_attempts_from(email, &here).await?;
    if place.counts_everywhere() {
        let everywhere = AttemptsOf { email, place: None };
        let attempts = transaction.attempts(everywhere).await?;
        let failed = attempts.failed.saturating_sub(from_here);
        put_attempts(transaction, everywhere, Attempts { failed, locked_until: now }, now).await?;
    }
    Ok(())
}

async fn put_attempts(
    transaction: &mut Transaction,
    of: AttemptsOf<'_>,
    attempts: Attempts,
    now: Timestamp,
) -> Result<(), PeopleError> {
    let oldest = now.minus_seconds(ATTEMPTS_SECONDS);
    Ok(transaction.put_attempts(of, attempts, now, oldest, ATTEMPTS_MAX).await?)
}

/// Seconds that the next attempt waits after so many that have failed: none while they are free, then twice as many each
/// time.
fn wait_after(failed: u32, free: u32, rules: &PeopleRules) -> i64 {
    match failed.checked_sub(free) {
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
        let waits =
            [1, 4, 5, 6, 7, 8, 9, 10, 11, 1_000, u32::MAX].map(|n| wait_after(n, 5, &rules));
        assert_eq!(waits, [0, 0, 30, 60, 120, 240, 480, 900, 900, 900, 900]);
    }
}
