//! Organizations, their e-mail domains, and prefixes. All of it is the operator's to change.

use std::collections::BTreeMap;

use serde_json::json;

use crate::domain::change::ChangedNoun;
use crate::domain::organization::{
    EmailDomain, Organization, OrganizationNumber, OrganizationStatus,
};
use crate::domain::prefix::{Prefix, PrefixName, PrefixStatus};
use crate::domain::record::{Page, Recorded, Version};
use crate::domain::right::Right;
use crate::registry::change::{Act, check_version};
use crate::registry::rules::check_needed_line;
use crate::registry::{Actor, Registry, RegistryError, views};
use crate::store::{PrefixFilter, StoreError};

const DOMAIN_TAKEN: &str = "the e-mail domain belongs to an organization already";

impl Registry {
    /// Admits an organization without e-mail domains.
    pub async fn create_organization(
        &self,
        actor: &Actor,
        organization: &Organization,
    ) -> Result<(), RegistryError> {
        self.admit_organization(actor, organization, &[]).await
    }

    /// Admits an organization, with the e-mail domains that belong to it.
    pub async fn admit_organization(
        &self,
        actor: &Actor,
        organization: &Organization,
        domains: &[EmailDomain],
    ) -> Result<(), RegistryError> {
        check_needed_line("name", &organization.name)?;
        let mut change = self
            .begin(actor, Right::Operate, on_organization("create", organization.number))
            .await?;
        change.concerning(organization.number);
        let done = change.transaction.insert_organization(organization, change.now).await;
        taken(done, "there is an organization of that number already")?;
        for domain in domains {
            let done =
                change.transaction.insert_email_domain(domain, organization.number, change.now);
            taken(done.await, DOMAIN_TAKEN)?;
        }
        let mut after = views::organization(organization);
        if !domains.is_empty() {
            after["email_domains"] = domains.iter().map(EmailDomain::as_str).collect();
        }
        change.finish(None, Some(after)).await
    }

    /// Changes the name of an organization, or whether it takes part. Its number never changes.
    pub async fn change_organization(
        &self,
        actor: &Actor,
        number: OrganizationNumber,
        expected: Option<Version>,
        edit: impl FnOnce(&mut Organization) + Send,
    ) -> Result<(), RegistryError> {
        let mut change =
            self.begin(actor, Right::Operate, on_organization("change", number)).await?;
        let found = change.transaction.organization(number).await?;
        let found = found.ok_or(RegistryError::Absent { noun: "organization" })?;
        change.concerning(number);
        check_version(found.version, expected)?;
        let mut after = found.value.clone();
        edit(&mut after);
        after.number = number;
        check_needed_line("name", &after.name)?;
        if self.is_operators(number) && after.status == OrganizationStatus::Deactivated {
            return Err(RegistryError::conflict(
                "the organization operates this server, and nobody could restore it; name another in \
                 operator.organization_number of the configuration first",
            ));
        }
        change.transaction.update_organization(&after, found.version, change.now).await?;
        let before = views::organization(&found.value);
        change.finish(Some(before), Some(views::organization(&after))).await
    }

    /// Gives an e-mail domain to an organization: whoever has an address there belongs to it. One that it has
    /// already stays.
    pub async fn add_email_domain(
        &self,
        actor: &Actor,
        number: OrganizationNumber,
        domain: &EmailDomain,
    ) -> Result<(), RegistryError> {
        let mut change =
            self.begin(actor, Right::Operate, on_organization("add e-mail domain", number)).await?;
        let found = change.transaction.organization(number).await?;
        found.ok_or(RegistryError::Absent { noun: "organization" })?;
        change.concerning(number);
        if self.store.email_domains(number).await?.contains(domain) {
            return Ok(());
        }
        let done = change.transaction.insert_email_domain(domain, number, change.now).await;
        taken(done, DOMAIN_TAKEN)?;
        change.finish(None, Some(json!({ "email_domain": domain.as_str() }))).await
    }

    /// Takes an e-mail domain from an organization.
    pub async fn remove_email_domain(
        &self,
        actor: &Actor,
        number: OrganizationNumber,
        domain: &EmailDomain,
    ) -> Result<(), RegistryError> {
        let act = on_organization("remove e-mail domain", number);
        let mut change = self.begin(actor, Right::Operate, act).await?;
        change.concerning(number);
        let done = change.transaction.remove_email_domain(domain, number).await;
        absent(done, "e-mail domain")?;
        change.finish(Some(json!({ "email_domain": domain.as_str() })), None).await
    }

    /// Assigns a prefix to an organization, which alone may then define scopes under it.
    pub async fn assign_prefix(
        &self,
        actor: &Actor,
        name: &PrefixName,
        owner: OrganizationNumber,
    ) -> Result<(), RegistryError> {
        let mut change = self.begin(actor, Right::Operate, on_prefix("assign", name)).await?;
        let found = change.transaction.organization(owner).await?;
        found.ok_or(RegistryError::Absent { noun: "organization" })?;
        change.concerning(owner);
        let prefix = Prefix { name: name.clone(), owner, status: PrefixStatus::Active };
        let done = change.transaction.insert_prefix(&prefix, change.now).await;
        taken(done, "the prefix is assigned already; transfer or restore it instead")?;
        change.finish(None, Some(views::prefix(&prefix))).await
    }

    /// Retires a prefix, so that no more scopes are made under it, or takes it into use again.
    pub async fn set_prefix_status(
        &self,
        actor: &Actor,
        name: &PrefixName,
        status: PrefixStatus,
        expected: Option<Version>,
    ) -> Result<(), RegistryError> {
        let verb = match status {
            PrefixStatus::Active => "restore",
            PrefixStatus::Retired => "retire",
        };
        let mut change = self.begin(actor, Right::Operate, on_prefix(verb, name)).await?;
        let found = change.transaction.prefix(name).await?;
        let found = found.ok_or(RegistryError::Absent { noun: "prefix" })?;
        change.concerning(found.value.owner);
        check_version(found.version, expected)?;
        let after = Prefix { status, ..found.value.clone() };
        change.transaction.update_prefix(&after, found.version, change.now).await?;
        change.finish(Some(views::prefix(&found.value)), Some(views::prefix(&after))).await
    }

    /// Hands a prefix and every scope under it over to another organization. Accesses stay as they are.
    pub async fn transfer_prefix(
        &self,
        actor: &Actor,
        name: &PrefixName,
        to: OrganizationNumber,
        expected: Option<Version>,
    ) -> Result<(), RegistryError> {
        let mut change = self.begin(actor, Right::Operate, on_prefix("transfer", name)).await?;
        let found = change.transaction.prefix(name).await?;
        let found = found.ok_or(RegistryError::Absent { noun: "prefix" })?;
        let receiver = change.transaction.organization(to).await?;
        receiver.ok_or(RegistryError::Absent { noun: "organization" })?;
        change.concerning(found.value.owner);
        check_version(found.version, expected)?;
        if Right::is_prefix(name.as_str()) && !self.is_operators(to) {
            return Err(RegistryError::conflict(
                "the prefix is that of the scopes of this server's own APIs, which stay with its operator",
            ));
        }
        let after = Prefix { owner: to, ..found.value.clone() };
        change.transaction.update_prefix(&after, found.version, change.now).await?;
        change.transaction.transfer_scopes(name, to, change.now).await?;
        change.finish(Some(views::prefix(&found.value)), Some(views::prefix(&after))).await
    }

    /// An organization that is the actor's own, or any for the operator.
    pub async fn organization(
        &self,
        actor: &Actor,
        number: OrganizationNumber,
    ) -> Result<(Recorded<Organization>, Vec<EmailDomain>), RegistryError> {
        if !actor.owns(number) {
            return Err(RegistryError::NotYours { noun: "organization" });
        }
        let found = self.store.organization(number).await?;
        let found = found.ok_or(RegistryError::Absent { noun: "organization" })?;
        Ok((found, self.store.email_domains(number).await?))
    }

    /// Whether it is the organization that operates this server.
    pub fn is_operators(&self, number: OrganizationNumber) -> bool {
        self.rules.people.operator == Some(number)
    }

    /// The name of an organization, which is no secret; `None` when it is not registered here.
    pub async fn organization_name(
        &self,
        number: OrganizationNumber,
    ) -> Result<Option<String>, RegistryError> {
        Ok(self.store.organization(number).await?.map(|found| found.value.name))
    }

    /// The names of these organizations, as far as they are registered here.
    pub async fn organization_names(
        &self,
        numbers: &[OrganizationNumber],
    ) -> Result<BTreeMap<OrganizationNumber, String>, RegistryError> {
        Ok(self.store.organization_names(numbers).await?)
    }

    /// All organizations by number, at most `limit`, for the operator.
    pub async fn organizations(
        &self,
        actor: &Actor,
        after: Option<OrganizationNumber>,
        text: Option<&str>,
        limit: u32,
    ) -> Result<Page<Recorded<Organization>>, RegistryError> {
        actor.require(Right::Operate)?;
        Ok(self.store.organizations(after, text, limit).await?)
    }

    /// The prefix of that name. Who has which prefix is no secret.
    pub async fn prefix(&self, name: &PrefixName) -> Result<Recorded<Prefix>, RegistryError> {
        let found = self.store.prefix(name).await?;
        found.ok_or(RegistryError::Absent { noun: "prefix" })
    }

    /// Prefixes with their owners' names, at most `limit`. Who has which prefix is no secret.
    pub async fn prefixes(
        &self,
        filter: &PrefixFilter,
        limit: u32,
    ) -> Result<Page<(Recorded<Prefix>, String)>, RegistryError> {
        Ok(self.store.prefixes(filter, limit).await?)
    }
}

/// Tells what a broken rule of the database means here.
pub(super) fn taken(done: Result<(), StoreError>, rule: &str) -> Result<(), RegistryError> {
    match done {
        Err(StoreError::Conflict { .. }) => Err(RegistryError::conflict(rule)),
        other => Ok(other?),
    }
}

/// Tells that what was to be taken away is not there.
pub(super) fn absent(
    done: Result<(), StoreError>,
    noun: &'static str,
) -> Result<(), RegistryError> {
    match done {
        Err(StoreError::Absent { .. }) => Err(RegistryError::Absent { noun }),
        other => Ok(other?),
    }
}

pub(super) fn on_organization(verb: &'static str, number: OrganizationNumber) -> Act {
    Act { verb, noun: ChangedNoun::Organization, key: number.to_string() }
}

pub(super) fn on_prefix(verb: &'static str, name: &PrefixName) -> Act {
    Act { verb, noun: ChangedNoun::Prefix, key: name.to_string() }
}
