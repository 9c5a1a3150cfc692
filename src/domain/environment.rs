//! The environment that an installation is: its name and colour, its sisters, and who may serve themselves in it.

use crate::domain::email_address::EmailAddress;
use crate::domain::names::names;

/// Who may serve themselves in an environment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SelfService {
    /// Every confirmed user of an organization, as is usual for test.
    Open,
    /// Those whom an authorized person of their organization has given access; the operator appoints that
    /// person. As is usual for production.
    Restricted,
}

names!(SelfService { Open = "open", Restricted = "restricted" });

/// The colour by which people know the environment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EnvironmentColour {
    /// Blue.
    Blue,
    /// Green.
    Green,
    /// Grey.
    Grey,
    /// Orange.
    Orange,
    /// Purple.
    Purple,
    /// Red.
    Red,
}

names!(EnvironmentColour {
    Blue = "blue",
    Green = "green",
    Grey = "grey",
    Orange = "orange",
    Purple = "purple",
    Red = "red",
});

/// An environment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Environment {
    /// What people call it.
    pub name: String,
    /// The colour by which they know it.
    pub colour: EnvironmentColour,
    /// Who may serve themselves in it.
    pub self_service: SelfService,
    /// The portals of the other environments.
    pub sisters: Vec<Sister>,
    /// What every page leads to beside them.
    pub about: About,
}

/// What people should find about a service: what the law wants told, and who helps. Each is told where it is known.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct About {
    /// Where the accessibility statement is, which public bodies must have (Directive (EU) 2016/2102 article 7).
    pub accessibility_statement_url: Option<String>,
    /// Where it is told what becomes of personal data (GDPR article 13).
    pub privacy_statement_url: Option<String>,
    /// Who answers questions.
    pub support_email: Option<EmailAddress>,
}

/// The portal of another environment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sister {
    /// What people call it.
    pub name: String,
    /// Where it is.
    pub url: String,
}
