//! Who asks whom: the address of the admin API, and a token with the rights that a command needs.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::cli::admin::api::Api;
use crate::cli::admin::report::TableOrJson;
use crate::cli::assertion;
use crate::cli::env_file::Settings;
use crate::cli::failure::{ExitStatus, Failure};
use crate::cli::input;
use crate::cli::key_source::registered_key_of_setting;
use crate::cli::server::{ServerArgs, Web};
use crate::cli::token::request::{self, NoToken};
use crate::clock::{Clock as _, SystemClock};
use crate::domain::right::Right;

/// The options that say who asks whom, and how the answer is shown.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Admin API")]
pub(in crate::cli) struct ConnectionArgs {
    /// The admin API [default: `PORTVAKT_ADMIN_URL`].
    #[arg(long, global = true, value_name = "URL")]
    admin_url: Option<String>,
    /// An access token, or - to read one from standard input [default: `PORTVAKT_ADMIN_TOKEN`].
    ///
    /// Without one, a token with exactly the right that the command needs is fetched for the client
    /// `PORTVAKT_ADMIN_CLIENT_ID` with its private key `PORTVAKT_ADMIN_CLIENT_JWK` (a JWK, or a file with one
    /// or with PEM) from the server of `MASKINPORTEN_WELL_KNOWN_URL`.
    #[arg(long, global = true, value_name = "TOKEN")]
    token: Option<Secret>,
    /// Act as the operator, for whom things of every organization are there: ask for portvakt:admin instead of
    /// the right for one's own things [default: `PORTVAKT_ADMIN_OPERATOR`, if it is true].
    #[arg(long, global = true)]
    operator: bool,
    /// A file of settings, such as the dev.env that `portvakt dev` writes; they go before the environment.
    #[arg(long, global = true, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Certificates in PEM that the servers' TLS certificates must lead to, and no others.
    #[arg(long, global = true, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Wait, after every change, until it holds on every node of the server; 30 seconds at most.
    #[arg(long, global = true)]
    wait: bool,
    /// How to print the answer.
    #[arg(short, long, global = true, value_name = "FORMAT", default_value = "table")]
    pub(super) output: TableOrJson,
}

/// A text that is never shown.
#[derive(Clone)]
struct Secret(String);

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl ConnectionArgs {
    /// The API, for a command that needs this right.
    pub(super) fn api(&self, right: Right) -> Result<Api, Failure> {
        self.api_for(&[right])
    }

    /// The API, for what only the operator may do.
    pub(super) fn api_of_operator(&self) -> Result<Api, Failure> {
        self.api_for(&[Right::Operate])
    }

    /// The API, for a command that needs this right for things of its caller, and the operator's for those of
    /// another organization.
    pub(super) fn api_at(
        &self,
        organization: Option<&String>,
        right: Right,
    ) -> Result<Api, Failure> {
        if organization.is_some() { self.api_of_operator() } else { self.api(right) }
    }

    /// The API, for a command that needs these rights.
    pub(super) fn api_for(&self, rights: &[Right]) -> Result<Api, Failure> {
        let settings = Settings::load(self.env_file.as_deref())?;
        let address = self.admin_url.clone().or_else(|| settings.value("PORTVAKT_ADMIN_URL"));
        let address = address.ok_or_else(|| {
            Failure::usage(
                "there is no admin API to talk to: give --admin-url, or set PORTVAKT_ADMIN_URL (in the \
                 environment, or in a file with --env-file)",
            )
        })?;
        let servers = ServerArgs { ca_file: self.ca_file.clone(), ..ServerArgs::default() };
        let operator = self.operator
            || settings.value("PORTVAKT_ADMIN_OPERATOR").is_some_and(|value| value == "true");
        let rights = if operator { &[Right::Operate] } else { rights };
        let given = match &self.token {
            Some(Secret(token)) => Some(input::read_token(token)?),
            None => settings.value("PORTVAKT_ADMIN_TOKEN"),
        };
        let tokens = match given {
            Some(token) => Tokens::Given(token),
            None => Tokens::Fetched(Box::new(TokenSource {
                settings,
                web: servers.web()?,
                servers: servers.clone(),
                rights: rights.to_vec(),
                last: None,
            })),
        };
        Ok(Api::new(&servers.web()?, &address, tokens)?.waiting(self.wait))
    }
}

/// The tokens that requests carry.
pub(super) enum Tokens {
    /// This one.
    Given(String),
    /// Fetched when the one before is about to end.
    Fetched(Box<TokenSource>),
}

/// Where tokens are fetched.
pub(super) struct TokenSource {
    settings: Settings,
    servers: ServerArgs,
    web: Web,
    rights: Vec<Right>,
    /// The last one, and the moment (of [`crate::clock::Clock::uptime`]) from which on it is not used any more.
    last: Option<(String, Duration)>,
}

/// Seconds before its end from which on a token is not used any more: it must outlive a request.
const TOKEN_SECONDS_LEFT_MIN: u64 = 10;

impl Tokens {
    /// A token to send.
    pub(super) async fn token(&mut self) -> Result<String, Failure> {
        match self {
            Self::Given(token) => Ok(token.clone()),
            Self::Fetched(source) => source.token().await,
        }
    }

    /// Whether they are the operator's, or may be.
    pub(super) fn may_operate(&self) -> bool {
        match self {
            Self::Given(_) => true,
            Self::Fetched(source) => source.rights.contains(&Right::Operate),
        }
    }

    /// Tokens from now on have these rights instead. A token that was given has whatever it has.
    pub(super) fn ask_for(&mut self, rights: Vec<Right>) {
        if let Self::Fetched(source) = self
            && !source.rights.contains(&Right::Operate)
            && source.rights != rights
        {
            source.rights = rights;
            source.last = None;
        }
    }
}

impl TokenSource {
    async fn token(&mut self) -> Result<String, Failure> {
        let now = SystemClock.uptime();
        if let Some((token, end)) = &self.last
            && now < *end
        {
            return Ok(token.clone());
        }
        let (token, seconds) = self.fetch().await?;
        let usable = seconds.saturating_sub(TOKEN_SECONDS_LEFT_MIN);
        self.last = Some((token.clone(), now + Duration::from_secs(usable)));
        Ok(token)
    }

    /// A new token, and the seconds that it lives.
    async fn fetch(&self) -> Result<(String, u64), Failure> {
        let key = registered_key_of_setting("PORTVAKT_ADMIN_CLIENT_JWK", &self.settings)?;
        let client = self.settings.value("PORTVAKT_ADMIN_CLIENT_ID");
        let (Some(client), Some(key)) = (client, key) else {
            return Err(Failure {
                exit: ExitStatus::NotAuthenticated,
                message: "there is no token: give --token or set PORTVAKT_ADMIN_TOKEN, or set \
                          PORTVAKT_ADMIN_CLIENT_ID and PORTVAKT_ADMIN_CLIENT_JWK to have one fetched (in the \
                          environment, or in a file with --env-file)"
                    .to_owned(),
            });
        };
        let server =
            self.servers.server(&self.settings, |server| server.token_endpoint.is_some()).await?;
        let endpoint = server.token_endpoint.ok_or_else(|| {
            Failure::failed(format!("the metadata of {} names no token_endpoint", server.issuer))
        })?;
        let names: Vec<&str> = self.rights.iter().map(|right| right.name()).collect();
        let scope = names.join(" ");
        let assertion = assertion::signed_by(&key, &client, &scope, &server.issuer)?;
        let fetched = request::fetch(&self.web, &endpoint, &assertion).await;
        let (token, reply) = fetched.map_err(|refused| explain(refused, &client, &scope))?;
        Ok((token, reply["expires_in"].as_u64().unwrap_or_default()))
    }
}

/// What a refused token means to whoever wanted something else than a token.
fn explain(refused: NoToken, client: &str, scope: &str) -> Failure {
    let NoToken { error, failure: Failure { exit, message } } = refused;
    let of_scope = matches!(error.as_deref(), Some("invalid_scope" | "forbidden"));
    let (exit, what) = match exit {
        ExitStatus::RefusedToken if of_scope => {
            (ExitStatus::NotAllowed, format!("this needs {scope}, which {client} is not given: "))
        }
        ExitStatus::RefusedToken => {
            (ExitStatus::NotAuthenticated, format!("{client} is not let in: "))
        }
        other => (other, String::new()),
    };
    Failure { exit, message: format!("{what}{message}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(error: &str, exit: ExitStatus) -> Failure {
        let failure = Failure { exit, message: format!("no token: {error}") };
        explain(NoToken { error: Some(error.to_owned()), failure }, "me", "portvakt:admin")
    }

    #[test]
    fn a_refused_scope_is_not_allowed_and_any_other_refusal_not_authenticated() {
        for error in ["invalid_scope", "forbidden"] {
            let failure = refused(error, ExitStatus::RefusedToken);
            assert_eq!(failure.exit, ExitStatus::NotAllowed);
            assert!(failure.message.contains("portvakt:admin, which me is not given"), "{failure}");
        }
        let failure = refused("invalid_grant", ExitStatus::RefusedToken);
        assert_eq!(failure.exit, ExitStatus::NotAuthenticated);
        assert_eq!(refused("server_error", ExitStatus::Unreachable).exit, ExitStatus::Unreachable);
    }

    #[test]
    fn a_token_on_the_command_line_is_not_shown() {
        assert_eq!(format!("{:?}", Secret::from("eyJ")), "(secret)");
    }
}
