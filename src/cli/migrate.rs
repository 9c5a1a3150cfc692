//! `portvakt migrate`: brings the database up to this version.

use std::path::PathBuf;

use clap::Args;

use crate::app;
use crate::cli::failure::Failure;
use crate::cli::{check_config, output};
use crate::store::StoreError;

/// Bring the database up to this version.
#[derive(Args, Debug)]
pub(super) struct Migrate {
    /// The configuration file.
    #[arg(long)]
    config: PathBuf,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
}

impl Migrate {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let failed = |error: StoreError| Failure::failed(error.to_string());
        let config = check_config::load(&self.config)?;
        if self.dry_run && config.database.missing_file().is_some() {
            output::print("the database is not there yet; every migration would be applied")?;
            return Ok(());
        }
        let store = app::open_store(&config.database).await;
        let store = store.map_err(|error| Failure::failed(error.to_string()))?;
        let pending = store.pending_migrations().await.map_err(failed)?;
        let verb = if self.dry_run { "lacks" } else { "apply" };
        for migration in &pending {
            output::print(&format!("{verb} {} {}", migration.version, migration.description))?;
        }
        if !self.dry_run {
            store.migrate().await.map_err(failed)?;
        }
        if pending.is_empty() {
            output::print("the database is up to date")?;
        }
        store.close().await;
        Ok(())
    }
}
