//! Signing in through an OpenID provider, when it has said who somebody is.

use serde_json::json;

use crate::domain::email_address::EmailAddress;
use crate::domain::language::Language;
use crate::domain::organization::OrganizationNumber;
use crate::domain::user::{User, UserStatus};
use crate::keys::secret_token::SessionToken;
use crate::registry::change::Change;
use crate::registry::people::sign_in::check_may_sign_in;
use crate::registry::people::sign_up::{new_user_id, organization_of};
use crate::registry::people::{PeopleError, on_user, themselves};
use crate::registry::rules::check_needed_line;
use crate::registry::{Registry, RegistryError, views};
use crate::store::{UserFile, UserProofs};

/// Who somebody is, by the word of a provider that the operator trusts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OpenIdIdentity {
    /// The provider.
    pub issuer: String,
    /// By what it knows the person, for ever.
    pub subject: String,
    /// Their address, which the provider has verified.
    pub email: EmailAddress,
    /// What they are called, if the provider says.
    pub name: Option<String>,
    /// Their organization, if the provider says and the configuration trusts it with that.
    pub organization: Option<OrganizationNumber>,
}

impl Registry {
    /// Signs in whom a provider knows: by its own name for them, or else, the first time, by their address. Somebody
    /// who is new becomes a user of the organization that the provider or the domain of the address names.
    pub async fn sign_in_open_id(
        &self,
        identity: &OpenIdIdentity,
        language: Language,
        previous: Option<&SessionToken>,
        trace_id: Option<&str>,
    ) -> Result<SessionToken, PeopleError> {
        if !self.rules.people.sign_in.open_id() {
            return Err(PeopleError::Way);
        }
        let user = self.user_of(identity, language, trace_id).await?;
        let actor = themselves(&user, trace_id);
        let mut change = self.begin_own(&actor, on_user("sign in", &user.email)).await?;
        let file = change.transaction.user(&user.id).await?.ok_or(PeopleError::SignedOut)?;
        if let Err(refusal) = check_may_sign_in(&mut change, &file).await {
            return Err(change.refuse_person(refusal).await);
        }
        // The provider vouches for the person, by whatever factors it asks for.
        let token = self.open_session(&mut change, &user.id, true, previous).await?;
        change.finish_own(Some(json!({ "by": "open_id", "issuer": identity.issuer }))).await?;
        Ok(token)
    }

    async fn user_of(
        &self,
        identity: &OpenIdIdentity,
        language: Language,
        trace_id: Option<&str>,
    ) -> Result<User, PeopleError> {
        let OpenIdIdentity { issuer, subject, email, .. } = identity;
        let mut transaction = self.store.begin().await?;
        if let Some(file) = transaction.user_by_open_id(issuer, subject).await? {
            return Ok(file.user.value);
        }
        if let Some(file) = transaction.user_by_email(email).await? {
            drop(transaction);
            return self.connect(file, identity, trace_id).await;
        }
        let organization = match identity.organization {
            Some(number) => number,
            None => organization_of(&mut transaction, email).await?.number,
        };
        drop(transaction);
        let name = identity.name.clone().filter(|name| is_line(name));
        let user = User {
            id: new_user_id(self),
            email: email.clone(),
            name: name.unwrap_or_else(|| email.to_string()),
            organization,
            language,
            status: UserStatus::Active,
            roles: Vec::new(),
        };
        self.create_from_open_id(user, identity, trace_id).await
    }

    /// Connects a user who is there already with who they are at the provider, which happens once.
    async fn connect(
        &self,
        file: UserFile,
        identity: &OpenIdIdentity,
        trace_id: Option<&str>,
    ) -> Result<User, PeopleError> {
        let actor = themselves(&file.user.value, trace_id);
        let act = on_user("connect with provider", &file.user.value.email);
        let mut change = self.begin_own(&actor, act).await?;
        let file = change.transaction.user(&file.user.value.id).await?;
        let file = file.ok_or(PeopleError::SignedOut)?;
        if file.proofs.open_id.is_some() {
            // An address that has changed hands, or a provider that takes it for another's.
            let problem = "the user of this e-mail address is somebody else at the provider; ask an administrator \
                           of your organization";
            return Err(change.refuse_person(PeopleError::OpenId(problem)).await);
        }
        let mut user = file.user.value;
        if user.status == UserStatus::Unconfirmed {
            user.status = UserStatus::Active;
            let now = change.now;
            change.transaction.update_user(&user, file.user.version, now).await?;
            change.transaction.delete_links_of(&user.id).await?;
        }
        let proofs = UserProofs { open_id: Some(names_of(identity)), ..file.proofs };
        change.transaction.update_proofs(&user.id, &proofs).await?;
        change.finish_own(Some(json!({ "issuer": identity.issuer }))).await?;
        Ok(user)
    }

    async fn create_from_open_id(
        &self,
        user: User,
        identity: &OpenIdIdentity,
        trace_id: Option<&str>,
    ) -> Result<User, PeopleError> {
        let actor = themselves(&user, trace_id);
        let mut change = self.begin_own(&actor, on_user("sign up", &user.email)).await?;
        check_organization(&mut change, user.organization).await?;
        let now = change.now;
        change.transaction.insert_user(&user, now).await?;
        let proofs = UserProofs { open_id: Some(names_of(identity)), ..UserProofs::default() };
        change.transaction.update_proofs(&user.id, &proofs).await?;
        change.finish(None, Some(views::user(&user))).await?;
        Ok(user)
    }
}

/// Holds that an organization that a provider names is registered here.
async fn check_organization(
    change: &mut Change<'_>,
    number: OrganizationNumber,
) -> Result<(), RegistryError> {
    let found = change.transaction.organization(number).await?;
    found.map(|_| ()).ok_or_else(|| {
        RegistryError::conflict(
            "your organization is not registered here; ask whoever runs this server to add it",
        )
    })
}

fn names_of(identity: &OpenIdIdentity) -> (String, String) {
    (identity.issuer.clone(), identity.subject.clone())
}

/// Whether a name is one that people could have chosen here.
fn is_line(name: &str) -> bool {
    check_needed_line("name", name).is_ok()
}
