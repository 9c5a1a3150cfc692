//! A scope as this API writes and reads it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::organization::OrganizationNumber;
use crate::domain::record::Recorded;
use crate::domain::scope::{
    EuropeanBusinesses, Scope, ScopeAudience, ScopeDetails, ScopeName, ScopeStatus, Visibility,
};
use crate::http::admin::compatible::{said, time};
use crate::http::admin::error::ApiError;
use crate::http::admin::value::{read, read_product};

/// The only kind of access token here: whoever has the public keys can read it.
const SELF_CONTAINED: &str = "SELF_CONTAINED";

/// A scope.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = compatible::Scope)]
#[expect(clippy::struct_excessive_bools, reason = "the members are Digdir's")]
pub(super) struct ScopeReply {
    name: String,
    prefix: String,
    subscope: String,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    long_description: Option<String>,
    /// `description#en` and so on.
    #[serde(flatten)]
    translations: BTreeMap<String, String>,
    active: bool,
    visibility: &'static str,
    token_type: &'static str,
    /// Seconds; 0 leaves it to the client.
    at_max_age: u32,
    authorization_max_lifetime: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    delegation_source: Option<String>,
    accessible_for_all: bool,
    allowed_integration_types: Vec<&'static str>,
    requires_user_consent: bool,
    requires_user_authentication: bool,
    requires_pseudonymous_tokens: bool,
    supports_european_businesses: bool,
    owner_orgno: String,
    created: String,
    last_updated: String,
}

impl From<Recorded<Scope>> for ScopeReply {
    fn from(found: Recorded<Scope>) -> Self {
        let scope = found.value;
        Self {
            prefix: scope.name.prefix().to_owned(),
            subscope: scope.name.subscope().to_owned(),
            name: scope.name.to_string(),
            description: scope.description,
            long_description: scope.details.long_description,
            translations: scope.details.translations,
            active: scope.status == ScopeStatus::Active,
            visibility: scope.visibility.name(),
            token_type: SELF_CONTAINED,
            at_max_age: scope.token_lifetime_seconds_max.unwrap_or(0),
            authorization_max_lifetime: scope.details.authorization_max_lifetime,
            delegation_source: scope.delegation_source,
            accessible_for_all: scope.audience == ScopeAudience::AnyOrganization,
            allowed_integration_types: scope.integration_types.iter().map(|it| it.name()).collect(),
            requires_user_consent: scope.details.requires_user_consent,
            requires_user_authentication: scope.details.requires_user_authentication,
            requires_pseudonymous_tokens: scope.details.requires_pseudonymous_tokens,
            supports_european_businesses: scope.european_businesses.are_supported(),
            owner_orgno: scope.owner.to_string(),
            created: time(found.created_at),
            last_updated: time(found.updated_at),
        }
    }
}

/// A scope to be made, or what is to stand in the place of one.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = compatible::ScopeRequest)]
pub(super) struct ScopeBody {
    /// `prefix:subscope`; not needed beside these two.
    name: Option<String>,
    prefix: Option<String>,
    subscope: Option<String>,
    description: Option<String>,
    #[serde(rename = "description#nn")]
    description_nn: Option<String>,
    #[serde(rename = "description#en")]
    description_en: Option<String>,
    #[serde(rename = "description#se")]
    description_se: Option<String>,
    long_description: Option<String>,
    #[serde(rename = "long_description#nn")]
    long_description_nn: Option<String>,
    #[serde(rename = "long_description#en")]
    long_description_en: Option<String>,
    #[serde(rename = "long_description#se")]
    long_description_se: Option<String>,
    /// A change that does not say it leaves it as it is.
    active: Option<bool>,
    /// `PUBLIC` unless it says otherwise.
    visibility: Option<String>,
    /// `SELF_CONTAINED`, which is also what it is when it is not said.
    token_type: Option<String>,
    at_max_age: Option<u32>,
    authorization_max_lifetime: Option<u32>,
    /// One of `/delegationsources`.
    delegation_source: Option<String>,
    accessible_for_all: Option<bool>,
    allowed_integration_types: Option<Vec<String>>,
    requires_user_consent: Option<bool>,
    requires_user_authentication: Option<bool>,
    requires_pseudonymous_tokens: Option<bool>,
    /// A change that does not say it leaves it as it is, because older tools do not know it.
    supports_european_businesses: Option<bool>,
}

impl ScopeBody {
    /// The name that it says in one way or in two, which must then agree.
    pub(super) fn name(&self) -> Result<Option<ScopeName>, ApiError> {
        let said = |text: &Option<String>| said(text.clone());
        let parts = said(&self.prefix).zip(said(&self.subscope));
        let parts = parts.map(|(prefix, subscope)| format!("{prefix}:{subscope}"));
        match (said(&self.name), parts) {
            (Some(name), Some(parts)) if name != parts => {
                let problem = "it must be the prefix, a colon and the subscope";
                Err(ApiError::parameter("name", problem))
            }
            (Some(text), _) => Ok(Some(read("name", &text)?)),
            (None, Some(text)) => Ok(Some(read("subscope", &text)?)),
            (None, None) => Ok(None),
        }
    }

    /// Whether it is to be open for use, if that is said.
    pub(super) fn status(&self) -> Option<ScopeStatus> {
        let status = |active| if active { ScopeStatus::Active } else { ScopeStatus::Deactivated };
        self.active.map(status)
    }

    /// Whether European businesses are to get tokens for it, if that is said.
    pub(super) fn european_businesses(&self) -> Option<EuropeanBusinesses> {
        self.supports_european_businesses.map(EuropeanBusinesses::of)
    }

    /// The scope of that name that it describes, with nothing left of another one.
    pub(super) fn into_scope(
        self,
        name: ScopeName,
        owner: OrganizationNumber,
    ) -> Result<Scope, ApiError> {
        let token_type = self.token_type.as_deref().unwrap_or_default();
        if !["", SELF_CONTAINED].contains(&token_type) {
            let problem = "this server issues tokens of type SELF_CONTAINED only";
            return Err(ApiError::parameter("token_type", problem));
        }
        let visibility = match said(self.visibility) {
            Some(word) => Visibility::from_name(&word)
                .ok_or_else(|| ApiError::parameter("visibility", "it must be PUBLIC or PRIVATE"))?,
            None => Visibility::Public,
        };
        let types = self.allowed_integration_types.unwrap_or_default();
        let integration_types: Vec<_> = types
            .iter()
            .map(|word| read_product("allowed_integration_types", word))
            .collect::<Result<_, _>>()?;
        let translations = [
            ("description#nn", self.description_nn),
            ("description#en", self.description_en),
            ("description#se", self.description_se),
            ("long_description#nn", self.long_description_nn),
            ("long_description#en", self.long_description_en),
            ("long_description#se", self.long_description_se),
        ];
        let translations = translations
            .into_iter()
            .filter_map(|(member, text)| Some((member.to_owned(), said(text)?)));
        let details = ScopeDetails {
            long_description: said(self.long_description),
            translations: translations.collect(),
            authorization_max_lifetime: self.authorization_max_lifetime.unwrap_or(0),
            requires_user_consent: self.requires_user_consent.unwrap_or(false),
            requires_user_authentication: self.requires_user_authentication.unwrap_or(false),
            requires_pseudonymous_tokens: self.requires_pseudonymous_tokens.unwrap_or(false),
        };
        let audience = if self.accessible_for_all.unwrap_or(false) {
            ScopeAudience::AnyOrganization
        } else {
            ScopeAudience::GrantedOrganizations
        };
        let description = self.description.unwrap_or_default();
        Ok(Scope {
            audience,
            visibility,
            integration_types,
            token_lifetime_seconds_max: self.at_max_age.filter(|seconds| *seconds > 0),
            delegation_source: said(self.delegation_source),
            details,
            ..Scope::new(name, owner, &description)
        })
    }
}
