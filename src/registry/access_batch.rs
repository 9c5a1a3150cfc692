//! Many accesses to one scope, granted and withdrawn at once: in one transaction, each with its own rows in the
//! audit trail and in the change feed.

use std::collections::HashSet;

use crate::domain::access::AccessState;
use crate::domain::change::ChangedNoun;
use crate::domain::organization::OrganizationNumber;
use crate::domain::record::Expected;
use crate::domain::right::Right;
use crate::domain::scope::{Scope, ScopeName};
use crate::registry::accesses::{granted, on_access, put, withdrawn};
use crate::registry::change::{Act, Change};
use crate::registry::{AccessTerms, Actor, Registry, RegistryError, views};

/// The most accesses that one batch changes: the database takes no other change meanwhile, so it must be done
/// within a fraction of a second.
pub const ACCESS_BATCH_MAX: usize = 1_000;

/// What is to become of the access of one organization.
#[derive(Clone, Debug)]
pub struct AccessWish {
    /// The organization's number, as it was written: a bad one is refused alone, not with all the others.
    pub consumer: String,
    /// The terms on which it is granted; `None` withdraws it.
    pub grant: Option<AccessTerms>,
}

/// What has become of a wish, or would become of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum WishOutcome {
    /// It was done.
    Done,
    /// It cannot be done.
    Refused {
        /// Why.
        why: String,
    },
    /// The access was like that already.
    Unchanged,
}

/// Whether a batch is carried out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BatchMode {
    /// It is.
    Change,
    /// It is only said what would come of it.
    Try,
}

impl Registry {
    /// Grants and withdraws many accesses to one scope. What can be done of it is done, and what came of each wish
    /// is told in their order.
    pub async fn change_accesses(
        &self,
        actor: &Actor,
        scope: &ScopeName,
        wishes: Vec<AccessWish>,
        mode: BatchMode,
    ) -> Result<Vec<WishOutcome>, RegistryError> {
        let verb = "grant and withdraw in a batch";
        let act = Act { verb, noun: ChangedNoun::Scope, key: scope.to_string() };
        let mut change = self.begin(actor, Right::WriteScopes, act).await?;
        let Some(owned) = change.transaction.scope(scope).await? else {
            return Err(change.absent("scope").await);
        };
        let owned = owned.value;
        let mut change = change.of_scope(&owned).await?;
        if wishes.len() > ACCESS_BATCH_MAX {
            let problem = format!(
                "grant and withdraw name {} organizations together; at most {ACCESS_BATCH_MAX} can be \
                 changed at once",
                wishes.len()
            );
            return Err(RegistryError::invalid("grant", problem));
        }
        let mut met = HashSet::new();
        let mut outcomes = Vec::with_capacity(wishes.len());
        for wish in wishes {
            let outcome = match meet(&mut change, &owned, wish, &mut met).await {
                Ok(true) => WishOutcome::Done,
                Ok(false) => WishOutcome::Unchanged,
                // The fault is the database's, not the wish's.
                Err(error @ RegistryError::Store(_)) => return Err(error),
                Err(refusal) => WishOutcome::Refused { why: refusal.to_string() },
            };
            outcomes.push(outcome);
        }
        // Dropped, the change leaves nothing behind.
        if mode == BatchMode::Change && outcomes.contains(&WishOutcome::Done) {
            change.commit().await?;
        }
        Ok(outcomes)
    }
}

/// Does what one wish asks for. False when there is nothing to be done.
async fn meet(
    change: &mut Change<'_>,
    scope: &Scope,
    wish: AccessWish,
    met: &mut HashSet<OrganizationNumber>,
) -> Result<bool, RegistryError> {
    let consumer: OrganizationNumber =
        wish.consumer.parse().map_err(|error| RegistryError::invalid("consumer", error))?;
    if !met.insert(consumer) {
        return Err(RegistryError::conflict("the organization stands in the batch already"));
    }
    let found = change.transaction.access_case(&scope.name, consumer).await?;
    let (verb, after) = match wish.grant {
        Some(terms) => ("grant", granted(scope, consumer, found.as_ref(), terms, change.now)?),
        None => ("withdraw", withdrawn(found.as_ref(), None)?),
    };
    let is_so = found.as_ref().is_some_and(|found| {
        let denied = [&found.value, &after].map(|it| it.access.state == AccessState::Denied);
        // A withdrawn access keeps the reason that was given then.
        found.value == after || denied == [true, true]
    });
    if is_so {
        return Ok(false);
    }
    put(change, found.as_ref(), &after, Expected::Anything).await?;
    let before = found.map(|found| views::access(&found.value));
    let act = on_access(verb, &scope.name, consumer);
    change.record_one(act, before, Some(views::access(&after))).await?;
    Ok(true)
}
