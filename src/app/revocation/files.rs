//! Revocation lists in files, read again when the files change.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::config;
use crate::token::client_key::EnterpriseCertificates;

/// How often the files are looked at. A list that is put there stops tokens within this time.
const LOOK_SECONDS: u64 = 2;

/// The files of one trust set.
#[derive(Clone)]
struct Watched {
    trust_set: String,
    files: Vec<PathBuf>,
    /// When each was changed, as far as it could be told.
    seen: Vec<Option<SystemTime>>,
}

/// Watches the files of these trust sets, until the task is dropped.
pub(super) async fn follow(certificates: Arc<EnterpriseCertificates>, sets: Vec<config::TrustSet>) {
    let with_lists = sets.into_iter().filter(|set| !set.crls.is_empty());
    let mut watched: Vec<Watched> = with_lists
        .map(|set| Watched { trust_set: set.name, seen: stamps(&set.crls), files: set.crls })
        .collect();
    if watched.is_empty() {
        return;
    }
    loop {
        tokio::time::sleep(Duration::from_secs(LOOK_SECONDS)).await;
        for one in &mut watched {
            let seen = stamps(&one.files);
            if seen == one.seen {
                continue;
            }
            one.seen = seen;
            let (files, name) = (one.files.clone(), one.trust_set.clone());
            let certificates = Arc::clone(&certificates);
            // A list of a million entries takes a while to read, and requests shall not wait for it.
            let read =
                tokio::task::spawn_blocking(move || read_again(&certificates, &name, &files));
            match read.await {
                Ok(Ok(())) => {
                    tracing::info!(trust_set = one.trust_set, "revocation lists were read again");
                }
                Ok(Err(problem)) => tracing::error!(
                    trust_set = one.trust_set,
                    "the old revocation lists stay in use: {problem}"
                ),
                Err(error) => tracing::error!(trust_set = one.trust_set, %error, "reading failed"),
            }
        }
    }
}

fn stamps(files: &[PathBuf]) -> Vec<Option<SystemTime>> {
    let changed = |file: &PathBuf| std::fs::metadata(file).and_then(|file| file.modified()).ok();
    files.iter().map(changed).collect()
}

/// Puts what the files hold into use, all of it or none.
fn read_again(
    certificates: &EnterpriseCertificates,
    trust_set: &str,
    files: &[PathBuf],
) -> Result<(), String> {
    let read = |file: &PathBuf| {
        std::fs::read(file).map_err(|problem| format!("{}: {problem}", file.display()))
    };
    let lists = files.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let set = certificates.sets().iter().find(|set| set.name() == trust_set);
    let set = set.ok_or("the trust set is gone")?;
    set.replace_crls(lists).map_err(|problem| problem.to_string())
}
