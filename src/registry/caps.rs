//! How much one organization may make: far more than any has use for, and no more than the database takes from one
//! without the others noticing.

use crate::domain::organization::OrganizationNumber;
use crate::domain::scope::ScopeName;
use crate::registry::RegistryError;
use crate::store::Transaction;

/// The most clients of one organization, deactivated ones included. Lists and caches are tested with 100,000.
pub(super) const CLIENTS_MAX: u32 = 200_000;

/// The most accesses to one scope, withdrawn ones included: more than there are organizations in Norway's register.
/// Lists are tested with a million.
pub(super) const ACCESSES_MAX: u32 = 2_000_000;

/// The most requests with an Idempotency-Key of one organization whose answers are kept at a time; at 2 KiB each, a
/// fifth of a gigabyte.
pub(super) const KEPT_ANSWERS_MAX: u32 = 100_000;

/// Counts a client that is about to be made, if there may be one more.
pub(super) async fn count_client(
    transaction: &mut Transaction,
    organization: OrganizationNumber,
) -> Result<(), RegistryError> {
    if transaction.count_client(organization, CLIENTS_MAX).await? {
        return Ok(());
    }
    Err(RegistryError::conflict(format!(
        "the organization has {CLIENTS_MAX} clients, the most that one can have; change one that is not used any more \
         instead of making another"
    )))
}

/// Counts an access that is about to be made, if there may be one more.
pub(super) async fn count_access(
    transaction: &mut Transaction,
    scope: &ScopeName,
) -> Result<(), RegistryError> {
    if transaction.count_access(scope, ACCESSES_MAX).await? {
        return Ok(());
    }
    Err(RegistryError::conflict(format!(
        "the scope has {ACCESSES_MAX} accesses, the most that one can have; open it to every organization, or divide \
         it into several"
    )))
}
