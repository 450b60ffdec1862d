//! News between processes that share a server.

use std::time::Duration;

use gymcall_jobs::campaign::CampaignState;
use gymcall_jobs::job::Status;
use gymcall_jobs::store::redis::{Durability, RedisStore};
use gymcall_jobs::store::{Change, Store, Suppression, Write};
use tokio::sync::broadcast::Receiver;

use crate::contract::fixtures::*;
use crate::redis_server::RedisServer;

async fn next(changes: &mut Receiver<Change>) -> Change {
    tokio::time::timeout(Duration::from_secs(20), changes.recv()).await.expect("news comes").unwrap()
}

#[tokio::test]
async fn what_one_process_writes_the_others_hear_and_it_hears_itself_once() {
    let server = RedisServer::start();
    let one = RedisStore::connect(&server.url(), Durability::Strict).await.unwrap();
    let two = RedisStore::connect(&server.url(), Durability::Strict).await.unwrap();
    let (mut here, mut there) = (one.changes(), two.changes());
    let campaign = add_campaign(&one, CampaignState::Running).await;
    let waiting = add(&one, job(Some(&membership(&campaign)), 1, start())).await;
    begin(&one, waiting.id(), wide_gate()).await;
    let suppress = Some(Suppression { phone: phone(7), since: start(), reason: "asked".into() });
    one.commit(Write { suppress, ..Write::default() }).await.unwrap();
    let moved = |status| Change::Job { id: waiting.id().clone(), run: Some(campaign.run.clone()), status };
    let told =
        [Change::Campaign(campaign.id.clone()), moved(Status::Waiting), moved(Status::Dialing), Change::Suppression];
    for change in &told {
        assert_eq!(next(&mut there).await, *change);
        assert_eq!(next(&mut here).await, *change);
    }
    // By now the server has told `one` of its own doings too, and it has left them out.
    add_campaign(&two, CampaignState::Draft).await;
    assert!(matches!(next(&mut here).await, Change::Campaign(other) if other != campaign.id));
}

#[tokio::test]
async fn a_broken_connection_is_told_as_a_gap() {
    let mut server = RedisServer::start();
    let store = RedisStore::connect(&server.url(), Durability::Strict).await.unwrap();
    let mut changes = store.changes();
    server.restart();
    assert_eq!(next(&mut changes).await, Change::Gap);
}
