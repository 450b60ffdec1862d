//! The data folder: one process at a time, and nothing confirmed is lost with it.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use gymcall_jobs::store::clock::SystemClock;
use gymcall_jobs::store::sqlite::{OpenError, SqliteStore};
use gymcall_jobs::store::{JobQuery, Store};

use crate::contract::Keeper;
use crate::contract::fixtures::*;
use crate::sqlite_store::SqliteKeeper;

#[tokio::test]
async fn a_second_store_on_the_folder_is_refused_by_name() {
    let keeper = SqliteKeeper::fresh().await;
    match SqliteStore::open(keeper.folder(), Arc::new(SystemClock)) {
        Err(error @ OpenError::Busy { .. }) => {
            assert!(error.to_string().contains(keeper.folder().to_str().unwrap()), "{error}");
        }
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("two stores on one folder"),
    }
    let keeper = keeper.reopened().await;
    assert!(keeper.store.jobs(JobQuery::default()).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn a_folder_of_a_later_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(SqliteStore::open(folder.path(), Arc::new(SystemClock)).unwrap());
    let file = folder.path().join("gymcall.sqlite3");
    rusqlite::Connection::open(file).unwrap().execute_batch("PRAGMA user_version = 1000").unwrap();
    let refused = SqliteStore::open(folder.path(), Arc::new(SystemClock));
    assert!(matches!(refused, Err(OpenError::TooNew { found: 1000, .. })));
}

/// Runs [`writes_until_it_is_killed`] in a process of its own, on this folder.
fn writing_process(folder: &Path) -> (Child, impl Iterator<Item = String>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sqlite::folder::writes_until_it_is_killed", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.as_mut().unwrap(), "{}", folder.display()).unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let confirmed = lines.filter_map(|line| line.strip_prefix("confirmed ").map(str::to_owned));
    (child, confirmed)
}

#[tokio::test]
#[ignore = "the other process of the test below"]
async fn writes_until_it_is_killed() {
    let mut folder = String::new();
    std::io::stdin().read_line(&mut folder).unwrap();
    let store = SqliteStore::open(Path::new(folder.trim()), Arc::new(SystemClock)).unwrap();
    println!();
    for number in 0.. {
        let job = add(&store, job(None, number % 10_000, start())).await;
        println!("confirmed {}", job.id());
    }
}

#[tokio::test]
async fn a_killed_process_loses_nothing_it_confirmed_and_frees_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, mut confirmed) = writing_process(folder.path());
    let mut ids: Vec<String> = confirmed.by_ref().take(100).collect();
    let refused = SqliteStore::open(folder.path(), Arc::new(SystemClock));
    assert!(matches!(refused, Err(OpenError::Busy { .. })), "the folder is the other's");
    child.kill().unwrap();
    child.wait().unwrap();
    // What was in the pipe was confirmed too; its last line may have been cut off.
    let whole = ids[0].len();
    ids.extend(confirmed.filter(|id| id.len() == whole));
    let store = SqliteStore::open(folder.path(), Arc::new(SystemClock)).unwrap();
    for id in &ids {
        assert!(store.job(&id.parse().unwrap()).await.unwrap().is_some(), "{id} was confirmed and is lost");
    }
}
