//! Finds what differs between a declared set and the server.
//!
//! Steps come in an order in which one can rest upon another: prefixes, scopes, accesses, delegations, clients;
//! then what is removed, the other way round.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::cli::admin::api::{Api, Place};
use crate::cli::admin::declared::file::{
    Declared, DeclaredAccess, DeclaredClient, DeclaredDelegation, DeclaredPrefix, DeclaredScope,
    is_same, wanted,
};
use crate::cli::admin::declared::prune;
use crate::cli::admin::declared::steps::{Act, Kind, Step, Steps, change};
use crate::cli::failure::{ExitStatus, Failure};
use crate::domain::right::Right;

/// What is made and changed, and what is removed afterwards.
struct Planner<'a> {
    api: &'a mut Api,
    steps: Vec<Step>,
    removals: Vec<Step>,
}

/// What has to be done so that there is what is declared; with `prune`, and nothing else.
pub(super) async fn plan(
    api: &mut Api,
    declared: &Declared,
    prune: bool,
) -> Result<Steps, Failure> {
    let mut planner = Planner { api, steps: Vec::new(), removals: Vec::new() };
    for prefix in declared.prefix.iter().flatten() {
        planner.prefix(prefix).await?;
    }
    for scope in declared.scope.iter().flatten() {
        planner.scope(scope).await?;
    }
    planner.accesses(declared.access.as_deref().unwrap_or_default()).await?;
    for delegation in declared.delegation.iter().flatten() {
        planner.delegation(delegation).await?;
    }
    planner.clients(declared.client.as_deref().unwrap_or_default(), prune).await?;
    if prune {
        prune::undeclared(planner.api, declared, &mut planner.removals).await?;
    }
    planner.removals.reverse();
    planner.steps.append(&mut planner.removals);
    Ok(Steps(planner.steps))
}

impl Planner<'_> {
    async fn prefix(&mut self, declared: &DeclaredPrefix) -> Result<(), Failure> {
        let place = Place::of(["prefixes", &declared.prefix]);
        let found = self.api.find(&place).await?;
        let step = |kind, changes, act| Step {
            kind,
            noun: "prefix",
            key: declared.prefix.clone(),
            changes,
            right: Right::Operate,
            act,
        };
        let edit = wanted(declared, &["prefix"]);
        let Some(found) = found else {
            let mut new = edit;
            new.insert("prefix".to_owned(), declared.prefix.as_str().into());
            let act = Act::Make(Place::of(["prefixes"]), new.into());
            self.steps.push(step(Kind::Make, Vec::new(), act));
            return Ok(());
        };
        if found.thing["active"] == false {
            let edit = Map::from_iter([("active".to_owned(), true.into())]);
            let changes = told(&found.thing, &edit);
            self.steps.push(step(Kind::Change, changes, Act::Change(place.clone(), edit.into())));
        }
        let edit = differing(&found.thing, edit);
        if !edit.is_empty() {
            let changes = told(&found.thing, &edit);
            self.steps.push(step(Kind::Change, changes, Act::Change(place, edit.into())));
        }
        Ok(())
    }

    async fn scope(&mut self, declared: &DeclaredScope) -> Result<(), Failure> {
        let place = Place::of(["scopes", &declared.scope]);
        let found = self.api.find(&place).await?;
        let step = |kind, changes, act| Step {
            kind,
            noun: "scope",
            key: declared.scope.clone(),
            changes,
            right: Right::WriteScopes,
            act,
        };
        let edit = wanted(declared, &["scope"]);
        let Some(found) = found else {
            let mut new = without_nulls(edit);
            new.insert("scope".to_owned(), declared.scope.as_str().into());
            let act = Act::Make(Place::of(["scopes"]), new.into());
            self.steps.push(step(Kind::Make, Vec::new(), act));
            return Ok(());
        };
        if found.thing["active"] == false {
            let act = Act::Restore(Place::of(["scopes", &declared.scope, "restore"]));
            self.steps.push(step(Kind::Change, vec!["active: no -> yes".to_owned()], act));
        }
        let edit = differing(&found.thing, edit);
        if !edit.is_empty() {
            let changes = told(&found.thing, &edit);
            self.steps.push(step(Kind::Change, changes, Act::Change(place, edit.into())));
        }
        Ok(())
    }

    async fn accesses(&mut self, declared: &[DeclaredAccess]) -> Result<(), Failure> {
        let mut of_scopes: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for access in declared {
            if !of_scopes.contains_key(access.scope.as_str()) {
                let found = accesses_to(self.api, &access.scope).await?;
                of_scopes.insert(&access.scope, found);
            }
            let found = of_scopes.get(access.scope.as_str()).into_iter().flatten();
            let found = found.into_iter().find(|it| it["consumer"] == *access.consumer);
            self.steps.extend(access_step(access, found));
        }
        Ok(())
    }

    async fn delegation(&mut self, declared: &DeclaredDelegation) -> Result<(), Failure> {
        let DeclaredDelegation { consumer, supplier, scope, .. } = declared;
        let place = Place::of(["delegations", consumer, supplier, scope]);
        let found = self.api.find(&place).await?.map(|found| found.thing);
        let edit = wanted(declared, &["consumer", "supplier", "scope"]);
        let (kind, body, mut changes) = match &found {
            None => (Kind::Make, without_nulls(edit), Vec::new()),
            Some(found) => {
                let differing = differing(found, edit.clone());
                let changes = told(found, &differing);
                (Kind::Change, overlaid(found, &["valid_from", "valid_to"], &edit), changes)
            }
        };
        if found.as_ref().is_some_and(|found| !found["revoked_at"].is_null()) {
            changes.push("granted again".to_owned());
        }
        if kind == Kind::Change && changes.is_empty() {
            return Ok(());
        }
        self.steps.push(Step {
            kind,
            noun: "delegation",
            key: format!("{consumer} {supplier} {scope}"),
            changes,
            right: Right::WriteClients,
            act: Act::Put(place, body.into()),
        });
        Ok(())
    }

    async fn clients(&mut self, declared: &[DeclaredClient], prune: bool) -> Result<(), Failure> {
        let mut of_organizations: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for client in declared {
            let organization = client.organization.as_str();
            if !of_organizations.contains_key(organization) {
                let place = Place::of(["clients"])
                    .with("organization", Some(organization))
                    .with_flag("inactive", true);
                of_organizations.insert(organization, self.api.list(&place, None).await?.items);
            }
            let known = of_organizations.get(organization).map(Vec::as_slice).unwrap_or_default();
            match meant(client, known)? {
                Some(found) => self.client(client, found, prune)?,
                None => self.steps.push(new_client(client)),
            }
        }
        Ok(())
    }

    fn client(
        &mut self,
        declared: &DeclaredClient,
        found: &Value,
        prune: bool,
    ) -> Result<(), Failure> {
        let id = found["client_id"].as_str().unwrap_or_default();
        let step = |kind, changes, act| Step {
            kind,
            noun: "client",
            key: format!("{} \"{}\" ({id})", declared.organization, declared.name),
            changes,
            right: Right::WriteClients,
            act,
        };
        let names = ["organization", "client_id", "scopes"];
        let mut edit = differing(found, wanted(declared, &names));
        if edit.remove("integration_type").is_some() {
            return Err(Failure {
                exit: ExitStatus::Conflict,
                message: format!("the integration_type of client {id} cannot be changed any more"),
            });
        }
        if found["active"] == false {
            let act = Act::Restore(Place::of(["clients", id, "restore"]));
            self.steps.push(step(Kind::Change, vec!["active: no -> yes".to_owned()], act));
        }
        if !edit.is_empty() {
            let act = Act::Change(Place::of(["clients", id]), edit.clone().into());
            self.steps.push(step(Kind::Change, told(found, &edit), act));
        }
        let Some(scopes) = &declared.scopes else { return Ok(()) };
        let there: Vec<&str> =
            found["scopes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let switch = |scope: &str, on| {
            let place = Place::of(["clients", id, "scopes", scope]);
            let sign = if on { '+' } else { '-' };
            step(Kind::Change, vec![format!("scopes: {sign} {scope}")], Act::Switch(place, on))
        };
        let missing = scopes.iter().filter(|scope| !there.contains(&scope.as_str()));
        self.steps.extend(missing.map(|scope| switch(scope, true)));
        if prune {
            let surplus = there.iter().filter(|scope| !scopes.iter().any(|it| it == *scope));
            self.removals.extend(surplus.map(|scope| switch(scope, false)));
        }
        Ok(())
    }
}

/// Every access to a scope; none if there is no such scope yet.
pub(super) async fn accesses_to(api: &mut Api, scope: &str) -> Result<Vec<Value>, Failure> {
    match api.list(&Place::of(["scopes", scope, "accesses"]), None).await {
        Err(failure) if failure.exit == ExitStatus::NotFound => Ok(Vec::new()),
        found => found.map(|found| found.items),
    }
}

fn access_step(declared: &DeclaredAccess, found: Option<&Value>) -> Option<Step> {
    let DeclaredAccess { scope, consumer, .. } = declared;
    let edit = wanted(declared, &["scope", "consumer"]);
    let (kind, body, changes) = match found {
        None => (Kind::Make, without_nulls(edit), Vec::new()),
        Some(found) => {
            let mut changes = told(found, &differing(found, edit.clone()));
            if found["state"] != "APPROVED" {
                changes.push(change("state", found.get("state"), &"APPROVED".into()));
            }
            (Kind::Change, overlaid(found, &["expires_at", "note"], &edit), changes)
        }
    };
    if kind == Kind::Change && changes.is_empty() {
        return None;
    }
    let place = Place::of(["scopes", scope, "accesses", consumer]);
    let (key, right) = (format!("{scope} {consumer}"), Right::WriteScopes);
    Some(Step { kind, noun: "access", key, changes, right, act: Act::Put(place, body.into()) })
}

fn new_client(declared: &DeclaredClient) -> Step {
    let scopes = declared.scopes.iter().flatten().map(|scope| format!("scopes: + {scope}"));
    Step {
        kind: Kind::Make,
        noun: "client",
        key: format!("{} \"{}\"", declared.organization, declared.name),
        changes: scopes.collect(),
        right: Right::WriteClients,
        act: Act::Make(Place::of(["clients"]), without_nulls(wanted(declared, &[])).into()),
    }
}

/// The client that is meant, if it is there: the one of that id, or the only one of that name.
fn meant<'a>(declared: &DeclaredClient, known: &'a [Value]) -> Result<Option<&'a Value>, Failure> {
    if let Some(id) = &declared.client_id {
        let found = known.iter().find(|client| client["client_id"] == **id);
        return found.map(Some).ok_or_else(|| Failure {
            exit: ExitStatus::NotFound,
            message: format!(
                "{} has no client {id}; leave out client_id to have one made, which gets an id of its own",
                declared.organization
            ),
        });
    }
    let named: Vec<&Value> =
        known.iter().filter(|client| client["name"] == *declared.name).collect();
    let (active, inactive): (Vec<&Value>, Vec<&Value>) =
        named.into_iter().partition(|client| client["active"] == true);
    match (&active[..], &inactive[..]) {
        ([], []) => Ok(None),
        ([one], _) | ([], [one]) => Ok(Some(one)),
        _ => Err(Failure {
            exit: ExitStatus::Conflict,
            message: format!(
                "{} has several clients named \"{}\"; say which is meant with client_id",
                declared.organization, declared.name
            ),
        }),
    }
}

/// The members that are not on the server as they are wanted.
fn differing(found: &Value, wanted: Map<String, Value>) -> Map<String, Value> {
    let differs = |name: &String, value: &Value| {
        !is_same(found.get(name.as_str()).unwrap_or(&Value::Null), value)
    };
    wanted.into_iter().filter(|(name, value)| differs(name, value)).collect()
}

fn told(found: &Value, edit: &Map<String, Value>) -> Vec<String> {
    edit.iter().map(|(name, value)| change(name, found.get(name.as_str()), value)).collect()
}

/// What is there of these members, under what is wanted: for places that take a thing as a whole.
fn overlaid(found: &Value, names: &[&str], wanted: &Map<String, Value>) -> Map<String, Value> {
    let there = names.iter().filter_map(|name| {
        Some(((*name).to_owned(), found.get(*name).filter(|it| !it.is_null())?.clone()))
    });
    let mut whole: Map<String, Value> = there.collect();
    whole.extend(wanted.clone());
    without_nulls(whole)
}

fn without_nulls(members: Map<String, Value>) -> Map<String, Value> {
    members.into_iter().filter(|(_, value)| !value.is_null()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn access(note: Option<&str>) -> DeclaredAccess {
        DeclaredAccess {
            scope: "a:b".to_owned(),
            consumer: "1".to_owned(),
            expires_at: None,
            note: note.map(str::to_owned),
        }
    }

    #[test]
    fn an_access_that_is_there_is_left_alone_and_what_is_not_declared_of_it_is_kept() {
        let found = json!({"state": "APPROVED", "expires_at": "2030-01-01T00:00:00Z", "note": "x"});
        assert!(access_step(&access(None), Some(&found)).is_none());
        assert!(access_step(&access(Some("x")), Some(&found)).is_none());
        let step = access_step(&access(Some("y")), Some(&found)).unwrap();
        assert_eq!((step.kind, step.changes), (Kind::Change, vec!["note: x -> y".to_owned()]));
        let Act::Put(_, body) = step.act else { panic!("it is put") };
        assert_eq!(body, json!({"expires_at": "2030-01-01T00:00:00Z", "note": "y"}));
        let denied = json!({"state": "DENIED"});
        let step = access_step(&access(None), Some(&denied)).unwrap();
        assert_eq!(step.changes, ["state: DENIED -> APPROVED"]);
        assert_eq!(access_step(&access(None), None).unwrap().kind, Kind::Make);
    }

    #[test]
    fn a_client_is_known_by_its_name_unless_two_have_it() {
        let client =
            |id: &str, active: bool| json!({"client_id": id, "name": "n", "active": active});
        let mut declared = DeclaredClient {
            organization: "1".to_owned(),
            name: "n".to_owned(),
            client_id: None,
            description: None,
            integration_type: None,
            access_token_lifetime: None,
            scopes: None,
        };
        let known = [client("a", true), client("b", false)];
        assert_eq!(meant(&declared, &known).unwrap().unwrap()["client_id"], "a");
        assert!(meant(&declared, &[]).unwrap().is_none());
        let two = [client("a", true), client("b", true)];
        assert_eq!(meant(&declared, &two).unwrap_err().exit, ExitStatus::Conflict);
        declared.client_id = Some("b".to_owned());
        assert_eq!(meant(&declared, &two).unwrap().unwrap()["client_id"], "b");
        assert_eq!(meant(&declared, &[]).unwrap_err().exit, ExitStatus::NotFound);
    }
}
