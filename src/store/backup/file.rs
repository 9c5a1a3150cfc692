//! Puts a new SQLite file in the place of another, at once and only where nobody has the other open.

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};

use sqlx::{ConnectOptions as _, Connection as _};

use crate::store::backup::BackupError;
use crate::store::database::{Connection, query};
use crate::store::sqlite;

/// What SQLite keeps beside its file.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The file that a database is kept in: where that name is a link, what it leads to, on the disk that was chosen for it,
/// whether it is there or not.
pub fn kept_in(file: &Path) -> PathBuf {
    match (fs::canonicalize(file), fs::read_link(file)) {
        (Ok(kept), _) => kept,
        (Err(_), Ok(target)) => file.parent().unwrap_or_else(|| Path::new("")).join(target),
        (Err(_), Err(_)) => file.to_owned(),
    }
}

/// The file in which a database is put together that is to become `file`, with nothing left of an earlier attempt.
pub fn restoring(file: &Path) -> Result<PathBuf, BackupError> {
    let new = with(file, ".restoring");
    for old in [new.clone()].into_iter().chain(beside(&new)) {
        remove(&old)?;
    }
    Ok(new)
}

/// Puts `new`, which is closed, in the place of `file`.
pub async fn put_in_place(new: &Path, file: &Path) -> Result<(), BackupError> {
    if file.exists() {
        give_up_log(file).await?;
        // Whoever runs the server must be able to open the new one as well.
        let old = fs::metadata(file)?;
        chown(new, Some(old.uid()), Some(old.gid()))?;
    } else {
        // The log of a file that is gone would be taken for that of the new one.
        for left in beside(file) {
            remove(&left)?;
        }
    }
    if let Some(log) = beside(new).into_iter().find(|log| log.exists()) {
        return Err(BackupError::Unfit(format!("{} is still there", log.display())));
    }
    fs::rename(new, file)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()?;
    Ok(())
}

/// Has SQLite write everything into the file and remove what is beside it, which it does only where nobody else has the
/// file open.
async fn give_up_log(file: &Path) -> Result<(), BackupError> {
    let options = sqlite::options(file)?;
    let connection = options.connect().await.map_err(crate::store::StoreError::from)?;
    let mut connection = Connection::Sqlite(connection);
    let mode: Result<(String,), _> =
        query("pragma journal_mode = delete").fetch_one(&mut connection).await;
    let is_ours = mode.is_ok_and(|(mode,)| mode == "delete");
    if let Connection::Sqlite(connection) = connection {
        connection.close().await.map_err(crate::store::StoreError::from)?;
    }
    if is_ours {
        return Ok(());
    }
    Err(BackupError::Unfit(format!("{} is in use; stop the server first", file.display())))
}

fn beside(file: &Path) -> [PathBuf; 3] {
    BESIDE.map(|end| with(file, end))
}

fn with(file: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(end);
    name.into()
}

fn remove(file: &Path) -> Result<(), BackupError> {
    match fs::remove_file(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        outcome => Ok(outcome?),
    }
}
