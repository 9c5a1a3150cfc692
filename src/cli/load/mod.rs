//! `portvakt load`: sends a token endpoint real token requests at a rate or with a number under way, and says how
//! it bore them.
//!
//! Each assertion is signed for this run and used once. Requests that are sent at a rate do not wait for the
//! answers to earlier ones, and their times count from when they were due: a server that stalls is not spared
//! by a tool that stalls with it. Before the load, one assertion is sent twice, and must be refused the
//! second time: who does not check is fast.

mod chart;
mod drive;
mod page;
mod report;
mod schedule;
mod server_cpu;
mod supply;
mod tally;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{ArgGroup, Args, ValueEnum};
use reqwest::Url;

use crate::cli::assertion::GrantArgs;
use crate::cli::env_file::Settings;
use crate::cli::failure::Failure;
use crate::cli::key_source::{self, AssertionKey, KeyName};
use crate::cli::load::drive::{End, Pace, Target};
use crate::cli::load::report::Report;
use crate::cli::load::server_cpu::ServerCpu;
use crate::cli::load::supply::{Requester, Signing, Supply};
use crate::cli::output::{self, TextOrJson};
use crate::cli::server::{ServerArgs, parse_url};
use crate::clock::{Clock as _, SystemClock};

/// Loads a token endpoint, and says how it bore that.
#[derive(Args, Clone, Debug)]
#[command(group = ArgGroup::new("counted").args(["rate", "requests"]).multiple(true))]
pub(super) struct LoadCommand {
    /// A file of settings, such as the dev.env that `portvakt dev` writes; repeated for more clients, which take
    /// turns.
    #[arg(long, value_name = "FILE")]
    env_file: Vec<PathBuf>,
    /// A file with the ids of more clients that have registered the same key, one a line; they take turns in place
    /// of `MASKINPORTEN_CLIENT_ID`.
    #[arg(long, value_name = "FILE")]
    clients: Option<PathBuf>,
    /// What the clients show: a registered key, an enterprise certificate, or both in turns.
    #[arg(long, value_name = "KIND", default_value = "key")]
    by: By,
    /// A scope to ask for, or several with spaces between them; repeated for more kinds of requests, which take
    /// turns [default: `MASKINPORTEN_SCOPES`].
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
    /// Requests a second, sent whether or not earlier ones have been answered.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=RATE_MAX))]
    rate: Option<u32>,
    /// Requests under way at a time, when there is no --rate; each is followed by the next.
    #[arg(long, value_name = "NUMBER", default_value_t = 16, conflicts_with = "rate",
        value_parser = clap::value_parser!(u32).range(1..=CONCURRENCY_MAX))]
    concurrency: u32,
    /// End after so many requests, however long that takes, instead of after --seconds.
    #[arg(long, value_name = "NUMBER", conflicts_with = "seconds",
        value_parser = clap::value_parser!(u32).range(1..))]
    requests: Option<u32>,
    /// Seconds of load.
    #[arg(long, value_name = "SECONDS", default_value_t = 10,
        value_parser = clap::value_parser!(u32).range(1..=SECONDS_MAX))]
    seconds: u32,
    /// Sign every assertion before the first is sent, so that signing takes nothing from the server beside it. It
    /// takes --rate or --requests, which say how many. They live for two minutes, which bounds the run.
    #[arg(long, requires = "counted")]
    sign_ahead: bool,
    /// Of a hundred requests, how many have a wrong signature, and must be refused.
    #[arg(long, value_name = "PERCENT", default_value_t = 0,
        value_parser = clap::value_parser!(u32).range(0..=100))]
    bad: u32,
    /// Open a connection for each request, with its TLS handshake, instead of keeping connections.
    #[arg(long)]
    new_connections: bool,
    /// The management listener, to read how much CPU the server takes [default: `PORTVAKT_MANAGEMENT_URL`].
    #[arg(long, value_name = "URL")]
    management_url: Option<String>,
    /// Write the report as an HTML page with charts, too.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// How to print the report.
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: TextOrJson,
    #[command(flatten)]
    server: ServerArgs,
}

/// More a second than any server of this kind answers on one machine.
const RATE_MAX: i64 = 1_000_000;

/// The number of connections that one address can have to another.
const CONCURRENCY_MAX: i64 = 28_000;

/// A day.
const SECONDS_MAX: i64 = 86_400;

/// What clients show.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum By {
    /// A registered key, by its kid.
    Key,
    /// An enterprise certificate, as x5c.
    Certificate,
    /// Both in turns.
    Both,
}

impl LoadCommand {
    /// Loads the server and prints the report. Anything but the expected answer to any request is a failure.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let all_settings = self.all_settings()?;
        let first = &all_settings[0];
        let server = self.server.server(first, |server| server.token_endpoint.is_some()).await?;
        let endpoint = server.token_endpoint.ok_or_else(|| {
            Failure::failed(format!("the metadata of {} names no token_endpoint", server.issuer))
        })?;
        let endpoint = parse_url(&endpoint)?;
        let requesters = self.requesters(&all_settings)?;
        let target = Arc::new(self.target(endpoint)?);
        let cpu = self.server_cpu(first)?;
        let signing = Signing { requesters, issuer: server.issuer.clone(), bad_percent: self.bad };
        drive::refuses_replays(&target, &signing).await?;

        let supply = self.supply(signing)?;
        let before = cpu.read().await;
        let began_at = SystemClock.now();
        let tally = drive::run(target, supply, self.pace(), self.end()).await?;
        let cpu_seconds = before.zip(cpu.read().await).map(|(before, after)| after - before);
        let report = Report::new(&server.issuer, began_at, self.described(), &tally, cpu_seconds);
        if let Some(file) = &self.html {
            std::fs::write(file, page::html(&report)).map_err(|error| {
                Failure::failed(format!("{} cannot be written: {error}", file.display()))
            })?;
        }
        match self.output {
            TextOrJson::Text => output::print(report.text().trim_end())?,
            TextOrJson::Json => output::print_json(&report)?,
        }
        report.judged()
    }

    fn all_settings(&self) -> Result<Vec<Settings>, Failure> {
        if self.env_file.is_empty() {
            return Ok(vec![Settings::load(None)?]);
        }
        self.env_file.iter().map(|file| Settings::load(Some(file))).collect()
    }

    fn pace(&self) -> Pace {
        match self.rate {
            Some(per_second) => Pace::Rate { per_second },
            None => Pace::Concurrency { at_a_time: self.concurrency },
        }
    }

    fn end(&self) -> End {
        match self.requests {
            Some(requests) => End::AfterRequests(requests),
            None => End::AfterSeconds(self.seconds),
        }
    }

    /// The pace and what is asked, in words.
    fn described(&self) -> String {
        let pace = match self.pace() {
            Pace::Rate { per_second } => format!("{per_second} requests a second"),
            Pace::Concurrency { at_a_time } => format!("{at_a_time} requests under way at a time"),
        };
        let by = match self.by {
            By::Key => "registered keys",
            By::Certificate => "enterprise certificates",
            By::Both => "registered keys and enterprise certificates",
        };
        let connections = if self.new_connections { "new connections" } else { "kept connections" };
        let signed = if self.sign_ahead { "signed ahead" } else { "signed as needed" };
        let bad = match self.bad {
            0 => String::new(),
            percent => format!(", {percent} % with a wrong signature"),
        };
        format!("{pace} by {by}, {signed}, {connections}{bad}")
    }

    /// Who asks: each client with each key it has and each scope.
    fn requesters(&self, all_settings: &[Settings]) -> Result<Vec<Requester>, Failure> {
        let mut requesters = Vec::new();
        for settings in all_settings {
            let mut keys = Vec::new();
            if matches!(self.by, By::Key | By::Both) {
                let key =
                    key_source::registered_key_of_setting("MASKINPORTEN_CLIENT_JWK", settings)?;
                keys.push(key.ok_or_else(|| missing("MASKINPORTEN_CLIENT_JWK"))?);
            }
            if matches!(self.by, By::Certificate | By::Both) {
                keys.push(key_source::certified_key_of_settings(settings)?);
            }
            for key in keys {
                requesters.push(self.requester(settings, key)?);
            }
        }
        Ok(requesters)
    }

    fn requester(&self, settings: &Settings, key: AssertionKey) -> Result<Requester, Failure> {
        let client_setting = match key.name {
            KeyName::Registered(_) => "MASKINPORTEN_CLIENT_ID",
            KeyName::Certificates(_) => "PORTVAKT_CERT_CLIENT_ID",
        };
        let client_ids = match (&self.clients, &key.name) {
            (Some(file), KeyName::Registered(_)) => client_ids(file)?,
            _ => vec![settings.value(client_setting).ok_or_else(|| missing(client_setting))?],
        };
        let scopes = match &self.scope[..] {
            [] => vec![GrantArgs::default().scope(settings)?],
            scopes => scopes.to_vec(),
        };
        Ok(Requester { client_ids, key, scopes })
    }

    fn target(&self, endpoint: Url) -> Result<Target, Failure> {
        let kept = if self.new_connections { 0 } else { usize::MAX };
        let client = self.server.web()?.builder(&endpoint).pool_max_idle_per_host(kept).build();
        let client =
            client.map_err(|error| Failure::failed(format!("TLS cannot be set up: {error}")))?;
        Ok(Target { client, endpoint })
    }

    fn server_cpu(&self, settings: &Settings) -> Result<ServerCpu, Failure> {
        let url = self.management_url.clone();
        match url.or_else(|| settings.value("PORTVAKT_MANAGEMENT_URL")) {
            Some(url) => Ok(ServerCpu::at(self.server.web()?, &url)),
            None => Ok(ServerCpu::unknown()),
        }
    }

    fn supply(&self, signing: Signing) -> Result<Supply, Failure> {
        if !self.sign_ahead {
            return Ok(Supply::as_needed(signing));
        }
        let count = self.end().requests(self.rate.unwrap_or_default());
        // How long a number of requests takes without a rate is not known before.
        let seconds = self.rate.map_or(0, |rate| count / u64::from(rate));
        output::note(&format!("signing {count} assertions"));
        Supply::ahead(signing, count, seconds)
    }
}

/// The clients of a file, one a line.
fn client_ids(file: &Path) -> Result<Vec<String>, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("{} cannot be read: {error}", file.display())))?;
    let ids: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
    if ids.is_empty() {
        return Err(Failure::usage(format!(
            "{} names no client; write one id a line",
            file.display()
        )));
    }
    Ok(ids)
}

fn missing(setting: &str) -> Failure {
    Failure::usage(format!(
        "{setting} is not set; the clients of a load are those of the settings (in the environment, or in files \
         with --env-file)"
    ))
}
