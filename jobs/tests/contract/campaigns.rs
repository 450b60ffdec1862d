//! Campaigns and the suppression list.

use gymcall_jobs::campaign::CampaignState;
use gymcall_jobs::store::{Suppression, Write};

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
