//! A declared set: what a file says there shall be, beside what is there.
//!
//! `file` is the format, `plan` and `prune` find what differs, `steps` says and does it, `export` writes a file of
//! what is there. What a file does not mention is left alone.

mod export;
mod file;
mod plan;
mod prune;
mod steps;

use std::path::PathBuf;

use clap::Args;

use crate::cli::admin::Run;
use crate::cli::admin::api::Api;
use crate::cli::admin::connection::ConnectionArgs;
use crate::cli::admin::declared::file::Declared;
use crate::cli::admin::declared::plan::plan;
use crate::cli::admin::declared::steps::Steps;
use crate::cli::admin::report::Report;
use crate::cli::failure::{ExitStatus, Failure};

pub(super) use export::Export;

/// What a file looks like, for people.
const FORMAT: &str = "\
The file is TOML. Every member is called as in the admin API, and means the same:

  [[prefix]]              # assigning and transferring is the operator's
  prefix = \"dev\"
  organization = \"310000108\"

  [[scope]]
  scope = \"dev:greetings.read\"
  description = \"Read greetings\"
  # long_description, visibility (PUBLIC, PRIVATE, INTERNAL), accessible_for_all,
  # allowed_integration_types, token_lifetime_seconds_max, delegation_source, issued_in_outage,
  # supports_european_businesses

  [[access]]
  scope = \"dev:greetings.read\"
  consumer = \"310000116\"
  # expires_at, note

  [[delegation]]
  consumer = \"310000116\"
  supplier = \"310000124\"
  scope = \"dev:reports.write\"
  # valid_from, valid_to

  [[client]]              # known by organization and name, or by client_id if that is given
  organization = \"310000116\"
  name = \"nightly reports\"
  scopes = [\"dev:greetings.read\"]
  # client_id, description, access_token_lifetime, integration_type

A member that is not there is left as it is on the server; \"\" or 0 clears one that need not be there. What is
declared is active: what was deactivated or withdrawn is restored or granted again.

With --prune, scopes, accesses and delegations that are not declared are deactivated or withdrawn, but only
under the prefixes that the file names, and only those of a kind that the file mentions (`access = []` mentions
accesses and declares none); and scopes that are not declared are taken off the clients that the file names.
Clients, prefixes and keys are never removed.";

/// What there shall be.
#[derive(Args, Debug)]
struct Wanted {
    /// The file that declares it.
    file: PathBuf,
    /// Deactivate or withdraw what is not declared, under the prefixes and on the clients that the file names.
    #[arg(long)]
    prune: bool,
}

/// Make the server have what a file declares.
///
/// What is missing is made, what differs is changed, in an order in which one thing can rest upon another. At the
/// first failure it stops, and says what was done; the same command goes on from there. Nothing is done twice.
#[derive(Args, Debug)]
#[command(after_long_help = FORMAT)]
pub(in crate::cli) struct Apply {
    #[command(flatten)]
    wanted: Wanted,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
}

/// Say what `apply` would do.
///
/// Exit code 0 says that nothing differs, 6 that something does, and any other that it cannot be told.
#[derive(Args, Debug)]
#[command(after_long_help = FORMAT)]
pub(in crate::cli) struct Diff {
    #[command(flatten)]
    wanted: Wanted,
}

impl Wanted {
    async fn plan(&self, connection: &ConnectionArgs) -> Result<(Api, Steps), Failure> {
        let declared = Declared::read(&self.file)?;
        let mut api = connection.api_for(&declared.rights_to_read())?;
        let steps = plan(&mut api, &declared, self.prune).await?;
        Ok((api, steps))
    }
}

impl Run for Apply {
    async fn run(self, connection: &ConnectionArgs) -> Result<Report, Failure> {
        let (mut api, steps) = self.wanted.plan(connection).await?;
        if self.dry_run {
            return Ok(steps.report("would be"));
        }
        Ok(steps.carry_out(&mut api).await)
    }
}

impl Run for Diff {
    async fn run(self, connection: &ConnectionArgs) -> Result<Report, Failure> {
        let (_, steps) = self.wanted.plan(connection).await?;
        let differ = (!steps.is_empty()).then(|| Failure {
            exit: ExitStatus::Conflict,
            message: "the server does not have what the file declares".to_owned(),
        });
        Ok(steps.report("would be").failing(differ))
    }
}
