//! How the scopes of a client stand: one statement for all of them.

use crate::clock::Timestamp;
use crate::domain::access::{Access, AccessState};
use crate::domain::client::ClientId;
use crate::domain::integration::IntegrationType;
use crate::domain::organization::OrganizationNumber;
use crate::domain::scope::ScopeName;
use crate::store::database::query;
use crate::store::{Store, StoreError, named};

/// A scope that is on a client, with what decides whether the client gets tokens for it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ScopeOfClient {
    /// The scope.
    pub scope: ScopeName,
    /// What it is about.
    pub description: String,
    /// Its owner.
    pub owner: OrganizationNumber,
    /// The owner's name, if it is known.
    pub owner_name: Option<String>,
    /// Whether it is in use.
    pub is_active: bool,
    /// Whether it is for tokens between machines, and not for logging in alone.
    pub is_for_machines: bool,
    /// Whether every organization may use it.
    pub is_open: bool,
    /// The access of the client's organization, if there ever was one. What it has taken back is as if not asked for.
    pub access: Option<Access>,
}

type Row =
    (String, String, String, Option<String>, bool, bool, String, Option<String>, Option<i64>);

impl Store {
    /// The scopes of a client by name, with the accesses of `consumer` to them.
    pub async fn scopes_of_client(
        &self,
        id: &ClientId,
        consumer: OrganizationNumber,
    ) -> Result<Vec<ScopeOfClient>, StoreError> {
        let rows: Vec<Row> = query(
            "select x.scope, s.description, s.owner_number, o.name, s.active, s.accessible_for_all, \
             s.allowed_integration_types, a.state, a.expires_at from client_scope x join scope s on s.name = x.scope \
             left join organization o on o.number = s.owner_number \
             left join access a on a.scope = x.scope and a.consumer_number = $2 \
             and not (a.taken_back and a.state = 'DENIED') \
             where x.client_id = $1 order by x.scope",
        )
        .bind(id.as_str())
        .bind(consumer.as_str())
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(|row| read(row, consumer)).collect()
    }
}

fn read(row: Row, consumer: OrganizationNumber) -> Result<ScopeOfClient, StoreError> {
    let (scope, description, owner, owner_name, is_active, is_open, products, state, expires_at) =
        row;
    let mut products = products.split_whitespace().peekable();
    let scope: ScopeName = scope.parse().map_err(|e| StoreError::corrupt("client_scope", &e))?;
    let access = |state: String| {
        Ok::<_, StoreError>(Access {
            scope: scope.clone(),
            consumer,
            state: named("access", AccessState::from_name, &state)?,
            expires_at: expires_at.map(Timestamp::from_seconds),
        })
    };
    Ok(ScopeOfClient {
        access: state.map(access).transpose()?,
        description,
        owner: owner.parse().map_err(|e| StoreError::corrupt("scope", &e))?,
        owner_name,
        is_for_machines: products.peek().is_none()
            || products.any(|word| word == IntegrationType::Maskinporten.name()),
        is_active,
        is_open,
        scope,
    })
}
