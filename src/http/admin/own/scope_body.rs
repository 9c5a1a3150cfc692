//! Scopes as they are sent: to be defined, and to be changed.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::integration::IntegrationType;
use crate::domain::organization::OrganizationNumber;
use crate::domain::scope::{
    EuropeanBusinesses, OutagePolicy, Scope, ScopeAudience, ScopeStatus, Visibility,
};
use crate::http::admin::error::ApiError;
use crate::http::admin::own::patch::{Patch, given};
use crate::http::admin::value::{read, read_product, word};

/// A scope to be defined.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewScope {
    #[schema(
        pattern = "^[a-z0-9][a-z0-9_.-]*:[A-Za-z0-9][A-Za-z0-9_./:-]*$",
        max_length = 255,
        example = "nav:arbeid.read"
    )]
    scope: String,
    /// What it lets the caller do, in one line.
    #[schema(min_length = 1, max_length = 255)]
    description: String,
    #[schema(max_length = 1023)]
    long_description: Option<String>,
    /// PUBLIC (in the public list) unless something else is said; INTERNAL is the operator's.
    #[schema(pattern = "^(PUBLIC|PRIVATE|INTERNAL)$")]
    visibility: Option<String>,
    /// Whether every organization gets tokens for it, without being granted access. No, unless it is said.
    accessible_for_all: Option<bool>,
    /// The products it is meant for; none means every product.
    #[schema(example = json!(["maskinporten"]))]
    allowed_integration_types: Option<Vec<String>>,
    /// How long a token that carries it lives at most; if it is not said, the client decides.
    #[schema(minimum = 1)]
    token_lifetime_seconds_max: Option<u32>,
    /// The issuer of the register of delegations that counts; if it is not said, the scope cannot be delegated.
    delegation_source: Option<String>,
    /// Whether tokens are issued for it while the database cannot be reached, for as long as the installation does that: what
    /// was withdrawn meanwhile may then still be used. No, unless it is said.
    issued_in_outage: Option<bool>,
    /// Whether every European business gets tokens for it by its certificate for electronic seals, without being registered or
    /// granted access: the API must then decide what each may. No, unless it is said.
    supports_european_businesses: Option<bool>,
}

/// What is to change of a scope. What is absent stays; `null` takes away what a scope can be without.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ScopeEdit {
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false, min_length = 1, max_length = 255)]
    description: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 1023)]
    long_description: Patch<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false, pattern = "^(PUBLIC|PRIVATE|INTERNAL)$")]
    visibility: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    accessible_for_all: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    allowed_integration_types: Option<Vec<String>>,
    #[serde(default)]
    #[schema(value_type = Option<u32>, minimum = 1)]
    token_lifetime_seconds_max: Patch<u32>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    delegation_source: Patch<String>,
    /// Whether tokens are issued for it while the database cannot be reached.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    issued_in_outage: Option<bool>,
    /// Whether every European business gets tokens for it by its certificate for electronic seals.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    supports_european_businesses: Option<bool>,
    /// Whether tokens are issued for it.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    active: Option<bool>,
}

impl NewScope {
    /// The scope; whose it is depends on its prefix, and `caller` stands in until that is settled.
    pub(super) fn scope(self, caller: OrganizationNumber) -> Result<Scope, ApiError> {
        let mut scope = Scope::new(read("scope", &self.scope)?, caller, &self.description);
        check_lifetime(self.token_lifetime_seconds_max)?;
        if let Some(visibility) = self.visibility {
            scope.visibility = read_visibility(&visibility)?;
        }
        if let Some(types) = self.allowed_integration_types {
            scope.integration_types = read_types(&types)?;
        }
        scope.audience = audience(self.accessible_for_all.unwrap_or(false));
        scope.token_lifetime_seconds_max = self.token_lifetime_seconds_max;
        scope.delegation_source = self.delegation_source;
        scope.outage_policy = OutagePolicy::new(self.issued_in_outage.unwrap_or(false));
        scope.european_businesses =
            EuropeanBusinesses::of(self.supports_european_businesses.unwrap_or(false));
        scope.details.long_description = self.long_description;
        Ok(scope)
    }
}

impl ScopeEdit {
    /// The change, if every value in it can be read.
    pub(super) fn read(self) -> Result<impl FnOnce(&mut Scope) + Send, ApiError> {
        let visibility = self.visibility.as_deref().map(read_visibility).transpose()?;
        let types = self.allowed_integration_types.as_deref().map(read_types).transpose()?;
        if let Patch::Set(seconds) = self.token_lifetime_seconds_max {
            check_lifetime(Some(seconds))?;
        }
        Ok(move |scope: &mut Scope| {
            if let Some(description) = self.description {
                scope.description = description;
            }
            if let Some(visibility) = visibility {
                scope.visibility = visibility;
            }
            if let Some(types) = types {
                scope.integration_types = types;
            }
            if let Some(open) = self.accessible_for_all {
                scope.audience = audience(open);
            }
            match self.active {
                Some(true) => scope.status = ScopeStatus::Active,
                Some(false) => scope.status = ScopeStatus::Deactivated,
                None => {}
            }
            self.long_description.apply(&mut scope.details.long_description);
            self.token_lifetime_seconds_max.apply(&mut scope.token_lifetime_seconds_max);
            self.delegation_source.apply(&mut scope.delegation_source);
            if let Some(issued) = self.issued_in_outage {
                scope.outage_policy = OutagePolicy::new(issued);
            }
            if let Some(supported) = self.supports_european_businesses {
                scope.european_businesses = EuropeanBusinesses::of(supported);
            }
        })
    }
}

fn audience(open: bool) -> ScopeAudience {
    if open { ScopeAudience::AnyOrganization } else { ScopeAudience::GrantedOrganizations }
}

fn read_visibility(text: &str) -> Result<Visibility, ApiError> {
    word("visibility", text, Visibility::ALL, Visibility::name)
}

fn read_types(texts: &[String]) -> Result<Vec<IntegrationType>, ApiError> {
    let mut types = Vec::new();
    for text in texts {
        let name = "allowed_integration_types";
        let kind = read_product(name, text)?;
        if !types.contains(&kind) {
            types.push(kind);
        }
    }
    Ok(types)
}

/// Zero would mean that the client decides, which is said by leaving it away.
fn check_lifetime(seconds: Option<u32>) -> Result<(), ApiError> {
    match seconds {
        Some(0) => {
            let problem = "it must be 1 or more; leave it away to let clients decide";
            Err(ApiError::parameter("token_lifetime_seconds_max", problem))
        }
        _ => Ok(()),
    }
}
