//! Asking for access: a consumer asks, and can take that back until the owner of the scope has answered.

use crate::domain::access::{AccessCase, AccessState};
use crate::domain::organization::OrganizationNumber;
use crate::domain::record::{Expected, Recorded, Version};
use crate::domain::right::Right;
use crate::domain::scope::{Scope, ScopeAudience, ScopeName, ScopeStatus, Visibility};
use crate::registry::accesses::{at, hide_note, new_case, on_access, put};
use crate::registry::rules::check_text;
use crate::registry::{Actor, Registry, RegistryError};

impl Registry {
    /// Asks for access to a scope, on behalf of the actor's own organization.
    pub async fn request_access(
        &self,
        actor: &Actor,
        scope: &ScopeName,
        consumer: OrganizationNumber,
        message: Option<String>,
    ) -> Result<Recorded<AccessCase>, RegistryError> {
        let act = on_access("request", scope, consumer);
        let change = self.begin(actor, Right::WriteClients, act).await?;
        let mut change = change.of("organization", consumer).await?;
        let wanted = change.transaction.scope(scope).await?.map(|found| found.value);
        let found = change.transaction.access_case(scope, consumer).await?;
        let visible = |it: &Scope| it.visibility == Visibility::Public || found.is_some();
        let wanted = wanted.filter(visible).ok_or(RegistryError::Absent { noun: "scope" })?;
        let state = found.as_ref().map(|found| found.value.access.state);
        if wanted.status == ScopeStatus::Deactivated {
            return Err(RegistryError::conflict("the scope is deactivated"));
        }
        if wanted.audience == ScopeAudience::AnyOrganization {
            return Err(RegistryError::conflict(
                "the scope is open to every organization: put it on a client and use it",
            ));
        }
        if found.as_ref().is_some_and(|found| found.value.access.holds_at(change.now)) {
            return Err(RegistryError::conflict("the access has been granted already"));
        }
        if state == Some(AccessState::Requested) {
            return Err(RegistryError::conflict("the access has been asked for already"));
        }
        if let Some(message) = &message {
            check_text("message", message)?;
        }
        change.concerning(wanted.owner);
        let mut after = new_case(&wanted, consumer, AccessState::Requested);
        after.message = message;
        after.note = found.as_ref().and_then(|found| found.value.note.clone());
        after.access.expires_at = found.as_ref().and_then(|found| found.value.access.expires_at);
        put(&mut change, found.as_ref(), &after, Expected::Anything).await?;
        let mut asked = self.finish_access(change, found, after).await?;
        hide_note(actor, &mut asked.value);
        Ok(asked)
    }

    /// Takes back what the actor's own organization has asked for and not been answered. It can ask again.
    pub async fn take_back_request(
        &self,
        actor: &Actor,
        scope: &ScopeName,
        consumer: OrganizationNumber,
        expected: Option<Version>,
    ) -> Result<Recorded<AccessCase>, RegistryError> {
        let act = on_access("take back", scope, consumer);
        let change = self.begin(actor, Right::WriteClients, act).await?;
        let mut change = change.of("organization", consumer).await?;
        let found = change.transaction.access_case(scope, consumer).await?;
        let found = found.ok_or(RegistryError::Absent { noun: "access" })?;
        change.concerning(found.value.owner);
        if found.value.access.state != AccessState::Requested {
            return Err(RegistryError::conflict(format!(
                "there is nothing to take back: the access is {}",
                found.value.access.state.name()
            )));
        }
        let mut after = found.value.clone();
        after.access.state = AccessState::Denied;
        after.taken_back = true;
        put(&mut change, Some(&found), &after, at(expected)).await?;
        let mut taken_back = self.finish_access(change, Some(found), after).await?;
        hide_note(actor, &mut taken_back.value);
        Ok(taken_back)
    }
}
