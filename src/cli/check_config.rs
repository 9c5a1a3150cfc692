//! `portvakt check-config`: everything the server reads before it starts, without starting it.

use std::path::PathBuf;

use clap::Args;

use crate::app;
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::telemetry;

/// Say whether a configuration file is fit to start with.
#[derive(Args, Debug)]
pub(super) struct CheckConfig {
    /// The configuration file.
    file: PathBuf,
}

impl CheckConfig {
    pub(super) fn run(self) -> Result<(), Failure> {
        let config = load(&self.file)?;
        let failed = |error: app::AppError| Failure::failed(error.to_string());
        telemetry::check_filter(&config.log.filter).map_err(Failure::usage)?;
        for warning in app::check_files(&config, &SystemClock).map_err(failed)? {
            output::note(&warning);
        }
        output::print(&format!("{} is fit to start with", self.file.display()))?;
        Ok(())
    }
}

/// Reads a configuration file under the environment of this process.
pub(super) fn load(file: &std::path::Path) -> Result<Config, Failure> {
    Config::load(file, std::env::vars()).map_err(|error| Failure::usage(error.to_string()))
}
