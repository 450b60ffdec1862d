//! What a finished job costs.

use gymcall_jobs::answer::{Answer, AnswerValue};
use gymcall_jobs::attempt::CallStatus;
use gymcall_jobs::campaign::CampaignState;
use gymcall_jobs::event::Event;
use gymcall_jobs::id::{CallSid, JobId, Tag};
use gymcall_jobs::job::{CallJob, Status};
use gymcall_jobs::outcome::{AnsweredBy, Disposition, EndedReason, Report};
use gymcall_jobs::store::Store;
use gymcall_jobs::store::redis::{Durability, RedisStore};

use crate::contract::fixtures::*;
use crate::redis_server::RedisServer;

const JOBS: u32 = 2_000;

/// Names and secrets as random as real ones: those of the other tests, mostly zeros, would pack too well.
fn chance() -> u128 {
    let hasher = || std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0);
    u128::from(hasher()) << 64 | u128::from(hasher())
}

/// A job with two tries and four answers, as most of a night's are, without what was said besides.
fn finished(waiting: &CallJob) -> CallJob {
    let busy = Tag::new(chance());
    let job = after(waiting, &Event::DialBegun { tag: busy.clone() }, start());
    let job = after(&job, &news(&busy, sid(), CallStatus::Busy), start() + seconds(9));
    let (tag, call) = (Tag::new(chance()), sid());
    let mut job = after(&job, &Event::DialBegun { tag: tag.clone() }, start() + seconds(3_700));
    job = after(&job, &Event::VoiceRequested { tag: tag.clone(), call: call.clone() }, start() + seconds(3_710));
    for (key, value, quote) in [
        ("opening_hours", "Mo-Fr 06:00-22:00", "we are open from six in the morning to ten at night on weekdays"),
        ("day_pass_price", "15.00", "a day pass is fifteen dollars"),
        ("classes", "yoga, spinning, boxing", "we have yoga and spinning and boxing on weekends"),
        ("drop_in_policy", "yes", "yes you can just drop in any time"),
    ] {
        let value = AnswerValue::Text(value.to_owned());
        let answer = Answer { key: key.into(), value, quote: quote.into(), from_ms: 61_240, to_ms: 64_980 };
        job =
            after(&job, &Event::AnswerHeard { tag: tag.clone(), call: call.clone(), answer }, start() + seconds(3_760));
    }
    let report = Report {
        disposition: Disposition::AnsweredFull,
        ended_reason: EndedReason::AgentHangup,
        answered_by: AnsweredBy::Human,
    };
    job = after(&job, &Event::Reported { tag: tag.clone(), call: call.clone(), report }, start() + seconds(3_790));
    after(&job, &news(&tag, call, CallStatus::Completed), start() + seconds(3_791))
}

fn sid() -> CallSid {
    format!("CA{:032x}", chance()).parse().unwrap()
}

fn news(tag: &Tag, call: CallSid, status: CallStatus) -> Event {
    let duration_s = (status == CallStatus::Completed).then_some(81);
    Event::CallNews { tag: Some(tag.clone()), call, status, at: None, duration_s, price: None, answered_by: None }
}

fn used(server: &RedisServer) -> u64 {
    let info = server.say("INFO memory");
    let line = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
    line.expect("the server tells its memory").trim().parse().unwrap()
}

#[tokio::test]
async fn a_finished_job_takes_less_than_1500_bytes() {
    let server = RedisServer::start();
    let store = RedisStore::connect(&server.url(), Durability::Strict).await.unwrap();
    let campaign = add_campaign(&store, CampaignState::Running).await;
    let import = import_id();
    store.open_import(&import, &campaign.id, &campaign.run).await.unwrap();
    let of = membership(&campaign);
    let new = |number| {
        let gym = job(None, number, start()).gym().clone();
        CallJob::new(JobId::new(start(), chance()), Some(of.clone()), gym, start(), start())
    };
    let jobs: Vec<CallJob> = (0..JOBS).map(new).collect();
    let before = used(&server);
    store.stage(&import, jobs.clone()).await.unwrap();
    store.publish_import(&import, None, None, Vec::new()).await.unwrap();
    for job in &jobs {
        store.commit(write_of(&finished(job), Some(1))).await.unwrap();
    }
    assert_eq!(store.counts(&campaign.run).await.unwrap().of(Status::Completed), u64::from(JOBS));
    let each = (used(&server) - before) / u64::from(JOBS);
    println!("{each} bytes for a finished job");
    assert!(each < 1_500, "{each} bytes for a finished job");
}
