//! The steps of a token request, by which it is timed, logged and explained.

/// The steps of a token request, in order.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Step {
    /// The form, until the last byte of it has arrived.
    Form,
    /// The shape of the assertion.
    Parse,
    /// The client.
    Client,
    /// The key: registered, or an enterprise certificate.
    Key,
    /// The signature.
    Signature,
    /// Audience, times and the other claims.
    Claims,
    /// Scopes, access and delegation.
    Access,
    /// The assertion is spent.
    Spend,
    /// The access token is signed.
    Sign,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Self; 9] = [
        Self::Form,
        Self::Parse,
        Self::Client,
        Self::Key,
        Self::Signature,
        Self::Claims,
        Self::Access,
        Self::Spend,
        Self::Sign,
    ];

    /// The name of the step, as metrics and logs have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Parse => "parse",
            Self::Client => "client",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::Claims => "claims",
            Self::Access => "access",
            Self::Spend => "spend",
            Self::Sign => "sign",
        }
    }

    /// The step of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.name() == name)
    }
}
