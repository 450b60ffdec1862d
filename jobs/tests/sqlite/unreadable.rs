//! A record that cannot be read, as after a step back to an older version: it must not take the others with it.

use gymcall_jobs::store::{JobQuery, Store, StoreError};

use crate::contract::Keeper;
use crate::contract::fixtures::*;
use crate::contract::unreadable::Broken;
use crate::sqlite_store::SqliteKeeper;

#[tokio::test]
async fn a_record_that_nobody_can_read_blocks_no_other() {
    let keeper = SqliteKeeper::fresh().await;
    let broken = add(&*keeper.store, job(None, 1, start() - seconds(60))).await;
    let good = add(&*keeper.store, job(None, 2, start())).await;
    let file = keeper.folder().join("gymcall.sqlite3");
    let db = rusqlite::Connection::open(file).unwrap();
    let changed =
        db.execute("UPDATE jobs SET record = '{\"phase\":\"unheard_of\"}' WHERE id = ?", [broken.id().as_str()]);
    assert_eq!(changed.unwrap(), 1);

    // It is the longest due, and one job at a time is asked for.
    assert_eq!(keeper.store.due(WIDE, 1).await.unwrap().jobs, [good.id().clone()]);
    let listed = keeper.store.jobs(JobQuery { limit: 10, ..JobQuery::default() }).await.unwrap();
    assert_eq!(listed.items.iter().map(|stored| stored.record.id()).collect::<Vec<_>>(), [good.id()]);
    assert!(
        matches!(keeper.store.job(broken.id()).await, Err(StoreError::Corrupt(_))),
        "asked for by name, it says so"
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_passed_over_in_lists_of_any_size() {
    let keeper = SqliteKeeper::fresh().await;
    let broken = Broken::fill(&*keeper.store).await;
    let db = rusqlite::Connection::open(keeper.folder().join("gymcall.sqlite3")).unwrap();
    db.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    db.execute("UPDATE announcements SET record = '?' WHERE no BETWEEN 2 AND 4", []).unwrap();
    db.execute("UPDATE campaigns SET record = '?' WHERE id = ?", [broken.campaign.id.as_str()]).unwrap();
    db.execute("UPDATE jobs SET record = '?' WHERE id = ?", [broken.job.id().as_str()]).unwrap();
    broken.is_passed_over(&*keeper.store).await;
}
