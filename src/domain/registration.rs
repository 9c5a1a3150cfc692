//! What an organization has registered about a client, beyond what the token path needs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::domain::client::{Client, ClientId, ClientKey, IdError, KeyId};
use crate::domain::integration::IntegrationType;
use crate::domain::organization::OrganizationNumber;
use crate::domain::record::Recorded;

/// The most keys a client can have, as in Maskinporten: one in use, one to change to, and room for mistakes.
pub const CLIENT_KEYS_MAX: usize = 5;

/// A client as it was registered.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientRegistration {
    /// The client.
    pub client: Client,
    /// What it is for, for people.
    pub description: String,
    /// The product it uses; it never changes.
    pub integration_type: IntegrationType,
    /// What nothing here depends on.
    pub details: ClientDetails,
}

/// Settings of log-in products, kept and returned for the tools that set them.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct ClientDetails {
    /// Seconds.
    pub authorization_lifetime: Option<u32>,
    /// Seconds.
    pub refresh_token_lifetime: Option<u32>,
    /// `REUSE` or `ONETIME`.
    pub refresh_token_usage: Option<String>,
    /// `none` or `S256`.
    pub code_challenge_method: Option<String>,
    /// Where people read about the client.
    pub client_uri: Option<String>,
    /// Its logo.
    pub logo_uri: Option<String>,
    /// Where log-in may lead back to.
    pub redirect_uris: Option<Vec<String>>,
    /// Where log-out may lead back to.
    pub post_logout_redirect_uris: Option<Vec<String>>,
    /// Told when a session ends.
    pub frontchannel_logout_uri: Option<String>,
    /// Whether it is told which.
    pub frontchannel_logout_session_required: Option<bool>,
    /// Whether people log in for it alone.
    pub sso_disabled: Option<bool>,
}

/// A registered key with its history.
#[derive(Clone, Debug, PartialEq)]
pub struct RegisteredKey {
    /// The client it is registered on.
    pub client: ClientId,
    /// The key.
    pub key: ClientKey,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When its end was last moved.
    pub updated_at: Timestamp,
    /// When a token was last issued to it; `None` for never.
    pub last_used_at: Option<Timestamp>,
}

/// A client with all its keys, as of one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientFile {
    /// The registration.
    pub registration: Recorded<ClientRegistration>,
    /// Its keys that are not withdrawn, oldest first.
    pub keys: Vec<RegisteredKey>,
    /// When a token was last issued to it; `None` for never.
    pub last_used_at: Option<Timestamp>,
}

impl ClientFile {
    /// The key of that id.
    pub fn key(&self, id: &KeyId) -> Option<&RegisteredKey> {
        self.keys.iter().find(|registered| registered.key.id == *id)
    }
}

/// A client as a list shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientSummary {
    /// The registration, without keys.
    pub registration: Recorded<ClientRegistration>,
    /// How many keys are registered on it.
    pub keys: u32,
    /// When the first of them ends; `None` without keys.
    pub first_key_expires_at: Option<Timestamp>,
    /// When a token was last issued to it; `None` for never.
    pub last_used_at: Option<Timestamp>,
}

/// The identifier of an on-behalf-of object within its client.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct OnBehalfOfId(String);

impl OnBehalfOfId {
    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OnBehalfOfId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The same letters and length as the ids beside which it stands.
        text.parse::<KeyId>().map(|_| Self(text.to_owned()))
    }
}

impl fmt::Display for OnBehalfOfId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A customer of a log-in client. Log-in products use it; tokens between machines do not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OnBehalfOf {
    /// Its identifier within the client.
    pub id: OnBehalfOfId,
    /// What people call the customer's service.
    pub name: String,
    /// The customer.
    pub organization: OrganizationNumber,
    /// What it is for.
    pub description: Option<String>,
    /// Where people read about it.
    pub uri: Option<String>,
    /// Its logo.
    pub logo_uri: Option<String>,
}
