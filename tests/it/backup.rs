//! Backup and restore (R32): taken under load, put back elsewhere, and what is damaged is put nowhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use portvakt::clock::{Clock as _, SystemClock};
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::caller::new_jti;
use crate::harness::clock::tick;
use crate::harness::http::{exchange, form, post};
use crate::harness::mark::most;
use crate::harness::place::Place;
use crate::harness::postgres::TestDatabase;
use crate::harness::published::jwks;
use crate::harness::row::check_refusal;
use crate::harness::server::{TestServer, caller};
use crate::harness::sql::Sql;
use crate::nodes::process::{Home, fresh};
use crate::nodes::traffic::Traffic;

/// How long a backup of a small database may take on a busy machine.
const BACKUP_MAX: Duration = Duration::from_secs(10);

/// A server that can be backed up, with everything in it that test servers have.
async fn original(folder: &Path) -> (Home, Place) {
    let place = Place::new().await;
    let url = place.database.as_ref().map(|database| database.url());
    let home = Home::new(folder, "original", url, "");
    if let Some(file) = place.file() {
        fs::copy(file, home.database_file()).unwrap();
    }
    (home, place)
}

fn run(home: &Home, arguments: &[&str], status: i32) -> String {
    let Output { status: ended, stdout, stderr } = home.command(arguments).output().unwrap();
    let said = String::from_utf8([stdout, stderr].concat()).unwrap();
    assert_eq!(ended.code(), Some(status), "{arguments:?}: {said}");
    said
}

/// The tables of a backup, and what they hold.
fn tables(shown: &str) -> Vec<(String, u64, String)> {
    let start = shown.find('{').unwrap();
    let end = shown.rfind('}').unwrap();
    let shown: Value = serde_json::from_str(&shown[start..=end]).unwrap();
    let table = |table: &Value| {
        let text = |name: &str| table[name].as_str().unwrap().to_owned();
        (text("name"), table["rows"].as_u64().unwrap(), text("sha256"))
    };
    shown["tables"].as_array().unwrap().iter().map(table).collect()
}

/// Those of which a restored database has all rows, and no others. Where nodes may have seen another database, numbers
/// leap.
fn lasting(mut tables: Vec<(String, u64, String)>, leaps: bool) -> Vec<(String, u64, String)> {
    tables.retain(|(name, ..)| match &**name {
        "user_session" | "user_link" => false,
        "change" | "replay_log" => !leaps,
        _ => true,
    });
    tables
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_is_restored_elsewhere_and_what_was_spent_stays_spent() {
    let folder = TempDir::new().unwrap();
    let (home, _place) = original(folder.path()).await;
    let sql = home.sql().await;
    sql.execute(
        "insert into portal_user (id, email, name, organization_number, language, status, created_at, updated_at) \
         values ('u', 'u@x.example', 'Ål, \"tab\t\"', '310000116', 'nb', 'active', 1, 1)",
    )
    .await;
    sql.execute("insert into user_session (hash, user_id, created_at, seen_at, second_factor_done) values ('h', 'u', 1, 1, true)").await;
    sql.close().await;
    let (node, _) = home.start().await;
    let keys = jwks(home.token).await;
    let traffic = Traffic::start(&[home.token], 4, Duration::from_millis(10));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let file = folder.path().join("b.backup");
    let path = file.to_str().unwrap();
    let began = tick();
    let made = tables(&run(&home, &["backup", "-o", "json", path], 0));
    let took = began.elapsed();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let ledger = std::sync::Arc::clone(&traffic.ledger);
    let sent = traffic.stop().await;
    let counts = ledger.counts();
    assert_eq!(counts.len(), 1, "all requests work meanwhile: {counts:?}");
    println!("a backup of {} tables under load in {took:?} (at most {BACKUP_MAX:?})", made.len());
    assert!(took <= most(BACKUP_MAX), "{took:?}");
    assert!(run(&home, &["backup", path], 6).contains("is there already"));
    let sealed = fs::read(&file).unwrap();
    for secret in ["x.example", "es256-key", "portal_user"] {
        assert!(!sealed.windows(secret.len()).any(|part| part == secret.as_bytes()), "{secret}");
    }

    // Nobody restores over a server that runs, nor over what is there.
    run(&home, &["restore", path], 6);
    run(&home, &["restore", "--replace", path], if home.has_file() { 1 } else { 6 });
    assert_eq!(jwks(home.token).await, keys);
    node.terminate();
    node.ended().await;

    assert_eq!(tables(&run(&home, &["restore", "--verify", "-o", "json", path], 0)), made);
    let database = TestDatabase::create();
    let mut others = vec![Home::new(folder.path(), "file", None, "")];
    others
        .extend(database.as_ref().map(|it| Home::new(folder.path(), "server", Some(it.url()), "")));
    for other in &others {
        assert_eq!(tables(&run(other, &["restore", "-o", "json", path], 0)), made);
        let again = folder.path().join(format!("{}.again", others.len()));
        let shown = run(other, &["backup", "-o", "json", again.to_str().unwrap()], 0);
        fs::remove_file(&again).unwrap();
        let leaps = !other.has_file();
        let [had, has] = [made.clone(), tables(&shown)].map(|tables| lasting(tables, leaps));
        assert_eq!(has, had, "the same in every table");
        for table in ["change", "replay_log"] {
            let sql = other.sql().await;
            let highest = sql.number(&format!("select coalesce(max(seq), 0) from {table}")).await;
            assert_eq!(highest > 1_000_000_000, leaps, "{table}: {highest}");
            sql.close().await;
        }
        let ended =
            |name: &str| tables(&shown).iter().any(|(table, rows, _)| table == name && *rows == 0);
        assert!(ended("user_session") && ended("user_link"));
        run(other, &["restore", path], 6);
        restored_server_is_careful(other, &keys, &sent).await;
    }
    // In the place of what is there, when nobody uses it, and on the disk that it is on.
    let volume = home.database_file().with_file_name("volume.db");
    if home.has_file() {
        fs::rename(home.database_file(), &volume).unwrap();
        std::os::unix::fs::symlink("volume.db", home.database_file()).unwrap();
    }
    run(&home, &["restore", "--replace", path], 0);
    if home.has_file() {
        assert!(home.database_file().is_symlink());
        // One that leads to an empty disk is filled.
        fs::remove_file(&volume).unwrap();
        run(&home, &["restore", path], 0);
        assert!(home.database_file().is_symlink() && volume.is_file());
    }
    let (_node, _) = home.start().await;
    assert_eq!(jwks(home.token).await, keys);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn what_is_put_back_under_nodes_that_run_is_fenced_as_well() {
    let first = TestServer::start().await;
    let second = first.beside().await;
    for node in [&first, &second] {
        assert_eq!(node.ask(&caller("es256").assertion()).await.status, 200);
    }
    let database = first.place.database.clone().expect("PostgreSQL");
    let dump = database.dump_to_replace();
    let spent = caller("es256").assertion();
    assert_eq!(second.ask(&spent).await.status, 200);
    // Their connections stay.
    database.load(&dump);
    check_refusal(&first.ask(&spent).await, 503, "temporarily_unavailable", "").unwrap();
    for node in [&first, &second, &first, &second] {
        let reply = node.ask(&spent).await;
        assert!([400, 503].contains(&reply.status), "{}", reply.text());
    }
    // By the clock of the tests all this is long before the fence.
    let fresh = caller("es256").assertion();
    check_refusal(&first.ask(&fresh).await, 503, "temporarily_unavailable", "").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_backups_with_one_name_one_is_made() {
    let folder = TempDir::new().unwrap();
    let (home, _place) = original(folder.path()).await;
    let file = folder.path().join("b.backup");
    let path = file.to_str().unwrap();
    let other = fs::File::create(folder.path().join("b.backup.unfinished")).unwrap();
    other.lock().unwrap();
    assert!(run(&home, &["backup", path], 6).contains("another backup is writing"));
    // Whoever had begun it is gone.
    drop(other);
    run(&home, &["backup", path], 0);
    run(&home, &["restore", "--verify", path], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn a_database_that_has_gone_through_pg_dump_is_backed_up_as_well() {
    let folder = TempDir::new().unwrap();
    let (_home, place) = original(folder.path()).await;
    let copied = TestDatabase::create().expect("PostgreSQL");
    copied.load(&place.database.as_ref().expect("it is on PostgreSQL").dump());
    let copied_home = Home::new(folder.path(), "copied", Some(copied.url()), "");
    let file = folder.path().join("b.backup");
    let path = file.to_str().unwrap();
    let made = tables(&run(&copied_home, &["backup", "-o", "json", path], 0));
    assert!(made.iter().any(|(name, rows, _)| name == "access" && *rows > 0), "{made:?}");
    let empty = TestDatabase::create().expect("PostgreSQL");
    for (name, url) in [("file", None), ("server", Some(empty.url()))] {
        let other = Home::new(folder.path(), name, url, "");
        assert_eq!(tables(&run(&other, &["restore", "-o", "json", path], 0)), made);
    }
}

/// It signs with the keys that it had, accepts nothing that may have been spent, and soon works again.
async fn restored_server_is_careful(home: &Home, keys: &Value, sent: &[(String, String)]) {
    let (node, _) = home.start().await;
    let restored = SystemClock.now().seconds();
    assert_eq!(jwks(home.token).await, *keys);
    for (jti, assertion) in sent {
        let reply = exchange(home.token, &post(&form(assertion))).await.unwrap();
        assert_eq!(reply.status, 503, "{jti}: {}", reply.text());
        assert!(reply.header("retry-after").is_some());
        assert!(reply.text().contains("gone back to an earlier state"), "{}", reply.text());
    }
    // A client whose clock is as far ahead as may be need not wait as long as the others.
    let client = caller("es256");
    let mut refused = 0;
    loop {
        let now = SystemClock.now().seconds();
        let draft = fresh(&client).claim("iat", now + 9).claim("jti", new_jti());
        let reply = exchange(home.token, &post(&form(&draft.sign()))).await.unwrap();
        if reply.status == 200 {
            break;
        }
        refused += 1;
        assert!(now < restored + 8, "{}", reply.text());
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    println!(
        "{} old assertions refused, and {refused} new ones before the first token",
        sent.len()
    );
    node.kill();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_is_damaged_or_of_another_key_changes_nothing() {
    let folder = TempDir::new().unwrap();
    let (home, _place) = original(folder.path()).await;
    let path = |name: &str| folder.path().join(name);
    let text = |path: &PathBuf| path.to_str().unwrap().to_owned();
    run(&home, &["backup", &text(&path("good"))], 0);
    let good = fs::read(path("good")).unwrap();
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 4;
    fs::write(path("flipped"), flipped).unwrap();
    fs::write(path("cut"), &good[..good.len() - 1]).unwrap();
    fs::write(path("short"), &good[..40]).unwrap();
    fs::write(
        path("none"),
        b"no backup at all, but a text that is long enough to be taken for one, perhaps",
    )
    .unwrap();

    let database = TestDatabase::create();
    let other = Home::new(folder.path(), "other", database.as_ref().map(TestDatabase::url), "");
    let stranger =
        Home::new(folder.path(), "stranger", database.as_ref().map(TestDatabase::url), "");
    stranger.set(
        "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    );
    let cases = [
        (&other, "flipped", "has been changed"),
        (&other, "cut", "has been cut"),
        (&other, "short", "has been cut"),
        (&other, "none", "is no backup"),
        (&stranger, "good", "another key"),
    ];
    for (home, name, problem) in cases {
        for more in [&[][..], &["--verify"], &["--replace"]] {
            let file = text(&path(name));
            let said = run(home, &[&["restore"], more, &[&*file]].concat(), 1);
            assert!(said.contains(problem) && said.contains(&file), "{name}: {said}");
        }
        assert!(!home.database_file().exists(), "{name}");
        if let Some(database) = &database {
            let sql = Sql::connect(&database.url()).await;
            let made =
                sql.number("select count(*) from pg_tables where schemaname = 'public'").await;
            assert_eq!(made, 0, "{name}");
        }
    }
    run(&other, &["restore", &text(&path("good"))], 0);
}
