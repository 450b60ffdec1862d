//! The gyms of a campaign, through ledgers over a keeper: taken, replaced, copied.

use gymcall_jobs::campaign::{Action, ActionError, Campaign, CampaignState, CampaignStatus};
use gymcall_jobs::id::ImportId;
use gymcall_jobs::job::Status;
use gymcall_jobs::ledger::{CampaignError, ImportMode};
use gymcall_jobs::outcome::SkipReason;
use gymcall_jobs::run::Cause;
use gymcall_jobs::schedule::Missed;
use gymcall_jobs::store::{ReplyWrite, SavedReply, StoreError, Write};

use super::Keeper;
use super::firing::{fill, finish, jobs_of, ledger, look, nightly, now_of, runs_of, skipped, started};
use super::fixtures::*;

pub async fn a_campaign_that_changes_during_an_upload_takes_only_gyms_that_fit_it(keeper: impl Keeper) {
    let store = keeper.store();
    let ledger = ledger(&store);
    for mode in [ImportMode::Add, ImportMode::Replace] {
        let campaign = Campaign { greeting: Some("Hello {{city}}".into()), ..campaign(CampaignState::Draft) };
        put_campaign(&*store, &campaign, None).await;
        let change = async |change: &dyn Fn(&mut Campaign)| {
            let changed = |campaign: &Campaign, _: &_, _| {
                let mut campaign = campaign.clone();
                change(&mut campaign);
                Ok::<_, CampaignError>(campaign)
            };
            ledger.change_campaign(&campaign.id, changed, |_, _| None).await.unwrap();
        };
        let open = async || ledger.open_import(import_id(), &campaign.id, mode, run_id()).await;
        let fits = open().await.unwrap();
        change(&|campaign| campaign.greeting = Some("Hello to {{city}}, and how are you?".into())).await;
        ledger.publish_import(&fits, None).await.unwrap();

        let reworded = open().await.unwrap();
        change(&|campaign| campaign.greeting = Some("Hello {{owner}}".into())).await;
        let refused = ledger.publish_import(&reworded, None).await;
        assert!(matches!(refused, Err(CampaignError::Action(ActionError::Reworded))), "{refused:?}");
        store.drop_import(&reworded.id).await.unwrap();

        let cancelled = open().await.unwrap();
        ledger.act(&campaign.id, Action::Cancel, |_, _| None).await.unwrap();
        let refused = ledger.publish_import(&cancelled, None).await;
        assert!(matches!(refused, Err(CampaignError::Action(ActionError::Conflict { .. }))), "{refused:?}");
        ledger.delete_campaign(&campaign.id, None).await.unwrap();
        let refused = ledger.publish_import(&cancelled, None).await;
        assert!(matches!(refused, Err(CampaignError::Missing)), "{refused:?}");
        store.drop_import(&cancelled.id).await.unwrap();
        assert!(matches!(open().await, Err(CampaignError::Missing)));
    }
}

pub async fn a_list_that_replaces_becomes_the_present_run_with_its_own_gyms(keeper: impl Keeper) {
    let store = keeper.store();
    // Not begun: it waits for its time with other gyms.
    let scheduled = started(&store, nightly("Europe/Berlin", Missed::RunOnce), 3).await;
    let run = fill(&store, &scheduled, 2..5, ImportMode::Replace).await;
    let now = now_of(&store, &scheduled).await;
    assert_eq!((now.run.clone(), now.state, now.next_fire), (run, CampaignState::Scheduled, scheduled.next_fire));
    assert_eq!(runs_of(&store, &scheduled).await, []);
    while ledger(&store).clear_superseded().await.unwrap() {}
    let old = jobs_of(&store, &scheduled.run).await;
    assert!(old.iter().all(|job| skipped(job) == Some(SkipReason::Superseded)), "{old:?}");
    keeper.set_clock(scheduled.next_fire.unwrap());
    look(&store).await;
    assert_eq!(runs_of(&store, &scheduled).await.len(), 1);
    assert_eq!(jobs_of(&store, &now.run).await.len(), 3);

    // Under way: the list is called now.
    fill(&store, &scheduled, 7..9, ImportMode::Replace).await;
    let runs = runs_of(&store, &scheduled).await;
    assert_eq!((runs.len(), runs[0].cause), (2, Cause::Replace));
    let now = now_of(&store, &scheduled).await;
    assert_eq!((now.run.clone(), now.state), (runs[0].id.clone(), CampaignState::Running));

    // Over, with a next night to come: the list waits for that.
    finish(&store, &now).await;
    fill(&store, &scheduled, 10..11, ImportMode::Replace).await;
    let waits = now_of(&store, &scheduled).await;
    assert_eq!((waits.state, waits.next_fire), (CampaignState::Scheduled, now.next_fire));
    assert_eq!(store.due(WIDE, 10).await.unwrap().jobs, []);
    keeper.set_clock(waits.next_fire.unwrap());
    look(&store).await;
    let runs = runs_of(&store, &scheduled).await;
    assert_eq!((runs.len(), &runs[0].id), (3, &waits.run));
    assert_eq!(jobs_of(&store, &waits.run).await.len(), 1);
}

pub async fn a_duplicate_has_the_gyms_and_nothing_of_what_became_of_them(keeper: impl Keeper) {
    let store = keeper.store();
    let original = add_campaign(&*store, CampaignState::Draft).await;
    fill(&store, &original, 0..5, ImportMode::Add).await;
    finish(&store, &original).await;
    let copy = campaign(CampaignState::Draft);
    let told = ledger(&store).duplicate(&original, &copy, |_| None, chance).await.unwrap();
    let counts = store.counts(&copy.run).await.unwrap();
    assert_eq!(told, counts);
    assert_eq!((counts.of(Status::Waiting), counts.total()), (5, 5));
    let shown = now_of(&store, &copy).await;
    assert_eq!((shown.status(&counts), shown.deleted_at), (CampaignStatus::Ready, None));
    let id: ImportId = import_id();
    store.open_import(&id, &copy.id, &copy.run).await.expect("no import is left open");

    // One that is not carried to its end was never there.
    let taken = SavedReply { key: "k".into(), request: "digest".into(), reply: None, job: None, at: store.now() };
    let claim = ReplyWrite::Claim(taken);
    store.commit(Write { reply: Some(claim.clone()), ..Write::default() }).await.unwrap();
    let copy = campaign(CampaignState::Draft);
    let refused = ledger(&store).duplicate(&original, &copy, |_| Some(claim.clone()), chance).await;
    assert!(matches!(refused, Err(StoreError::KeyTaken(_))), "{refused:?}");
    assert!(now_of(&store, &copy).await.deleted_at.is_some());
    assert_eq!(store.counts(&copy.run).await.unwrap().total(), 0);
}
