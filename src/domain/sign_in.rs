//! How people get in: by which ways, and by links that are mailed to them.

use crate::domain::names::names;

/// By which ways people sign in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SignInWays {
    /// With a password of this server, or through an OpenID provider.
    Both,
    /// Through an OpenID provider only.
    OpenId,
    /// With a password of this server only.
    Password,
}

names!(SignInWays { Both = "both", OpenId = "open_id", Password = "password" });

impl SignInWays {
    /// Whether people have passwords here.
    pub fn password(self) -> bool {
        self != Self::OpenId
    }

    /// Whether people come from OpenID providers.
    pub fn open_id(self) -> bool {
        self != Self::Password
    }
}

/// What a link in a mail is for. Each is good for one use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LinkPurpose {
    /// To show that an address is one's own, and to choose the first password.
    Confirm,
    /// The same, for somebody who has been invited.
    Invite,
    /// To choose another password.
    Reset,
}

names!(LinkPurpose { Confirm = "confirm", Invite = "invite", Reset = "reset" });

impl LinkPurpose {
    /// Seconds for which a link of this kind counts: a day or three for people who have to be at work to read their
    /// mail, an hour for those who wait for it.
    pub fn lifetime_seconds(self) -> i64 {
        match self {
            Self::Confirm => 24 * 60 * 60,
            Self::Invite => 3 * 24 * 60 * 60,
            Self::Reset => 60 * 60,
        }
    }
}
