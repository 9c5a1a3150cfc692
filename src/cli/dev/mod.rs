//! `portvakt dev`: a test server with everything in it to try, from nothing, in one command.
//!
//! The folder holds a configuration, a database, a test PKI, keys and `dev.env`. `dev.env` is written last, so
//! a folder with it is complete and is used again as it is; only addresses and issuer may differ from run to
//! run. It is loudly a test server: its names say `dev`, and it stays on loopback unless told otherwise.

mod files;
mod identities;
mod people;
mod seed;
mod test_pki;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;

use crate::app;
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::cli::serve::{Addresses, Server};
use crate::clock::{SystemClock, SystemRandom};
use crate::config::{self, Config};
use crate::registry::Registry;
use crate::store::Store;

use files::Folder;
use identities::{
    CONSUMER_USER, Identities, OPERATOR_USER, PASSWORD, PROVIDER_USER, READER_USER, SUPPLIER_USER,
};
use test_pki::TestPki;

/// Make and run a test server, with everything in it to try.
#[derive(Args, Debug)]
pub(super) struct Dev {
    /// Where everything is kept; made if it is not there, used again if it is.
    #[arg(long, default_value = "./.portvakt-dev")]
    dir: PathBuf,
    /// The address of the token API.
    #[arg(long, default_value = "127.0.0.1:7080")]
    listen: SocketAddr,
    /// The address of the admin API.
    #[arg(long, default_value = "127.0.0.1:7081")]
    admin_listen: SocketAddr,
    /// The address of health and metrics.
    #[arg(long, default_value = "127.0.0.1:7082")]
    management_listen: SocketAddr,
    /// Who the server says it is; by default the address of the token API with `/dev/`.
    #[arg(long)]
    issuer: Option<String>,
    /// Throw away what is in the folder and begin afresh.
    #[arg(long)]
    reset: bool,
    /// Listen on addresses that others can reach. This is a test server without secrets.
    #[arg(long)]
    allow_remote: bool,
}

impl Dev {
    pub(super) async fn run(self) -> Result<(), Failure> {
        self.refuse_remote()?;
        self.check_issuer()?;
        let folder = Folder::new(&self.dir);
        if self.reset {
            self.refuse_running()?;
            folder.remove()?;
        }
        if folder.is_complete() {
            Box::pin(self.upgrade(&folder)).await?;
        } else {
            Box::pin(self.make(&folder)).await?;
        }
        let bound = self.start(&folder).await?;
        let addresses = bound.addresses().context("addresses")?;
        let issuer = self.issuer();
        let environment = files::environment(&folder, &issuer, &addresses)?;
        folder.write_environment(&environment)?;
        self.greet(&folder, &issuer, &addresses);
        Ok(bound.run().await?)
    }

    fn refuse_remote(&self) -> Result<(), Failure> {
        let all = [self.listen, self.admin_listen, self.management_listen];
        match all.into_iter().find(|address| !address.ip().is_loopback()) {
            Some(address) if !self.allow_remote => Err(Failure::usage(format!(
                "{address} is not loopback, and this is a test server whose keys lie open; \
                 --allow-remote listens there all the same"
            ))),
            _ => Ok(()),
        }
    }

    /// Refuses what no server would start with, before anything is made.
    fn check_issuer(&self) -> Result<(), Failure> {
        if self.listen.port() == 0 && self.issuer.is_none() {
            return Err(Failure::usage(
                "--listen needs a port, or --issuer, because the issuer names it",
            ));
        }
        match config::check_issuer(self.issuer()) {
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::usage(format!("{error}; give another --issuer"))),
        }
    }

    /// A server that runs on these addresses may be using the folder, which must not go from under it.
    fn refuse_running(&self) -> Result<(), Failure> {
        for address in [self.listen, self.admin_listen, self.management_listen] {
            std::net::TcpListener::bind(address).map_err(|error| {
                Failure::failed(format!("{address}: {error}; stop the server that uses the folder"))
            })?;
        }
        Ok(())
    }

    /// Makes what the folder lacks: everything, because a folder that is not complete is begun again.
    async fn make(&self, folder: &Folder) -> anyhow::Result<()> {
        folder.remove()?;
        folder.create()?;
        let (pki, identities) = tokio::try_join!(
            async { tokio::task::spawn_blocking(TestPki::make).await? },
            Identities::make(),
        )?;
        folder.write_pki(&pki)?;
        folder.write_identities(&identities)?;
        folder.write_sealing_key(&SystemRandom)?;
        let store = Store::open(&folder.database()).await?;
        store.migrate().await?;
        let config = self.configure(folder)?;
        let registry = registry(&config, &store)?;
        let operator = app::load_operator(&config)?.context("dev has an operator")?;
        seed::seed(&registry, &operator, &identities, &self.issuer()).await?;
        people::provide(&registry).await?;
        store.close().await;
        Ok(())
    }

    /// Brings the database of an earlier version up to this one.
    async fn upgrade(&self, folder: &Folder) -> anyhow::Result<()> {
        let store = Store::open(&folder.database()).await?;
        store.migrate().await?;
        people::provide(&registry(&self.configure(folder)?, &store)?).await?;
        store.close().await;
        Ok(())
    }

    async fn start(&self, folder: &Folder) -> anyhow::Result<Server> {
        let server = Server::start(&self.configure(folder)?).await?;
        Ok(server)
    }

    /// Writes the configuration that belongs to the arguments of this run, and reads it as any other.
    fn configure(&self, folder: &Folder) -> anyhow::Result<Config> {
        folder.write_operator_key()?;
        folder.write_configuration(&files::configuration(self, &self.issuer()))?;
        Ok(Config::load(&folder.configuration(), std::iter::empty())?)
    }

    fn issuer(&self) -> String {
        self.issuer.clone().unwrap_or_else(|| format!("http://{}/dev/", self.listen))
    }

    fn greet(&self, folder: &Folder, issuer: &str, addresses: &Addresses) {
        let environment = folder.environment();
        let environment = environment.display();
        let program = program_name();
        output::note(&format!(
            "\nPortvakt dev: a test server. Its keys lie open in {dir}; never use it for real.\n\n\
             \x20 issuer      {issuer}\n\
             \x20 token API   http://{token}/\n\
             \x20 admin API   http://{admin}/docs/\n\
             \x20 portal      http://{admin}/portal\n\
             \x20 management  http://{management}/readyz and /metrics\n\n\
             Sign in to the portal with the password {PASSWORD}, as\n\n\
             \x20 {OPERATOR_USER}   who runs this server\n\
             \x20 {PROVIDER_USER}   who owns the scopes\n\
             \x20 {CONSUMER_USER}   who may use them\n\
             \x20 {SUPPLIER_USER}   who acts for the consumer\n\
             \x20 {READER_USER}     who has been given no more than to look\n\n\
             Try, in another terminal:\n\n\
             \x20 {program} token get --env-file {environment}\n\
             \x20 {program} token get --env-file {environment} --p12 {p12}\n\
             \x20 . {environment}   # the names that client libraries know\n",
            dir = self.dir.display(),
            token = addresses.token,
            admin = addresses.admin,
            management = addresses.management,
            p12 = folder.consumer_p12().display(),
        ));
    }
}

/// The control plane of a test server, before it is started.
fn registry(config: &Config, store: &Store) -> anyhow::Result<Registry> {
    Ok(Registry::alone(
        store.clone(),
        Arc::new(SystemClock),
        Arc::new(SystemRandom),
        app::load_sealing_key(&config.sealing_key)?.audit_seal(),
        app::registry_rules(config),
    ))
}

/// How the user has started this program.
fn program_name() -> String {
    let name = std::env::args().next().map(PathBuf::from);
    name.as_deref().map_or_else(|| "portvakt".to_owned(), |name: &Path| name.display().to_string())
}
