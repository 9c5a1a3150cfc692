//! The languages in which people are spoken to.

use crate::domain::names::names;

/// A language of the portal and of mail.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Language {
    /// Norwegian bokmål.
    #[default]
    Bokmal,
    /// English.
    English,
    /// Norwegian nynorsk.
    Nynorsk,
}

names!(Language { Bokmal = "nb", Nynorsk = "nn", English = "en" });
