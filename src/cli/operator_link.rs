//! `portvakt operator-link`: lets the first operator into the portal, and any whom nobody can let in any more.
//!
//! There is no default password. Whoever has the configuration, with its sealing key and its database, could write
//! anything there anyhow; so the link is theirs to make.

use std::sync::Arc;

use clap::Args;

use crate::app;
use crate::cli::failure::Failure;
use crate::cli::{check_config, output};
use crate::clock::{SystemClock, SystemRandom};
use crate::domain::email_address::EmailAddress;
use crate::domain::language::Language;
use crate::registry::{Actor, Registry};

/// Print a link with which an operator chooses a password for the portal. It counts once, for three days.
#[derive(Args, Debug)]
pub(super) struct OperatorLink {
    /// The configuration file.
    #[arg(long)]
    config: std::path::PathBuf,
    /// The e-mail address of the operator, who is made a user of the operator's organization if they are not.
    #[arg(long)]
    email: EmailAddress,
    /// In which language to speak to them: nb, nn or en.
    #[arg(long, default_value = "nb", value_parser = language)]
    language: Language,
}

fn language(text: &str) -> Result<Language, String> {
    Language::from_name(text).ok_or_else(|| "it is none of nb, nn, en".to_owned())
}

impl OperatorLink {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let failed = |error: &dyn std::fmt::Display| Failure::failed(error.to_string());
        let config = check_config::load(&self.config)?;
        let sealing_key = app::load_sealing_key(&config.sealing_key).map_err(|e| failed(&e))?;
        let store = app::open_store(&config.database).await.map_err(|e| failed(&e))?;
        let pending = store.pending_migrations().await.map_err(|e| failed(&e))?;
        if !pending.is_empty() {
            return Err(Failure::failed("run first: portvakt migrate --config FILE"));
        }
        let registry = Registry::alone(
            store.clone(),
            Arc::new(SystemClock),
            Arc::new(SystemRandom),
            sealing_key.audit_seal(),
            app::registry_rules(&config),
        );
        // What a server makes when it starts for the first time, in case it has not.
        if let Some(operator) = app::load_operator(&config).map_err(|e| failed(&e))? {
            registry.first_start(&operator).await.map_err(|e| failed(&e))?;
        }
        let actor = Actor::server("portvakt operator-link");
        let link = registry.operator_link(&actor, &self.email, self.language).await;
        let link = link.map_err(|e| failed(&e))?;
        output::print(&link)?;
        store.close().await;
        Ok(())
    }
}
