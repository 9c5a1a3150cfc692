//! Finds what is there and not declared, under the prefixes that a file names.

use serde_json::Value;

use crate::cli::admin::api::{Api, Place};
use crate::cli::admin::declared::file::{
    Declared, DeclaredAccess, DeclaredDelegation, DeclaredScope,
};
use crate::cli::admin::declared::plan::accesses_to;
use crate::cli::admin::declared::steps::{Act, Kind, Step};
use crate::cli::failure::Failure;
use crate::clock::{Clock as _, SystemClock, Timestamp};
use crate::domain::right::Right;

/// Puts the end of what is not declared before what is in `removals`, which are done in reverse.
pub(super) async fn undeclared(
    api: &mut Api,
    declared: &Declared,
    removals: &mut Vec<Step>,
) -> Result<(), Failure> {
    let mut pruner = Pruner { api, removals: Vec::new() };
    pruner.undeclared(declared).await?;
    pruner.removals.append(removals);
    *removals = pruner.removals;
    Ok(())
}

struct Pruner<'a> {
    api: &'a mut Api,
    removals: Vec<Step>,
}

impl Pruner<'_> {
    async fn undeclared(&mut self, declared: &Declared) -> Result<(), Failure> {
        for prefix in declared.prefix.iter().flatten() {
            if declared.scope.is_none() && declared.access.is_none() {
                break;
            }
            let place = Place::of(["scopes"]).with("prefix", Some(&prefix.prefix));
            for scope in self.api.list(&place, None).await?.items {
                let name = scope["scope"].as_str().unwrap_or_default();
                let is_declared =
                    |scopes: &Vec<DeclaredScope>| !scopes.iter().any(|it| it.scope == name);
                if declared.scope.as_ref().is_some_and(is_declared) {
                    let place = Place::of(["scopes", name]);
                    self.removals.push(removal("scope", name, Right::WriteScopes, place));
                }
                if let Some(accesses) = &declared.access {
                    self.undeclared_accesses(name, accesses).await?;
                }
            }
        }
        if let (Some(_), Some(delegations)) = (&declared.prefix, &declared.delegation) {
            self.undeclared_delegations(declared, delegations).await?;
        }
        Ok(())
    }

    async fn undeclared_accesses(
        &mut self,
        scope: &str,
        declared: &[DeclaredAccess],
    ) -> Result<(), Failure> {
        for access in accesses_to(self.api, scope).await? {
            let consumer = access["consumer"].as_str().unwrap_or_default();
            let is_declared =
                declared.iter().any(|it| it.scope == scope && it.consumer == consumer);
            if !is_declared && is_access_in_force(&access) {
                let place = Place::of(["scopes", scope, "accesses", consumer]);
                let key = format!("{scope} {consumer}");
                self.removals.push(removal("access", &key, Right::WriteScopes, place));
            }
        }
        Ok(())
    }

    async fn undeclared_delegations(
        &mut self,
        declared: &Declared,
        delegations: &[DeclaredDelegation],
    ) -> Result<(), Failure> {
        for found in self.api.list(&Place::of(["delegations"]), None).await?.items {
            let text = |name: &str| found[name].as_str().unwrap_or_default();
            let (consumer, supplier, scope) = (text("consumer"), text("supplier"), text("scope"));
            let is_declared = delegations
                .iter()
                .any(|it| it.consumer == consumer && it.supplier == supplier && it.scope == scope);
            if !is_declared && declared.names_prefix_of(scope) && is_delegation_in_force(&found) {
                let place = Place::of(["delegations", consumer, supplier, scope]);
                let key = format!("{consumer} {supplier} {scope}");
                self.removals.push(removal("delegation", &key, Right::WriteClients, place));
            }
        }
        Ok(())
    }
}

/// Whether tokens are issued by an access now or later.
pub(super) fn is_access_in_force(access: &Value) -> bool {
    access["state"] == "APPROVED" && !is_past(&access["expires_at"])
}

/// Whether tokens are issued by a delegation now or later.
pub(super) fn is_delegation_in_force(delegation: &Value) -> bool {
    delegation["revoked_at"].is_null() && !is_past(&delegation["valid_to"])
}

/// Whether a moment is over; one that is not said never is.
pub(super) fn is_past(time: &Value) -> bool {
    let end = time.as_str().and_then(Timestamp::from_rfc3339);
    end.is_some_and(|end| end <= SystemClock.now())
}

fn removal(noun: &'static str, key: &str, right: Right, place: Place) -> Step {
    let (key, changes) = (key.to_owned(), Vec::new());
    Step { kind: Kind::Remove, noun, key, changes, right, act: Act::Remove(place) }
}
