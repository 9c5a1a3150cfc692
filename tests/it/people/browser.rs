//! A browser without script: it keeps cookies, and fills in the forms of the pages that it has been shown.

use portvakt::domain::language::Language;
use portvakt::domain::user::{Role, User};
use portvakt::registry::NewUser;
use std::fmt::Write as _;

use crate::harness::admin::AdminServer;
use crate::harness::http::{FORM, Reply, escape, exchange, request};
use crate::harness::server::actor;
use crate::harness::{CONSUMER, PROVIDER};

pub(super) const PASSWORD: &str = "correct horse battery";

/// A browser at one server.
pub(super) struct Browser<'a> {
    server: &'a AdminServer,
    pub(super) cookies: Vec<(String, String)>,
}

/// A server that sends mail into a folder, with two organizations that have e-mail domains.
pub(super) async fn server(configuration: &str) -> AdminServer {
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
pub(super) async fn user(server: &AdminServer, email: &str, roles: &[Role]) -> User {
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

impl<'a> Browser<'a> {
    pub(super) fn at(server: &'a AdminServer) -> Self {
        Self { server, cookies: Vec::new() }
    }

    fn headers(&self) -> Vec<(String, String)> {
        let cookies: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        vec![("Cookie".to_owned(), cookies.join("; "))]
    }

    async fn send(&mut self, line: &str, kind: Option<&str>, body: &str) -> Reply {
        let mut headers = self.headers();
        headers.extend(kind.map(|kind| ("Content-Type".to_owned(), kind.to_owned())));
        headers.push(("Accept-Language".to_owned(), "en".to_owned()));
        let headers: Vec<_> = headers.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let reply =
            exchange(self.server.address, &request(line, &headers, body.as_bytes())).await.unwrap();
        for (name, value) in set_cookies(&reply) {
            self.cookies.retain(|(known, _)| *known != name);
            if !value.is_empty() {
                self.cookies.push((name, value));
            }
        }
        reply
    }

    pub(super) async fn get(&mut self, path: &str) -> Reply {
        self.send(&format!("GET {path}"), None, "").await
    }

    /// Fills in a form that stands on `page`, and sends it to `path`.
    pub(super) async fn fill(&mut self, page: &str, path: &str, fields: &[(&str, &str)]) -> Reply {
        let shown = self.get(page).await.text();
        let token = shown.split("name=\"form_token\" value=\"").nth(1);
        let token = token.unwrap_or_else(|| panic!("{page} has no form: {shown}"));
        let token = token.split('"').next().unwrap().to_owned();
        let mut body = format!("form_token={}", escape(&token));
        for (name, value) in fields {
            let _ = write!(body, "&{name}={}", escape(value));
        }
        self.send(&format!("POST {path}"), Some(FORM), &body).await
    }

    pub(super) async fn sign_in(&mut self, email: &str, password: &str) -> Reply {
        let fields = [("email", email), ("password", password)];
        self.fill("/portal/sign-in", "/portal/sign-in", &fields).await
    }

    pub(super) fn session(&self) -> Option<String> {
        let cookie = self.cookies.iter().find(|(name, _)| name.ends_with("portvakt-session"));
        cookie.map(|(_, value)| value.clone())
    }

    /// Whether somebody is signed in here.
    pub(super) async fn is_in(&mut self) -> bool {
        self.get("/portal/profile").await.status == 200
    }
}

/// The whole lines that set cookies.
pub(super) fn cookie_lines(reply: &Reply) -> Vec<String> {
    let lines = reply.head.lines().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("set-cookie").then(|| value.trim().to_owned())
    });
    lines.collect()
}

fn set_cookies(reply: &Reply) -> Vec<(String, String)> {
    let pairs = cookie_lines(reply).into_iter().filter_map(|line| {
        let (name, value) = line.split(';').next()?.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    });
    pairs.collect()
}
