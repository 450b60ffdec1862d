//! Endpoints that announcements are delivered to.

use gymcall_jobs::announcement::{AnnouncementId, Kind};
use gymcall_jobs::endpoint::{Endpoint, Secret};
use gymcall_jobs::id::EndpointId;
use gymcall_jobs::store::{Change, EndpointWrite, Store, StoreError, Write};

use super::Keeper;
use super::fixtures::*;

fn endpoint(number: u128) -> Endpoint {
    let (id, url) = (EndpointId::new(start(), number), format!("https://example.com/{number}"));
    let all = Endpoint::new(id, url, Secret::new("whsec_c2VjcmV0".into()), AnnouncementId::START, start());
    Endpoint { events: vec![Kind::JobCompleted], ..all }
}

async fn put(store: &dyn Store, endpoint: &Endpoint, from: Option<u64>) -> Result<(), StoreError> {
    let put = EndpointWrite::Put { endpoint: endpoint.clone(), from };
    store.commit(Write { endpoint: Some(put), ..Write::default() }).await
}

async fn remove(store: &dyn Store, endpoint: &Endpoint) -> Result<(), StoreError> {
    let remove = EndpointWrite::Remove(endpoint.id.clone());
    store.commit(Write { endpoint: Some(remove), ..Write::default() }).await
}

pub async fn an_endpoint_is_written_by_whoever_read_it_last(keeper: impl Keeper) {
    let store = &*keeper.store();
    let (one, other) = (endpoint(1), endpoint(2));
    put(store, &other, None).await.unwrap();
    put(store, &one, None).await.unwrap();
    assert!(matches!(put(store, &one, None).await, Err(StoreError::Conflict)));
    let mut mine = one.clone();
    mine.lease_to("me", start());
    put(store, &mine, Some(1)).await.unwrap();
    let mut yours = one.clone();
    yours.lease_to("you", start());
    assert!(matches!(put(store, &yours, Some(1)).await, Err(StoreError::Conflict)));
    let stored = store.endpoint(&one.id).await.unwrap().unwrap();
    assert_eq!((stored.record, stored.version), (mine.clone(), 2));
    let all: Vec<Endpoint> = store.endpoints().await.unwrap().into_iter().map(|stored| stored.record).collect();
    assert_eq!(all, [mine, other]);
}

pub async fn an_endpoint_that_was_removed_takes_no_more_writes(keeper: impl Keeper) {
    let store = keeper.store();
    let one = endpoint(1);
    let mut changes = store.changes();
    put(&*store, &one, None).await.unwrap();
    // How far it has got is no news to anybody.
    put(&*store, &one, Some(1)).await.unwrap();
    remove(&*store, &one).await.unwrap();
    for written in [put(&*store, &one, Some(2)).await, remove(&*store, &one).await] {
        assert!(matches!(written, Err(StoreError::Missing("webhook"))), "{written:?}");
    }
    assert!(store.endpoint(&one.id).await.unwrap().is_none());
    assert!(store.endpoints().await.unwrap().is_empty());
    assert_eq!([changes.recv().await.unwrap(), changes.recv().await.unwrap()], [Change::Endpoint, Change::Endpoint]);
    assert!(changes.is_empty());
}
