//! Step 7, second half: whether a consumer has delegated a scope to a supplier.
//!
//! The owner of a scope names the one register whose word counts for it (`delegation_source`). That is the table
//! of this server, when it is our issuer, or another server that the configuration knows. Behind
//! [`DelegationRegister`] they look the same; here it is decided which one is asked. The one that asks over the
//! network is in [`crate::remote`], so that the token path knows no HTTP; what it says is remembered for
//! moments by [`memory`], under a bound on time and on lookups under way.
//!
//! Invariant: no register, no answer and no clear answer all mean that nothing has been delegated or that
//! nobody can tell now. Only a register that has said yes lets a supplier act.

pub mod memory;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::domain::organization::OrganizationNumber;
use crate::domain::scope::{Scope, ScopeName};
use crate::token::cache::Caches;
use crate::token::refusal::Refusal;

/// What a register is asked: may the supplier act for the consumer with this scope?
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct DelegationQuestion {
    /// The organization that has the access.
    pub consumer: OrganizationNumber,
    /// The organization that wants to use it.
    pub supplier: OrganizationNumber,
    /// The scope.
    pub scope: ScopeName,
}

/// What a register says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// The consumer has delegated, and it holds.
    Delegated,
    /// There is no delegation that holds.
    NotDelegated,
}

/// A verdict to come. A register that cannot tell says [`Refusal::Unavailable`].
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<Verdict, Refusal>> + Send + 'a>>;

/// A register of delegations.
pub trait DelegationRegister: Send + Sync {
    /// Looks for a delegation that holds at `now`.
    fn ask<'a>(&'a self, question: &'a DelegationQuestion, now: Timestamp) -> Answer<'a>;
}

/// The table of this server, through the cache that follows its changes.
pub struct LocalRegister {
    issuer: String,
    caches: Arc<Caches>,
}

impl LocalRegister {
    /// The register that goes by `issuer`, which is who this server is.
    pub fn new(issuer: String, caches: Arc<Caches>) -> Self {
        Self { issuer, caches }
    }
}

impl DelegationRegister for LocalRegister {
    fn ask<'a>(&'a self, question: &'a DelegationQuestion, now: Timestamp) -> Answer<'a> {
        Box::pin(async move {
            let DelegationQuestion { consumer, supplier, scope } = question;
            let delegation = self.caches.delegation(*consumer, *supplier, scope).await?;
            // The table may hold what was copied from another register, which does not count here.
            let holds = delegation.is_some_and(|it| it.source == self.issuer && it.holds_at(now));
            Ok(if holds { Verdict::Delegated } else { Verdict::NotDelegated })
        })
    }
}

/// A register as those see it who choose one for a scope.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DelegationSource {
    /// What scopes name it by, and tokens.
    pub issuer: String,
    /// Its name for people.
    pub name: String,
}

/// A register and what it goes by.
pub type KnownRegister = (DelegationSource, Box<dyn DelegationRegister>);

/// Every register whose word can count here.
pub struct DelegationRegisters {
    registers: Vec<KnownRegister>,
    clock: Arc<dyn Clock>,
}

/// Once this has gone by, a request is asked no further scopes about: a hundred scopes at a slow register
/// would otherwise hold it for a minute. With the longest time-out of one answer it stays below ten seconds.
const ASKING_TIME_MAX: Duration = Duration::from_secs(2);

impl DelegationRegisters {
    /// These registers, our own first.
    pub fn new(registers: Vec<KnownRegister>, clock: Arc<dyn Clock>) -> Self {
        Self { registers, clock }
    }

    /// Makes sure that every one of `scopes` is delegated, in one register, which is named in return: a token
    /// can name one only. That they agree is seen before any register is asked.
    pub async fn check(
        &self,
        consumer: OrganizationNumber,
        supplier: OrganizationNumber,
        scopes: &[Arc<Scope>],
        now: Timestamp,
    ) -> Result<&DelegationSource, Refusal> {
        let refusal = |scope: &ScopeName| {
            let scope = scope.clone();
            Refusal::Delegation { consumer, scope, supplier }
        };
        let mut chosen: Option<&KnownRegister> = None;
        for scope in scopes {
            let found = self.of_scope(scope).ok_or_else(|| refusal(&scope.name))?;
            if chosen.is_some_and(|(source, _)| *source != found.0) {
                return Err(refusal(&scope.name));
            }
            chosen = Some(found);
        }
        // A request without scopes is refused long before this.
        let no_scope = || Refusal::Unavailable { cause: "no scope to be delegated".to_owned() };
        let (source, register) = chosen.ok_or_else(no_scope)?;
        let began = self.clock.uptime();
        for scope in scopes {
            if self.clock.uptime().saturating_sub(began) > ASKING_TIME_MAX {
                let cause =
                    format!("delegation register {} is too slow for so many scopes", source.issuer);
                return Err(Refusal::Unavailable { cause });
            }
            let scope = scope.name.clone();
            let question = DelegationQuestion { consumer, supplier, scope };
            match register.ask(&question, now).await? {
                Verdict::Delegated => {}
                Verdict::NotDelegated => return Err(refusal(&question.scope)),
            }
        }
        Ok(source)
    }

    /// The register that the owner of `scope` accepts.
    fn of_scope(&self, scope: &Scope) -> Option<&KnownRegister> {
        let accepted = scope.delegation_source.as_ref()?;
        self.registers.iter().find(|(source, _)| source.issuer == *accepted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::StandingClock;

    /// Says yes, after a while.
    struct SlowRegister(Arc<StandingClock>);

    impl DelegationRegister for SlowRegister {
        fn ask<'a>(&'a self, _: &'a DelegationQuestion, _: Timestamp) -> Answer<'a> {
            self.0.push_uptime(1_500);
            Box::pin(async { Ok(Verdict::Delegated) })
        }
    }

    fn scope(index: usize) -> Arc<Scope> {
        let (name, owner) = (format!("a:{index}").parse().unwrap(), "991825827".parse().unwrap());
        Arc::new(Scope {
            delegation_source: Some("https://slow.test/".to_owned()),
            ..Scope::new(name, owner, "A")
        })
    }

    #[tokio::test]
    async fn many_scopes_at_a_slow_register_do_not_hold_a_request_for_long() {
        let clock = Arc::new(StandingClock::at(0));
        let source =
            DelegationSource { issuer: "https://slow.test/".to_owned(), name: "Slow".to_owned() };
        let register = Box::new(SlowRegister(Arc::clone(&clock)));
        let its_clock = Arc::<StandingClock>::clone(&clock);
        let registers = DelegationRegisters::new(vec![(source, register)], its_clock);
        let (consumer, supplier) = ("991825827".parse().unwrap(), "310000116".parse().unwrap());
        let check = async |count: usize| {
            let scopes: Vec<_> = (0..count).map(scope).collect();
            registers.check(consumer, supplier, &scopes, clock.now()).await
        };
        assert_eq!(check(2).await.unwrap().name, "Slow");
        assert!(matches!(check(100).await, Err(Refusal::Unavailable { .. })));
        assert_eq!(clock.uptime(), Duration::from_secs(6));
        assert!(matches!(check(0).await, Err(Refusal::Unavailable { .. })));
    }
}
