//! Which servers are trusted with records.

use gymcall_jobs::store::redis::{Durability, OpenError, RedisStore};

use crate::redis_server::RedisServer;

async fn refusal(settings: &[&str]) -> String {
    let server = RedisServer::with_settings(settings);
    match RedisStore::connect(&server.url(), Durability::Strict).await {
        Err(error @ OpenError::Unfit { .. }) => error.to_string(),
        Err(error) => panic!("{settings:?}: {error}"),
        Ok(_) => panic!("{settings:?}: it is trusted"),
    }
}

#[tokio::test]
async fn a_server_that_may_forget_is_refused_with_the_way_to_mend_it() {
    for (settings, name, wanted) in [
        (["--appendonly", "no"], "appendonly", "yes"),
        (["--appendfsync", "everysec"], "appendfsync", "always"),
        (["--maxmemory-policy", "allkeys-lru"], "maxmemory-policy", "noeviction"),
    ] {
        let said = refusal(&settings).await;
        for part in [format!("its {name} is {}", settings[1]), format!("config set {name} {wanted}")] {
            assert!(said.contains(&part), "{said:?} says nothing of {part:?}");
        }
        let server = RedisServer::with_settings(&settings);
        let store = RedisStore::connect(&server.url(), Durability::AcceptWeak).await;
        assert!(store.is_ok(), "{settings:?}: accepted by whoever bears the risk");
    }
}

#[tokio::test]
async fn a_replica_is_refused_even_by_whoever_accepts_weak_durability() {
    let server = RedisServer::with_settings(&["--replicaof", "127.0.0.1", "1", "--replica-serve-stale-data", "yes"]);
    let refused = RedisStore::connect(&server.url(), Durability::AcceptWeak).await.err().unwrap();
    assert!(refused.to_string().contains("not a primary"), "{refused}");
}

#[tokio::test]
async fn nobody_there_and_an_address_that_means_nothing_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("redis+unix://{}", folder.path().join("nobody.sock").display());
    let nobody = RedisStore::connect(&url, Durability::Strict).await.err().unwrap();
    assert!(matches!(nobody, OpenError::Unreachable(_)), "{nobody}");
    let nonsense = RedisStore::connect("gopher://somewhere", Durability::Strict).await.err().unwrap();
    assert!(matches!(nonsense, OpenError::Url(_)), "{nonsense}");
}
