//! `portvakt completions`: what a shell needs to complete our command line.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::cli::failure::Failure;
use crate::cli::output;

/// Print a script with which a shell completes the command line.
///
/// For bash: portvakt completions bash > ~/.local/share/bash-completion/completions/portvakt
#[derive(Args, Debug)]
pub(super) struct Completions {
    /// The shell.
    shell: Shell,
}

impl Completions {
    /// Prints the script for this command line.
    pub(super) fn run(&self, mut command: Command) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "portvakt", &mut script);
        output::print(String::from_utf8_lossy(&script).trim_end())
    }
}
