//! `portvakt key`: the public keys that clients register. Private halves never leave this machine.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::cli::admin::Run;
use crate::cli::admin::api::{Api, Place};
use crate::cli::admin::connection::ConnectionArgs;
use crate::cli::admin::key_file::{NewKeyFile, PairArgs, public_half};
use crate::cli::admin::report::{Listed, Report};
use crate::cli::failure::{ExitStatus, Failure};
use crate::cli::output;
use crate::clock::{Clock as _, DAY_SECONDS, SystemClock};
use crate::domain::right::Right;

/// What can be done with keys.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum KeyCommand {
    /// Show the keys of a client.
    List {
        /// The id of the client.
        client: String,
    },
    /// Make a key pair, write its private half into a file, and print its public half.
    New {
        /// The file, which must not be there yet. It gets a private JWK that only its owner can read.
        file: PathBuf,
        #[command(flatten)]
        pair: PairArgs,
    },
    /// Register a key on a client.
    Add {
        /// The id of the client.
        client: String,
        #[command(flatten)]
        key: KeyToRegister,
    },
    /// Register a key in the place of another, which goes on for a while.
    Renew {
        /// The id of the client.
        client: String,
        /// The kid of the key to be replaced.
        old: String,
        #[command(flatten)]
        key: KeyToRegister,
        /// When the old one ends: RFC 3339, or a date, of which it is the end in UTC [default: in 14 days].
        #[arg(long, value_name = "TIME")]
        old_ends_at: Option<String>,
    },
    /// Take a key off a client.
    Withdraw {
        /// The id of the client.
        client: String,
        /// The kid of the key.
        kid: String,
    },
    /// Show keys that end soon, the first to end first.
    Expiring {
        /// Within so many days.
        #[arg(long, value_name = "DAYS", default_value_t = WITHIN_DAYS)]
        within: u32,
        /// Those of this organization (operator).
        #[arg(long, value_name = "NUMBER")]
        organization: Option<String>,
        /// How many, at most.
        #[arg(long, value_name = "NUMBER", value_parser = super::limit)]
        limit: Option<usize>,
    },
}

/// A key that is there, or is made now.
#[derive(Args, Debug)]
pub(in crate::cli) struct KeyToRegister {
    /// A file with the key: JWK or PEM; of a private key only the public half is sent.
    #[arg(required_unless_present = "new", conflicts_with = "new")]
    file: Option<PathBuf>,
    /// Make a key pair, and write its private half into this file, which must not be there yet.
    #[arg(long, value_name = "FILE")]
    new: Option<PathBuf>,
    #[command(flatten)]
    pair: PairArgs,
}

/// Days in which a key ends soon.
const WITHIN_DAYS: u32 = 30;
const COLUMNS: &[&str] = &["kid", "alg", "certificate", "expires_at", "created_at", "last_used_at"];
const EXPIRING_COLUMNS: &[&str] = &["expires_at", "client_id", "kid", "alg", "last_used_at"];

impl Run for KeyCommand {
    async fn run(self, connection: &ConnectionArgs) -> Result<Report, Failure> {
        match self {
            Self::List { client } => {
                let mut api = connection.api(Right::ReadClients)?;
                Ok(Report::list(api.whole_list(&keys_of(&client)).await?, COLUMNS))
            }
            Self::New { file, pair } => {
                let made = pair.make(&file)?;
                output::note(&format!("the private half is in {}", file.display()));
                Ok(Report::text(made.public.to_string(), made.public))
            }
            Self::Add { client, key } => {
                let mut api = connection.api(Right::ModifyClients)?;
                let added = key.register(&mut api, &client, &keys_of(&client), None).await?;
                Ok(Report::thing(added, COLUMNS))
            }
            Self::Renew { client, old, key, old_ends_at } => {
                let mut api = connection.api(Right::ModifyClients)?;
                let place = Place::of(["clients", &client, "keys", &old, "renew"]);
                let end = old_ends_at.as_deref().map(super::end_of_day);
                let renewed = key.register(&mut api, &client, &place, end).await?;
                Ok(Report::thing(renewed, &["key", "old"]))
            }
            Self::Withdraw { client, kid } => {
                let mut api = connection.api(Right::ModifyClients)?;
                let place = Place::of(["clients", &client, "keys", &kid]);
                let mut left = api.remove_whatever(&place).await?;
                let items = match left.get_mut("items").map(Value::take) {
                    Some(Value::Array(items)) => items,
                    _ => Vec::new(),
                };
                Ok(Report::list(Listed { items, more: false }, COLUMNS))
            }
            Self::Expiring { within, organization, limit } => {
                let right = Right::ReadClients;
                let mut api = connection.api_at(organization.as_ref(), right)?;
                let before = SystemClock.now().plus_seconds(i64::from(within) * DAY_SECONDS);
                let place = Place::of(["keys"])
                    .with("organization", organization)
                    .with("before", Some(before));
                Ok(Report::list(api.list(&place, limit).await?, EXPIRING_COLUMNS))
            }
        }
    }
}

impl KeyToRegister {
    /// Registers the public half at `place`. A key pair that the server does not take is not left behind.
    async fn register(
        &self,
        api: &mut Api,
        client: &str,
        place: &Place,
        old_ends_at: Option<String>,
    ) -> Result<Value, Failure> {
        let (made, mut body) = match (&self.new, &self.file) {
            (Some(file), _) => {
                // Whoever has mistyped the client is told before a key is made.
                api.read(&Place::of(["clients", client])).await?;
                let made = self.pair.make(file)?;
                let body = super::members([("jwk", Some(made.public.clone()))]);
                (Some(made), body)
            }
            (None, Some(file)) => (None, self.named(public_half(file)?)),
            (None, None) => return Err(Failure::usage("give a file with a key, or --new FILE")),
        };
        if let Some(end) = old_ends_at {
            body["old_ends_at"] = end.into();
        }
        let registered = api.make(place, &body).await;
        if let Some(made) = &made {
            told(made, self.new.as_ref(), &registered);
        }
        registered
    }

    /// With the kid of the options: PEM has none, and that of a JWK is replaced.
    fn named(&self, mut body: Value) -> Value {
        if let Some(kid) = self.pair.kid() {
            match body.get_mut("jwk") {
                Some(jwk) => jwk["kid"] = kid.into(),
                None => body["kid"] = kid.into(),
            }
        }
        body
    }
}

fn told(made: &NewKeyFile, file: Option<&PathBuf>, registered: &Result<Value, Failure>) {
    let file = file.map(|file| file.display().to_string()).unwrap_or_default();
    match registered {
        Ok(_) => output::note(&format!("the private half is in {file}")),
        // It may have been registered all the same.
        Err(failure) if failure.exit == ExitStatus::Unreachable => {
            output::note(&format!(
                "the private half is in {file}; `key list` says if it is registered"
            ));
        }
        Err(_) => made.remove(),
    }
}

fn keys_of(client: &str) -> Place {
    Place::of(["clients", client, "keys"])
}
