//! What people can do with a campaign.

use super::*;
use crate::job::Status;

fn campaign(state: CampaignState) -> Campaign {
    let now = Timestamp::UNIX_EPOCH;
    Campaign { state, ..Campaign::new(CampaignId::new(now, 1), RunId::new(now, 1), "Day passes".to_owned(), now) }
}

#[test]
fn a_campaign_that_never_ran_and_has_no_schedule_any_more_can_be_started_again() {
    let now = Timestamp::UNIX_EPOCH;
    for state in [CampaignState::Scheduled, CampaignState::Paused(PausedReason::Manual)] {
        let waiting = Campaign { schedule: Some(Schedule::once(now)), next_fire: Some(now), ..campaign(state) };
        let unscheduled = waiting.reschedule(None, now);
        assert_eq!((unscheduled.state, unscheduled.next_fire), (CampaignState::Draft, None), "{state:?}");
    }
    let paused = campaign(CampaignState::Paused(PausedReason::Manual));
    let begun = Campaign { schedule: Some(Schedule::once(now)), run_begun: true, runs: 1, ..paused };
    assert_eq!(begun.reschedule(None, now).state, begun.state);
}

#[test]
fn whoever_pauses_a_campaign_that_would_go_on_by_itself_keeps_it_from_that() {
    let now = Timestamp::UNIX_EPOCH;
    let nightly = |reason, resumes_at| {
        let stopped = campaign(CampaignState::Paused(reason));
        Campaign { schedule: Some(Schedule::once(now)), next_fire: Some(now), run_begun: true, resumes_at, ..stopped }
    };
    for stopped in [nightly(PausedReason::Budget, None), nightly(PausedReason::DailyLimit, Some(now))] {
        let (paused, _) = stopped.act(Action::Pause(PausedReason::Manual), &Counts::default(), now).unwrap();
        assert_eq!(paused.paused_reason(), Some(PausedReason::Manual));
        assert_eq!((paused.resumes_at, paused.fires_at()), (None, None));
    }
}

#[test]
fn a_campaign_that_is_completed_cannot_be_cancelled() {
    let now = Timestamp::UNIX_EPOCH;
    let over = Counts::from_pairs([(Status::Completed, 2), (Status::Quarantined, 1)]);
    let refused = campaign(CampaignState::Running).act(Action::Cancel, &over, now);
    assert_eq!(refused, Err(ActionError::Conflict { status: CampaignStatus::Completed, verb: "cancel" }));

    let open = Counts::from_pairs([(Status::Completed, 2), (Status::Waiting, 1)]);
    let paused = CampaignState::Paused(PausedReason::Manual);
    for (state, counts) in [
        (CampaignState::Running, &open),
        (paused, &over),
        // Whoever asks twice gets what they asked for.
        (CampaignState::Cancelled, &over),
    ] {
        let cancelled = campaign(state).act(Action::Cancel, counts, now).map(|(campaign, _)| campaign.state);
        assert_eq!(cancelled, Ok(CampaignState::Cancelled), "{state:?}");
    }
}
