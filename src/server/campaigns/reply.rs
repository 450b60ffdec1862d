//! A campaign as the HTTP interface shows it.

use std::collections::BTreeMap;

use gymcall_jobs::campaign::{Campaign, CampaignStatus, Counts, PausedReason};
use gymcall_jobs::id::{CampaignId, RunId};
use gymcall_jobs::job::Status;
use gymcall_jobs::question::Question;
use gymcall_jobs::rules::Policy;
use gymcall_jobs::schedule::WrittenSchedule;
use gymcall_jobs::spend::Amount;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// A campaign: which questions are put to which gyms, and how it stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Campaign)]
pub(in crate::server) struct CampaignReply<'a> {
    /// Its id.
    id: &'a CampaignId,
    /// Its name, for people.
    name: &'a str,
    /// On whose behalf the agent says that it calls.
    on_behalf_of: &'a str,
    /// What the agent says after who calls and before it asks.
    greeting: Option<&'a str>,
    /// How it stands.
    status: CampaignStatus,
    /// Why it is paused; null if it is not.
    paused_reason: Option<PausedReason>,
    /// When the pause ends by itself; null if it does not.
    resumes_at: Option<Timestamp>,
    /// What is asked, in this order.
    questions: &'a [Question],
    /// When its runs begin; null if once, when it is started.
    schedule: Option<WrittenSchedule>,
    /// When the next run begins; null if none does before somebody acts, as while it is paused.
    next_fire: Option<Timestamp>,
    /// How it is called.
    policy: &'a Policy,
    /// Its present run.
    run_id: &'a RunId,
    /// How the jobs of its present run stand.
    counters: Counters,
    /// When it was created.
    created_at: Timestamp,
    /// When it last changed.
    updated_at: Timestamp,
    /// When it was first started.
    started_at: Option<Timestamp>,
}

impl<'a> CampaignReply<'a> {
    pub(in crate::server) fn of(campaign: &'a Campaign, counts: &Counts) -> Self {
        Self {
            id: &campaign.id,
            name: &campaign.name,
            on_behalf_of: &campaign.on_behalf_of,
            greeting: campaign.greeting.as_deref(),
            status: campaign.status(counts),
            paused_reason: campaign.paused_reason(),
            resumes_at: campaign.pause_ends_at(),
            questions: &campaign.questions,
            schedule: campaign.schedule.clone().map(WrittenSchedule::from),
            next_fire: campaign.fires_at(),
            policy: &campaign.policy,
            run_id: &campaign.run,
            counters: Counters::of(counts),
            created_at: campaign.created_at,
            updated_at: campaign.updated_at,
            started_at: campaign.started_at,
        }
    }
}

/// How the jobs of a run stand.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::server) struct Counters {
    /// All of them.
    total: u64,
    /// Not dialled yet, or to be tried again.
    waiting: u64,
    /// With a call under way, or with one that may be.
    live: u64,
    /// Answered.
    completed: u64,
    /// Every try missed.
    failed: u64,
    /// Not dialled, or not again.
    skipped: u64,
    /// Taken back.
    cancelled: u64,
    /// Unclear after every look-up: a person decides.
    quarantined: u64,
    /// Calls that Twilio made.
    calls: i64,
    /// Calls that a person answered. A voicemail, a fax and a phone menu are none.
    connected: i64,
    /// The part of the calls that are over which a person answered; null before the first is over.
    pick_up_rate: Option<f64>,
    /// What the calls that are over cost, in the account's currency: Twilio's prices, and until those are known the begun
    /// minutes.
    cost: Amount,
    /// What is set aside for calls that are not over, or of which nobody knows how they ended.
    reserved: Amount,
    /// The same by the status of a job.
    by_status: BTreeMap<&'static str, u64>,
}

impl Counters {
    pub(in crate::server) fn of(counts: &Counts) -> Self {
        Self {
            total: counts.total(),
            waiting: counts.of(Status::Waiting),
            live: counts.live(),
            completed: counts.of(Status::Completed),
            failed: counts.of(Status::Failed),
            skipped: counts.of(Status::Skipped),
            cancelled: counts.of(Status::Cancelled),
            quarantined: counts.of(Status::Quarantined),
            calls: counts.tally().calls,
            connected: counts.tally().connected,
            // More digits than anybody reads would only look exact.
            pick_up_rate: counts.pick_up_rate().map(|rate| (rate * 10_000.0).round() / 10_000.0),
            cost: Amount::from_micros(counts.tally().cost),
            reserved: Amount::from_micros(counts.tally().reserved),
            by_status: Status::ALL.iter().map(|status| (status.as_str(), counts.of(*status))).collect(),
        }
    }
}
