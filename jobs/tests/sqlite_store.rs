//! The embedded keeper, held to the contract of every keeper and to what it promises alone.

use std::path::Path;
use std::sync::Arc;

use gymcall_jobs::store::Store;
use gymcall_jobs::store::sqlite::SqliteStore;
use jiff::Timestamp;
use tempfile::TempDir;

use crate::contract::{Keeper, fixtures};
use crate::hand_clock::HandClock;

/// A store in a folder of its own.
pub struct SqliteKeeper {
    pub store: Arc<SqliteStore>,
    clock: Arc<HandClock>,
    folder: TempDir,
}

fn open(folder: TempDir, clock: Arc<HandClock>) -> SqliteKeeper {
    let store = SqliteStore::open(folder.path(), clock.clone()).unwrap();
    SqliteKeeper { store: Arc::new(store), clock, folder }
}

impl SqliteKeeper {
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Keeper for SqliteKeeper {
    async fn fresh() -> Self {
        open(tempfile::tempdir().unwrap(), HandClock::new(fixtures::start()))
    }

    fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    fn set_clock(&self, now: Timestamp) {
        self.clock.set(now);
    }

    async fn reopened(self) -> Self {
        let Self { store, clock, folder } = self;
        Arc::into_inner(store).expect("nobody else holds the store").close().await;
        open(folder, clock)
    }

    async fn crashed(self) -> Self {
        // What is in the files while the store is open is what a killed process leaves.
        let copy = tempfile::tempdir().unwrap();
        for file in std::fs::read_dir(self.folder.path()).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
        }
        open(copy, self.clock.clone())
    }
}

crate::contract::suite!(crate::sqlite_store::SqliteKeeper);
