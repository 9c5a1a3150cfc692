//! What a page says at its top about what has just been done, after the browser was sent on to it.

use crate::domain::names::names;

/// Something that has been done. Its word is the end of the name of its text: `notice-saved`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Notice {
    /// An organization is registered.
    OrganizationAdmitted,
    /// An organization takes part no more.
    OrganizationDeactivated,
    /// It takes part again.
    OrganizationRestored,
    /// A prefix has an owner.
    PrefixAssigned,
    /// Nobody makes scopes under a prefix any more.
    PrefixRetired,
    /// Its owner makes scopes under it again.
    PrefixRestored,
    /// A prefix has another owner.
    PrefixTransferred,
    /// A request for a prefix has been refused.
    RequestDenied,
    /// Somebody has been sent an invitation.
    Invited,
    /// Somebody has chosen the password that they sign in with.
    PasswordChosen,
    /// What was written has been saved.
    Saved,
    /// Somebody has signed out.
    SignedOut,
}

names!(pub(super) Notice {
    OrganizationAdmitted = "organization-admitted",
    OrganizationDeactivated = "organization-deactivated",
    OrganizationRestored = "organization-restored",
    PrefixAssigned = "prefix-assigned",
    PrefixRetired = "prefix-retired",
    PrefixRestored = "prefix-restored",
    PrefixTransferred = "prefix-transferred",
    RequestDenied = "request-denied",
    Invited = "invited",
    PasswordChosen = "password-chosen",
    Saved = "saved",
    SignedOut = "signed-out",
});
