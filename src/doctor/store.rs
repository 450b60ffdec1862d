//! Whether the records can be kept.

use std::sync::Arc;

use gymcall_jobs::store::clock::SystemClock;
use gymcall_jobs::store::redis::{Durability, RedisStore};
use gymcall_jobs::store::sqlite::{OpenError, SqliteStore};
use secrecy::ExposeSecret;

use super::Finding;
use crate::config::Settings;

const CHECK: &str = "store";

pub(super) async fn check(settings: &Settings) -> Finding {
    match &settings.redis_url {
        Some(url) => match RedisStore::connect(url.expose_secret(), Durability::Strict).await {
            Ok(store) => {
                store.close().await;
                Finding::ok(CHECK, "the Redis keeps what it has confirmed")
            }
            Err(error) => Finding::failed(CHECK, error, "See \"What Redis must be\" in docs/operations.md"),
        },
        None => embedded(settings).await,
    }
}

async fn embedded(settings: &Settings) -> Finding {
    let folder = settings.data_dir.display();
    match SqliteStore::open(&settings.data_dir, Arc::new(SystemClock)) {
        Ok(store) => {
            store.close().await;
            Finding::ok(CHECK, format!("the data folder {folder} can be written"))
        }
        Err(OpenError::Busy { .. }) => Finding::ok(CHECK, format!("the data folder {folder} is a running server's")),
        Err(error) => {
            Finding::failed(CHECK, error, "Set GYMCALL_DATA_DIR to a folder that this user can write, or mend that one")
        }
    }
}
