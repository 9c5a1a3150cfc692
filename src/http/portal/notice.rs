//! What a page says at its top about what has just been done, after the browser was sent on to it.

use crate::domain::names::names;

/// Something that has been done. Its word is the end of the name of its text: `notice-saved`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Notice {
    /// Access has been refused.
    AccessDenied,
    /// An organization has access.
    AccessGiven,
    /// Access has been asked for.
    AccessRequested,
    /// It has it no more.
    AccessWithdrawn,
    /// Many organizations have access.
    AccessesGiven,
    /// A client gets no more tokens.
    ClientDeactivated,
    /// A client gets tokens again.
    ClientRestored,
    /// A supplier may fetch tokens on behalf of the organization.
    Delegated,
    /// It may no longer.
    DelegationWithdrawn,
    /// Somebody has been sent an invitation.
    Invited,
    /// A key is registered.
    KeyAdded,
    /// A key has a successor.
    KeyRenewed,
    /// A key counts no more.
    KeyWithdrawn,
    /// An organization is registered.
    OrganizationAdmitted,
    /// An organization takes part no more.
    OrganizationDeactivated,
    /// It takes part again.
    OrganizationRestored,
    /// Somebody has chosen the password that they sign in with.
    PasswordChosen,
    /// A prefix has an owner.
    PrefixAssigned,
    /// A prefix has been asked for.
    PrefixRequested,
    /// Its owner makes scopes under it again.
    PrefixRestored,
    /// Nobody makes scopes under a prefix any more.
    PrefixRetired,
    /// A prefix has another owner.
    PrefixTransferred,
    /// A request for a prefix has been refused.
    RequestDenied,
    /// What was asked for and not answered is not asked for any more.
    RequestTakenBack,
    /// What was written has been saved.
    Saved,
    /// A scope is on a client.
    ScopeAdded,
    /// A scope is there.
    ScopeCreated,
    /// Nobody gets tokens for a scope any more.
    ScopeDeactivated,
    /// A scope is on a client no more.
    ScopeRemoved,
    /// Its consumers get tokens for it again.
    ScopeRestored,
    /// The next signing key is published.
    SigningKeyAnnounced,
    /// Another key signs from now on.
    SigningKeyReplaced,
    /// A signing key is gone.
    SigningKeyRetired,
    /// Somebody has signed out.
    SignedOut,
}

names!(pub(super) Notice {
    AccessDenied = "access-denied",
    AccessGiven = "access-given",
    AccessRequested = "access-requested",
    AccessWithdrawn = "access-withdrawn",
    AccessesGiven = "accesses-given",
    ClientDeactivated = "client-deactivated",
    ClientRestored = "client-restored",
    Delegated = "delegated",
    DelegationWithdrawn = "delegation-withdrawn",
    Invited = "invited",
    KeyAdded = "key-added",
    KeyRenewed = "key-renewed",
    KeyWithdrawn = "key-withdrawn",
    OrganizationAdmitted = "organization-admitted",
    OrganizationDeactivated = "organization-deactivated",
    OrganizationRestored = "organization-restored",
    PasswordChosen = "password-chosen",
    PrefixAssigned = "prefix-assigned",
    PrefixRequested = "prefix-requested",
    PrefixRestored = "prefix-restored",
    PrefixRetired = "prefix-retired",
    PrefixTransferred = "prefix-transferred",
    RequestDenied = "request-denied",
    RequestTakenBack = "request-taken-back",
    Saved = "saved",
    ScopeAdded = "scope-added",
    ScopeCreated = "scope-created",
    ScopeDeactivated = "scope-deactivated",
    ScopeRemoved = "scope-removed",
    ScopeRestored = "scope-restored",
    SigningKeyAnnounced = "signing-key-announced",
    SigningKeyReplaced = "signing-key-replaced",
    SigningKeyRetired = "signing-key-retired",
    SignedOut = "signed-out",
});
