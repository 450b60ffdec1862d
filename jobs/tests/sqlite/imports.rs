//! Imports behind live work.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use gymcall_jobs::campaign::CampaignState;
use gymcall_jobs::store::Store;

use crate::contract::Keeper;
use crate::contract::fixtures::*;
use crate::sqlite_store::SqliteKeeper;

#[tokio::test]
async fn a_large_import_does_not_hold_up_live_writes() {
    let keeper = SqliteKeeper::fresh().await;
    let store = &*keeper.store;
    let campaign = add_campaign(store, CampaignState::Running).await;
    let import = import_id();
    store.open_import(&import, &campaign.id, &campaign.run).await.unwrap();
    let membership = membership(&campaign);
    let rows: Vec<_> = (0..20_000).map(|number| wide_job(&membership, number)).collect();
    let mut staging = pin!(store.stage(&import, rows));
    // Asked for first …
    assert!(staging.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    // … and still going on when each of these is done.
    for number in 0..5 {
        let live = add(store, job(None, number, start())).await;
        assert_eq!(read(store, live.id()).await.version, 1);
        assert!(staging.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    let taken = staging.await.unwrap();
    assert_eq!(taken.iter().filter(|taken| **taken).count(), 20_000);
    assert!(store.transactions() > 20, "a large import is many small commits");
    store.publish_import(&import, None, None, Vec::new()).await.unwrap();
    assert_eq!(store.counts(&campaign.run).await.unwrap().total(), 20_000);
}

/// Like `job`, for more numbers than one exchange has.
fn wide_job(membership: &gymcall_jobs::job::Membership, number: u32) -> gymcall_jobs::job::CallJob {
    let phone = format!("+1{}555{:04}", 212 + number / 10_000, number % 10_000);
    let gym = serde_json::from_value(serde_json::json!({ "phone": phone, "name": "Gym" })).unwrap();
    let id = gymcall_jobs::id::JobId::new(start(), u128::from(number) << 40);
    gymcall_jobs::job::CallJob::new(id, Some(membership.clone()), gym, start(), start())
}
