//! Prefix requests: an API provider asks for a prefix, the operator assigns it or says why not. As long as it has not,
//! the provider can take the request back.

use crate::domain::change::ChangedNoun;
use crate::domain::organization::OrganizationNumber;
use crate::domain::prefix::{Prefix, PrefixName, PrefixStatus};
use crate::domain::prefix_request::{PrefixRequest, PrefixRequestState};
use crate::domain::record::{Page, Recorded, Version};
use crate::domain::right::Right;
use crate::registry::change::{Act, Change, check_version};
use crate::registry::organizations::{on_prefix, taken};
use crate::registry::rules::{check_needed_text, check_text};
use crate::registry::{Actor, Registry, RegistryError, views};
use crate::store::PrefixRequestFilter;

/// The most answers that one organization can wait for: a person reads every request.
pub const PREFIX_REQUESTS_WAITING_MAX: i64 = 10;

impl Registry {
    /// Asks for a prefix, on behalf of the actor's own organization. `reason` says what it is to be used for.
    pub async fn request_prefix(
        &self,
        actor: &Actor,
        prefix: &PrefixName,
        reason: String,
    ) -> Result<Recorded<PrefixRequest>, RegistryError> {
        let organization = actor.own_organization()?;
        let act = on_request("request", prefix, organization);
        let change = self.begin(actor, Right::WriteScopes, act).await?;
        let mut change = change.of("organization", organization).await?;
        check_needed_text("reason", &reason)?;
        if change.transaction.prefix(prefix).await?.is_some() {
            return Err(RegistryError::conflict("the prefix is assigned already"));
        }
        let found = change.transaction.prefix_request(prefix, organization).await?;
        if found.as_ref().is_some_and(|it| it.value.state == PrefixRequestState::Requested) {
            return Err(RegistryError::conflict("the prefix has been asked for already"));
        }
        let waiting = change.transaction.waiting_prefix_requests(organization).await?;
        if waiting >= PREFIX_REQUESTS_WAITING_MAX {
            return Err(RegistryError::conflict(format!(
                "your organization waits for {PREFIX_REQUESTS_WAITING_MAX} answers already; ask again \
                 when the operator has given some"
            )));
        }
        let after = PrefixRequest {
            prefix: prefix.clone(),
            organization,
            organization_name: None,
            reason,
            requested_by: actor.name.clone(),
            state: PrefixRequestState::Requested,
            taken_back: false,
            answer: None,
        };
        match &found {
            Some(found) => {
                change.transaction.update_prefix_request(&after, found.version, change.now).await?;
            }
            None => change.transaction.insert_prefix_request(&after, change.now).await?,
        }
        let operator = self.rules.people.operator;
        change.alert_of_prefix_request(operator, found.as_ref(), &after).await?;
        let before = found.map(|found| views::prefix_request(&found.value));
        change.finish(before, Some(views::prefix_request(&after))).await?;
        self.prefix_request_again(prefix, organization).await
    }

    /// Takes back what the actor's own organization has asked for and not been answered. It can ask again.
    pub async fn take_back_prefix_request(
        &self,
        actor: &Actor,
        prefix: &PrefixName,
        organization: OrganizationNumber,
        expected: Option<Version>,
    ) -> Result<Recorded<PrefixRequest>, RegistryError> {
        let act = on_request("take back", prefix, organization);
        let change = self.begin(actor, Right::WriteScopes, act).await?;
        let mut change = change.of("organization", organization).await?;
        let found = waiting(&mut change, prefix, organization, expected).await?;
        let state = PrefixRequestState::Denied;
        let after = PrefixRequest { state, taken_back: true, ..found.value.clone() };
        change.transaction.update_prefix_request(&after, found.version, change.now).await?;
        let before = Some(views::prefix_request(&found.value));
        change.finish(before, Some(views::prefix_request(&after))).await?;
        self.prefix_request_again(prefix, organization).await
    }

    /// Gives an organization the prefix that it has asked for, in the same transaction. Only the operator can.
    pub async fn approve_prefix_request(
        &self,
        actor: &Actor,
        prefix: &PrefixName,
        organization: OrganizationNumber,
        answer: Option<String>,
        expected: Option<Version>,
    ) -> Result<Recorded<PrefixRequest>, RegistryError> {
        let asked = (prefix, organization);
        let (mut change, found) = self.answering(actor, "approve", asked, expected).await?;
        let after = answered(&found.value, PrefixRequestState::Approved, answer)?;
        let assigned =
            Prefix { name: prefix.clone(), owner: organization, status: PrefixStatus::Active };
        let done = change.transaction.insert_prefix(&assigned, change.now).await;
        taken(done, "the prefix is assigned already; deny the request, or transfer the prefix")?;
        change.transaction.update_prefix_request(&after, found.version, change.now).await?;
        let act = on_prefix("assign", prefix);
        change.record_one(act, None, Some(views::prefix(&assigned))).await?;
        let act = on_request("approve", prefix, organization);
        let before = Some(views::prefix_request(&found.value));
        change.record_one(act, before, Some(views::prefix_request(&after))).await?;
        change.commit().await?;
        self.prefix_request_again(prefix, organization).await
    }

    /// Refuses what an organization has asked for. Only the operator can.
    pub async fn deny_prefix_request(
        &self,
        actor: &Actor,
        prefix: &PrefixName,
        organization: OrganizationNumber,
        answer: Option<String>,
        expected: Option<Version>,
    ) -> Result<Recorded<PrefixRequest>, RegistryError> {
        let asked = (prefix, organization);
        let (mut change, found) = self.answering(actor, "deny", asked, expected).await?;
        let after = answered(&found.value, PrefixRequestState::Denied, answer)?;
        change.transaction.update_prefix_request(&after, found.version, change.now).await?;
        let before = Some(views::prefix_request(&found.value));
        change.finish(before, Some(views::prefix_request(&after))).await?;
        self.prefix_request_again(prefix, organization).await
    }

    /// The change in which the operator answers a request, and the request, which waits for that.
    async fn answering<'a>(
        &'a self,
        actor: &'a Actor,
        verb: &'static str,
        (prefix, organization): (&PrefixName, OrganizationNumber),
        expected: Option<Version>,
    ) -> Result<(Change<'a>, Recorded<PrefixRequest>), RegistryError> {
        let act = on_request(verb, prefix, organization);
        let mut change = self.begin(actor, Right::Operate, act).await?;
        let found = waiting(&mut change, prefix, organization, expected).await?;
        change.concerning(organization);
        Ok((change, found))
    }

    /// What an organization has asked for: the actor's own, or any for the operator.
    pub async fn prefix_request(
        &self,
        actor: &Actor,
        prefix: &PrefixName,
        organization: OrganizationNumber,
    ) -> Result<Recorded<PrefixRequest>, RegistryError> {
        actor.require(Right::ReadScopes)?;
        if !actor.owns(organization) {
            return Err(RegistryError::Absent { noun: "prefix request" });
        }
        let found = self.store.prefix_request(prefix, organization).await?;
        found.ok_or(RegistryError::Absent { noun: "prefix request" })
    }

    /// Prefix requests of the actor's own organization, or of any for the operator, at most `limit`.
    pub async fn prefix_requests(
        &self,
        actor: &Actor,
        mut filter: PrefixRequestFilter,
        limit: u32,
    ) -> Result<Page<Recorded<PrefixRequest>>, RegistryError> {
        actor.require(Right::ReadScopes)?;
        filter.organization = actor.organization_to_list(filter.organization)?;
        Ok(self.store.prefix_requests(&filter, limit).await?)
    }

    async fn prefix_request_again(
        &self,
        prefix: &PrefixName,
        organization: OrganizationNumber,
    ) -> Result<Recorded<PrefixRequest>, RegistryError> {
        self.store.prefix_request(prefix, organization).await?.ok_or(RegistryError::Stale)
    }
}

/// A request that waits for an answer, as this change sees it.
async fn waiting(
    change: &mut Change<'_>,
    prefix: &PrefixName,
    organization: OrganizationNumber,
    expected: Option<Version>,
) -> Result<Recorded<PrefixRequest>, RegistryError> {
    let found = change.transaction.prefix_request(prefix, organization).await?;
    let found = found.ok_or(RegistryError::Absent { noun: "prefix request" })?;
    check_version(found.version, expected)?;
    if found.value.state == PrefixRequestState::Requested {
        return Ok(found);
    }
    Err(RegistryError::conflict(format!(
        "nobody waits for an answer: the request is {}",
        found.value.state.name()
    )))
}

/// The request once it is answered.
fn answered(
    request: &PrefixRequest,
    state: PrefixRequestState,
    answer: Option<String>,
) -> Result<PrefixRequest, RegistryError> {
    if let Some(answer) = &answer {
        check_text("answer", answer)?;
    }
    Ok(PrefixRequest { state, taken_back: false, answer, ..request.clone() })
}

fn on_request(verb: &'static str, prefix: &PrefixName, organization: OrganizationNumber) -> Act {
    Act { verb, noun: ChangedNoun::PrefixRequest, key: format!("{prefix} {organization}") }
}
