//! `portvakt export`: a file for `apply`, of what is there and in force.

use clap::Args;
use serde_json::Value;

use crate::cli::admin::Run;
use crate::cli::admin::api::{Api, Place};
use crate::cli::admin::connection::ConnectionArgs;
use crate::cli::admin::declared::file::{
    Declared, DeclaredAccess, DeclaredClient, DeclaredDelegation, DeclaredPrefix, DeclaredScope,
};
use crate::cli::admin::declared::prune::{is_access_in_force, is_delegation_in_force, is_past};
use crate::cli::admin::report::Report;
use crate::cli::failure::Failure;
use crate::domain::right::Right;

/// Write what is there as a file for `apply`: one's own prefixes, scopes, accesses to them, delegations and
/// clients; of every organization for the operator.
///
/// What is deactivated, withdrawn or over is left out. Keys are not part of it.
#[derive(Args, Debug)]
pub(in crate::cli) struct Export {
    /// Of this organization only (operator).
    #[arg(long, value_name = "NUMBER")]
    organization: Option<String>,
}

const HEAD: &str = "\
# What there shall be. `portvakt diff FILE` says what differs, `portvakt apply FILE` makes it so; their --help
# describes the format.
";

impl Run for Export {
    async fn run(self, connection: &ConnectionArgs) -> Result<Report, Failure> {
        let mut api = match &self.organization {
            Some(_) => connection.api_of_operator()?,
            None => connection.api_for(&[Right::ReadScopes, Right::ReadClients])?,
        };
        let organization = match self.organization {
            Some(organization) => Some(organization),
            None => own_organization(&mut api).await?,
        };
        let declared = export(&mut api, organization.as_deref()).await?;
        let text = toml::to_string(&declared)
            .map_err(|error| Failure::failed(format!("it cannot be written: {error}")))?;
        let failed = |error| Failure::failed(format!("it cannot be written: {error}"));
        let json = serde_json::to_value(&declared).map_err(failed)?;
        Ok(Report::text(format!("{HEAD}\n{}", text.trim_end()), json))
    }
}

/// The organization of the caller; none for the operator, who sees all.
async fn own_organization(api: &mut Api) -> Result<Option<String>, Failure> {
    let me = api.read(&Place::of(["me"])).await?.thing;
    let rights = me["rights"].as_array().into_iter().flatten();
    let operates = rights.into_iter().any(|right| *right == Right::Operate.name());
    Ok(me["organization"].as_str().filter(|_| !operates).map(str::to_owned))
}

async fn export(api: &mut Api, organization: Option<&str>) -> Result<Declared, Failure> {
    let list = |name: &str| Place::of([name]).with("organization", organization);
    let prefixes = api.list(&list("prefixes"), None).await?.items;
    let scopes = api.list(&list("scopes"), None).await?.items;
    let mut accesses = Vec::new();
    for scope in &scopes {
        let place = Place::of(["scopes", &text(scope, "scope"), "accesses"]);
        let found = api.list(&place, None).await?.items;
        accesses.extend(found.iter().filter(|it| is_access_in_force(it)).map(access));
    }
    let delegations = api.list(&list("delegations"), None).await?.items;
    // Those that others have given are not the organization's to declare.
    let is_own = |it: &&Value| organization.is_none_or(|own| it["consumer"] == *own);
    let delegations =
        delegations.iter().filter(|it| is_delegation_in_force(it)).filter(is_own).map(delegation);
    let clients = api.list(&list("clients"), None).await?.items;
    Ok(Declared {
        prefix: Some(prefixes.iter().map(prefix).collect()),
        scope: Some(scopes.iter().map(scope_of).collect()),
        access: Some(accesses),
        delegation: Some(delegations.collect()),
        client: Some(clients.iter().map(|it| client(it, &clients)).collect()),
    })
}

fn prefix(found: &Value) -> DeclaredPrefix {
    DeclaredPrefix { prefix: text(found, "prefix"), organization: text(found, "organization") }
}

fn scope_of(found: &Value) -> DeclaredScope {
    DeclaredScope {
        scope: text(found, "scope"),
        description: text(found, "description"),
        long_description: text_if_any(found, "long_description"),
        visibility: text_if_any(found, "visibility"),
        accessible_for_all: found["accessible_for_all"].as_bool(),
        allowed_integration_types: texts(found, "allowed_integration_types"),
        token_lifetime_seconds_max: seconds(found, "token_lifetime_seconds_max"),
        delegation_source: text_if_any(found, "delegation_source"),
        issued_in_outage: found["issued_in_outage"].as_bool(),
        supports_european_businesses: found["supports_european_businesses"].as_bool(),
    }
}

fn access(found: &Value) -> DeclaredAccess {
    DeclaredAccess {
        scope: text(found, "scope"),
        consumer: text(found, "consumer"),
        expires_at: text_if_any(found, "expires_at"),
        note: text_if_any(found, "note"),
    }
}

fn delegation(found: &Value) -> DeclaredDelegation {
    DeclaredDelegation {
        consumer: text(found, "consumer"),
        supplier: text(found, "supplier"),
        scope: text(found, "scope"),
        // A beginning that is over says nothing about what shall be.
        valid_from: text_if_any(found, "valid_from").filter(|_| !is_past(&found["valid_from"])),
        valid_to: text_if_any(found, "valid_to"),
    }
}

fn client(found: &Value, all: &[Value]) -> DeclaredClient {
    let has_same_name = |other: &&Value| {
        other["name"] == found["name"] && other["organization"] == found["organization"]
    };
    // What another server could not make, or would not find by its name, is declared by its id.
    let by_id = all.iter().filter(has_same_name).count() > 1 || !found["customer"].is_null();
    DeclaredClient {
        organization: text(found, "organization"),
        name: text(found, "name"),
        client_id: text_if_any(found, "client_id").filter(|_| by_id),
        description: text_if_any(found, "description"),
        integration_type: text_if_any(found, "integration_type"),
        access_token_lifetime: seconds(found, "access_token_lifetime"),
        scopes: texts(found, "scopes").or_else(|| Some(Vec::new())),
    }
}

fn text(found: &Value, name: &str) -> String {
    found[name].as_str().unwrap_or_default().to_owned()
}

fn text_if_any(found: &Value, name: &str) -> Option<String> {
    found[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn texts(found: &Value, name: &str) -> Option<Vec<String>> {
    let texts = found[name].as_array()?.iter().filter_map(Value::as_str).map(str::to_owned);
    Some(texts.collect::<Vec<_>>()).filter(|texts| !texts.is_empty())
}

fn seconds(found: &Value, name: &str) -> Option<u32> {
    found[name].as_u64().and_then(|seconds| seconds.try_into().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_client_is_declared_by_its_name_unless_another_has_it_too() {
        let one = json!({"client_id": "a", "organization": "1", "name": "n", "scopes": []});
        let two = json!({"client_id": "b", "organization": "1", "name": "n", "scopes": ["x:y"]});
        let elsewhere = json!({"client_id": "c", "organization": "2", "name": "n"});
        assert_eq!(client(&one, &[one.clone(), elsewhere.clone()]).client_id, None);
        let declared = client(&two, &[one.clone(), two.clone(), elsewhere]);
        assert_eq!(declared.client_id.as_deref(), Some("b"));
        assert_eq!(declared.scopes, Some(vec!["x:y".to_owned()]));
    }
}
