use jiff::SignedDuration;
use serde_json::json;

use super::*;
use crate::event::Event;
use crate::id::{CallSid, Tag};
use crate::job::Membership;
use crate::outcome::{AnsweredBy, Disposition, EndedReason, Report};
use crate::rules::Rules;
use crate::step::Step;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn waiting() -> CallJob {
    let gym = serde_json::from_value(json!({"phone": "+12125550101", "name": "Iron Temple"})).unwrap();
    let of = Membership { campaign: CampaignId::new(NOW, 1), run: RunId::new(NOW, 2) };
    CallJob::new(JobId::new(NOW, 3), Some(of), gym, NOW, NOW)
}

fn tag() -> Tag {
    Tag::new(7)
}

fn call() -> CallSid {
    format!("CA{:032x}", 9).parse().unwrap()
}

fn news(status: CallStatus, price: Option<&str>) -> Event {
    Event::CallNews {
        tag: Some(tag()),
        call: call(),
        status,
        at: Some(NOW),
        duration_s: None,
        price: price.map(str::to_owned),
        answered_by: None,
    }
}

fn reported() -> Event {
    let report = Report {
        disposition: Disposition::AnsweredFull,
        ended_reason: EndedReason::AgentHangup,
        answered_by: AnsweredBy::Human,
    };
    Event::Reported { tag: tag(), call: call(), report }
}

/// What is told of each step of a job, by the names.
fn told(job: &mut CallJob, events: &[Event]) -> Vec<Vec<&'static str>> {
    let mut all = Vec::new();
    for event in events {
        let Step::Moved(next, _) = job.step(event, &Rules::default(), NOW) else { panic!("{event:?} was ignored") };
        all.push(Announcement::of_job(job, &next, NOW).iter().map(|told| told.kind.as_str()).collect());
        *job = *next;
    }
    all
}

#[test]
fn a_call_is_told_step_by_step_and_completed_only_with_its_end() {
    let mut job = waiting();
    let begun = Event::DialBegun { tag: tag() };
    let events = [
        begun,
        news(CallStatus::Queued, None),
        news(CallStatus::Ringing, None),
        news(CallStatus::InProgress, None),
        // The report is here and the hang-up is not: it is not over.
        reported(),
        news(CallStatus::Completed, None),
    ];
    let steps = told(&mut job, &events);
    let expected: [&[&str]; 6] = [&["job.dialing"], &[], &["job.ringing"], &["job.answered"], &[], &["job.completed"]];
    assert_eq!(steps, expected);
    // What is learned of a call that is over is not told again.
    assert_eq!(told(&mut job, &[news(CallStatus::Completed, Some("-0.014"))]), [[""; 0]]);
}

#[test]
fn news_that_comes_late_leaves_out_nothing_that_matters() {
    let mut job = waiting();
    let events = [Event::DialBegun { tag: tag() }, reported(), news(CallStatus::Completed, None)];
    assert_eq!(told(&mut job, &events).concat(), ["job.dialing", "job.answered", "job.completed"]);
}

#[test]
fn each_try_is_told_and_the_end_with_how_it_ended() {
    let mut job = waiting();
    let busy = news(CallStatus::Busy, None);
    let mut names = told(&mut job, &[Event::DialBegun { tag: tag() }, busy]).concat();
    let mut ends = Vec::new();
    while job.status() == Status::Waiting {
        let later = job.due().unwrap() + SignedDuration::from_secs(1);
        let tag = Tag::new(u128::from(job.tries()) + 100);
        for event in [Event::DialBegun { tag: tag.clone() }, busy_of(&tag, job.tries())] {
            let Step::Moved(next, _) = job.step(&event, &Rules::default(), later) else { panic!("{event:?}") };
            ends = Announcement::of_job(&job, &next, later);
            names.extend(ends.iter().map(|told| told.kind.as_str()));
            job = *next;
        }
    }
    assert_eq!(names, ["job.dialing", "job.dialing", "job.dialing", "job.failed"]);
    let About::Job { status, outcome, campaign, .. } = &ends[0].about else { panic!("{ends:?}") };
    assert_eq!((*status, campaign.as_ref()), (Status::Failed, ends[0].campaign()));
    assert!(matches!(outcome, Some(Outcome::GaveUp(miss)) if miss.ended_reason == EndedReason::DialBusy));
}

fn busy_of(tag: &Tag, number: u32) -> Event {
    Event::CallNews {
        tag: Some(tag.clone()),
        call: format!("CA{number:032x}").parse().unwrap(),
        status: CallStatus::Busy,
        at: None,
        duration_s: None,
        price: None,
        answered_by: None,
    }
}

#[test]
fn a_job_that_is_not_called_is_told_once_and_one_that_is_taken_back_is_not() {
    let mut job = waiting();
    assert_eq!(told(&mut job, &[Event::Suppressed]).concat(), ["job.skipped"]);
    let mut job = waiting();
    assert!(told(&mut job, &[Event::Cancel]).concat().is_empty());
}

#[test]
fn an_id_is_read_as_it_is_written_and_nothing_else_is() {
    let id = AnnouncementId { major: 1_764_233_590_123, minor: 4 };
    assert_eq!(id.to_string(), "evt_1764233590123-4");
    assert_eq!(id.to_string().parse(), Ok(id));
    assert!(AnnouncementId { major: 1_764_233_590_123, minor: 11 } > id);
    for text in
        ["", "evt_", "evt_1", "1-0", "evt_1-", "evt_-1-0", "evt_+1-0", "evt_1-0-0", "evt_99999999999999999999-0"]
    {
        assert!(text.parse::<AnnouncementId>().is_err(), "{text}");
    }
}
