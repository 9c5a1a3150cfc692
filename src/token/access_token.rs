//! Step 9: what an access token says.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use crate::clock::{Random, Timestamp};
use crate::domain::european_business::{BusinessNames, EuropeanBusiness};
use crate::domain::organization::OrganizationNumber;
use crate::domain::organization_identifier::OrganizationIdentifier;
use crate::token::access::{Decision, Parties};
use crate::token::caller::ClientProof;
use crate::token::claims::Grant;

/// What access tokens look like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TokenProfile {
    /// As Maskinporten makes them: `aud` only when a resource was asked for.
    Maskinporten,
    /// As RFC 9068 section 2.2 wants them: always `sub` and `aud`.
    Rfc9068,
}

/// The claims of an access token, in the order in which Maskinporten writes them.
#[derive(Debug, Serialize)]
pub struct AccessToken<'a> {
    scope: String,
    iss: &'a str,
    client_amr: &'static str,
    token_type: &'static str,
    exp: i64,
    iat: i64,
    client_id: &'a str,
    jti: &'a str,
    consumer: Consumer<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    supplier: Option<Party>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delegation_source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<Audience<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<&'a str>,
}

/// One value is a string, several are an array (RFC 7519 section 4.1.3).
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Audience<'a> {
    One(&'a str),
    Several(&'a [String]),
}

/// Whom a token stands for.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Consumer<'a> {
    Business(BusinessParty<'a>),
    Organization(Party),
}

/// A European business as its certificate names it.
#[derive(Debug, Serialize)]
struct BusinessParty<'a> {
    #[serde(flatten)]
    names: &'a BusinessNames,
    authority: &'static str,
    #[serde(rename = "ID")]
    id: &'a OrganizationIdentifier,
}

impl<'a> BusinessParty<'a> {
    fn new(business: &'a EuropeanBusiness) -> Self {
        let (names, id) = (&business.names, &business.identifier);
        // The standard by which certificates write such identifiers.
        Self { names, authority: "etsi-en-319-412", id }
    }
}

/// An organization in ISO 6523 form.
#[derive(Debug, Serialize)]
struct Party {
    authority: &'static str,
    #[serde(rename = "ID")]
    id: String,
}

impl Party {
    fn new(organization: OrganizationNumber) -> Self {
        Self { authority: "iso6523-actorid-upis", id: organization.iso6523() }
    }
}

/// What does not come from the request.
#[derive(Clone, Copy, Debug)]
pub struct Issuance<'a> {
    /// Who we are.
    pub issuer: &'a str,
    /// What tokens look like.
    pub profile: TokenProfile,
    /// The identifier of this token.
    pub jti: &'a str,
    /// Our clock.
    pub now: Timestamp,
}

impl<'a> AccessToken<'a> {
    /// The claims for what was asked and what was decided.
    pub fn new(issuance: Issuance<'a>, grant: &'a Grant, decision: &'a Decision<'a>) -> Self {
        let expires_at = issuance.now.plus_seconds(decision.terms.lifetime_seconds.into());
        let rfc9068 = issuance.profile == TokenProfile::Rfc9068;
        let of = PartyClaims::of(&decision.parties);
        Self {
            scope: grant.scopes.to_string(),
            iss: issuance.issuer,
            client_amr: of.client_amr,
            token_type: "Bearer",
            exp: expires_at.seconds(),
            iat: issuance.now.seconds(),
            client_id: of.client_id,
            jti: issuance.jti,
            consumer: of.consumer,
            supplier: of.supplier,
            delegation_source: of.delegation_source,
            aud: match &grant.resource[..] {
                [] => rfc9068.then_some(Audience::One(issuance.issuer)),
                [one] => Some(Audience::One(one)),
                several => Some(Audience::Several(several)),
            },
            sub: rfc9068.then_some(of.client_id),
            pid: grant.pid.as_deref(),
        }
    }

    /// The JSON that is signed.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }
}

/// What a token says about those who are party to it.
struct PartyClaims<'a> {
    client_amr: &'static str,
    client_id: &'a str,
    consumer: Consumer<'a>,
    supplier: Option<Party>,
    delegation_source: Option<&'a str>,
}

impl<'a> PartyClaims<'a> {
    fn of(parties: &'a Parties<'a>) -> Self {
        match parties {
            Parties::Business(business) => Self {
                client_amr: business.seal.name(),
                client_id: business.client_id.as_str(),
                consumer: Consumer::Business(BusinessParty::new(business)),
                supplier: None,
                delegation_source: None,
            },
            Parties::Client(parties) => {
                let client = parties.client();
                let for_another = parties.delegation_source.is_some() || client.customer.is_some();
                Self {
                    client_amr: match parties.proven.proof {
                        ClientProof::EnterpriseCertificate => "virksomhetssertifikat",
                        ClientProof::RegisteredKey { .. } => "private_key_jwt",
                    },
                    client_id: client.id.as_str(),
                    consumer: Consumer::Organization(Party::new(parties.stands_for())),
                    supplier: for_another.then(|| Party::new(client.organization)),
                    delegation_source: parties.delegation_source.as_deref(),
                }
            }
        }
    }
}

/// An identifier that no other token has.
pub fn new_jti(random: &dyn Random) -> String {
    let mut bytes = [0; JTI_BYTES];
    random.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Bytes of a token's `jti`: 43 characters of base64url, as in Maskinporten's tokens.
const JTI_BYTES: usize = 32;
