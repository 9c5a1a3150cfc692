//! The languages in which people are spoken to.

use serde::{Deserialize, Serialize};

use crate::domain::names::names;

/// A language of the portal and of mails.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Language {
    /// Norwegian bokmål, the most common.
    #[default]
    #[serde(rename = "nb")]
    Bokmal,
    /// English.
    #[serde(rename = "en")]
    English,
    /// Norwegian nynorsk.
    #[serde(rename = "nn")]
    Nynorsk,
}

names!(Language { Bokmal = "nb", English = "en", Nynorsk = "nn" });
