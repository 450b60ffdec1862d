//! Imports.

use gymcall_jobs::campaign::{Campaign, CampaignState};
use gymcall_jobs::job::{CallJob, Status};
use gymcall_jobs::store::{
    Begun, CampaignWrite, Change, JobQuery, Refusal, ReplyWrite, SavedReply, Standing, Store, StoreError, Stored,
    Suppression,
};

use super::Keeper;
use super::fixtures::*;

fn rows(campaign: &Campaign, numbers: std::ops::Range<u32>) -> Vec<CallJob> {
    numbers.map(|number| job(Some(&membership(campaign)), number, start())).collect()
}

fn everything() -> JobQuery {
    JobQuery { limit: 1_000, ..JobQuery::default() }
}

async fn assert_nothing_is_seen(store: &dyn Store, campaign: &Campaign, staged: &CallJob) {
    assert!(store.job(staged.id()).await.unwrap().is_none());
    assert!(store.jobs(everything()).await.unwrap().items.is_empty());
    assert_eq!(store.counts(&campaign.run).await.unwrap().total(), 0);
    let due = store.due(WIDE, 10).await.unwrap();
    assert_eq!((due.jobs.len(), due.again_at), (0, None));
    let waiting = Stored { record: staged.clone(), version: 1 };
    let begun = store.begin_dial(dial(&waiting, wide_gate(), start())).await.unwrap();
    assert_eq!(begun, Begun::Refused(Refusal::Changed));
    let written = store.commit(write_of(staged, Some(1))).await;
    assert!(matches!(written, Err(StoreError::Missing("job"))), "{written:?}");
}

pub async fn an_import_is_seen_all_at_once_or_not_at_all(keeper: impl Keeper) {
    let store = &*keeper.store();
    let campaign = add_campaign(store, CampaignState::Running).await;
    let import = import_id();
    store.open_import(&import, &campaign.id, &campaign.run).await.unwrap();
    let staged = rows(&campaign, 0..50);
    assert_eq!(store.stage(&import, staged[..20].to_vec()).await.unwrap(), [true; 20]);
    assert_eq!(store.stage(&import, staged[20..].to_vec()).await.unwrap(), [true; 30]);
    assert_nothing_is_seen(store, &campaign, &staged[0]).await;

    let mut changes = store.changes();
    store.publish_import(&import, None, None, Vec::new()).await.unwrap();
    assert_eq!(changes.recv().await.unwrap(), Change::Campaign(campaign.id.clone()));
    let counts = store.counts(&campaign.run).await.unwrap();
    assert_eq!((counts.of(Status::Waiting), counts.total()), (50, 50));
    let listed = store.jobs(everything()).await.unwrap();
    assert_eq!(listed.items.into_iter().map(|stored| stored.record).collect::<Vec<_>>(), staged);
    assert_eq!(store.due(WIDE, 100).await.unwrap().jobs.len(), 50);
    assert_eq!(begin(store, staged[0].id(), wide_gate()).await, Begun::Go);
    let again = store.publish_import(&import, None, None, Vec::new()).await;
    assert!(matches!(again, Err(StoreError::Missing("import"))), "{again:?}");
}

pub async fn a_run_has_each_number_once(keeper: impl Keeper) {
    let store = &*keeper.store();
    let campaign = add_campaign(store, CampaignState::Running).await;
    let first = import_id();
    store.open_import(&first, &campaign.id, &campaign.run).await.unwrap();
    let mut twice = rows(&campaign, 0..2);
    twice.extend(rows(&campaign, 1..3));
    assert_eq!(store.stage(&first, twice).await.unwrap(), [true, true, false, true]);
    assert_eq!(store.stage(&first, rows(&campaign, 0..1)).await.unwrap(), [false]);
    store.publish_import(&first, None, None, Vec::new()).await.unwrap();
    assert_eq!(store.counts(&campaign.run).await.unwrap().total(), 3);

    let second = import_id();
    store.open_import(&second, &campaign.id, &campaign.run).await.unwrap();
    assert_eq!(store.stage(&second, rows(&campaign, 2..5)).await.unwrap(), [false, true, true]);
    store.drop_import(&second).await.unwrap();
    // What was dropped stands in nobody's way; other runs and later additions never did.
    let third = import_id();
    store.open_import(&third, &campaign.id, &campaign.run).await.unwrap();
    assert_eq!(store.stage(&third, rows(&campaign, 2..5)).await.unwrap(), [false, true, true]);
    let elsewhere = add_campaign(store, CampaignState::Running).await;
    let fourth = import_id();
    store.open_import(&fourth, &elsewhere.id, &elsewhere.run).await.unwrap();
    assert_eq!(store.stage(&fourth, rows(&elsewhere, 0..2)).await.unwrap(), [true, true]);
    add(store, job(Some(&membership(&campaign)), 0, start())).await;
    add(store, job(None, 0, start())).await;
}

pub async fn rows_keep_the_order_in_which_they_came(keeper: impl Keeper) {
    let store = &*keeper.store();
    let campaign = add_campaign(store, CampaignState::Running).await;
    let import = import_id();
    store.open_import(&import, &campaign.id, &campaign.run).await.unwrap();
    let mut staged = rows(&campaign, 0..450);
    // Not the order of their ids, nor of their numbers; and one number twice.
    staged.reverse();
    staged.push(rows(&campaign, 7..8).remove(0));
    let taken = store.stage(&import, staged.clone()).await.unwrap();
    assert_eq!(taken.iter().position(|taken| !taken), Some(450));
    staged.pop();
    store.publish_import(&import, None, None, Vec::new()).await.unwrap();
    let listed = store.jobs(everything()).await.unwrap();
    assert_eq!(listed.items.into_iter().map(|stored| stored.record).collect::<Vec<_>>(), staged);
}

pub async fn a_row_whose_id_is_taken_leaves_none_of_its_neighbours(keeper: impl Keeper) {
    let store = &*keeper.store();
    let campaign = add_campaign(store, CampaignState::Running).await;
    let there = add(store, job(None, 1, start())).await;
    let import = import_id();
    store.open_import(&import, &campaign.id, &campaign.run).await.unwrap();
    let mut staged = rows(&campaign, 100..120);
    let gym = job(None, 121, start()).gym().clone();
    staged.insert(10, CallJob::new(there.id().clone(), Some(membership(&campaign)), gym, start(), start()));
    let refused = store.stage(&import, staged).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    assert_eq!(read(store, there.id()).await.record, there);
    assert_eq!(store.stage(&import, rows(&campaign, 100..120)).await.unwrap(), [true; 20]);
}

pub async fn a_campaign_has_one_open_import(keeper: impl Keeper) {
    let store = &*keeper.store();
    let campaign = add_campaign(store, CampaignState::Draft).await;
    let other = add_campaign(store, CampaignState::Draft).await;
    let (first, second) = (import_id(), import_id());
    store.open_import(&first, &campaign.id, &campaign.run).await.unwrap();
    let refused = store.open_import(&second, &campaign.id, &campaign.run).await;
    assert!(matches!(refused, Err(StoreError::Busy(_))), "{refused:?}");
    store.open_import(&import_id(), &other.id, &other.run).await.unwrap();
    store.drop_import(&first).await.unwrap();
    store.open_import(&second, &campaign.id, &campaign.run).await.unwrap();
    let staged = store.stage(&first, rows(&campaign, 0..1)).await;
    assert!(matches!(staged, Err(StoreError::Missing("import"))), "{staged:?}");
}

pub async fn a_dropped_import_leaves_nothing(keeper: impl Keeper) {
    let store = &*keeper.store();
    let campaign = add_campaign(store, CampaignState::Running).await;
    let import = import_id();
    store.open_import(&import, &campaign.id, &campaign.run).await.unwrap();
    let staged = rows(&campaign, 0..100);
    store.stage(&import, staged.clone()).await.unwrap();
    store.drop_import(&import).await.unwrap();
    assert_nothing_is_seen(store, &campaign, &staged[0]).await;
    let published = store.publish_import(&import, None, None, Vec::new()).await;
    assert!(matches!(published, Err(StoreError::Missing("import"))), "{published:?}");
    stage_again(store, &campaign, staged).await;
}

pub async fn a_job_that_follows_a_dropped_import_is_kept(keeper: impl Keeper) {
    let store = &*keeper.store();
    let campaign = add_campaign(store, CampaignState::Running).await;
    let import = import_id();
    store.open_import(&import, &campaign.id, &campaign.run).await.unwrap();
    // So many that clearing them away takes longer than what follows.
    store.stage(&import, rows(&campaign, 100..5_000)).await.unwrap();
    store.drop_import(&import).await.unwrap();
    let added = add(store, job(Some(&membership(&campaign)), 1, start())).await;
    let listed = store.jobs(everything()).await.unwrap();
    assert_eq!(listed.items.iter().map(|stored| stored.record.id()).collect::<Vec<_>>(), [added.id()]);
    assert_eq!(store.counts(&campaign.run).await.unwrap().total(), 1);
}

pub async fn a_killed_import_leaves_nothing(keeper: impl Keeper) {
    let store = keeper.store();
    let campaign = add_campaign(&*store, CampaignState::Running).await;
    let import = import_id();
    store.open_import(&import, &campaign.id, &campaign.run).await.unwrap();
    let staged = rows(&campaign, 0..100);
    store.stage(&import, staged.clone()).await.unwrap();
    drop(store);
    let keeper = keeper.crashed().await;
    let store = &*keeper.store();
    assert_nothing_is_seen(store, &campaign, &staged[0]).await;
    stage_again(store, &campaign, staged).await;
}

/// The same rows can come again, at once.
async fn stage_again(store: &dyn Store, campaign: &Campaign, rows: Vec<CallJob>) {
    let import = import_id();
    let taken = vec![true; rows.len()];
    store.open_import(&import, &campaign.id, &campaign.run).await.unwrap();
    assert_eq!(store.stage(&import, rows.clone()).await.unwrap(), taken);
    store.publish_import(&import, None, None, Vec::new()).await.unwrap();
    assert_eq!(store.counts(&campaign.run).await.unwrap().total(), rows.len() as u64);
    assert_eq!(store.jobs(everything()).await.unwrap().items.len(), rows.len());
}

pub async fn an_import_is_published_with_its_reply(keeper: impl Keeper) {
    let store = &*keeper.store();
    let campaign = add_campaign(store, CampaignState::Draft).await;
    let import = import_id();
    store.open_import(&import, &campaign.id, &campaign.run).await.unwrap();
    store.stage(&import, rows(&campaign, 0..3)).await.unwrap();
    let reply = SavedReply {
        key: "k".into(),
        request: "digest".into(),
        reply: Some((200, "{\"accepted\":3}".into())),
        job: None,
        at: start(),
    };
    store.publish_import(&import, Some(ReplyWrite::Complete(reply.clone())), None, Vec::new()).await.unwrap();
    assert_eq!(store.saved_reply("k").await.unwrap(), Some(reply.clone()));

    let second = import_id();
    store.open_import(&second, &campaign.id, &campaign.run).await.unwrap();
    store.stage(&second, rows(&campaign, 3..6)).await.unwrap();
    let taken = store.publish_import(&second, Some(ReplyWrite::Claim(reply)), None, Vec::new()).await;
    assert!(matches!(taken, Err(StoreError::KeyTaken(_))), "{taken:?}");
    assert_eq!(store.counts(&campaign.run).await.unwrap().total(), 3);
}

pub async fn an_import_is_published_with_its_campaign_or_not_at_all(keeper: impl Keeper) {
    let store = &*keeper.store();
    let campaign = add_campaign(store, CampaignState::Running).await;
    let old = add(store, job(Some(&membership(&campaign)), 1, start())).await;
    let newer = Campaign { run: run_id(), ..campaign.clone() };
    let import = import_id();
    store.open_import(&import, &campaign.id, &newer.run).await.unwrap();
    let staged = rows(&newer, 1..4);
    assert_eq!(store.stage(&import, staged.clone()).await.unwrap(), [true; 3]);

    // Somebody else has written the campaign meanwhile: nothing is shown, nothing changed, and nothing is lost.
    let meanwhile = Campaign { name: "Summer".into(), ..campaign.clone() };
    put_campaign(store, &meanwhile, Some(1)).await;
    let publish = |campaign: &Campaign, from| {
        store.publish_import(
            &import,
            None,
            Some(CampaignWrite { campaign: campaign.clone(), from: Some(from), begins: None }),
            Vec::new(),
        )
    };
    let refused = publish(&newer, 1).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    assert_eq!(store.campaign(&campaign.id).await.unwrap(), Some(Stored { record: meanwhile.clone(), version: 2 }));
    assert!(store.job(staged[0].id()).await.unwrap().is_none());
    assert_eq!(store.due(WIDE, 10).await.unwrap().jobs, [old.id().clone()]);

    let mut changes = store.changes();
    let newer = Campaign { run: newer.run, ..meanwhile };
    publish(&newer, 2).await.unwrap();
    assert_eq!(changes.recv().await.unwrap(), Change::Campaign(campaign.id.clone()));
    assert_eq!(store.campaign(&campaign.id).await.unwrap(), Some(Stored { record: newer.clone(), version: 3 }));
    assert_eq!(store.counts(&newer.run).await.unwrap().of(Status::Waiting), 3);
    let mut due = store.due(WIDE, 10).await.unwrap().jobs;
    due.sort();
    let mut ids: Vec<_> = staged.iter().map(|job| job.id().clone()).collect();
    ids.sort();
    assert_eq!(due, ids);
    let again = publish(&newer, 3).await;
    assert!(matches!(again, Err(StoreError::Missing("import"))), "{again:?}");
    assert_eq!(store.campaign(&campaign.id).await.unwrap().unwrap().version, 3);
}

pub async fn numbers_are_compared_with_a_run_and_with_the_list(keeper: impl Keeper) {
    let store = &*keeper.store();
    let campaign = add_campaign(store, CampaignState::Draft).await;
    let other = add_campaign(store, CampaignState::Draft).await;
    for (campaign, numbers) in [(&campaign, 0..2), (&campaign, 2..4), (&other, 4..5)] {
        let import = import_id();
        store.open_import(&import, &campaign.id, &campaign.run).await.unwrap();
        store.stage(&import, rows(campaign, numbers)).await.unwrap();
        store.publish_import(&import, None, None, Vec::new()).await.unwrap();
    }
    // A job that was added alone, and one of an import that nobody sees yet.
    add(store, job(Some(&membership(&campaign)), 5, start())).await;
    let open = import_id();
    store.open_import(&open, &campaign.id, &campaign.run).await.unwrap();
    store.stage(&open, rows(&campaign, 6..7)).await.unwrap();
    let suppression = |number| Suppression { phone: phone(number), since: start(), reason: "asked".into() };
    store.suppress_all(vec![suppression(3), suppression(6)]).await.unwrap();

    let phones: Vec<_> = (0..8).map(phone).collect();
    let standings = store.standings(Some(&campaign.run), phones.clone()).await.unwrap();
    let in_run: Vec<bool> = standings.iter().map(|standing| standing.in_run).collect();
    assert_eq!(in_run, [true, true, true, true, false, true, false, false]);
    let suppressed: Vec<bool> = standings.iter().map(|standing| standing.suppressed).collect();
    assert_eq!(suppressed, [false, false, false, true, false, false, true, false]);

    let standings = store.standings(None, phones).await.unwrap();
    assert!(standings.iter().all(|standing| !standing.in_run));
    assert_eq!(store.standings(Some(&run_id()), vec![phone(1)]).await.unwrap(), [Standing::default()]);
    assert_eq!(store.standings(Some(&campaign.run), Vec::new()).await.unwrap(), []);
}
