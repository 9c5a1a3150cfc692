//! What test servers run on: a folder each, and a database there or, in `tests/postgres run`, in a cluster.

use std::path::PathBuf;
use std::sync::Arc;

use portvakt::store::Store;
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::harness::postgres::TestDatabase;
use crate::harness::server::fill;
use crate::harness::sql::Sql;

/// What a server runs on: a folder with its configuration, and a database there or in a cluster.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) folder: Arc<TempDir>,
    pub(crate) database: Option<Arc<TestDatabase>>,
}

impl Place {
    /// A new one, with everything that test servers have.
    pub(crate) async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let database = match template().await {
            Template::Sqlite(file) => {
                std::fs::copy(file, folder.path().join("portvakt.db")).unwrap();
                None
            }
            Template::Postgres(database) => Some(Arc::new(database.copy())),
        };
        Self { folder: Arc::new(folder), database }
    }

    /// A new one on a database that is empty.
    pub(crate) async fn on(database: TestDatabase) -> Self {
        let store = Store::connect(&database.url()).await.unwrap();
        fill(&store, Sql::connect(&database.url()).await).await;
        Self { folder: Arc::new(TempDir::new().unwrap()), database: Some(Arc::new(database)) }
    }

    /// The database, behind the back of the server.
    pub(crate) async fn sql(&self) -> Sql {
        match &self.database {
            None => Sql::open(&self.folder.path().join("portvakt.db")).await,
            Some(database) => Sql::connect(&database.url()).await,
        }
    }

    /// The file of the database, if it is one.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        self.database.is_none().then(|| self.folder.path().join("portvakt.db"))
    }
}

/// A database with everything in it.
enum Template {
    Sqlite(PathBuf),
    Postgres(TestDatabase),
}

/// The one that is made once and copied for each server.
async fn template() -> &'static Template {
    static TEMPLATE: OnceCell<(Template, TempDir)> = OnceCell::const_new();
    let make = async || {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("portvakt.db");
        let (template, store, sql) = match TestDatabase::create() {
            None => {
                let store = Store::open(&file).await;
                (Template::Sqlite(file.clone()), store, Sql::open(&file).await)
            }
            Some(database) => {
                let url = database.url();
                let store = Store::connect(&url).await;
                (Template::Postgres(database), store, Sql::connect(&url).await)
            }
        };
        let store = store.unwrap();
        fill(&store, sql).await;
        (template, folder)
    };
    &TEMPLATE.get_or_init(make).await.0
}
