//! Idempotency keys.

use gymcall_jobs::store::{ReplyWrite, SavedReply, Store, StoreError, Write};

use super::Keeper;
use super::fixtures::*;

fn claim(key: &str) -> SavedReply {
    SavedReply { key: key.into(), request: "digest".into(), reply: None, job: None, at: start() }
}

async fn put(store: &dyn Store, reply: ReplyWrite) -> Result<(), StoreError> {
    store.commit(Write { reply: Some(reply), ..Write::default() }).await
}

pub async fn a_key_is_taken_once(keeper: impl Keeper) {
    let store = &*keeper.store();
    put(store, ReplyWrite::Claim(claim("k"))).await.unwrap();
    put(store, ReplyWrite::Claim(claim("other"))).await.unwrap();
    match put(store, ReplyWrite::Claim(SavedReply { request: "another".into(), ..claim("k") })).await {
        Err(StoreError::KeyTaken(known)) => assert_eq!(*known, claim("k")),
        other => panic!("{other:?}"),
    }
}

pub async fn a_completed_reply_is_given_again(keeper: impl Keeper) {
    let store = &*keeper.store();
    put(store, ReplyWrite::Claim(claim("k"))).await.unwrap();
    assert_eq!(store.saved_reply("k").await.unwrap(), Some(claim("k")));
    let complete = SavedReply { reply: Some((201, "{}".into())), ..claim("k") };
    put(store, ReplyWrite::Complete(complete.clone())).await.unwrap();
    assert_eq!(store.saved_reply("k").await.unwrap(), Some(complete.clone()));
    match put(store, ReplyWrite::Claim(claim("k"))).await {
        Err(StoreError::KeyTaken(known)) => assert_eq!(*known, complete),
        other => panic!("{other:?}"),
    }
}

pub async fn a_key_is_free_again_after_a_day(keeper: impl Keeper) {
    let store = &*keeper.store();
    put(store, ReplyWrite::Claim(claim("k"))).await.unwrap();
    keeper.set_clock(start() + seconds(24 * 3600 - 1));
    assert!(store.saved_reply("k").await.unwrap().is_some());
    keeper.set_clock(start() + seconds(24 * 3600));
    assert_eq!(store.saved_reply("k").await.unwrap(), None);
    let later = SavedReply { at: store.now(), ..claim("k") };
    put(store, ReplyWrite::Claim(later.clone())).await.unwrap();
    assert_eq!(store.saved_reply("k").await.unwrap(), Some(later));
}

pub async fn a_taken_key_stops_the_whole_write(keeper: impl Keeper) {
    let store = &*keeper.store();
    let first = job(None, 1, start());
    let mine = SavedReply { job: Some(first.id().clone()), ..claim("k") };
    store.commit(Write { reply: Some(ReplyWrite::Claim(mine.clone())), ..write_of(&first, None) }).await.unwrap();
    let second = job(None, 2, start());
    let theirs = ReplyWrite::Claim(SavedReply { job: Some(second.id().clone()), ..claim("k") });
    match store.commit(Write { reply: Some(theirs), ..write_of(&second, None) }).await {
        Err(StoreError::KeyTaken(known)) => assert_eq!(*known, mine),
        other => panic!("{other:?}"),
    }
    assert!(store.job(second.id()).await.unwrap().is_none());
}
