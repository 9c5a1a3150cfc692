//! People in the portal, over real HTTP: signing in and out, forms and cookies, and who may do what.

mod forged;
mod open_id;
mod provider;
mod sessions;
mod sign_up;

use portvakt::domain::language::Language;
use portvakt::domain::user::{Role, User};
use portvakt::registry::NewUser;

use crate::harness::admin::AdminServer;
use crate::harness::browser::PASSWORD;
use crate::harness::server::actor;
use crate::harness::{CONSUMER, PROVIDER};

/// A server that sends mail into a folder, with two organizations that have e-mail domains.
async fn server(configuration: &str) -> AdminServer {
    let mail =
        "[mail]\ntransport = \"folder\"\nfolder = \"outbox\"\nfrom = \"portvakt@test.example\"\n";
    let server = AdminServer::with(&format!("{mail}{configuration}")).await;
    let registry = &server.server.app.registry;
    for (number, domain) in [(PROVIDER, "provider.example"), (CONSUMER, "consumer.example")] {
        let (number, domain) = (number.parse().unwrap(), domain.parse().unwrap());
        registry.add_email_domain(&actor(), number, &domain).await.unwrap();
    }
    server
}

/// A user with [`PASSWORD`].
async fn user(server: &AdminServer, email: &str, roles: &[Role]) -> User {
    let organization = if email.ends_with("@provider.example") { PROVIDER } else { CONSUMER };
    let new = NewUser {
        email: email.parse().unwrap(),
        name: "Kari Nordmann".to_owned(),
        organization: organization.parse().unwrap(),
        language: Language::English,
        roles: roles.to_vec(),
    };
    server.server.app.registry.provide_user(&actor(), new, PASSWORD).await.unwrap()
}
