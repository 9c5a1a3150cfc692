//! The second factor: an authenticator that is enrolled, proved once, and asked for at each sign-in from then on.

use serde_json::json;

use crate::clock::Timestamp;
use crate::domain::user::User;
use crate::keys::second_factor::{Authenticator, recovery_code_hash, recovery_codes};
use crate::keys::secret_token::SessionToken;
use crate::registry::people::mails::Occasion;
use crate::registry::people::sign_in::{Proof, check_may_sign_in, count_proof, forget_proof};
use crate::registry::people::{PeopleError, Session, on_user, themselves};
use crate::registry::{Registry, RegistryError};
use crate::store::UserProofs;

/// Seconds between the password and the second factor, at most: time to find the telephone.
const BETWEEN_FACTORS_SECONDS: i64 = 10 * 60;

/// What somebody needs to set up their authenticator. Shown once.
#[derive(Clone)]
pub struct Enrolment {
    /// The secret, to be typed.
    pub secret: String,
    /// The same as an address that authenticators read.
    pub address: String,
}

/// How it stands with the second factor of a user.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SecondFactorState {
    /// There is none.
    Absent {
        /// Whether the user has a password, which is asked for before there is one.
        asks_password: bool,
    },
    /// It is asked for at each sign-in; so many recovery codes are left.
    Active {
        /// Codes that have not been used.
        recovery_codes: usize,
    },
}

impl std::fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Enrolment(not shown)")
    }
}

/// What a code was.
#[derive(Clone, Copy, Debug)]
enum Proved {
    Code,
    RecoveryCode,
}

impl Registry {
    /// How it stands with the second factor.
    pub async fn second_factor(&self, session: &Session) -> Result<SecondFactorState, PeopleError> {
        let file = self.store.user(&session.user.id).await?.ok_or(PeopleError::SignedOut)?;
        let recovery_codes = file.proofs.recovery_codes.len();
        Ok(if file.proofs.totp_active {
            SecondFactorState::Active { recovery_codes }
        } else {
            SecondFactorState::Absent { asks_password: file.proofs.password_hash.is_some() }
        })
    }

    /// Whether that token is of a session in which the second factor is still to be proved, and whose.
    pub async fn awaits_second_factor(
        &self,
        token: &SessionToken,
    ) -> Result<Option<User>, PeopleError> {
        let Some(file) = self.store.session(&token.hash()).await? else { return Ok(None) };
        let now = self.clock.now();
        let in_time = now < file.created_at.plus_seconds(BETWEEN_FACTORS_SECONDS);
        let awaits = file.user.proofs.totp_active && !file.second_factor_done;
        let is_one = in_time && awaits && self.is_open(&file, now);
        Ok(is_one.then_some(file.user.user.value))
    }

    /// Signs a user in who has shown their password, by a code of their authenticator or a recovery code. Codes that
    /// are wrong count like wrong passwords. The session gets a new name once more.
    pub async fn prove_second_factor(
        &self,
        token: &SessionToken,
        code: &str,
        trace_id: Option<&str>,
    ) -> Result<SessionToken, PeopleError> {
        let user = self.awaits_second_factor(token).await?.ok_or(PeopleError::SignedOut)?;
        let actor = themselves(&user, trace_id);
        let mut change = self.begin_own(&actor, on_user("sign in", &user.email)).await?;
        let now = change.now;
        let rules = &self.rules.people;
        count_proof(&mut change.transaction, rules, &user.email, Proof::Code, now).await?;
        let file = change.transaction.user(&user.id).await?.ok_or(PeopleError::SignedOut)?;
        let mut proofs = file.proofs.clone();
        let Some(proved) = self.prove(&user, &mut proofs, code, now)? else {
            return Err(change.refuse_person(PeopleError::Code).await);
        };
        if let Err(refusal) = check_may_sign_in(&mut change, &file).await {
            return Err(change.refuse_person(refusal).await);
        }
        change.transaction.update_proofs(&user.id, &proofs).await?;
        forget_proof(&mut change.transaction, &user.email, Proof::Code).await?;
        let opened = self.open_session(&mut change, &user.id, true, Some(token)).await?;
        let by = match proved {
            Proved::Code => "password and code",
            Proved::RecoveryCode => "password and recovery code",
        };
        let after = json!({ "by": by, "recovery_codes": proofs.recovery_codes.len() });
        change.finish_own(Some(after)).await?;
        Ok(opened)
    }

    /// Makes a secret for an authenticator. It is not asked for before it has been proved. Whoever has a password shows
    /// it once more: somebody who finds a browser open would else lock its owner out for good.
    pub async fn enrol_second_factor(
        &self,
        session: &Session,
        password: &str,
        trace_id: Option<&str>,
    ) -> Result<Enrolment, PeopleError> {
        let user = &session.user;
        let seal = self.secrets.as_ref().ok_or_else(no_seal)?;
        let authenticator = Authenticator::generate(&*self.random);
        let environment = &self.rules.people.environment.name;
        let enrolment = Enrolment {
            secret: authenticator.as_text(),
            address: authenticator.address(environment, user.email.as_str())?,
        };
        let shown = self.show_password(session, password).await?;
        let actor = session.actor(trace_id.map(ToOwned::to_owned));
        let mut change =
            self.begin_own(&actor, on_user("enrol second factor", &user.email)).await?;
        let file = change.transaction.user(&user.id).await?.ok_or(PeopleError::SignedOut)?;
        if file.proofs.password_hash.is_some() && !shown.is_that_of(&file) {
            return Err(change.refuse_person(PeopleError::Refused).await);
        }
        forget_proof(&mut change.transaction, &user.email, Proof::Again).await?;
        if file.proofs.totp_active {
            return Err(RegistryError::conflict(
                "there is a second factor already; remove it first, with one of its codes",
            )
            .into());
        }
        let sealed = authenticator.seal(seal, user.id.as_str(), &*self.random)?;
        let proofs = UserProofs { totp_secret: Some(sealed), totp_step: 0, ..file.proofs };
        change.transaction.update_proofs(&user.id, &proofs).await?;
        change.finish_own(None).await?;
        Ok(enrolment)
    }

    /// Takes a second factor into use, by a code that shows that the authenticator is set up. Returns recovery codes,
    /// which are shown once. Other sessions of the user end, because nobody has proved it there.
    pub async fn confirm_second_factor(
        &self,
        session: &Session,
        code: &str,
        trace_id: Option<&str>,
    ) -> Result<Vec<String>, PeopleError> {
        let user = &session.user;
        let actor = session.actor(trace_id.map(ToOwned::to_owned));
        let act = on_user("confirm second factor", &user.email);
        let mut change = self.begin_own(&actor, act).await?;
        let file = change.transaction.user(&user.id).await?.ok_or(PeopleError::SignedOut)?;
        let mut proofs = file.proofs;
        if proofs.totp_active || proofs.totp_secret.is_none() {
            return Err(
                RegistryError::conflict("there is no second factor that waits for this").into()
            );
        }
        proofs.recovery_codes.clear();
        if self.prove(user, &mut proofs, code, change.now)?.is_none() {
            return Err(PeopleError::Code);
        }
        let codes = recovery_codes(&*self.random);
        proofs.recovery_codes = codes.iter().map(|code| recovery_code_hash(code)).collect();
        proofs.totp_active = true;
        change.transaction.update_proofs(&user.id, &proofs).await?;
        change.transaction.second_factor_done(&session.hash).await?;
        change.transaction.delete_sessions_of(&user.id, Some(&session.hash)).await?;
        self.mail_if_possible(&mut change, user, Occasion::SecondFactorOn).await?;
        change.finish_own(Some(json!({ "second_factor": true }))).await?;
        Ok(codes)
    }

    /// Does without a second factor from now on, by one of its codes or a recovery code.
    pub async fn remove_second_factor(
        &self,
        session: &Session,
        code: &str,
        trace_id: Option<&str>,
    ) -> Result<(), PeopleError> {
        let user = &session.user;
        let actor = session.actor(trace_id.map(ToOwned::to_owned));
        let act = on_user("remove second factor", &user.email);
        let mut change = self.begin_own(&actor, act).await?;
        let now = change.now;
        let rules = &self.rules.people;
        count_proof(&mut change.transaction, rules, &user.email, Proof::Again, now).await?;
        let file = change.transaction.user(&user.id).await?.ok_or(PeopleError::SignedOut)?;
        let mut proofs = file.proofs;
        if !proofs.totp_active || self.prove(user, &mut proofs, code, now)?.is_none() {
            return Err(change.refuse_person(PeopleError::Code).await);
        }
        let proofs = UserProofs {
            totp_secret: None,
            totp_active: false,
            recovery_codes: Vec::new(),
            ..proofs
        };
        change.transaction.update_proofs(&user.id, &proofs).await?;
        forget_proof(&mut change.transaction, &user.email, Proof::Again).await?;
        self.mail_if_possible(&mut change, user, Occasion::SecondFactorOff).await?;
        change.finish_own(Some(json!({ "second_factor": false }))).await?;
        Ok(())
    }

    /// Judges a code, and uses it up in `proofs`.
    fn prove(
        &self,
        user: &User,
        proofs: &mut UserProofs,
        code: &str,
        now: Timestamp,
    ) -> Result<Option<Proved>, PeopleError> {
        let seal = self.secrets.as_ref().ok_or_else(no_seal)?;
        let Some(sealed) = &proofs.totp_secret else { return Ok(None) };
        let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        let authenticator = Authenticator::open(seal, sealed, user.id.as_str())?;
        if let Some(step) = authenticator.step_of(&digits, now) {
            if step <= proofs.totp_step {
                return Ok(None);
            }
            proofs.totp_step = step;
            return Ok(Some(Proved::Code));
        }
        let hash = recovery_code_hash(code);
        let kept = proofs.recovery_codes.len();
        proofs.recovery_codes.retain(|known| *known != hash);
        Ok((proofs.recovery_codes.len() < kept).then_some(Proved::RecoveryCode))
    }
}

/// What a process says that has no sealing key: it serves nobody.
fn no_seal() -> RegistryError {
    RegistryError::conflict(
        "second factors are kept by the server only; start it with its sealing key",
    )
}
