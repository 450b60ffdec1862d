//! Which keeper has the records.

use std::sync::Arc;

use gymcall_jobs::store::Store;
use gymcall_jobs::store::clock::SystemClock;
use gymcall_jobs::store::sqlite::SqliteStore;

use super::StartError;
use crate::config::{ConfigError, Settings};

/// The keeper of this process's records.
pub(super) enum Keeper {
    /// This process alone has the records.
    Embedded(Arc<SqliteStore>),
}

impl Keeper {
    pub(super) async fn open(settings: &Settings) -> Result<Self, StartError> {
        if settings.redis_url.is_some() {
            let why = "REDIS_URL is set, but this version keeps its records in the embedded store only: unset it";
            return Err(ConfigError::Refused(why.to_owned()).into());
        }
        Ok(Self::Embedded(Arc::new(SqliteStore::open(&settings.data_dir, Arc::new(SystemClock))?)))
    }

    pub(super) fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Embedded(store) => Arc::clone(store) as Arc<dyn Store>,
        }
    }

    /// Whether other processes may work on the same records.
    pub(super) fn is_shared(&self) -> bool {
        match self {
            Self::Embedded(_) => false,
        }
    }

    /// Lets go of the records, once nobody else in this process uses them.
    pub(super) async fn close(self) {
        match self {
            Self::Embedded(store) => {
                if let Some(store) = Arc::into_inner(store) {
                    store.close().await;
                }
            }
        }
    }
}
