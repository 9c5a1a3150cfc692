//! `portvakt restore`: puts a backup into an empty database of either kind, or only says what is in it.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::app;
use crate::cli::backup::{conflict, failed, failed_with, show};
use crate::cli::failure::Failure;
use crate::cli::output::{Progress, TextOrJson};
use crate::cli::{check_config, output};
use crate::clock::{Clock as _, SystemClock};
use crate::config::{Config, DatabaseSource};
use crate::keys::{BackupSeal, SealedReader};
use crate::store::{
    BackupError, BackupReader, BackupSummary, Store, kept_in, put_in_place, require_unused,
    restoring,
};

/// Put a backup in the place of an empty database.
///
/// First the whole file is read and every checksum compared; then everything is put in, or nothing. No node may be
/// running. The backup may come from either kind of database and from an older version of this program. What was
/// spent since the backup is not known, so assertions that were issued before the restore are refused, and for about
/// fourteen seconds all are. People sign in again, and links that were mailed to them are void.
#[derive(Args, Debug)]
pub(crate) struct Restore {
    /// The configuration file: it names the database and the sealing key.
    #[arg(long)]
    config: PathBuf,
    /// Only read the backup, compare every checksum, and say what it holds. No database is touched.
    #[arg(long, conflicts_with = "replace")]
    verify: bool,
    /// Replace what is in the database, if it is not empty.
    #[arg(long)]
    replace: bool,
    /// How the result is shown.
    #[arg(short, long, value_enum, default_value_t)]
    output: TextOrJson,
    /// The backup.
    file: PathBuf,
}

impl Restore {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let config = check_config::load(&self.config)?;
        let seal = app::load_sealing_key(&config.sealing_key).map_err(failed)?.backup_seal();
        let backup = Source { file: &self.file, seal };
        let named = |error| failed_with(&self.file, error);
        let summary = verify(&backup).map_err(named)?;
        if self.verify {
            return show(self.output, &summary);
        }
        let summary = match &config.database {
            DatabaseSource::File(file) => self.fill_file(&backup, &kept_in(file)).await?,
            DatabaseSource::Url(_) | DatabaseSource::UrlFile(_) => {
                self.fill_server(&backup, &config).await?
            }
        };
        output::note("restored; start the nodes");
        show(self.output, &summary)
    }

    /// The new file is put together beside the old one, and takes its place when it is whole.
    async fn fill_file(&self, backup: &Source<'_>, file: &Path) -> Result<BackupSummary, Failure> {
        let named = |error| failed_with(&self.file, error);
        if file.exists() && !self.replace {
            let store = Store::open(file).await.map_err(failed)?;
            let is_empty = store.is_empty().await.map_err(named)?;
            store.close().await;
            require_empty(is_empty)?;
        }
        require_unused(file).await.map_err(named)?;
        let new = restoring(file).map_err(named)?;
        let store = Store::open(&new).await.map_err(failed)?;
        let loaded = load(&store, backup, 0).await;
        store.close().await;
        let placed = match loaded {
            Ok(summary) => put_in_place(&new, file, &SystemClock).await.map(|()| summary),
            Err(error) => Err(error),
        };
        if placed.is_err() {
            let _ = restoring(file);
        }
        placed.map_err(named)
    }

    async fn fill_server(
        &self,
        backup: &Source<'_>,
        config: &Config,
    ) -> Result<BackupSummary, Failure> {
        let named = |error| failed_with(&self.file, error);
        let store = app::open_store(&config.database).await.map_err(failed)?;
        let dead_seconds = app::dead_seconds(config);
        store.require_no_nodes(dead_seconds).await.map_err(named)?;
        if !self.replace {
            require_empty(store.is_empty().await.map_err(named)?)?;
        }
        let loaded = load(&store, backup, dead_seconds).await;
        store.close().await;
        loaded.map_err(named)
    }
}

fn require_empty(is_empty: bool) -> Result<(), Failure> {
    if is_empty {
        return Ok(());
    }
    Err(conflict("the database is not empty; --replace puts the backup in its place".to_owned()))
}

/// A sealed file that can be read from its beginning more than once.
struct Source<'f> {
    file: &'f Path,
    seal: BackupSeal,
}

impl Source<'_> {
    fn reader(
        &self,
    ) -> Result<BackupReader<BufReader<SealedReader<BufReader<File>>>>, BackupError> {
        let sealed = BufReader::new(File::open(self.file)?);
        BackupReader::begin(BufReader::new(self.seal.reader(sealed)?))
    }
}

fn verify(backup: &Source<'_>) -> Result<BackupSummary, BackupError> {
    let mut progress = Progress::on_terminal();
    backup
        .reader()?
        .verify(&mut |table, rows| progress.show(&format!("reading {table}: {rows} rows")))
}

async fn load(
    store: &Store,
    backup: &Source<'_>,
    dead_seconds: i64,
) -> Result<BackupSummary, BackupError> {
    let mut progress = Progress::on_terminal();
    let mut seen = |table: &str, rows: u64| progress.show(&format!("{table}: {rows} rows"));
    store.load(backup.reader()?, (SystemClock.now(), dead_seconds), &mut seen).await
}
