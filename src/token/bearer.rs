//! Our own access tokens, read back: who calls the admin API.
//!
//! A token is read as strictly as an assertion is. Its signature must be that of a published key, and what it
//! says is held against what holds now: the client must still be active, and a scope that has been withdrawn
//! since counts no more. So a right that is taken away is gone with the next request, not with the token.

use thiserror::Error;

use crate::domain::client::{Client, ClientId, ClientStatus};
use crate::domain::json::{Json, JsonObject};
use crate::domain::organization::OrganizationNumber;
use crate::domain::scope::RequestedScopes;
use crate::token::Issuer;
use crate::token::access::may_still_use;
use crate::token::jws::{decode_object, refuse_extensions, split};
use crate::token::refusal::Refusal;

/// Whom a token stands for.
#[derive(Clone, Debug)]
pub struct Bearer {
    /// The client that it was issued to.
    pub client: ClientId,
    /// The organization of the client.
    pub organization: OrganizationNumber,
    /// The scopes in it that still hold; `None` when none does.
    pub scopes: Option<RequestedScopes>,
}

/// Why a token counts for nothing here.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum BearerRefusal {
    /// It is for another API.
    #[error(
        "the token is for another audience; ask for one without resource, or with the address of this API"
    )]
    Audience,
    /// It stands for another organization than the client's, on whose behalf nothing is changed here.
    #[error("the token was fetched on behalf of another organization, which does not count here")]
    Delegated,
    /// It has expired.
    #[error("the token has expired; fetch a new one")]
    Expired,
    /// It is none of ours: its form, its issuer or its signature.
    #[error("the token is not an access token of this server")]
    Foreign,
    /// It cannot be told now.
    #[error("it cannot be told at the moment whether the token holds: {cause}")]
    Unavailable {
        /// Why.
        cause: String,
    },
    /// The client or its organization does not take part any more.
    #[error("the client that the token was issued to is deactivated")]
    Withdrawn,
}

impl From<Refusal> for BearerRefusal {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unavailable { cause } => Self::Unavailable { cause },
            _ => Self::Foreign,
        }
    }
}

impl Issuer {
    /// Reads a token that somebody shows to the API at `address`.
    pub async fn read_bearer(
        &self,
        token: &str,
        address: Option<&str>,
    ) -> Result<Bearer, BearerRefusal> {
        let now = self.clock.now();
        self.feed.require_fresh(now)?;
        let claims = self.signed_claims(token)?;
        let text = |name: &str| claims.member(name).and_then(Json::as_str);
        let issuer = &self.rules.grant.issuer;
        // A token that is bound to a key (RFC 9449, RFC 8705) is no bearer token.
        if text("iss") != Some(issuer) || claims.member("cnf").is_some() {
            return Err(BearerRefusal::Foreign);
        }
        match claims.member("exp") {
            Some(Json::Integer(end)) if now.seconds() < *end => {}
            _ => return Err(BearerRefusal::Expired),
        }
        if !is_for(claims.member("aud"), [Some(issuer.as_str()), address]) {
            return Err(BearerRefusal::Audience);
        }
        let id: Option<ClientId> = text("client_id").and_then(|id| id.parse().ok());
        let client = self.caches.client(&id.ok_or(BearerRefusal::Foreign)?).await?;
        let client = client.filter(|it| it.client.status == ClientStatus::Active);
        let client = client.ok_or(BearerRefusal::Withdrawn)?;
        let client = &client.client;
        if !self.caches.takes_part(client.organization).await? {
            return Err(BearerRefusal::Withdrawn);
        }
        check_party(&claims, client)?;
        let asked: Option<RequestedScopes> = text("scope").and_then(|scopes| scopes.parse().ok());
        let mut holding = Vec::new();
        for name in asked.ok_or(BearerRefusal::Foreign)?.names() {
            if may_still_use(&self.caches, client, name, now).await? {
                holding.push(name.as_str().to_owned());
            }
        }
        Ok(Bearer {
            client: client.id.clone(),
            organization: client.organization,
            scopes: holding.join(" ").parse().ok(),
        })
    }

    /// The claims of a compact JWS with the signature of a key that we publish.
    fn signed_claims(&self, token: &str) -> Result<JsonObject, BearerRefusal> {
        let (header, claims, signature) = split(token).ok_or(BearerRefusal::Foreign)?;
        let signed = &token.as_bytes()[..header.len() + 1 + claims.len()];
        let header = decode_object(header)?;
        refuse_extensions(&header)?;
        let text = |name| header.member(name).and_then(Json::as_str);
        let is_access_token = match header.member("typ").map(Json::as_str) {
            None => true,
            Some(typ) => typ.is_some_and(|typ| {
                ["JWT", "at+jwt"].iter().any(|known| known.eq_ignore_ascii_case(typ))
            }),
        };
        let (kid, algorithm) = text("kid").zip(text("alg")).ok_or(BearerRefusal::Foreign)?;
        if is_access_token && self.keys.verify(kid, algorithm, signed, signature) {
            Ok(decode_object(claims)?)
        } else {
            Err(BearerRefusal::Foreign)
        }
    }
}

/// A token without `aud`, as Maskinporten's usually are, is for any API that knows its scopes. One with an `aud`
/// is for nobody else.
fn is_for(audience: Option<&Json>, ours: [Option<&str>; 2]) -> bool {
    let same = |text: &str| ours.iter().flatten().any(|our| trimmed(our) == trimmed(text));
    match audience {
        None => true,
        Some(Json::String(one)) => same(one),
        Some(Json::Array(several)) => several.iter().any(|one| one.as_str().is_some_and(same)),
        Some(_) => false,
    }
}

/// Addresses are written with and without their last slash.
fn trimmed(address: &str) -> &str {
    address.strip_suffix('/').unwrap_or(address)
}

/// The token must stand for the client's own organization, with nobody acting for anybody.
fn check_party(claims: &JsonObject, client: &Client) -> Result<(), BearerRefusal> {
    let consumer = match claims.member("consumer") {
        Some(Json::Object(party)) => party.member("ID").and_then(Json::as_str),
        _ => None,
    };
    if claims.member("supplier").is_none() && consumer == Some(&client.organization.iso6523()) {
        Ok(())
    } else {
        Err(BearerRefusal::Delegated)
    }
}
