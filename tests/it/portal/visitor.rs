//! Somebody at a browser: keeps a session, reads pages, and sends the forms that are on them.

use std::fmt::Write as _;
use std::net::SocketAddr;

use portvakt::domain::language::Language;
use portvakt::domain::user::Role;
use portvakt::registry::{NewUser, Registry, SignedIn};

use crate::harness::http::{FORM, Reply, escape, exchange, request};
use crate::harness::server::actor;

const PASSWORD: &str = "correct horse battery staple";

/// Somebody who is signed in.
pub(crate) struct Visitor {
    address: SocketAddr,
    cookie: String,
}

impl Visitor {
    /// Makes a user of that organization with these roles, and signs them in.
    pub(crate) async fn sign_in(
        registry: &Registry,
        address: SocketAddr,
        (name, organization): (&str, &str),
        roles: &[Role],
    ) -> Self {
        let number = organization.parse().unwrap();
        let domain = format!("o{organization}.example").parse().unwrap();
        // Somebody before may have been the first of that organization.
        let _ = registry.add_email_domain(&actor(), number, &domain).await;
        let email = format!("{name}@o{organization}.example").parse().unwrap();
        let new = NewUser {
            email,
            name: name.to_owned(),
            organization: number,
            language: Language::English,
            roles: roles.to_vec(),
        };
        let user = registry.provide_user(&actor(), new, PASSWORD).await.unwrap();
        let signed_in = registry.sign_in(&user.email, PASSWORD, None, None).await.unwrap();
        let SignedIn::Done(token) = signed_in else { panic!("{signed_in:?}") };
        let cookie = format!("portvakt-session={}; portvakt-language=en", token.as_str());
        Self { address, cookie }
    }

    /// A page.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        let headers = [("Cookie", self.cookie.as_str())];
        exchange(self.address, &request(&format!("GET {path}"), &headers, b"")).await.unwrap()
    }

    /// Sends the fields to `path`, with the token of the forms of the page at `from`.
    pub(crate) async fn post(&self, from: &str, path: &str, fields: &[(&str, &str)]) -> Reply {
        let page = self.get(from).await;
        let token =
            hidden(&page, "form_token").unwrap_or_else(|| panic!("no form: {}", page.text()));
        let mut body = format!("form_token={}", escape(&token));
        for (name, value) in fields {
            let _ = write!(body, "&{}={}", escape(name), escape(value));
        }
        let headers = [("Cookie", self.cookie.as_str()), ("Content-Type", FORM)];
        let request = request(&format!("POST {path}"), &headers, body.as_bytes());
        exchange(self.address, &request).await.unwrap()
    }
}

/// What a hidden field of a page holds.
pub(crate) fn hidden(page: &Reply, name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(&page.body).into_owned();
    let begin = format!("name=\"{name}\" value=\"");
    let (_, rest) = text.split_once(&begin)?;
    rest.split_once('"').map(|(value, _)| value.to_owned())
}
