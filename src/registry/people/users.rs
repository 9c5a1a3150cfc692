//! The users of an organization: who they are, which roles they have, who is invited, who is switched off.

use crate::domain::change::ChangedNoun;
use crate::domain::email_address::EmailAddress;
use crate::domain::language::Language;
use crate::domain::organization::OrganizationNumber;
use crate::domain::record::{Page, Recorded, Version};
use crate::domain::right::Right;
use crate::domain::sign_in::LinkPurpose;
use crate::domain::user::{Role, User, UserId, UserStatus};
use crate::registry::change::{Act, Change, check_version};
use crate::registry::organizations::taken;
use crate::registry::people::mails::Occasion;
use crate::registry::people::sign_up::{check_not_routed, new_user_id};
use crate::registry::people::{PeopleError, Session, on_user};
use crate::registry::rules::check_needed_line;
use crate::registry::{Actor, Registry, RegistryError, views};
use crate::store::{UserFilter, UserProofs};

/// People who are named to somebody who needs a role, at most.
const NAMED_MAX: u32 = 20;

/// Somebody who is to become a user.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Their address.
    pub email: EmailAddress,
    /// What they are called.
    pub name: String,
    /// The organization they belong to.
    pub organization: OrganizationNumber,
    /// In which language they are spoken to.
    pub language: Language,
    /// The roles that they begin with.
    pub roles: Vec<Role>,
}

impl Registry {
    /// Users by address, at most `limit`: of the actor's own organization; for the operator of any, or all.
    pub async fn users(
        &self,
        actor: &Actor,
        mut filter: UserFilter,
        limit: u32,
    ) -> Result<Page<Recorded<User>>, RegistryError> {
        actor.require(Right::ManageUsers)?;
        filter.organization = actor.organization_to_list(filter.organization)?;
        Ok(self.store.users(&filter, limit).await?)
    }

    /// A user of the actor's own organization, or any for the operator.
    pub async fn user(&self, actor: &Actor, id: &UserId) -> Result<Recorded<User>, RegistryError> {
        actor.require(Right::ManageUsers)?;
        let found = self.store.user(id).await?;
        match found.map(|file| file.user) {
            Some(user) if actor.owns(user.value.organization) => Ok(user),
            _ => Err(RegistryError::Absent { noun: "user" }),
        }
    }

    /// Who can give somebody a role: the administrators of their organization, or else the operators.
    pub async fn whom_to_ask(&self, session: &Session) -> Result<Vec<User>, RegistryError> {
        let own = session.organization.number;
        let named = self.store.users_with_role(own, Role::Administrator, NAMED_MAX).await?;
        match self.rules.people.operator {
            Some(operator) if named.is_empty() => {
                Ok(self.store.users_with_role(operator, Role::Operator, NAMED_MAX).await?)
            }
            _ => Ok(named),
        }
    }

    /// Gives a user exactly these roles. An administrator decides about what people do in their own organization; who
    /// administrates and who operates is for the operator to say. Nobody decides about themselves, but an operator
    /// as long as there is another.
    pub async fn set_roles(
        &self,
        actor: &Actor,
        id: &UserId,
        roles: &[Role],
        expected: Option<Version>,
    ) -> Result<Recorded<User>, RegistryError> {
        let mut roles = roles.to_vec();
        roles.sort_unstable();
        roles.dedup();
        let (change, found) = self.begin_on(actor, id, "set roles").await?;
        check_version(found.version, expected)?;
        let before = &found.value.roles;
        let differs = |role: &Role| before.contains(role) != roles.contains(role);
        let needs_operator = [Role::Administrator, Role::Operator].iter().any(differs);
        let change = if needs_operator { change.also(Right::Operate).await? } else { change };
        if actor.name == found.value.email.as_str() && !actor.rights.operate() {
            let rule = "nobody decides about their own roles; ask another administrator";
            return Err(change.refuse(RegistryError::conflict(rule)).await);
        }
        let is_operators = self.rules.people.operator == Some(found.value.organization);
        if roles.contains(&Role::Operator) && !is_operators {
            let rule = "only users of the operator's organization can be operators";
            return Err(RegistryError::invalid("roles", rule));
        }
        let after = User { roles, ..found.value.clone() };
        self.finish_user(change, found, after).await
    }

    /// Switches a user off, who is signed out everywhere, or lets them in again.
    pub async fn set_user_status(
        &self,
        actor: &Actor,
        id: &UserId,
        is_active: bool,
        expected: Option<Version>,
    ) -> Result<Recorded<User>, RegistryError> {
        let verb = if is_active { "restore" } else { "deactivate" };
        let (mut change, found) = self.begin_on(actor, id, verb).await?;
        check_version(found.version, expected)?;
        let user = &found.value;
        if user.roles.iter().any(|role| matches!(role, Role::Administrator | Role::Operator)) {
            change = change.also(Right::Operate).await?;
        }
        if actor.name == user.email.as_str() {
            let rule = "nobody switches themselves off or on; ask another administrator";
            return Err(change.refuse(RegistryError::conflict(rule)).await);
        }
        let file = change.transaction.user(id).await?;
        let has_proof = file.is_some_and(|file| {
            file.proofs.password_hash.is_some() || file.proofs.open_id.is_some()
        });
        let status = match (is_active, has_proof) {
            (false, _) => UserStatus::Deactivated,
            (true, true) => UserStatus::Active,
            // They have never followed their link; now they get another when they ask.
            (true, false) => UserStatus::Unconfirmed,
        };
        if !is_active {
            change.transaction.delete_sessions_of(id, None).await?;
            change.transaction.delete_links_of(id).await?;
        }
        let after = User { status, ..user.clone() };
        self.finish_user(change, found, after).await
    }

    /// Makes a user who gets a link by mail with which they choose a password. Whom an administrator invites belongs
    /// to the administrator's organization, whatever the domain of their address is, unless it is another's.
    pub async fn invite(&self, actor: &Actor, new: NewUser) -> Result<User, PeopleError> {
        let (mut change, user) = self.admit(actor, new, "invite").await?;
        let token = self.make_link(&mut change, &user, LinkPurpose::Invite).await?;
        self.mail(&mut change, &user, Occasion::Link(LinkPurpose::Invite, &token)).await?;
        change.finish(None, Some(views::user(&user))).await?;
        Ok(user)
    }

    /// A link with which an operator gets in: for the server itself, which shows it to whoever has its configuration.
    /// The user is made if they are not there, and is an operator from now on.
    pub async fn operator_link(
        &self,
        server: &Actor,
        email: &EmailAddress,
        language: Language,
    ) -> Result<String, PeopleError> {
        let operator = self.rules.people.operator.ok_or_else(|| {
            RegistryError::conflict(
                "there is no operator; name one in [operator] of the configuration",
            )
        })?;
        let known = self.store.user_by_email(email).await?.map(|file| file.user.value);
        let user = match known {
            Some(user) if user.organization != operator => {
                let rule = "the user belongs to another organization than the operator's";
                return Err(RegistryError::conflict(rule).into());
            }
            Some(user) => {
                let user = self.as_operator(server, user).await?;
                let act = on_user("make operator link", email);
                let mut change = self.begin(server, Right::Operate, act).await?;
                change.concerning(operator);
                let token = self.make_link(&mut change, &user, LinkPurpose::Invite).await?;
                change.finish_own(None).await?;
                return Ok(self.link_address(&token));
            }
            None => NewUser {
                email: email.clone(),
                name: email.to_string(),
                organization: operator,
                language,
                roles: vec![Role::Operator],
            },
        };
        let (mut change, user) = self.admit(server, user, "make operator link").await?;
        let token = self.make_link(&mut change, &user, LinkPurpose::Invite).await?;
        change.finish(None, Some(views::user(&user))).await?;
        Ok(self.link_address(&token))
    }

    /// A user who is an operator and not switched off, by the server's word.
    async fn as_operator(&self, server: &Actor, user: User) -> Result<User, RegistryError> {
        if user.status == UserStatus::Deactivated {
            self.set_user_status(server, &user.id, true, None).await?;
        }
        if user.roles.contains(&Role::Operator) {
            return Ok(user);
        }
        let roles = [&user.roles[..], &[Role::Operator]].concat();
        Ok(self.set_roles(server, &user.id, &roles, None).await?.value)
    }

    /// Makes a user who can sign in at once, for a test server.
    pub async fn provide_user(
        &self,
        server: &Actor,
        new: NewUser,
        password: &str,
    ) -> Result<User, PeopleError> {
        let hash = self.passwords.hash(password, self.random.clone()).await?;
        let (mut change, user) = self.admit(server, new, "provide").await?;
        let user = User { status: UserStatus::Active, ..user };
        let now = change.now;
        change.transaction.update_user(&user, Version(1), now).await?;
        let password_hash = Some(hash.as_str().to_owned());
        let proofs = UserProofs { password_hash, ..UserProofs::default() };
        change.transaction.update_proofs(&user.id, &proofs).await?;
        change.finish(None, Some(views::user(&user))).await?;
        Ok(user)
    }

    /// Begins to make a user. Roles that only the operator gives need the operator here too.
    async fn admit<'a>(
        &'a self,
        actor: &'a Actor,
        new: NewUser,
        verb: &'static str,
    ) -> Result<(Change<'a>, User), PeopleError> {
        check_needed_line("name", &new.name)?;
        check_not_routed(&new.email)?;
        let change = self.begin(actor, Right::ManageUsers, on_user(verb, &new.email)).await?;
        let mut change = change.of("organization", new.organization).await?;
        let NewUser { email, name, organization, language, mut roles } = new;
        roles.sort_unstable();
        roles.dedup();
        if roles.iter().any(|role| matches!(role, Role::Administrator | Role::Operator)) {
            change = change.also(Right::Operate).await?;
        }
        if roles.contains(&Role::Operator) && self.rules.people.operator != Some(organization) {
            let rule = "only users of the operator's organization can be operators";
            return Err(RegistryError::invalid("roles", rule).into());
        }
        let owner = change.transaction.organization_of_domain(&email).await?;
        if owner.is_some_and(|owner| owner != organization) {
            let rule = "addresses of that domain belong to another organization";
            return Err(RegistryError::invalid("email", rule).into());
        }
        let status = UserStatus::Unconfirmed;
        let id = new_user_id(self);
        let user = User { id, email, name, organization, language, status, roles };
        let now = change.now;
        let done = change.transaction.insert_user(&user, now).await;
        taken(done, "there is a user with that address already")?;
        Ok((change, user))
    }

    /// Begins a change of a user, whom the actor must be allowed to change.
    async fn begin_on<'a>(
        &'a self,
        actor: &'a Actor,
        id: &UserId,
        verb: &'static str,
    ) -> Result<(Change<'a>, Recorded<User>), RegistryError> {
        let found = self.store.user(id).await?.map(|file| file.user.value.email);
        // Of somebody who is not there, the trail has what was asked for.
        let key = found.map_or_else(|| id.to_string(), |email| email.to_string());
        let act = Act { verb, noun: ChangedNoun::User, key };
        let mut change = self.begin(actor, Right::ManageUsers, act).await?;
        match change.transaction.user(id).await? {
            Some(file) => {
                let change = change.of("user", file.user.value.organization).await?;
                Ok((change, file.user))
            }
            None => Err(change.absent("user").await),
        }
    }

    /// Writes a user, unless nobody would be left who operates.
    async fn finish_user(
        &self,
        mut change: Change<'_>,
        found: Recorded<User>,
        after: User,
    ) -> Result<Recorded<User>, RegistryError> {
        let now = change.now;
        change.transaction.update_user(&after, found.version, now).await?;
        let operates =
            |user: &User| user.roles.contains(&Role::Operator) && user.status == UserStatus::Active;
        if operates(&found.value) && !operates(&after) {
            let left = change.transaction.count_users_with_role(after.organization, Role::Operator);
            if left.await? == 0 {
                return Err(RegistryError::conflict(
                    "nobody would be left who operates this server; make somebody else an operator first",
                ));
            }
        }
        let before = views::user(&found.value);
        change.finish(Some(before), Some(views::user(&after))).await?;
        let version = Version(found.version.0 + 1);
        Ok(Recorded { value: after, updated_at: now, version, ..found })
    }
}
