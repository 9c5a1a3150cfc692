//! How the audit trail shows things, before and after: every field, in the words of our own API, and nothing
//! secret.

use serde_json::{Value, json};

use crate::clock::Timestamp;
use crate::domain::access::{AccessCase, Delegation};
use crate::domain::client::{ClientKey, ClientStatus};
use crate::domain::organization::{Organization, OrganizationStatus};
use crate::domain::prefix::{Prefix, PrefixStatus};
use crate::domain::prefix_request::PrefixRequest;
use crate::domain::registration::{ClientFile, ClientRegistration, OnBehalfOf};
use crate::domain::scope::{Scope, ScopeAudience, ScopeName, ScopeStatus};
use crate::domain::user::User;

pub(super) fn organization(it: &Organization) -> Value {
    json!({
        "organization": it.number.as_str(),
        "name": it.name,
        "active": it.status == OrganizationStatus::Active,
    })
}

pub(super) fn user(it: &User) -> Value {
    let roles: Vec<_> = it.roles.iter().map(|role| role.name()).collect();
    json!({
        "email": it.email.as_str(),
        "name": it.name,
        "organization": it.organization.as_str(),
        "language": it.language.name(),
        "status": it.status.name(),
        "roles": roles,
    })
}

pub(super) fn prefix(it: &Prefix) -> Value {
    json!({
        "prefix": it.name.as_str(),
        "organization": it.owner.as_str(),
        "active": it.status == PrefixStatus::Active,
    })
}

pub(super) fn prefix_request(it: &PrefixRequest) -> Value {
    json!({
        "prefix": it.prefix.as_str(),
        "organization": it.organization.as_str(),
        "reason": it.reason,
        "requested_by": it.requested_by,
        "state": it.state.name(),
        "taken_back": it.taken_back.then_some(true),
        "answer": it.answer,
    })
}

pub(super) fn scope(it: &Scope) -> Value {
    let types: Vec<_> = it.integration_types.iter().map(|kind| kind.name()).collect();
    json!({
        "scope": it.name.as_str(),
        "organization": it.owner.as_str(),
        "description": it.description,
        "active": it.status == ScopeStatus::Active,
        "accessible_for_all": it.audience == ScopeAudience::AnyOrganization,
        "visibility": it.visibility.name(),
        "allowed_integration_types": types,
        "token_lifetime_seconds_max": it.token_lifetime_seconds_max,
        "delegation_source": it.delegation_source,
        "issued_in_outage": it.outage_policy.issues(),
        "supports_european_businesses": it.european_businesses.are_supported(),
        "details": it.details,
    })
}

pub(super) fn access(it: &AccessCase) -> Value {
    json!({
        "scope": it.access.scope.as_str(),
        "consumer": it.access.consumer.as_str(),
        "state": it.access.state.name(),
        "expires_at": time(it.access.expires_at),
        "note": it.note,
        "message": it.message,
        "taken_back": it.taken_back.then_some(true),
        "reason": it.reason,
    })
}

pub(super) fn delegation(it: &Delegation) -> Value {
    json!({
        "consumer": it.consumer.as_str(),
        "supplier": it.supplier.as_str(),
        "scope": it.scope.as_str(),
        "source": it.source,
        "valid_from": it.valid_from.to_string(),
        "valid_to": time(it.valid_to),
        "revoked_at": time(it.revoked_at),
    })
}

pub(super) fn client(it: &ClientRegistration, keys: &[ClientKey]) -> Value {
    let client = &it.client;
    let scopes: Vec<_> = client.scopes.iter().map(ScopeName::as_str).collect();
    json!({
        "client_id": client.id.as_str(),
        "organization": client.organization.as_str(),
        "customer": client.customer.map(|customer| customer.to_string()),
        "name": client.name,
        "description": it.description,
        "active": client.status == ClientStatus::Active,
        "integration_type": it.integration_type.name(),
        "access_token_lifetime": client.token_lifetime_seconds,
        "scopes": scopes,
        "details": it.details,
        "keys": keys.iter().map(key).collect::<Vec<_>>(),
    })
}

pub(super) fn client_file(it: &ClientFile) -> Value {
    let keys: Vec<_> = it.keys.iter().map(|registered| registered.key.clone()).collect();
    client(&it.registration.value, &keys)
}

/// A public key: its document is no secret.
pub(super) fn key(it: &ClientKey) -> Value {
    json!({
        "kid": it.id.as_str(),
        "alg": it.algorithm.name(),
        "jwk": serde_json::from_str::<Value>(&it.jwk).unwrap_or_default(),
        "expires_at": it.expires_at.to_string(),
    })
}

pub(super) fn on_behalf_of(it: &OnBehalfOf) -> Value {
    json!({
        "onbehalfof": it.id.as_str(),
        "name": it.name,
        "orgno": it.organization.as_str(),
        "description": it.description,
        "uri": it.uri,
        "logo_uri": it.logo_uri,
    })
}

fn time(moment: Option<Timestamp>) -> Option<String> {
    moment.map(|moment| moment.to_string())
}
