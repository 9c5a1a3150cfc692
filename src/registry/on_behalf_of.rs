//! On-behalf-of objects of clients: kept and returned for the tools that set them.

use crate::domain::client::ClientId;
use crate::domain::record::Recorded;
use crate::domain::registration::{OnBehalfOf, OnBehalfOfId};
use crate::domain::right::Right;
use crate::registry::clients::on_client;
use crate::registry::organizations::absent;
use crate::registry::rules::{check_kept, check_line, check_needed_line};
use crate::registry::{Actor, Registry, RegistryError, views};

/// The most on-behalf-of objects of one client.
const ON_BEHALF_OF_MAX: usize = 1_000;

impl Registry {
    /// The on-behalf-of objects of a client of the actor's own organization, or of any for the operator.
    pub async fn on_behalf_of(
        &self,
        actor: &Actor,
        client: &ClientId,
    ) -> Result<Vec<Recorded<OnBehalfOf>>, RegistryError> {
        self.client(actor, client).await?;
        Ok(self.store.on_behalf_of(client).await?)
    }

    /// One of them.
    pub async fn on_behalf_of_one(
        &self,
        actor: &Actor,
        client: &ClientId,
        id: &OnBehalfOfId,
    ) -> Result<Recorded<OnBehalfOf>, RegistryError> {
        let all = self.on_behalf_of(actor, client).await?;
        let found = all.into_iter().find(|found| found.value.id == *id);
        found.ok_or(RegistryError::Absent { noun: "on-behalf-of object" })
    }

    /// Adds an on-behalf-of object.
    pub async fn add_on_behalf_of(
        &self,
        actor: &Actor,
        client: &ClientId,
        object: OnBehalfOf,
    ) -> Result<Recorded<OnBehalfOf>, RegistryError> {
        self.put(actor, client, object, "add on-behalf-of", false).await
    }

    /// Changes an on-behalf-of object that is there.
    pub async fn change_on_behalf_of(
        &self,
        actor: &Actor,
        client: &ClientId,
        object: OnBehalfOf,
    ) -> Result<Recorded<OnBehalfOf>, RegistryError> {
        self.put(actor, client, object, "change on-behalf-of", true).await
    }

    async fn put(
        &self,
        actor: &Actor,
        client: &ClientId,
        object: OnBehalfOf,
        verb: &'static str,
        must_be_there: bool,
    ) -> Result<Recorded<OnBehalfOf>, RegistryError> {
        let act = on_client(verb, client);
        let (mut change, file) =
            self.begin_on_client(actor, Right::WriteOnBehalfOf, act, client).await?;
        check_needed_line("name", &object.name)?;
        check_line("description", object.description.as_deref().unwrap_or_default())?;
        check_kept("uri", object.uri.as_ref())?;
        check_kept("logo_uri", object.logo_uri.as_ref())?;
        let known = self.store.on_behalf_of(client).await?;
        let before = known.iter().find(|known| known.value.id == object.id);
        match (before, must_be_there) {
            (None, true) => return Err(RegistryError::Absent { noun: "on-behalf-of object" }),
            (Some(_), false) => {
                let rule = "the client has an on-behalf-of object of that id already";
                return Err(RegistryError::conflict(rule));
            }
            (None, false) if known.len() >= ON_BEHALF_OF_MAX => {
                let rule = format!("a client can have at most {ON_BEHALF_OF_MAX} of them");
                return Err(RegistryError::conflict(rule));
            }
            _ => {}
        }
        change.transaction.put_on_behalf_of(client, &object, change.now).await?;
        change.transaction.touch_client(client, file.registration.version, change.now).await?;
        let before = before.map(|known| views::on_behalf_of(&known.value));
        change.finish(before, Some(views::on_behalf_of(&object))).await?;
        self.on_behalf_of_one(actor, client, &object.id).await
    }

    /// Takes an on-behalf-of object away.
    pub async fn remove_on_behalf_of(
        &self,
        actor: &Actor,
        client: &ClientId,
        id: &OnBehalfOfId,
    ) -> Result<(), RegistryError> {
        let act = on_client("remove on-behalf-of", client);
        let (mut change, file) =
            self.begin_on_client(actor, Right::WriteOnBehalfOf, act, client).await?;
        let known = self.store.on_behalf_of(client).await?;
        let before = known.iter().find(|known| known.value.id == *id);
        let before = before.map(|known| views::on_behalf_of(&known.value));
        let done = change.transaction.remove_on_behalf_of(client, id).await;
        absent(done, "on-behalf-of object")?;
        change.transaction.touch_client(client, file.registration.version, change.now).await?;
        change.finish(before, None).await
    }
}
