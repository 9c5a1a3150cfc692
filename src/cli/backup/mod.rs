//! `portvakt backup`: everything that is in the database, as of one moment, in one sealed file. The server runs on.

mod restore;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use serde_json::json;

use crate::app;
use crate::cli::failure::{ExitStatus, Failure};
use crate::cli::output::{Progress, TextOrJson};
use crate::cli::{check_config, output};
use crate::clock::{Clock as _, SystemClock, SystemRandom};
use crate::store::{BackupError, BackupSummary, TableSummary};

pub(super) use restore::Restore;

/// Write everything that is in the database into one sealed file, while the server runs.
///
/// The file has the state of one moment. It is the same from SQLite and from PostgreSQL, and `portvakt restore` puts it
/// into either. It opens only with the sealing key of the server, which is not in it: keep that key elsewhere.
#[derive(Args, Debug)]
pub(super) struct Backup {
    /// The configuration file.
    #[arg(long)]
    config: PathBuf,
    /// How the result is shown.
    #[arg(short, long, value_enum, default_value_t)]
    output: TextOrJson,
    /// The file to be written. It must not be there.
    file: PathBuf,
}

impl Backup {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let config = check_config::load(&self.config)?;
        require_absent(&self.file)?;
        let missing = config.database.missing_file();
        if let Some(file) = missing {
            let exit = ExitStatus::NotFound;
            return Err(Failure { exit, message: format!("there is no {}", file.display()) });
        }
        let seal = app::load_sealing_key(&config.sealing_key).map_err(failed)?.backup_seal();
        // Under another name until it is whole.
        let unfinished = unfinished(&self.file);
        let store = app::open_store(&config.database).await.map_err(failed)?;
        let new = begin(&unfinished)?;
        // Another may have just ended.
        require_absent(&self.file).inspect_err(|_| _ = fs::remove_file(&unfinished))?;
        // Nobody else begins before this is over.
        let lock = new.try_clone();
        let mut progress = Progress::on_terminal();
        let mut seen = |table: &str, rows| progress.show(&format!("{table}: {rows} rows"));
        let written = async {
            new.set_len(0)?;
            let file = BufWriter::new(new);
            let mut sealed = seal.writer(file, &SystemRandom)?;
            let summary = store.dump(&mut sealed, SystemClock.now(), &mut seen).await?;
            let mut file = sealed.finish()?;
            file.flush()?;
            file.get_ref().sync_all()?;
            fs::rename(&unfinished, &self.file)?;
            Ok::<_, BackupError>(summary)
        };
        let written = written.await;
        drop(progress);
        store.close().await;
        if written.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        drop(lock);
        let named = |error| failed_with(&self.file, error);
        show(self.output, &written.map_err(named)?)
    }
}

fn require_absent(file: &Path) -> Result<(), Failure> {
    if file.exists() {
        return Err(conflict(format!("{} is there already", file.display())));
    }
    Ok(())
}

/// Opens the file of a backup that is not whole yet, for its owner alone. One that is left from before is begun anew, and
/// one that somebody is writing is not.
fn begin(unfinished: &Path) -> Result<File, Failure> {
    let named = |error| failed_with(unfinished, BackupError::Io(error));
    let mut private = OpenOptions::new();
    let private = private.write(true).create(true).truncate(false).mode(0o600);
    let file = private.open(unfinished).map_err(named)?;
    let is_ours = match file.try_lock() {
        // Whoever has just ended with it has given it its name.
        Ok(()) => fs::metadata(unfinished).is_ok_and(|it| {
            file.metadata().is_ok_and(|own| (own.dev(), own.ino()) == (it.dev(), it.ino()))
        }),
        Err(TryLockError::WouldBlock) => false,
        Err(TryLockError::Error(error)) => return Err(named(error)),
    };
    if is_ours {
        return Ok(file);
    }
    Err(conflict(format!("another backup is writing {}", unfinished.display())))
}

fn unfinished(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".unfinished");
    name.into()
}

/// Shows what a backup holds.
fn show(output: TextOrJson, summary: &BackupSummary) -> Result<(), Failure> {
    match output {
        TextOrJson::Json => output::print_json(&Shown::of(summary)),
        TextOrJson::Text => {
            let head = format!(
                "{} of {}, by portvakt {}: {} tables with {} rows",
                summary.database,
                summary.taken_at,
                summary.program,
                summary.tables.len(),
                summary.rows(),
            );
            let line = |table: &TableSummary| {
                format!("{:<18} {:>9}  sha256 {}", table.name, table.rows, table.sha256)
            };
            let lines: Vec<String> =
                [head].into_iter().chain(summary.tables.iter().map(line)).collect();
            output::print(&lines.join("\n"))
        }
    }
}

#[derive(Serialize)]
struct Shown {
    taken_at: String,
    database: String,
    program: String,
    migrations: Vec<i64>,
    rows: u64,
    tables: serde_json::Value,
}

impl Shown {
    fn of(summary: &BackupSummary) -> Self {
        Self {
            taken_at: summary.taken_at.to_string(),
            database: summary.database.clone(),
            program: summary.program.clone(),
            migrations: summary.migrations.clone(),
            rows: summary.rows(),
            tables: json!(summary.tables),
        }
    }
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::failed(error.to_string())
}

/// The failure, with the file that it is about where the error does not say.
fn failed_with(file: &Path, error: BackupError) -> Failure {
    match error {
        BackupError::Io(problem) => Failure::failed(format!("{}: {problem}", file.display())),
        BackupError::Damaged(_) => Failure::failed(format!("{}: {error}", file.display())),
        BackupError::InUse { .. } => conflict(error.to_string()),
        BackupError::Unfit(_) | BackupError::Store(_) => failed(error),
    }
}

fn conflict(message: String) -> Failure {
    Failure { exit: ExitStatus::Conflict, message }
}
