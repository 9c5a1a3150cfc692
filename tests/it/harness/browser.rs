//! A browser without script: it keeps cookies, and fills in the forms of the pages that it has been shown.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::net::SocketAddr;

use portvakt::domain::language::Language;
use portvakt::domain::user::Role;
use portvakt::registry::{NewUser, SignInPlace, SignedIn};

use crate::harness::admin::AdminServer;
use crate::harness::http::{FORM, Reply, escape, exchange, request};
use crate::harness::server::actor;

/// Everybody's password.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

const SESSION: &str = "portvakt-session";

/// A browser at one server.
pub(crate) struct Browser {
    address: SocketAddr,
    cookies: RefCell<Vec<(String, String)>>,
    /// What a proxy says of where it is.
    place: RefCell<Option<&'static str>>,
}

impl Browser {
    /// One that has never been there.
    pub(crate) fn at(server: &AdminServer) -> Self {
        Self { address: server.address, cookies: RefCell::default(), place: RefCell::default() }
    }

    /// Moves it to this address, as a proxy says that has one.
    pub(crate) fn comes_from(&self, address: &'static str) {
        self.place.replace(Some(address));
    }

    /// That of a new user of the organization with these roles, who is signed in and reads English.
    pub(crate) async fn of(
        server: &AdminServer,
        (name, organization): (&str, &str),
        roles: &[Role],
    ) -> Self {
        let registry = &server.server.app.registry;
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
        let signed_in = registry
            .sign_in(&user.email, PASSWORD, &SignInPlace::Unknown, None, None)
            .await
            .unwrap();
        let SignedIn::Done(token) = signed_in else { panic!("{signed_in:?}") };
        let browser = Self::at(server);
        browser.set_cookie(SESSION, token.as_str());
        browser
    }

    /// A page.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(&format!("GET {path}"), None, "").await
    }

    /// Fills in a form that stands on the page at `from`, and sends it to `path`.
    pub(crate) async fn post(&self, from: &str, path: &str, fields: &[(&str, &str)]) -> Reply {
        let page = self.get(from).await;
        let token = hidden(&page, "form_token")
            .unwrap_or_else(|| panic!("{from} has no form: {}", page.text()));
        self.send_form(path, &token, fields).await
    }

    /// Sends a form that was made with this token.
    pub(crate) async fn send_form(
        &self,
        path: &str,
        token: &str,
        fields: &[(&str, &str)],
    ) -> Reply {
        let mut body = format!("form_token={}", escape(token));
        for (name, value) in fields {
            let _ = write!(body, "&{}={}", escape(name), escape(value));
        }
        self.send(&format!("POST {path}"), Some(FORM), &body).await
    }

    /// Sends the form with which people sign in.
    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> Reply {
        let fields = [("email", email), ("password", password)];
        self.post("/portal/sign-in", "/portal/sign-in", &fields).await
    }

    /// Whether somebody is signed in here.
    pub(crate) async fn is_in(&self) -> bool {
        self.get("/portal/profile").await.status == 200
    }

    /// What stands for the session of whoever has signed in here.
    pub(crate) fn session(&self) -> Option<String> {
        let found = self.cookies().into_iter().find(|(name, _)| name.ends_with(SESSION));
        found.map(|(_, value)| value)
    }

    /// The names and values of the cookies that are kept.
    pub(crate) fn cookies(&self) -> Vec<(String, String)> {
        self.cookies.borrow().clone()
    }

    /// Keeps these cookies and no others.
    pub(crate) fn set_cookies(&self, cookies: Vec<(String, String)>) {
        self.cookies.replace(cookies);
    }

    /// Keeps a cookie; one without a value is not kept any longer.
    pub(crate) fn set_cookie(&self, name: &str, value: &str) {
        let mut cookies = self.cookies.borrow_mut();
        cookies.retain(|(known, _)| known != name);
        if !value.is_empty() {
            cookies.push((name.to_owned(), value.to_owned()));
        }
    }

    /// The cookies as a header.
    pub(crate) fn cookie(&self) -> String {
        let cookies = self.cookies.borrow();
        let pairs: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    async fn send(&self, line: &str, kind: Option<&str>, body: &str) -> Reply {
        let cookie = self.cookie();
        let mut headers = vec![("Cookie", cookie.as_str()), ("Accept-Language", "en")];
        headers.extend(kind.map(|kind| ("Content-Type", kind)));
        headers.extend(self.place.borrow().map(|place| ("X-Forwarded-For", place)));
        let reply =
            exchange(self.address, &request(line, &headers, body.as_bytes())).await.unwrap();
        for line in cookie_lines(&reply) {
            if let Some((name, value)) = line.split(';').next().and_then(|it| it.split_once('=')) {
                self.set_cookie(name, value);
            }
        }
        reply
    }
}

/// The whole lines that set cookies.
pub(crate) fn cookie_lines(reply: &Reply) -> Vec<String> {
    let lines = reply.head.lines().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("set-cookie").then(|| value.trim().to_owned())
    });
    lines.collect()
}

/// A page as text.
pub(crate) fn html(reply: &Reply) -> String {
    String::from_utf8(reply.body.clone()).unwrap()
}

/// What a hidden field of a page holds.
pub(crate) fn hidden(page: &Reply, name: &str) -> Option<String> {
    let text = html(page);
    let begin = format!("name=\"{name}\" value=\"");
    let (_, rest) = text.split_once(&begin)?;
    rest.split_once('"').map(|(value, _)| value.to_owned())
}
