//! The shared keeper, held to the contract of every keeper and to what it promises alone.

use std::sync::Arc;

use gymcall_jobs::store::Store;
use gymcall_jobs::store::redis::{Durability, RedisStore};
use jiff::Timestamp;

use crate::contract::{Keeper, fixtures};
use crate::hand_clock::HandClock;
use crate::redis_server::RedisServer;

/// A store on a server of its own.
pub struct RedisKeeper {
    pub store: Arc<RedisStore>,
    pub server: RedisServer,
    clock: Arc<HandClock>,
}

async fn connect(server: RedisServer, clock: Arc<HandClock>) -> RedisKeeper {
    let store = RedisStore::with_clock(&server.url(), Durability::Strict, Some(clock.clone())).await.unwrap();
    RedisKeeper { store: Arc::new(store), server, clock }
}

impl Keeper for RedisKeeper {
    async fn fresh() -> Self {
        connect(RedisServer::start(), HandClock::new(fixtures::start())).await
    }

    fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    fn set_clock(&self, now: Timestamp) {
        self.clock.set(now);
    }

    async fn reopened(self) -> Self {
        let Self { store, server, clock } = self;
        Arc::into_inner(store).expect("nobody else holds the store").close().await;
        connect(server, clock).await
    }

    /// The process and the server die together, which leaves nobody who could say that nothing was forgotten.
    async fn crashed(self) -> Self {
        let Self { store, mut server, clock } = self;
        server.restart();
        drop(store);
        let keeper = connect(server, clock).await;
        let mut doubts = keeper.store.doubts();
        let doubt = doubts.wait_for(Option::is_some).await.unwrap().clone().unwrap();
        keeper.store.dispel(&doubt).await.unwrap();
        keeper
    }
}

crate::contract::suite!(crate::redis_store::RedisKeeper);
