//! Campaigns and the suppression list.

use gymcall_jobs::campaign::CampaignState;
use gymcall_jobs::store::{Begun, Change, Suppressed, Suppression, Write};

use super::Keeper;
use super::fixtures::*;

pub async fn campaigns_are_listed_newest_first(keeper: impl Keeper) {
    let store = &*keeper.store();
    let mut added = Vec::new();
    for _ in 0..5 {
        added.push(add_campaign(store, CampaignState::Draft).await.id);
    }
    added.reverse();
    let mut listed = Vec::new();
    let mut cursor = None;
    loop {
        let page = store.campaigns(cursor, 2).await.unwrap();
        assert!(page.items.len() <= 2);
        listed.extend(page.items.into_iter().map(|stored| stored.record.id));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(listed, added);
}

fn entry_of(number: u32, reason: &str) -> Suppression {
    Suppression { phone: phone(number), since: start(), reason: reason.into() }
}

pub async fn suppressions_keep_their_first_entry(keeper: impl Keeper) {
    let store = &*keeper.store();
    for reason in ["first", "second"] {
        let suppress = Some(entry_of(1, reason));
        store.commit(Write { suppress, ..Write::default() }).await.unwrap();
    }
    assert_eq!(store.suppression(&phone(1)).await.unwrap(), Some(entry_of(1, "first")));
    store.commit(Write { unsuppress: Some(phone(1)), ..Write::default() }).await.unwrap();
    assert_eq!(store.suppression(&phone(1)).await.unwrap(), None);
}

pub async fn suppressions_are_listed_by_number(keeper: impl Keeper) {
    let store = &*keeper.store();
    for number in [5, 1, 4, 2, 3] {
        let suppress = Some(entry_of(number, "asked"));
        store.commit(Write { suppress, ..Write::default() }).await.unwrap();
    }
    let mut listed = Vec::new();
    let mut cursor = None;
    loop {
        let page = store.suppressions(cursor, 2).await.unwrap();
        listed.extend(page.items.into_iter().map(|suppression| suppression.phone));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(listed, (1..=5).map(phone).collect::<Vec<_>>());
}

pub async fn many_numbers_are_suppressed_at_once(keeper: impl Keeper) {
    let store = &*keeper.store();
    let held = add(store, job(None, 2, start())).await;
    assert_eq!(begin(store, held.id(), wide_gate()).await, Begun::Go);
    let first = store.suppress_all(vec![entry_of(1, "first")]).await.unwrap();
    assert_eq!(first, [Suppressed { new: true, holder: None }]);
    let mut changes = store.changes();
    // One that is known, one whose call is under way, and one twice.
    let list = [(1, "second"), (2, "asked"), (3, "asked"), (3, "again")].map(|(number, why)| entry_of(number, why));
    let suppressed = store.suppress_all(list.to_vec()).await.unwrap();
    let expected = [(false, None), (true, Some(held.id().clone())), (true, None), (false, None)];
    assert_eq!(suppressed, expected.map(|(new, holder)| Suppressed { new, holder }));
    for number in [(1, "first"), (2, "asked"), (3, "asked")] {
        assert_eq!(store.suppression(&phone(number.0)).await.unwrap(), Some(entry_of(number.0, number.1)));
    }
    assert_eq!(store.suppressions(None, 10).await.unwrap().items.len(), 3);
    for _ in 0..2 {
        assert_eq!(changes.recv().await.unwrap(), Change::Suppression);
    }
    assert!(changes.try_recv().is_err());
    assert_eq!(store.suppress_all(Vec::new()).await.unwrap(), []);
}
