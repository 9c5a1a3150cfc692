//! Clients and the scopes on them.

use std::collections::BTreeMap;

use crate::domain::access::Access;
use crate::domain::change::ChangedNoun;
use crate::domain::client::{
    Client, ClientId, ClientKey, ClientStatus, KeyId, TOKEN_LIFETIME_SECONDS,
};
use crate::domain::integration::IntegrationType;
use crate::domain::organization::OrganizationNumber;
use crate::domain::record::{Page, Version};
use crate::domain::registration::{ClientDetails, ClientFile, ClientRegistration, ClientSummary};
use crate::domain::right::Right;
use crate::domain::scope::{Scope, ScopeAudience, ScopeName, ScopeStatus};
use crate::registry::caps::count_client;
use crate::registry::change::{Act, Change, check_version};
use crate::registry::organizations::taken;
use crate::registry::rules::{
    check_kept, check_kept_list, check_lifetime, check_line, check_needed_line,
};
use crate::registry::{Actor, Registry, RegistryError, views};
use crate::store::{ClientFilter, ScopeOfClient, ScopeUse};

/// The most scopes on one client; the largest seen in use has about sixty.
const CLIENT_SCOPES_MAX: usize = 500;

/// How often a change that is meant for any version is tried when others are faster.
const ATTEMPTS_MAX: u32 = 10;

/// The scopes of clients for the register of contact information, which they cannot choose.
const KRR_SCOPES: [&str; 2] = ["krr:global/digitalpost.read", "krr:global/kontaktinformasjon.read"];

/// A client to be registered.
#[derive(Clone, Debug)]
pub struct NewClient {
    /// Its identifier; `None` for one that the server makes.
    pub id: Option<ClientId>,
    /// The organization whose machines use it.
    pub organization: OrganizationNumber,
    /// The organization that its tokens are to stand for, when that is not its own.
    pub customer: Option<OrganizationNumber>,
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The product it uses.
    pub integration_type: IntegrationType,
    /// How long its tokens live, in seconds.
    pub token_lifetime_seconds: u32,
    /// The scopes it may ask for.
    pub scopes: Vec<ScopeName>,
    /// The public keys it brings, as JWK documents.
    pub jwks: Vec<String>,
    /// Whether it can get tokens at once.
    pub status: ClientStatus,
    /// What nothing here depends on.
    pub details: ClientDetails,
}

impl NewClient {
    /// A client whose tokens stand for `party`, or for the actor's own organization. For another organization the
    /// operator makes a client of that organization; anybody else a client of their own for a customer.
    pub fn for_party(
        actor: &Actor,
        party: Option<OrganizationNumber>,
        name: &str,
    ) -> Result<Self, RegistryError> {
        let own = actor.own_organization()?;
        let party = party.unwrap_or(own);
        if actor.rights.operate() {
            return Ok(Self::new(party, name));
        }
        let customer = (party != own).then_some(party);
        Ok(Self { customer, ..Self::new(own, name) })
    }

    /// A client of that organization with nothing on it.
    pub fn new(organization: OrganizationNumber, name: &str) -> Self {
        Self {
            id: None,
            organization,
            customer: None,
            name: name.to_owned(),
            description: String::new(),
            integration_type: IntegrationType::Maskinporten,
            token_lifetime_seconds: TOKEN_LIFETIME_SECONDS,
            scopes: Vec::new(),
            jwks: Vec::new(),
            status: ClientStatus::Active,
            details: ClientDetails::default(),
        }
    }
}

impl Registry {
    /// Registers a client with its scopes and keys.
    pub async fn register_client(
        &self,
        actor: &Actor,
        new: NewClient,
    ) -> Result<ClientFile, RegistryError> {
        Box::pin(self.learn_of(&new.jwks)).await;
        let id = new.id.clone().unwrap_or_else(|| self.new_client_id());
        if id.is_european() {
            let problem = "it begins as those of European businesses, which are not registered";
            return Err(RegistryError::invalid("client_id", problem));
        }
        let change = self.begin(actor, Right::WriteClients, on_client("create", &id)).await?;
        let change = change.of("organization", new.organization).await?;
        let mut change = change.holding(&new.scopes).await?;
        if new.customer.is_some() {
            change = change.also(Right::ActForCustomers).await?;
        }
        let organization = change.transaction.organization(new.organization).await?;
        organization.ok_or(RegistryError::Absent { noun: "organization" })?;
        let keys = self.read_keys(&new.jwks, new.organization, change.now)?;
        let registration = ClientRegistration {
            client: Client {
                id,
                organization: new.organization,
                customer: new.customer,
                name: new.name,
                status: new.status,
                token_lifetime_seconds: new.token_lifetime_seconds,
                scopes: fixed_scopes(new.integration_type).unwrap_or(new.scopes),
            },
            description: new.description,
            integration_type: new.integration_type,
            details: new.details,
        };
        let registration = self.checked(&mut change, registration, &[]).await?;
        count_client(&mut change.transaction, new.organization).await?;
        let done = change.transaction.insert_client(&registration, &keys, change.now).await;
        taken(done, "there is a client of that id already")?;
        let after = views::client(&registration, &keys);
        change.finish(None, Some(after)).await?;
        self.client_again(&registration.client.id).await
    }

    /// Refuses to make a secret: clients are machines, which prove themselves with keys.
    pub async fn refuse_secret(&self, actor: &Actor, id: &ClientId) -> RegistryError {
        let act = on_client("make secret", id);
        match self.begin_on_client(actor, Right::WriteClients, act, id).await {
            Ok(_) => RegistryError::invalid(
                "token_endpoint_auth_method",
                "clients here are machines and have no secret; register a key at /clients/{client_id}/jwks",
            ),
            Err(refusal) => refusal,
        }
    }

    /// Changes a client, unless `edit` refuses what it sees. Its id, organization, customer, product and keys stay
    /// what they are.
    pub async fn change_client(
        &self,
        actor: &Actor,
        id: &ClientId,
        expected: Option<Version>,
        edit: impl FnOnce(&mut ClientRegistration) -> Result<(), RegistryError> + Send,
    ) -> Result<ClientFile, RegistryError> {
        self.edit_client(actor, on_client("change", id), id, expected, edit).await
    }

    /// Puts a scope on a client. Without a version, whatever else is changed meanwhile stays changed.
    pub async fn put_client_scope(
        &self,
        actor: &Actor,
        id: &ClientId,
        scope: &ScopeName,
        expected: Option<Version>,
    ) -> Result<ClientFile, RegistryError> {
        self.insist(expected, || {
            self.edit_client(actor, on_client("add scope", id), id, expected, |registration| {
                registration.client.scopes.push(scope.clone());
                Ok(())
            })
        })
        .await
    }

    /// Takes a scope off a client, in the same way.
    pub async fn remove_client_scope(
        &self,
        actor: &Actor,
        id: &ClientId,
        scope: &ScopeName,
        expected: Option<Version>,
    ) -> Result<ClientFile, RegistryError> {
        self.insist(expected, || {
            self.edit_client(actor, on_client("remove scope", id), id, expected, |registration| {
                let scopes = &mut registration.client.scopes;
                let at = scopes.iter().position(|known| known == scope);
                let at = at.ok_or(RegistryError::Absent { noun: "scope on the client" })?;
                scopes.remove(at);
                Ok(())
            })
        })
        .await
    }

    /// Makes a change again that somebody else was faster than, if it is meant for any version.
    async fn insist<F>(
        &self,
        expected: Option<Version>,
        change: impl Fn() -> F,
    ) -> Result<ClientFile, RegistryError>
    where
        F: Future<Output = Result<ClientFile, RegistryError>>,
    {
        for _ in 1..ATTEMPTS_MAX {
            match change().await {
                Err(RegistryError::Stale) if expected.is_none() => {}
                done => return done,
            }
        }
        change().await
    }

    /// Switches a client off, or on again.
    pub async fn set_client_status(
        &self,
        actor: &Actor,
        id: &ClientId,
        status: ClientStatus,
        expected: Option<Version>,
    ) -> Result<ClientFile, RegistryError> {
        let verb = match status {
            ClientStatus::Active => "restore",
            ClientStatus::Deactivated => "deactivate",
        };
        let edit = |registration: &mut ClientRegistration| {
            registration.client.status = status;
            Ok(())
        };
        self.edit_client(actor, on_client(verb, id), id, expected, edit).await
    }

    async fn edit_client(
        &self,
        actor: &Actor,
        act: Act,
        id: &ClientId,
        expected: Option<Version>,
        edit: impl FnOnce(&mut ClientRegistration) -> Result<(), RegistryError> + Send,
    ) -> Result<ClientFile, RegistryError> {
        let (change, before) = self.begin_on_client(actor, Right::WriteClients, act, id).await?;
        let seen = before.registration.version;
        check_version(seen, expected)?;
        let known = &before.registration.value;
        let mut after = known.clone();
        edit(&mut after)?;
        after.client.id.clone_from(&known.client.id);
        after.client.organization = known.client.organization;
        after.client.customer = known.client.customer;
        after.integration_type = known.integration_type;
        if let Some(scopes) = fixed_scopes(after.integration_type) {
            after.client.scopes = scopes;
        }
        let mut change = change.holding(&after.client.scopes).await?;
        let after = self.checked(&mut change, after, &known.client.scopes).await?;
        change.transaction.update_client(&after, seen, change.now).await?;
        let keys: Vec<ClientKey> = before.keys.iter().map(|it| it.key.clone()).collect();
        let view = views::client(&after, &keys);
        change.finish(Some(views::client_file(&before)), Some(view)).await?;
        self.client_again(id).await
    }

    /// Begins a change of a client that must be the actor's.
    pub(super) async fn begin_on_client<'a>(
        &'a self,
        actor: &'a Actor,
        needed: Right,
        act: Act,
        id: &ClientId,
    ) -> Result<(Change<'a>, ClientFile), RegistryError> {
        let mut change = self.begin(actor, needed, act).await?;
        let Some(found) = change.transaction.client_file(id).await? else {
            return Err(change.absent("client").await);
        };
        let client = &found.registration.value.client;
        let change = change.of("client", client.organization).await?;
        let change = change.holding(&client.scopes).await?;
        // Its tokens stand for a customer: who may make no such client may not take one over by its keys.
        let change = match client.customer {
            Some(_) => change.also(Right::ActForCustomers).await?,
            None => change,
        };
        Ok((change, found))
    }

    /// A client of the actor's own organization, or any for the operator.
    pub async fn client(&self, actor: &Actor, id: &ClientId) -> Result<ClientFile, RegistryError> {
        actor.require(Right::ReadClients)?;
        let found = self.store.client_file(id).await?;
        let found = found.ok_or(RegistryError::Absent { noun: "client" })?;
        if actor.owns(found.registration.value.client.organization) {
            Ok(found)
        } else {
            Err(RegistryError::NotYours { noun: "client" })
        }
    }

    /// Clients of the actor's own organization, or of any for the operator, by id, at most `limit`.
    pub async fn clients(
        &self,
        actor: &Actor,
        mut filter: ClientFilter,
        limit: u32,
    ) -> Result<Page<ClientSummary>, RegistryError> {
        actor.require(Right::ReadClients)?;
        filter.organization = actor.organization_to_list(filter.organization)?;
        Ok(self.store.clients(&filter, limit).await?)
    }

    /// The names of these clients of the actor's own organization; of others there are none.
    pub async fn client_names(
        &self,
        actor: &Actor,
        clients: &[ClientId],
    ) -> Result<BTreeMap<ClientId, String>, RegistryError> {
        actor.require(Right::ReadClients)?;
        Ok(self.store.client_names(actor.own_organization()?, clients).await?)
    }

    /// Which of these scopes active clients of the actor's own organization have.
    pub async fn scope_uses(
        &self,
        actor: &Actor,
        scopes: &[ScopeName],
    ) -> Result<Vec<ScopeUse>, RegistryError> {
        actor.require(Right::ReadClients)?;
        Ok(self.store.scope_uses(actor.own_organization()?, scopes).await?)
    }

    /// The scopes of a client that the actor may see, with the accesses of its organization to them.
    pub async fn scopes_of_client(
        &self,
        actor: &Actor,
        client: &Client,
    ) -> Result<Vec<ScopeOfClient>, RegistryError> {
        actor.require(Right::ReadClients)?;
        if !actor.owns(client.organization) {
            return Err(RegistryError::Absent { noun: "client" });
        }
        Ok(self.store.scopes_of_client(&client.id, client.organization).await?)
    }

    pub(super) async fn client_again(&self, id: &ClientId) -> Result<ClientFile, RegistryError> {
        self.store.client_file(id).await?.ok_or(RegistryError::Stale)
    }

    /// The registration, if everything in it is allowed. Scopes that were on the client before may stay even
    /// when they could not be put there any more: the token path decides about them each time.
    async fn checked(
        &self,
        change: &mut Change<'_>,
        mut registration: ClientRegistration,
        scopes_before: &[ScopeName],
    ) -> Result<ClientRegistration, RegistryError> {
        let client = &mut registration.client;
        check_needed_line("client_name", &client.name)?;
        check_line("description", &registration.description)?;
        check_details(&registration.details)?;
        if !registration.integration_type.is_machine() {
            let problem = "this server has clients for machines: maskinporten or krr";
            return Err(RegistryError::invalid("integration_type", problem));
        }
        let longest = self.rules.token_lifetime_seconds_max;
        if !(1..=longest).contains(&client.token_lifetime_seconds) {
            let problem = format!("it must be 1 to {longest} seconds");
            return Err(RegistryError::invalid("access_token_lifetime", problem));
        }
        client.scopes.sort_unstable();
        client.scopes.dedup();
        if client.scopes.len() > CLIENT_SCOPES_MAX {
            let problem = format!("a client can have at most {CLIENT_SCOPES_MAX} scopes");
            return Err(RegistryError::invalid("scopes", problem));
        }
        for name in client.scopes.iter().filter(|name| !scopes_before.contains(name)) {
            let access = change.transaction.access_case(name, client.organization).await?;
            let access = access.map(|found| found.value.access);
            // One that is hidden from the organization is none to it.
            let scope = change.transaction.scope(name).await?.map(|found| found.value);
            let scope = scope.filter(|it| change.may_see(it) || access.is_some());
            let holds = access.as_ref().is_some_and(|access| access.holds_at(change.now));
            check_scope_for(scope.as_ref(), access.as_ref(), holds, registration.integration_type)
                .map_err(|problem| RegistryError::invalid("scopes", format!("{name} {problem}")))?;
        }
        Ok(registration)
    }

    /// An id for a client that brings none.
    pub fn new_client_id(&self) -> ClientId {
        ClientId::from_uuid(self.new_uuid())
    }

    /// An id for a key that brings none.
    pub fn new_key_id(&self) -> KeyId {
        KeyId::from_uuid(self.new_uuid())
    }

    /// A random UUID (RFC 9562 section 5.4).
    pub(super) fn new_uuid(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.random.fill(&mut bytes);
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        bytes
    }
}

/// Nothing here depends on these, but they are kept, and every look at a client shows them.
fn check_details(it: &ClientDetails) -> Result<(), RegistryError> {
    check_lifetime("authorization_lifetime", it.authorization_lifetime)?;
    check_lifetime("refresh_token_lifetime", it.refresh_token_lifetime)?;
    check_kept("refresh_token_usage", it.refresh_token_usage.as_ref())?;
    check_kept("code_challenge_method", it.code_challenge_method.as_ref())?;
    check_kept("client_uri", it.client_uri.as_ref())?;
    check_kept("logo_uri", it.logo_uri.as_ref())?;
    check_kept("frontchannel_logout_uri", it.frontchannel_logout_uri.as_ref())?;
    check_kept_list("redirect_uris", it.redirect_uris.as_ref())?;
    check_kept_list("post_logout_redirect_uris", it.post_logout_redirect_uris.as_ref())
}

/// Whether a scope can be put on a client: granted, open, or delegable, and for its product.
fn check_scope_for(
    scope: Option<&Scope>,
    access: Option<&Access>,
    access_holds: bool,
    product: IntegrationType,
) -> Result<(), &'static str> {
    let scope = scope.ok_or("is no scope")?;
    if scope.status == ScopeStatus::Deactivated {
        return Err("is deactivated");
    }
    if !scope.is_for(product) {
        return Err("is not meant for this integration_type");
    }
    let open =
        scope.audience == ScopeAudience::AnyOrganization || scope.delegation_source.is_some();
    if open || access_holds {
        return Ok(());
    }
    Err(if access.is_some() {
        "is not granted to the organization any more, or not yet; ask its owner"
    } else {
        "has not been granted to the organization; ask its owner for access"
    })
}

fn fixed_scopes(product: IntegrationType) -> Option<Vec<ScopeName>> {
    (product == IntegrationType::Krr)
        .then(|| KRR_SCOPES.iter().filter_map(|name| name.parse().ok()).collect())
}

pub(super) fn on_client(verb: &'static str, id: &ClientId) -> Act {
    Act { verb, noun: ChangedNoun::Client, key: id.to_string() }
}
