//! Loads a backup: all of it in one transaction, held against its checksums again as the database has it.

use std::io::BufRead;

use sqlx::migrate::Migrator;

use crate::clock::Timestamp;
use crate::store::backup::dump::{Sum, walk};
use crate::store::backup::reader::Rows;
use crate::store::backup::tables::{Table, clear_all, tables};
use crate::store::backup::{BackupError, BackupReader, BackupSummary};
use crate::store::database::{Begun, Turn, query};
use crate::store::{Store, fence};

/// What is good for a while or once: who had signed out since would be signed in again, and a link that was used would
/// be good once more.
const ENDED: [&str; 2] = ["user_session", "user_link"];

impl Store {
    /// Whether there is anything in the database that a backup would keep.
    pub async fn is_empty(&self) -> Result<bool, BackupError> {
        let mut begun = self.readers.snapshot().await?;
        for table in tables(&mut begun).await? {
            if table.has_rows(&mut begun).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Holds that no node was seen in the last so many seconds by the database's clock, also in a database of a version
    /// that had none. A file is nobody's.
    pub async fn require_no_nodes(&self, dead_seconds: i64) -> Result<(), BackupError> {
        let mut begun = self.readers.snapshot().await?;
        self.require_no_nodes_in(&mut begun, dead_seconds).await
    }

    async fn require_no_nodes_in(
        &self,
        begun: &mut Begun<'_>,
        dead_seconds: i64,
    ) -> Result<(), BackupError> {
        let Some(shown) = self.clock_milliseconds().await? else { return Ok(()) };
        if !self.applied_migrations().await?.contains(&NODE_MIGRATION) {
            return Ok(());
        }
        let oldest = shown.div_euclid(1_000).saturating_sub(dead_seconds);
        let nodes = query("select count(*) from node where seen_at >= $1").bind(oldest);
        match nodes.fetch_one(begun.on()).await? {
            (0,) => Ok(()),
            (nodes,) => Err(BackupError::InUse { nodes, dead_seconds }),
        }
    }

    /// Loads a backup in the place of whatever is there, and sets the fence, in a file at `now`; when it fails nothing has
    /// changed but that tables may have been made. Refused where a node was seen in the last `dead_seconds`: nobody may be
    /// using the database.
    pub async fn load(
        &self,
        mut backup: BackupReader<impl BufRead>,
        (now, dead_seconds): (Timestamp, i64),
        seen: &mut dyn FnMut(&str, u64),
    ) -> Result<BackupSummary, BackupError> {
        self.migrate_as(backup.migrations()).await?;
        let mut begun = self.writer.begin(Turn::Change).await?;
        begun.bear_pauses().await?;
        // From here on no node can join.
        self.require_no_nodes_in(&mut begun, dead_seconds).await?;
        let known = tables(&mut begun).await?;
        clear_all(&known, &mut begun).await?;
        while let Some(table) = backup.next_table()? {
            if !known.contains(&table) {
                let problem =
                    format!("the database has no table {} like that of the backup", table.name);
                return Err(BackupError::Unfit(problem));
            }
            load_table(&mut begun, &mut backup, &table, seen).await?;
        }
        for table in known.iter().filter(|table| ENDED.contains(&&*table.name)) {
            table.clear(&mut begun).await?;
        }
        if known.iter().any(|table| table.name == "outgoing_mail") {
            // They were sent since, or lead to links that are no good any more.
            let unsent = "update outgoing_mail set next_attempt_at = null where sent_at is null";
            query(unsent).execute(begun.on()).await?;
        }
        let has_fence = backup.migrations().contains(&FENCE_MIGRATION);
        if has_fence {
            fence::set_restored(&mut begun, now).await?;
        }
        begun.commit().await?;
        self.migrate().await?;
        if !has_fence {
            let mut begun = self.writer.begin(Turn::Change).await?;
            fence::set_restored(&mut begun, now).await?;
            begun.commit().await?;
        }
        Ok(backup.into_summary())
    }

    /// Applies the migrations that the database of the backup had, and no others: what later ones do to rows, they shall
    /// do to its rows.
    async fn migrate_as(&self, versions: &[i64]) -> Result<(), BackupError> {
        let all = self.migrator();
        if let Some(unknown) = versions.iter().find(|it| !all.version_exists(**it)) {
            return Err(BackupError::Unfit(format!(
                "the backup has migration {unknown}, which this program does not know; restore it with the version that \
                 made it, or a later one"
            )));
        }
        if let Some(later) =
            self.applied_migrations().await?.iter().find(|it| !versions.contains(it))
        {
            return Err(BackupError::Unfit(format!(
                "the database has migration {later}, which the backup lacks; restore into a database without tables, and \
                 they will be made as the backup needs them"
            )));
        }
        let own = all.iter().filter(|it| versions.contains(&it.version)).cloned();
        Ok(self.apply(Migrator::with_migrations(own.collect())).await?)
    }
}

/// The migration that makes the fence.
const FENCE_MIGRATION: i64 = 20_261_128_153_000;

/// The migration that makes the table of nodes.
const NODE_MIGRATION: i64 = 20_261_128_140_000;

async fn load_table<R: BufRead>(
    begun: &mut Begun<'_>,
    backup: &mut BackupReader<R>,
    table: &Table,
    seen: &mut dyn FnMut(&str, u64),
) -> Result<(), BackupError> {
    let mut sum = Sum::default();
    let expected = loop {
        let read = backup.rows(table, &mut sum)?;
        let (rows, summary) = match read {
            Rows::Some(rows) => (rows, None),
            Rows::Last(rows, summary) => (rows, Some(summary)),
        };
        if !rows.is_empty() {
            table.insert(begun, &rows).await?;
        }
        seen(&table.name, sum.rows);
        if let Some(summary) = summary {
            break summary;
        }
    };
    let loaded = walk(begun, table, None, &mut |_| {}).await?;
    if loaded == expected {
        return Ok(());
    }
    Err(BackupError::Unfit(format!(
        "table {} is not in this database what it is in the backup, as when a text holds a character that the database \
         cannot keep",
        table.name
    )))
}
