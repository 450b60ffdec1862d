//! Which keeper has the records: the embedded one, or a Redis that many processes share.

use std::sync::Arc;

use gymcall_jobs::store::Store;
use gymcall_jobs::store::clock::SystemClock;
use gymcall_jobs::store::redis::{Durability, RedisStore};
use gymcall_jobs::store::sqlite::SqliteStore;
use secrecy::ExposeSecret;

use super::StartError;
use crate::config::Settings;

/// The keeper of this process's records.
pub(super) enum Keeper {
    /// This process alone has the records.
    Embedded(Arc<SqliteStore>),
    /// Other processes work on the same records.
    Shared(Arc<RedisStore>),
}

impl Keeper {
    pub(super) async fn open(settings: &Settings) -> Result<Self, StartError> {
        let Some(url) = &settings.redis_url else {
            return Ok(Self::Embedded(Arc::new(SqliteStore::open(&settings.data_dir, Arc::new(SystemClock))?)));
        };
        let durability = if settings.accept_weak_durability {
            tracing::warn!(
                "--accept-weak-durability: this Redis may lose what it has confirmed, and then jobs can be lost and \
                 gyms called twice. Never call real gyms this way"
            );
            Durability::AcceptWeak
        } else {
            Durability::Strict
        };
        Ok(Self::Shared(Arc::new(RedisStore::connect(url.expose_secret(), durability).await?)))
    }

    pub(super) fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Embedded(store) => Arc::clone(store) as Arc<dyn Store>,
            Self::Shared(store) => Arc::clone(store) as Arc<dyn Store>,
        }
    }

    /// Whether other processes may work on the same records.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self, Self::Shared(_))
    }

    /// Lets go of the records, once nobody else in this process uses them.
    pub(super) async fn close(self) {
        match self {
            Self::Embedded(store) => {
                if let Some(store) = Arc::into_inner(store) {
                    store.close().await;
                }
            }
            Self::Shared(store) => {
                if let Some(store) = Arc::into_inner(store) {
                    store.close().await;
                }
            }
        }
    }
}
