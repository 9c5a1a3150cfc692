//! The environment that an installation is: its name and colour, its sisters, and who may serve themselves in it.

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
}

/// The portal of another environment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sister {
    /// What people call it.
    pub name: String,
    /// Where it is.
    pub url: String,
}
