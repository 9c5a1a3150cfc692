//! Sessions: who is signed in, what they may do just now, and signing out.

use serde_json::json;

use crate::clock::Timestamp;
use crate::domain::organization::{Organization, OrganizationStatus};
use crate::domain::right::{Right, Rights};
use crate::domain::user::{Role, User, UserStatus};
use crate::keys::secret_token::SessionToken;
use crate::registry::people::{PeopleError, on_user};
use crate::registry::{Actor, Registry, RegistryError};
use crate::store::SessionFile;

/// Seconds between two notes that somebody is there. Every page would be a write otherwise.
const SEEN_SECONDS: i64 = 60;

/// Somebody who is signed in, as everything stands at this moment.
#[derive(Clone, Debug)]
pub struct Session {
    /// Who.
    pub user: User,
    /// Their organization.
    pub organization: Organization,
    /// The roles that count: those that they have been given, and those that everybody has here.
    pub roles: Vec<Role>,
    /// The rights that these roles bring.
    pub rights: Rights,
    /// When they signed in.
    pub created_at: Timestamp,
    /// Under what the session is kept.
    pub(super) hash: String,
}

impl Session {
    /// The user as one who acts, in the request `trace_id`.
    pub fn actor(&self, trace_id: Option<String>) -> Actor {
        Actor {
            name: self.user.email.to_string(),
            organization: Some(self.organization.number),
            rights: self.rights.clone(),
            trace_id,
        }
    }

    /// Whether the user has this role here.
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

impl Registry {
    /// Who is signed in with that token. Nobody is when the session has ended or is too old, when its user or their
    /// organization has been deactivated, and as long as a second factor is to be proved.
    pub async fn session(&self, token: &SessionToken) -> Result<Option<Session>, RegistryError> {
        let hash = token.hash();
        let Some(file) = self.store.session(&hash).await? else { return Ok(None) };
        let now = self.clock.now();
        if !self.is_open(&file, now) || (file.user.proofs.totp_active && !file.second_factor_done) {
            return Ok(None);
        }
        if now >= file.seen_at.plus_seconds(SEEN_SECONDS)
            && let Err(error) = self.store.session_seen(&hash, now).await
        {
            // The page can be shown all the same; the session ends a minute earlier.
            tracing::warn!(%error, "it cannot be written down that somebody is there");
        }
        let user = file.user.user.value;
        let roles = self.roles_that_count(&user);
        let acts_for_customers = roles.contains(&Role::Consumer)
            && file.acting_for_customers.is_some_and(|access| access.holds_at(now));
        // A consumer acts for customers if the organization has access to the scope by which its machines do.
        let rights = User::rights_of(&roles);
        let rights = if acts_for_customers { rights.with(Right::ActForCustomers) } else { rights };
        let (organization, created_at) = (file.organization, file.created_at);
        Ok(Some(Session { user, organization, roles, rights, created_at, hash }))
    }

    /// Whether a session is neither too old nor left alone, and its user may be there.
    pub(super) fn is_open(&self, file: &SessionFile, now: Timestamp) -> bool {
        let rules = &self.rules.people;
        now < file.seen_at.plus_seconds(rules.idle_seconds)
            && now < file.created_at.plus_seconds(rules.session_seconds)
            && file.user.user.value.status == UserStatus::Active
            && file.organization.status == OrganizationStatus::Active
    }

    /// The roles of a user in this environment. Only the operator's own users operate.
    fn roles_that_count(&self, user: &User) -> Vec<Role> {
        let people = &self.rules.people;
        let mut roles = user.roles_in(people.environment.self_service);
        if people.operator != Some(user.organization) {
            roles.retain(|role| *role != Role::Operator);
        }
        roles
    }

    /// Ends a session. There being none is just as well.
    pub async fn sign_out(
        &self,
        token: &SessionToken,
        trace_id: Option<&str>,
    ) -> Result<(), PeopleError> {
        let hash = token.hash();
        let Some(file) = self.store.session(&hash).await? else { return Ok(()) };
        let user = file.user.user.value;
        let actor = super::themselves(&user, trace_id);
        let mut change = self.begin_own(&actor, on_user("sign out", &user.email)).await?;
        change.transaction.delete_session(&hash).await?;
        Ok(change.finish_own(None).await?)
    }

    /// Ends every session of a user, also this one.
    pub async fn sign_out_everywhere(
        &self,
        session: &Session,
        trace_id: Option<&str>,
    ) -> Result<(), PeopleError> {
        let user = &session.user;
        let actor = session.actor(trace_id.map(ToOwned::to_owned));
        let mut change =
            self.begin_own(&actor, on_user("sign out everywhere", &user.email)).await?;
        let ended = change.transaction.delete_sessions_of(&user.id, None).await?;
        Ok(change.finish_own(Some(json!({ "sessions": ended }))).await?)
    }
}
