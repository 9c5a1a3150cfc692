//! What people change about themselves: name, language and password.

use serde_json::json;

use crate::domain::language::Language;
use crate::registry::people::mails::Occasion;
use crate::registry::people::passwords::check_password;
use crate::registry::people::sign_in::{Proof, count_proof};
use crate::registry::people::{PeopleError, Session, on_user};
use crate::registry::rules::check_needed_line;
use crate::registry::{Registry, views};
use crate::store::{UserFile, UserProofs};

/// What became of a password that somebody who is signed in has shown once more.
pub(super) struct Shown {
    /// The hash that it was held against.
    hash: Option<String>,
    is_right: bool,
}

impl Shown {
    /// Whether it was the right one, and still is.
    pub(super) fn is_that_of(&self, file: &UserFile) -> bool {
        self.is_right && file.proofs.password_hash == self.hash
    }
}

impl Registry {
    /// Changes what a user is called.
    pub async fn set_own_name(
        &self,
        session: &Session,
        name: &str,
        trace_id: Option<&str>,
    ) -> Result<(), PeopleError> {
        check_needed_line("name", name)?;
        self.change_own(session, trace_id, |user| name.clone_into(&mut user.name)).await
    }

    /// Changes in which language a user is spoken to.
    pub async fn set_language(
        &self,
        session: &Session,
        language: Language,
        trace_id: Option<&str>,
    ) -> Result<(), PeopleError> {
        self.change_own(session, trace_id, |user| user.language = language).await
    }

    async fn change_own(
        &self,
        session: &Session,
        trace_id: Option<&str>,
        edit: impl FnOnce(&mut crate::domain::user::User),
    ) -> Result<(), PeopleError> {
        let actor = session.actor(trace_id.map(ToOwned::to_owned));
        let mut change = self.begin_own(&actor, on_user("change", &session.user.email)).await?;
        let file = change.transaction.user(&session.user.id).await?;
        let found = file.ok_or(PeopleError::SignedOut)?.user;
        let mut after = found.value.clone();
        edit(&mut after);
        if after == found.value {
            return Ok(());
        }
        let now = change.now;
        change.transaction.update_user(&after, found.version, now).await?;
        let before = views::user(&found.value);
        Ok(change.finish(Some(before), Some(views::user(&after))).await?)
    }

    /// Judges the password of somebody who is signed in. Wrong ones make wait as at sign-in, but nobody who signs in.
    pub(super) async fn show_password(
        &self,
        session: &Session,
        password: &str,
    ) -> Result<Shown, PeopleError> {
        let (user, rules) = (&session.user, &self.rules.people);
        let file = self.store.user(&user.id).await?.ok_or(PeopleError::SignedOut)?;
        let mut transaction = self.store.begin().await?;
        count_proof(&mut transaction, rules, &user.email, Proof::Again, self.clock.now()).await?;
        transaction.commit().await?;
        let hash = file.proofs.password_hash;
        let is_right = self.passwords.verify(hash.clone(), password, self.random.clone()).await?;
        Ok(Shown { hash, is_right })
    }

    /// Changes a user's password, by the one they have. Every other session of the user ends.
    pub async fn change_password(
        &self,
        session: &Session,
        current: &str,
        new: &str,
        trace_id: Option<&str>,
    ) -> Result<(), PeopleError> {
        let (user, rules) = (&session.user, &self.rules.people);
        if !rules.sign_in.password() {
            return Err(PeopleError::Way);
        }
        let organization = &session.organization.name;
        check_password(new, user, organization, rules.password_characters_min)?;
        let shown = self.show_password(session, current).await?;
        let hash = self.passwords.hash(new, self.random.clone()).await?;
        let actor = session.actor(trace_id.map(ToOwned::to_owned));
        let mut change = self.begin_own(&actor, on_user("change password", &user.email)).await?;
        let file = change.transaction.user(&user.id).await?.ok_or(PeopleError::SignedOut)?;
        if !shown.is_that_of(&file) {
            return Err(change.refuse_person(PeopleError::Refused).await);
        }
        let password_hash = Some(hash.as_str().to_owned());
        let proofs = UserProofs { password_hash, ..file.proofs };
        change.transaction.update_proofs(&user.id, &proofs).await?;
        change.transaction.forget_attempts(&user.email).await?;
        change.transaction.delete_links_of(&user.id).await?;
        let ended = change.transaction.delete_sessions_of(&user.id, Some(&session.hash)).await?;
        self.mail_if_possible(&mut change, user, Occasion::PasswordChanged).await?;
        Ok(change.finish_own(Some(json!({ "sessions_ended": ended }))).await?)
    }
}
