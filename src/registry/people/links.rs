//! Following a link that was mailed: to confirm an address, to accept an invitation, to choose another password.

use serde_json::json;

use crate::domain::email_address::EmailAddress;
use crate::domain::organization::OrganizationStatus;
use crate::domain::sign_in::LinkPurpose;
use crate::domain::user::{User, UserStatus};
use crate::keys::secret_token::LinkToken;
use crate::registry::people::mails::Occasion;
use crate::registry::people::passwords::check_password;
use crate::registry::people::{PeopleError, on_user, themselves};
use crate::registry::{Registry, RegistryError};
use crate::store::UserProofs;

/// A link that still counts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KnownLink {
    /// What it is for.
    pub purpose: LinkPurpose,
    /// Whom it was sent to.
    pub email: EmailAddress,
}

impl Registry {
    /// What a link is for, if it still counts. Looking does not use it up: programs that read mail look, too.
    pub async fn look_at_link(&self, token: &LinkToken) -> Result<Option<KnownLink>, PeopleError> {
        let found = self.store.link(&token.hash(), self.clock.now()).await?;
        let Some((user, purpose)) = found else { return Ok(None) };
        let file = self.store.user(&user).await?;
        Ok(file.map(|file| KnownLink { purpose, email: file.user.value.email }))
    }

    /// Uses a link up and gives its user that password. Whoever has the link can read the user's mail; so the address
    /// is confirmed, too. The user is signed out everywhere.
    pub async fn follow_link(
        &self,
        token: &LinkToken,
        password: &str,
        trace_id: Option<&str>,
    ) -> Result<User, PeopleError> {
        if !self.rules.people.sign_in.password() {
            return Err(PeopleError::Way);
        }
        let found = self.store.link(&token.hash(), self.clock.now()).await?;
        let (id, _) = found.ok_or(PeopleError::Link)?;
        let user = self.store.user(&id).await?.ok_or(PeopleError::Link)?.user.value;
        let organization = self.store.organization(user.organization).await?;
        let organization = organization.ok_or(PeopleError::Link)?.value;
        if organization.status == OrganizationStatus::Deactivated {
            return Err(PeopleError::OrganizationDeactivated);
        }
        let least = self.rules.people.password_characters_min;
        check_password(password, &user, &organization.name, least)?;
        let hash = self.passwords.hash(password, self.random.clone()).await?;
        self.use_link(token, &user, hash.as_str(), trace_id).await
    }

    async fn use_link(
        &self,
        token: &LinkToken,
        user: &User,
        hash: &str,
        trace_id: Option<&str>,
    ) -> Result<User, PeopleError> {
        let actor = themselves(user, trace_id);
        let mut change = self.begin_own(&actor, on_user("follow a link", &user.email)).await?;
        let now = change.now;
        let found = change.transaction.take_link(&token.hash(), now).await?;
        let (id, purpose) = found.ok_or(PeopleError::Link)?;
        let file = change.transaction.user(&id).await?;
        let file = file.ok_or(RegistryError::Absent { noun: "user" })?;
        let mut user = file.user.value;
        match user.status {
            UserStatus::Active => {}
            UserStatus::Deactivated => return Err(PeopleError::Deactivated),
            UserStatus::Unconfirmed => {
                user.status = UserStatus::Active;
                change.transaction.update_user(&user, file.user.version, now).await?;
            }
        }
        let proofs = UserProofs { password_hash: Some(hash.to_owned()), ..file.proofs };
        change.transaction.update_proofs(&id, &proofs).await?;
        change.transaction.delete_sessions_of(&id, None).await?;
        change.transaction.forget_attempts(&user.email).await?;
        if purpose == LinkPurpose::Reset {
            self.mail_if_possible(&mut change, &user, Occasion::PasswordChanged).await?;
        }
        let after = json!({ "link": purpose.name(), "status": user.status.name() });
        change.finish_own(Some(after)).await?;
        Ok(user)
    }
}
