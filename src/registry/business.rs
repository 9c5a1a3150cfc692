//! Business data of an organization: its own to see and change, and the operator's.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::domain::business::{ADDRESS_LINES_MAX, BusinessData, POINTS_MAX};
use crate::domain::organization::OrganizationNumber;
use crate::domain::record::{Recorded, Version};
use crate::domain::right::Right;
use crate::registry::change::check_version;
use crate::registry::organizations::on_organization;
use crate::registry::rules::{check_line, check_needed_line};
use crate::registry::{Actor, Registry, RegistryError};

/// The version of what nobody has written yet.
const UNWRITTEN: Version = Version(0);

impl Registry {
    /// The business data of an organization: for whoever may see its clients or change the data. It is empty, at
    /// version 0, while nobody has said anything.
    pub async fn business_data(
        &self,
        actor: &Actor,
        number: OrganizationNumber,
    ) -> Result<Recorded<BusinessData>, RegistryError> {
        actor.require(Right::WriteBusinessData).or_else(|_| actor.require(Right::ReadClients))?;
        if !actor.owns(number) {
            return Err(RegistryError::NotYours { noun: "organization" });
        }
        let organization = self.store.organization(number).await?;
        let organization = organization.ok_or(RegistryError::Absent { noun: "organization" })?;
        let found = self.store.business_data(number).await?;
        Ok(found.unwrap_or_else(|| Recorded {
            value: BusinessData::default(),
            created_at: organization.created_at,
            updated_at: organization.created_at,
            version: UNWRITTEN,
        }))
    }

    /// Puts this business data in the place of what is there.
    pub async fn change_business_data(
        &self,
        actor: &Actor,
        number: OrganizationNumber,
        expected: Option<Version>,
        data: BusinessData,
    ) -> Result<Recorded<BusinessData>, RegistryError> {
        let act = on_organization("change business data", number);
        let change = self.begin(actor, Right::WriteBusinessData, act).await?;
        let mut change = change.of("organization", number).await?;
        let organization = change.transaction.organization(number).await?;
        organization.ok_or(RegistryError::Absent { noun: "organization" })?;
        let found = change.transaction.business_data(number).await?;
        check_version(found.as_ref().map_or(UNWRITTEN, |found| found.version), expected)?;
        check(&data)?;
        match &found {
            Some(found) => {
                let seen = found.version;
                let done = change.transaction.update_business_data(number, &data, seen, change.now);
                done.await?;
            }
            None => change.transaction.insert_business_data(number, &data, change.now).await?,
        }
        let before = found.map(|found| view(&found.value));
        change.finish(before, Some(view(&data))).await?;
        self.store.business_data(number).await?.ok_or(RegistryError::Stale)
    }
}

/// How the audit trail shows it: as our own API does.
fn view(data: &BusinessData) -> Value {
    serde_json::to_value(data).unwrap_or_default()
}

/// What holds for all of it beyond what its parts are made of.
fn check(data: &BusinessData) -> Result<(), RegistryError> {
    let invoice = &data.invoice;
    at_most("address_lines", invoice.address_lines.len(), ADDRESS_LINES_MAX)?;
    invoice.address_lines.iter().try_for_each(|line| check_needed_line("address_lines", line))?;
    if let Some(reference) = &invoice.reference {
        check_line("reference", reference)?;
    }
    at_most("contact_points", data.contact_points.len(), POINTS_MAX)?;
    for point in &data.contact_points {
        check_needed_line("name", &point.name)?;
    }
    at_most("alert_points", data.alert_points.len(), POINTS_MAX)?;
    let mut met = BTreeSet::new();
    for point in &data.alert_points {
        if point.kinds.is_empty() {
            let problem =
                "it must name what the alerts are about; to be told nothing, leave the point out";
            return Err(RegistryError::invalid("kinds", problem));
        }
        if !met.insert(&point.email) {
            let problem = format!("{} stands there twice", point.email);
            return Err(RegistryError::invalid("alert_points", problem));
        }
    }
    Ok(())
}

fn at_most(field: &'static str, count: usize, most: usize) -> Result<(), RegistryError> {
    if count <= most {
        return Ok(());
    }
    Err(RegistryError::invalid(field, format!("there may be at most {most} of them")))
}
