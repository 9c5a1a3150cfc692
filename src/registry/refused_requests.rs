//! Records of refused token requests, for the owner of the client and for the operator.

use crate::domain::client::ClientId;
use crate::domain::record::Page;
use crate::domain::refused_request::{RefusedRequest, RefusedRequestPlace};
use crate::domain::right::Right;
use crate::registry::{Actor, Registry, RegistryError};
use crate::store::RefusedRequestsOf;

impl Registry {
    /// The refused request of that trace id, if it named a client of the actor's organization, or any for the
    /// operator.
    pub async fn refused_request(
        &self,
        actor: &Actor,
        trace_id: &str,
    ) -> Result<RefusedRequest, RegistryError> {
        actor.require(Right::ReadClients)?;
        let found = self.store.refused_request(trace_id).await?;
        let is_theirs = |it: &RefusedRequest| match &it.client {
            Some(client) => actor.owns(client.organization),
            None => actor.rights.operate(),
        };
        found.filter(is_theirs).ok_or(RegistryError::Absent { noun: "refused request" })
    }

    /// Refused requests that named a client of the actor's organization, or this client of it, newest first; all of
    /// them for the operator.
    pub async fn refused_requests(
        &self,
        actor: &Actor,
        client: Option<&ClientId>,
        after: Option<&RefusedRequestPlace>,
        limit: u32,
    ) -> Result<Page<RefusedRequest>, RegistryError> {
        actor.require(Right::ReadClients)?;
        let of = match client {
            Some(client) => {
                self.client(actor, client).await?;
                RefusedRequestsOf::Client(client.clone())
            }
            None => match actor.organization_to_list(None)? {
                Some(organization) => RefusedRequestsOf::Organization(organization),
                None => RefusedRequestsOf::Everybody,
            },
        };
        Ok(self.store.refused_requests(&of, after, limit).await?)
    }
}
