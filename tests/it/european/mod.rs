//! Tokens for European businesses, which are known by their certificate for electronic seals alone.

mod pages;
mod roads;
mod tokens;
mod traces;

use portvakt::domain::scope::{EuropeanBusinesses, Scope};
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, DnType};

use crate::harness::caller::Caller;
use crate::harness::chain::{Authority, Leaf, Pki, Trust};
use crate::harness::der::{object_identifier, sequence};
use crate::harness::server::{TestServer, actor, certified, pki};

/// A business of another country.
const SWEDISH: &str = "NTRSE-5560360793";

/// The serial number of the leaves of tests, in decimal.
const CLIENT_ID: &str = "eidas-4386";

/// For persons' signatures, and for seals (ETSI EN 319 412-5).
const SIGN: &str = "0.4.0.1862.1.6.1";
const SEAL: &str = "0.4.0.1862.1.6.2";

/// A server that knows clients by [`pki`] and European businesses by that authority. Of its scopes, test:read and
/// test:short support them.
async fn server(european: &Pki) -> TestServer {
    server_with(Trust::european(european), "").await
}

async fn server_with(european: Trust, configuration: &str) -> TestServer {
    let server = TestServer::with(&[Trust::of(pki()), european], configuration).await;
    for name in ["test:read", "test:short", "test:deactivated", "test:login"] {
        support(&server, name).await;
    }
    server
}

async fn support(server: &TestServer, scope: &str) {
    let edit = |scope: &mut Scope| scope.european_businesses = EuropeanBusinesses::Supported;
    let scope = scope.parse().unwrap();
    server.app.registry.change_scope(&actor(), &scope, None, edit).await.unwrap();
}

/// A certificate that is not a qualified one, with this identifier.
fn seal(authority: &Authority, identifier: &str) -> Leaf {
    authority.leaf(|params| {
        name(params, identifier);
        params.custom_extensions.push(statements(false, SEAL));
    })
}

fn name(params: &mut CertificateParams, identifier: &str) {
    params.distinguished_name = DistinguishedName::new();
    for (kind, value) in [
        (DnType::CountryName, "SE"),
        (DnType::OrganizationName, "Bolaget \"\u{c5}\" AB"),
        (DnType::CustomDnType(vec![2, 5, 4, 97]), identifier),
        (DnType::CommonName, "Bolaget"),
    ] {
        params.distinguished_name.push(kind, value);
    }
}

/// The extension that says whether a certificate is a qualified one, and for what.
fn statements(qualified: bool, purpose: &str) -> CustomExtension {
    let compliance = sequence(&[object_identifier("0.4.0.1862.1.1")]);
    let purpose = sequence(&[object_identifier(purpose)]);
    let kind = sequence(&[object_identifier("0.4.0.1862.1.6"), purpose]);
    let all = if qualified { vec![compliance, kind] } else { vec![kind] };
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 3], sequence(&all))
}

/// One who signs with this leaf and sends it with the certificate of the authority, naming itself in its own way.
fn business(leaf: &Leaf, authority: &Authority) -> Caller {
    let caller = certified(&leaf.key, &[&leaf.der, &authority.der]);
    Caller { client_id: "Bolaget AB, the machine in the cellar".to_owned(), ..caller }
}
