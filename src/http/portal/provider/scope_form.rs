//! Making a scope and changing it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::app::App;
use crate::domain::integration::IntegrationType;
use crate::domain::right::Right;
use crate::domain::scope::{
    EuropeanBusinesses, OutagePolicy, Scope, ScopeAudience, ScopeName, Visibility,
};
use crate::http::portal::fields::Fields;
use crate::http::portal::form_errors::FormErrors;
use crate::http::portal::notice::Notice;
use crate::http::portal::page::{Page, Section, SignedIn, done, show, show_again};
use crate::http::portal::provider::scope::{Tab, load};
use crate::http::portal::provider::scopes::prefixes;
use crate::http::portal::provider::{LINE_CHARACTERS_MAX, address, check_text};
use crate::http::portal::query::Query;
use crate::http::portal::refused::Refused;
use crate::registry::{Registry, RegistryError};

/// The longest life that a token can be given, in seconds, as the registry has it: a year.
const LIFETIME_SECONDS_MAX: u32 = 365 * 24 * 60 * 60;

/// What the form says of a scope that is issued in an outage.
const ISSUED: &str = "issued";

/// What the form says of a scope that supports European businesses.
const SUPPORTED: &str = "supported";

#[derive(Template)]
#[template(path = "provider/scope_form.html", config = ".askama.toml")]
struct ScopeForm {
    page: Page,
    /// The scope that is changed; `None` for a new one.
    name: Option<ScopeName>,
    /// Where the form goes.
    action: String,
    /// Where to go without sending it.
    back: String,
    prefixes: Vec<String>,
    /// Issuer and name of each register of delegations.
    registers: Vec<(String, String)>,
    /// For how many minutes tokens are issued in an outage here; 0 for not at all.
    outage_minutes: u64,
    /// Whether there are authorities here whose certificates make European businesses.
    takes_businesses: bool,
    typed: Fields,
    errors: FormErrors,
}

impl ScopeForm {
    fn types(&self) -> Vec<(&'static str, bool)> {
        let is_chosen = |kind: &str| self.typed.all("type").any(|chosen| chosen == kind);
        IntegrationType::ALL.iter().map(|kind| (kind.name(), is_chosen(kind.name()))).collect()
    }

    /// Whether a choice is the one that was made.
    fn is(&self, field: &str, value: &str) -> bool {
        self.typed.text(field) == value
    }

    /// Only the operator makes scopes that nobody else sees.
    fn visibilities(&self) -> Vec<(&'static str, &'static str)> {
        let mut all = vec![("PUBLIC", "public"), ("PRIVATE", "private")];
        if self.page.is_operator() {
            all.push(("INTERNAL", "internal"));
        }
        all
    }

    /// Whether the folded part holds something that must be seen.
    fn is_unfolded(&self) -> bool {
        let folded = ["long_description", "type"];
        self.errors.all().iter().any(|error| folded.contains(&&*error.field))
    }
}

/// `GET /portal/scopes/new`
pub(super) async fn new(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    query: Query,
) -> Result<Response, Refused> {
    signed_in.actor.require(Right::WriteScopes)?;
    let typed = Fields::default()
        .with("prefix", query.0.text("prefix"))
        .with("access", "granted")
        .with("visibility", Visibility::Public.name())
        .with("type", IntegrationType::Maskinporten.name());
    Ok(show(&new_form(signed_in, &app, typed, FormErrors::default()).await?))
}

async fn new_form(
    signed_in: SignedIn,
    app: &App,
    typed: Fields,
    errors: FormErrors,
) -> Result<ScopeForm, Refused> {
    let prefixes = prefixes(app, &signed_in).await?;
    Ok(ScopeForm {
        page: signed_in.page.at(Section::Scopes),
        name: None,
        action: "/portal/scopes/new".to_owned(),
        back: "/portal/scopes".to_owned(),
        prefixes,
        registers: registers(&app.registry),
        outage_minutes: outage_minutes(app),
        takes_businesses: app.issuer.certificates.take_businesses(),
        typed,
        errors,
    })
}

/// For how many minutes tokens are issued in an outage; of what has begun, all of it.
fn outage_minutes(app: &App) -> u64 {
    app.issuer.rules.outage_max.as_secs().div_ceil(60)
}

fn registers(registry: &Registry) -> Vec<(String, String)> {
    let known = registry.delegation_sources().iter();
    known.map(|source| (source.issuer.clone(), source.name.clone())).collect()
}

/// `POST /portal/scopes/new`
pub(super) async fn create(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    fields: Fields,
) -> Result<Response, Refused> {
    let page = &signed_in.page;
    let mut errors = FormErrors::default();
    let name = format!("{}:{}", fields.text("prefix"), fields.text("subscope"));
    let name: Option<ScopeName> = name.parse().ok();
    if fields.text("prefix").is_empty() {
        errors.add("prefix", page.say("provider-prefix-missing"));
    } else if fields.text("subscope").is_empty() {
        errors.add("subscope", page.say("provider-subscope-missing"));
    } else if name.is_none() {
        errors.add("subscope", page.say("provider-subscope-wrong"));
    }
    let read = read(page, &fields, &mut errors);
    if let (Some(name), true) = (name, errors.is_empty()) {
        let mut scope = Scope::new(name, signed_in.organization, "");
        read.onto(&mut scope);
        match app.registry.define_scope(&signed_in.actor, scope).await {
            Ok(made) => {
                return Ok(done(&app, Notice::ScopeCreated, &address(&made.value.name)));
            }
            Err(RegistryError::NotYours { noun: "prefix" }) => {
                errors.add("prefix", page.say("provider-prefix-not-yours"));
            }
            Err(error) => errors = registry_errors(page, error)?,
        }
    }
    Ok(show_again(&new_form(signed_in, &app, fields, errors).await?))
}

/// The fields that somebody writes in, with the names of their labels.
const LABELS: [(&str, &str); 3] = [
    ("description", "provider-description"),
    ("lifetime", "provider-lifetime"),
    ("long_description", "provider-long"),
];

/// What the registry says, at the field that it says it about.
fn registry_errors(page: &Page, error: RegistryError) -> Result<FormErrors, Refused> {
    let field = match &error {
        RegistryError::Invalid { field: "description", .. } => "description",
        RegistryError::Invalid { field: "at_max_age", .. } => "lifetime",
        RegistryError::Invalid { field: "long_description", .. } => "long_description",
        RegistryError::Invalid { field: "visibility", .. } => "visibility",
        RegistryError::Invalid { field: "delegation_source", .. } => "delegation",
        _ => "subscope",
    };
    FormErrors::of_registry(page, field, error)
}

/// What a form says about a scope.
struct Read {
    description: String,
    audience: ScopeAudience,
    visibility: Visibility,
    lifetime: Option<u32>,
    delegation: Option<String>,
    types: Vec<IntegrationType>,
    outage_policy: OutagePolicy,
    european_businesses: EuropeanBusinesses,
    long: Option<String>,
}

impl Read {
    fn onto(self, scope: &mut Scope) {
        scope.description = self.description;
        scope.audience = self.audience;
        scope.visibility = self.visibility;
        scope.token_lifetime_seconds_max = self.lifetime;
        scope.delegation_source = self.delegation;
        scope.integration_types = self.types;
        scope.outage_policy = self.outage_policy;
        scope.european_businesses = self.european_businesses;
        scope.details.long_description = self.long;
    }
}

fn read(page: &Page, fields: &Fields, errors: &mut FormErrors) -> Read {
    let description = fields.text("description").to_owned();
    if description.is_empty() {
        errors.add("description", page.say("provider-description-missing"));
    } else if description.chars().count() > LINE_CHARACTERS_MAX
        || description.contains(char::is_control)
    {
        errors.add("description", page.say("provider-description-wrong"));
    }
    let visibility = Visibility::from_name(fields.text("visibility"));
    if visibility.is_none() {
        errors.add("visibility", page.say("provider-visibility-missing"));
    }
    let lifetime = fields.filled("lifetime").map(str::parse::<u32>);
    let is_long = |seconds: &u32| (1..=LIFETIME_SECONDS_MAX).contains(seconds);
    if lifetime.as_ref().is_some_and(|seconds| !seconds.as_ref().is_ok_and(is_long)) {
        errors.add("lifetime", page.say("provider-lifetime-wrong"));
    }
    let long = fields.filled("long_description").map(str::to_owned);
    check_text(page, "long_description", long.as_deref().unwrap_or_default(), errors);
    Read {
        description,
        audience: match fields.text("access") {
            "all" => ScopeAudience::AnyOrganization,
            _ => ScopeAudience::GrantedOrganizations,
        },
        visibility: visibility.unwrap_or_default(),
        lifetime: lifetime.and_then(Result::ok),
        delegation: fields.filled("delegation").map(str::to_owned),
        types: fields.all("type").filter_map(IntegrationType::from_name).collect(),
        outage_policy: OutagePolicy::new(fields.text("outage") == ISSUED),
        european_businesses: EuropeanBusinesses::of(fields.text("european") == SUPPORTED),
        long,
    }
}

/// `GET /portal/scopes/{scope}/edit`
pub(super) async fn edit(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Response, Refused> {
    signed_in.actor.require(Right::WriteScopes)?;
    let it = load(signed_in, &app, &name, Tab::About).await?;
    let typed = as_it_is(&it.scope.value).with("version", it.head.version.to_string());
    Ok(show(&edit_form(it.page, &app, it.scope.value.name, typed, FormErrors::default())))
}

fn edit_form(
    page: Page,
    app: &App,
    name: ScopeName,
    typed: Fields,
    errors: FormErrors,
) -> ScopeForm {
    let address = address(&name);
    ScopeForm {
        page,
        name: Some(name),
        action: format!("{address}/edit"),
        back: format!("{address}/about"),
        prefixes: Vec::new(),
        registers: registers(&app.registry),
        outage_minutes: outage_minutes(app),
        takes_businesses: app.issuer.certificates.take_businesses(),
        typed,
        errors,
    }
}

fn as_it_is(scope: &Scope) -> Fields {
    let lifetime = scope.token_lifetime_seconds_max.map(|seconds| seconds.to_string());
    let access = match scope.audience {
        ScopeAudience::AnyOrganization => "all",
        ScopeAudience::GrantedOrganizations => "granted",
    };
    let fields = Fields::default()
        .with("description", &scope.description)
        .with("access", access)
        .with("visibility", scope.visibility.name())
        .with("lifetime", lifetime.unwrap_or_default())
        .with("delegation", scope.delegation_source.clone().unwrap_or_default())
        .with("outage", if scope.outage_policy.issues() { ISSUED } else { "" })
        .with("european", if scope.european_businesses.are_supported() { SUPPORTED } else { "" })
        .with("long_description", scope.details.long_description.clone().unwrap_or_default());
    scope.integration_types.iter().fold(fields, |fields, kind| fields.with("type", kind.name()))
}

/// `POST /portal/scopes/{scope}/edit`
pub(super) async fn save(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Response, Refused> {
    let it = load(signed_in, &app, &name, Tab::About).await?;
    let name = it.scope.value.name.clone();
    let mut errors = FormErrors::default();
    let read = read(&it.page, &fields, &mut errors);
    if !errors.is_empty() {
        return Ok(show_again(&edit_form(it.page, &app, name, fields, errors)));
    }
    let edit = |scope: &mut Scope| read.onto(scope);
    match app.registry.change_scope(&it.actor, &name, fields.version(), edit).await {
        Ok(_) => Ok(done(&app, Notice::Saved, &format!("{}/about", address(&name)))),
        // Somebody else was faster: the form shows what is there now.
        Err(error @ RegistryError::Stale) => {
            let errors = FormErrors::of_registry(&it.page, "description", error)?;
            let now = app.registry.scope(&it.actor, &name).await?;
            let typed = as_it_is(&now.value).with("version", now.version.0.to_string());
            let errors = errors.beside(&it.page, &fields, &typed, LABELS);
            Ok(show_again(&edit_form(it.page, &app, name, typed, errors)))
        }
        Err(error) => {
            let errors = registry_errors(&it.page, error)?;
            Ok(show_again(&edit_form(it.page, &app, name, fields, errors)))
        }
    }
}
