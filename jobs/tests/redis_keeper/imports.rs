//! Imports of processes that are gone.

use gymcall_jobs::campaign::CampaignState;
use gymcall_jobs::store::redis::{Durability, RedisStore};
use gymcall_jobs::store::{Store, StoreError};

use crate::contract::fixtures::*;
use crate::redis_server::RedisServer;

#[tokio::test]
async fn an_import_gives_way_once_its_process_is_gone_and_not_before() {
    let server = RedisServer::start();
    let one = RedisStore::connect(&server.url(), Durability::Strict).await.unwrap();
    let two = RedisStore::connect(&server.url(), Durability::Strict).await.unwrap();
    let campaign = add_campaign(&one, CampaignState::Running).await;
    let (first, second) = (import_id(), import_id());
    one.open_import(&first, &campaign.id, &campaign.run).await.unwrap();
    one.stage(&first, vec![job(Some(&membership(&campaign)), 1, start())]).await.unwrap();
    let refused = two.open_import(&second, &campaign.id, &campaign.run).await;
    assert!(matches!(refused, Err(StoreError::Busy(_))), "{refused:?}");

    one.close().await;
    while let Err(StoreError::Busy(_)) = two.open_import(&second, &campaign.id, &campaign.run).await {
        // The server has not seen yet that the connection is closed.
        tokio::task::yield_now().await;
    }
    let taken = two.stage(&second, vec![job(Some(&membership(&campaign)), 1, start())]).await.unwrap();
    assert_eq!(taken, [true], "what was staged before stands in nobody's way");
    two.publish_import(&second, None, None, Vec::new()).await.unwrap();
    assert_eq!(two.counts(&campaign.run).await.unwrap().total(), 1);
}
