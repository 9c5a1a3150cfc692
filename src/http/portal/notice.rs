//! What a page says at its top about what has just been done, after the browser was sent on to it.

use crate::domain::names::names;

/// Something that has been done. Its word is the end of the name of its text: `notice-saved`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Notice {
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
    Invited = "invited",
    PasswordChosen = "password-chosen",
    Saved = "saved",
    SignedOut = "signed-out",
});
