//! Scopes. Whoever owns the prefix of a scope owns the scope.

use crate::domain::change::ChangedNoun;
use crate::domain::prefix::{PrefixName, PrefixStatus};
use crate::domain::record::{Page, Recorded, Version};
use crate::domain::right::Right;
use crate::domain::scope::{Scope, ScopeName, ScopeStatus, ScopeSummary, Visibility};
use crate::registry::change::{Act, check_version};
use crate::registry::organizations::taken;
use crate::registry::rules::{check_lifetime, check_line, check_needed_line, check_text};
use crate::registry::{Actor, Registry, RegistryError, views};
use crate::store::ScopeFilter;

impl Registry {
    /// Defines a scope under a prefix of the actor's organization. `scope.owner` is set to the prefix's owner.
    pub async fn define_scope(
        &self,
        actor: &Actor,
        mut scope: Scope,
    ) -> Result<Recorded<Scope>, RegistryError> {
        let mut change =
            self.begin(actor, Right::WriteScopes, on_scope("create", &scope.name)).await?;
        let prefix: PrefixName =
            scope.name.prefix().parse().map_err(|error| RegistryError::invalid("prefix", error))?;
        let Some(prefix) = change.transaction.prefix(&prefix).await? else {
            return Err(change.refuse(RegistryError::NotYours { noun: "prefix" }).await);
        };
        let change = change.of("prefix", prefix.value.owner).await?;
        let mut change = change.under(&scope.name).await?;
        if prefix.value.status == PrefixStatus::Retired {
            return Err(RegistryError::conflict(
                "the prefix is retired; the operator can restore it",
            ));
        }
        scope.owner = prefix.value.owner;
        self.check_scope(actor, &scope)?;
        let done = change.transaction.insert_scope(&scope, change.now).await;
        taken(done, "there is a scope of that name already; if it is deactivated, restore it")?;
        change.finish(None, Some(views::scope(&scope))).await?;
        self.scope_again(&scope.name).await
    }

    /// Changes a scope. Its name and its owner stay what they are.
    pub async fn change_scope(
        &self,
        actor: &Actor,
        name: &ScopeName,
        expected: Option<Version>,
        edit: impl FnOnce(&mut Scope) + Send,
    ) -> Result<Recorded<Scope>, RegistryError> {
        self.edit_scope(actor, on_scope("change", name), name, expected, edit).await
    }

    /// Closes a scope, or opens it again.
    pub async fn set_scope_status(
        &self,
        actor: &Actor,
        name: &ScopeName,
        status: ScopeStatus,
        expected: Option<Version>,
    ) -> Result<Recorded<Scope>, RegistryError> {
        let verb = match status {
            ScopeStatus::Active => "restore",
            ScopeStatus::Deactivated => "deactivate",
        };
        let edit = |scope: &mut Scope| scope.status = status;
        self.edit_scope(actor, on_scope(verb, name), name, expected, edit).await
    }

    async fn edit_scope(
        &self,
        actor: &Actor,
        act: Act,
        name: &ScopeName,
        expected: Option<Version>,
        edit: impl FnOnce(&mut Scope) + Send,
    ) -> Result<Recorded<Scope>, RegistryError> {
        let mut change = self.begin(actor, Right::WriteScopes, act).await?;
        let Some(found) = change.transaction.scope(name).await? else {
            return Err(change.absent("scope").await);
        };
        let change = change.of_scope(&found.value).await?;
        let mut change = change.under(name).await?;
        check_version(found.version, expected)?;
        let mut after = found.value.clone();
        edit(&mut after);
        after.name.clone_from(name);
        after.owner = found.value.owner;
        self.check_scope(actor, &after)?;
        change.transaction.update_scope(&after, found.version, change.now).await?;
        change.alert_of_scope(&found, &after).await?;
        change.finish(Some(views::scope(&found.value)), Some(views::scope(&after))).await?;
        self.scope_again(name).await
    }

    /// A scope of the actor's own organization, or any for the operator.
    pub async fn scope(
        &self,
        actor: &Actor,
        name: &ScopeName,
    ) -> Result<Recorded<Scope>, RegistryError> {
        actor.require(Right::ReadScopes)?;
        let found = self.store.scope(name).await?;
        let found = found.ok_or(RegistryError::Absent { noun: "scope" })?;
        if actor.owns(found.value.owner) {
            Ok(found)
        } else if found.value.visibility == Visibility::Public {
            Err(RegistryError::NotYours { noun: "scope" })
        } else {
            Err(RegistryError::Absent { noun: "scope" })
        }
    }

    /// A scope that the actor can see: its own, one in the public list, one that its organization has asked for or
    /// been given, or any for the operator.
    pub async fn visible_scope(
        &self,
        actor: &Actor,
        name: &ScopeName,
    ) -> Result<Recorded<Scope>, RegistryError> {
        actor.require(Right::ReadScopes)?;
        let absent = RegistryError::Absent { noun: "scope" };
        let found = self.store.scope(name).await?.ok_or(absent)?;
        if actor.owns(found.value.owner) || found.value.visibility == Visibility::Public {
            return Ok(found);
        }
        let known = match actor.organization {
            Some(own) => self.store.access(name, own).await?.is_some(),
            None => false,
        };
        known.then_some(found).ok_or(RegistryError::Absent { noun: "scope" })
    }

    /// Scopes of the actor's own organization, or of any for the operator, by name, at most `limit`.
    pub async fn scopes(
        &self,
        actor: &Actor,
        mut filter: ScopeFilter,
        limit: u32,
    ) -> Result<Page<ScopeSummary>, RegistryError> {
        actor.require(Right::ReadScopes)?;
        filter.owner = actor.organization_to_list(filter.owner)?;
        Ok(self.store.scopes(&filter, limit).await?)
    }

    /// Scopes that everybody can find, by name, at most `limit`. How much they are used is for their owners.
    pub async fn public_scopes(
        &self,
        filter: ScopeFilter,
        limit: u32,
    ) -> Result<Page<ScopeSummary>, RegistryError> {
        let filter = ScopeFilter { public_only: true, tokens_from: None, ..filter };
        Ok(self.store.scopes(&filter, limit).await?)
    }

    async fn scope_again(&self, name: &ScopeName) -> Result<Recorded<Scope>, RegistryError> {
        self.store.scope(name).await?.ok_or(RegistryError::Stale)
    }

    /// What holds for every scope.
    fn check_scope(&self, actor: &Actor, scope: &Scope) -> Result<(), RegistryError> {
        check_needed_line("description", &scope.description)?;
        check_lifetime("at_max_age", scope.token_lifetime_seconds_max)?;
        let login = Some(scope.details.authorization_max_lifetime);
        check_lifetime("authorization_max_lifetime", login)?;
        if let Some(long) = &scope.details.long_description {
            check_text("long_description", long)?;
        }
        for (member, text) in &scope.details.translations {
            if member.starts_with("long_") {
                check_text("long_description", text)?;
            } else {
                check_line("description", text)?;
            }
        }
        if scope.visibility == Visibility::Internal && !actor.rights.operate() {
            return Err(RegistryError::invalid(
                "visibility",
                "INTERNAL is the operator's; it must be PUBLIC or PRIVATE",
            ));
        }
        match &scope.delegation_source {
            Some(source)
                if !self.rules.delegation_sources.iter().any(|it| it.issuer == *source) =>
            {
                Err(RegistryError::invalid(
                    "delegation_source",
                    "it must be the issuer of a known register; see /delegationsources",
                ))
            }
            _ => Ok(()),
        }
    }
}

fn on_scope(verb: &'static str, name: &ScopeName) -> Act {
    Act { verb, noun: ChangedNoun::Scope, key: name.to_string() }
}
