//! Versions, whole writes, histories, news, and what a restart must not lose.

use gymcall_jobs::campaign::CampaignState;
use gymcall_jobs::event::Event;
use gymcall_jobs::job::Status;
use gymcall_jobs::store::{Begun, CampaignWrite, Capacity, Change, Gate, Refusal, StoreError, Suppression, Write};

use super::Keeper;
use super::fixtures::*;

pub async fn a_record_starts_at_version_one_and_counts_its_writes(keeper: impl Keeper) {
    let store = &*keeper.store();
    let job = add(store, job(None, 1, start())).await;
    let stored = read(store, job.id()).await;
    assert_eq!((stored.version, &stored.record), (1, &job));
    let cancelled = tell(store, job.id(), Event::Cancel).await;
    let stored = read(store, job.id()).await;
    assert_eq!((stored.version, &stored.record), (2, &cancelled));

    let mut campaign = add_campaign(store, CampaignState::Draft).await;
    campaign.state = CampaignState::Running;
    put_campaign(store, &campaign, Some(1)).await;
    let stored = store.campaign(&campaign.id).await.unwrap().unwrap();
    assert_eq!((stored.version, stored.record), (2, campaign));
}

pub async fn a_write_from_an_old_version_changes_nothing(keeper: impl Keeper) {
    let store = &*keeper.store();
    let old = add(store, job(None, 1, start())).await;
    let cancelled = tell(store, old.id(), Event::Cancel).await;
    for from in [None, Some(1), Some(3)] {
        let refused = store.commit(write_of(&old, from)).await;
        assert!(matches!(refused, Err(StoreError::Conflict)), "from {from:?}: {refused:?}");
    }
    assert_eq!(read(store, old.id()).await.record, cancelled);
}

pub async fn a_write_happens_whole_or_not_at_all(keeper: impl Keeper) {
    let store = &*keeper.store();
    let known = add(store, job(None, 1, start())).await;
    let campaign = campaign(CampaignState::Draft);
    let mut write = write_of(&known, Some(9));
    write.campaign = Some(CampaignWrite { campaign: campaign.clone(), from: None, begins: None });
    write.suppress = Some(Suppression { phone: phone(1), since: start(), reason: "asked".into() });
    write.notes = Some((known.id().clone(), vec![entry("note")]));
    assert!(matches!(store.commit(write).await, Err(StoreError::Conflict)));
    assert!(store.campaign(&campaign.id).await.unwrap().is_none());
    assert!(store.suppression(&phone(1)).await.unwrap().is_none());
    assert!(store.entries(known.id(), 0, 10).await.unwrap().is_empty());
}

pub async fn what_is_missing_is_said_to_be_missing(keeper: impl Keeper) {
    let store = &*keeper.store();
    let stranger = job(None, 1, start());
    assert!(store.job(stranger.id()).await.unwrap().is_none());
    let changed = store.commit(write_of(&stranger, Some(1))).await;
    assert!(matches!(changed, Err(StoreError::Missing("job"))), "{changed:?}");
    let notes = Some((stranger.id().clone(), vec![entry("note")]));
    let noted = store.commit(Write { notes, ..Write::default() }).await;
    assert!(matches!(noted, Err(StoreError::Missing("job"))), "{noted:?}");
    let campaign = campaign(CampaignState::Draft);
    let opened = store.open_import(&import_id(), &campaign.id, &campaign.run).await;
    assert!(matches!(opened, Err(StoreError::Missing("campaign"))), "{opened:?}");
    let published = store.publish_import(&import_id(), None, None, Vec::new()).await;
    assert!(matches!(published, Err(StoreError::Missing("import"))), "{published:?}");
}

pub async fn entries_are_kept_in_order(keeper: impl Keeper) {
    let store = &*keeper.store();
    let first = job(None, 1, start());
    let mut write = write_of(&first, None);
    write.job.as_mut().unwrap().entries = vec![entry("a"), entry("b")];
    store.commit(write).await.unwrap();
    let other = add(store, job(None, 2, start())).await;
    for (id, kind) in [(first.id(), "c"), (other.id(), "x"), (first.id(), "d")] {
        let notes = Some((id.clone(), vec![entry(kind)]));
        store.commit(Write { notes, ..Write::default() }).await.unwrap();
    }
    let all = store.entries(first.id(), 0, 10).await.unwrap();
    assert_eq!(all.iter().map(|e| e.entry.kind.as_str()).collect::<Vec<_>>(), ["a", "b", "c", "d"]);
    assert_eq!(all[0].entry, entry("a"));
    assert!(all.windows(2).all(|pair| pair[0].number < pair[1].number));
    let rest = store.entries(first.id(), all[1].number, 1).await.unwrap();
    assert_eq!(rest, [all[2].clone()]);
    assert_eq!(read(store, first.id()).await.version, 1, "notes are no change of the record");
}

pub async fn changes_are_told_once_they_can_be_read(keeper: impl Keeper) {
    let store = keeper.store();
    let mut changes = store.changes();
    let campaign = add_campaign(&*store, CampaignState::Running).await;
    assert_eq!(changes.recv().await.unwrap(), Change::Campaign(campaign.id.clone()));
    let waiting = add(&*store, job(Some(&membership(&campaign)), 1, start())).await;
    let told = |status| Change::Job { id: waiting.id().clone(), run: Some(campaign.run.clone()), status };
    assert_eq!(changes.recv().await.unwrap(), told(Status::Waiting));

    let (writer, id) = (store.clone(), waiting.id().clone());
    let begun = tokio::spawn(async move { begin(&*writer, &id, wide_gate()).await });
    assert_eq!(changes.recv().await.unwrap(), told(Status::Dialing));
    assert_eq!(read(&*store, waiting.id()).await.record.status(), Status::Dialing);
    assert_eq!(begun.await.unwrap(), Begun::Go);

    // Refused writes are no news.
    assert!(store.commit(write_of(&waiting, Some(1))).await.is_err());
    let suppress = Some(Suppression { phone: phone(1), since: start(), reason: "asked".into() });
    store.commit(Write { suppress, ..Write::default() }).await.unwrap();
    assert_eq!(changes.recv().await.unwrap(), Change::Suppression);
}

pub async fn everything_survives_a_restart(keeper: impl Keeper) {
    survives(keeper, async |keeper| keeper.reopened().await).await;
}

pub async fn what_was_confirmed_survives_a_kill(keeper: impl Keeper) {
    survives(keeper, async |keeper| keeper.crashed().await).await;
}

async fn survives<K: Keeper>(keeper: K, restart: impl AsyncFnOnce(K) -> K) {
    let store = keeper.store();
    let campaign = add_campaign(&*store, CampaignState::Running).await;
    let dialed = add(&*store, job(Some(&membership(&campaign)), 1, start())).await;
    let waiting = add(&*store, job(Some(&membership(&campaign)), 2, start())).await;
    let slow = Gate { account: Capacity { calls_per_second: 1.0, lines: 1 }, campaign: None };
    assert_eq!(begin(&*store, dialed.id(), slow.clone()).await, Begun::Go);
    let notes = Some((dialed.id().clone(), vec![entry("note")]));
    let suppress = Some(Suppression { phone: phone(9), since: start(), reason: "asked".into() });
    store.commit(Write { notes, suppress, ..Write::default() }).await.unwrap();
    let before = read(&*store, dialed.id()).await;
    drop(store);

    let keeper = restart(keeper).await;
    let store = &*keeper.store();
    assert_eq!(read(store, dialed.id()).await, before);
    assert_eq!(store.campaign(&campaign.id).await.unwrap().unwrap().record, campaign);
    let counts = store.counts(&campaign.run).await.unwrap();
    assert_eq!((counts.of(Status::Waiting), counts.of(Status::Dialing), counts.total()), (1, 1, 2));
    assert_eq!(store.number_holder(&phone(1)).await.unwrap().as_ref(), Some(dialed.id()));
    assert_eq!(store.entries(dialed.id(), 0, 10).await.unwrap().len(), 1);
    assert!(store.suppression(&phone(9)).await.unwrap().is_some());
    // Line and pace are taken still.
    assert!(matches!(begin(store, waiting.id(), slow.clone()).await, Begun::Refused(Refusal::NoLine)));
    let lines = Gate { account: Capacity { lines: 2, ..slow.account }, ..slow };
    assert!(matches!(begin(store, waiting.id(), lines).await, Begun::Refused(Refusal::Pace(_))));
}
