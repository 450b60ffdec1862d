//! A write whose answer is lost was written or not; either way its caller must not do it twice.

use gymcall_jobs::campaign::CampaignState;
use gymcall_jobs::event::Event;
use gymcall_jobs::job::{CallJob, Status};
use gymcall_jobs::store::redis::{Durability, RedisStore};
use gymcall_jobs::store::{Begun, Refusal, ReplyWrite, SavedReply, Store, StoreError, Write};

use super::proxy::Proxy;
use crate::contract::fixtures::*;
use crate::redis_server::RedisServer;

async fn stores() -> (RedisServer, Proxy, RedisStore, RedisStore) {
    let server = RedisServer::start();
    let proxy = Proxy::before(&server.socket()).await;
    let behind = RedisStore::connect(&proxy.url(), Durability::Strict).await.unwrap();
    let direct = RedisStore::connect(&server.url(), Durability::Strict).await.unwrap();
    (server, proxy, behind, direct)
}

#[tokio::test]
async fn a_dial_whose_answer_was_lost_is_its_callers_and_nobody_elses() {
    let (_server, proxy, behind, direct) = stores().await;
    let job = add(&behind, job(None, 1, start())).await;
    let waiting = read(&behind, job.id()).await;
    let (ours, theirs) = (dial(&waiting, wide_gate(), start()), dial(&waiting, wide_gate(), start()));
    proxy.lose_next_answer();
    assert_eq!(behind.begin_dial(ours).await.unwrap(), Begun::Go);
    assert!(proxy.has_lost());
    assert_eq!(direct.begin_dial(theirs.clone()).await.unwrap(), Begun::Refused(Refusal::Changed));
    proxy.lose_next_answer();
    let unknown = behind.begin_dial(theirs).await;
    assert!(matches!(unknown, Err(StoreError::Failed(_))), "{unknown:?}: an other's dial is not ours");
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_written_once() {
    let (_server, proxy, behind, direct) = stores().await;
    let job = add(&behind, job(None, 1, start())).await;
    proxy.lose_next_answer();
    let cancelled = tell(&behind, job.id(), Event::Cancel).await;
    assert!(proxy.has_lost());
    let stored = read(&direct, job.id()).await;
    assert_eq!((stored.version, stored.record.status()), (2, Status::Cancelled));
    assert_eq!(stored.record, cancelled);

    // Accepted, unheard, and dialled by somebody else before it is said again.
    let new = job_of(2);
    let accepted = accept_unheard(&behind, &proxy, &new);
    let moved = async {
        while direct.job(new.id()).await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
        begin(&direct, new.id(), wide_gate()).await
    };
    let (accepted, begun) = tokio::join!(accepted, moved);
    accepted.expect("it was accepted, whatever became of it");
    assert_eq!(begun, Begun::Go);

    proxy.lose_next_answer();
    let campaign = add_campaign(&behind, CampaignState::Draft).await;
    assert!(proxy.has_lost());
    assert_eq!(direct.campaign(&campaign.id).await.unwrap().unwrap().version, 1);

    let reply = SavedReply { key: "k".into(), request: "r".into(), reply: None, job: None, at: behind.now() };
    let claim = |reply: &SavedReply| Write { reply: Some(ReplyWrite::Claim(reply.clone())), ..Write::default() };
    proxy.lose_next_answer();
    behind.commit(claim(&reply)).await.unwrap();
    assert!(proxy.has_lost());
    let other = SavedReply { request: "another".into(), ..reply };
    proxy.lose_next_answer();
    assert!(matches!(behind.commit(claim(&other)).await, Err(StoreError::KeyTaken(_))));
}

fn job_of(number: u32) -> CallJob {
    job(None, number, start())
}

async fn accept_unheard(store: &RedisStore, proxy: &Proxy, job: &CallJob) -> Result<(), StoreError> {
    proxy.lose_next_answer();
    store.commit(write_of(job, None)).await
}

#[tokio::test]
async fn a_note_whose_answer_was_lost_is_not_written_again() {
    let (_server, proxy, behind, direct) = stores().await;
    let job = add(&behind, job(None, 1, start())).await;
    let notes = Some((job.id().clone(), vec![entry("note")]));
    proxy.lose_next_answer();
    let noted = behind.commit(Write { notes, ..Write::default() }).await;
    assert!(matches!(noted, Err(StoreError::Failed(_))), "{noted:?}: whether it is there is not known");
    assert_eq!(direct.entries(job.id(), 0, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn rows_whose_answer_was_lost_fail_their_import_and_leave_nothing() {
    let (_server, proxy, behind, direct) = stores().await;
    let campaign = add_campaign(&behind, CampaignState::Draft).await;
    let import = import_id();
    behind.open_import(&import, &campaign.id, &campaign.run).await.unwrap();
    let rows: Vec<CallJob> = (0..450).map(|number| job(Some(&membership(&campaign)), number, start())).collect();
    proxy.lose_next_answer();
    // More than one script: those behind the lost one may be carried out or not.
    let staged = behind.stage(&import, rows.clone()).await;
    assert!(matches!(staged, Err(StoreError::Failed(_))), "{staged:?}");
    assert!(proxy.has_lost());
    behind.drop_import(&import).await.unwrap();
    let again = import_id();
    direct.open_import(&again, &campaign.id, &campaign.run).await.unwrap();
    assert_eq!(direct.stage(&again, rows).await.unwrap(), vec![true; 450]);
}

#[tokio::test]
async fn scripts_that_the_server_was_told_to_forget_are_told_anew() {
    let server = RedisServer::start();
    let store = RedisStore::connect(&server.url(), Durability::Strict).await.unwrap();
    server.say("SCRIPT FLUSH");
    add(&store, job(None, 1, start())).await;
}
