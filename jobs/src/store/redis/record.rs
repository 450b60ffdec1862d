//! Records as values, and values as records.
//!
//! A job's value begins with a head of fixed width that the scripts read: version (10 digits), status (2), place in
//! the order of acceptance (12), batch (10), deadline (16) and end of its hold of a line (16), zeros for none, and
//! whether it holds its number (1). A campaign's begins with its version (10), whether it is running (1) and its
//! present run (30), which older records lack. What follows is the record as JSON, packed unless a call is under way;
//! scripts never look into it.

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::packing::{pack, unpack};
use super::script::Call;
use crate::announcement::{Announcement, KEPT};
use crate::breaker::{Ending, Endings};
use crate::campaign::CampaignState;
use crate::endpoint::Endpoint;
use crate::job::CallJob;
use crate::store::kept::{code, decode, micros};
use crate::store::{CampaignWrite, JobWrite, NewEntry, ReplyWrite, SavedReply, StoreError, Stored};
use crate::tally::Tally;

const JOB_HEAD: usize = 67;
const CAMPAIGN_HEAD: usize = 11;
const RUN: usize = 30;
const ENDPOINT_HEAD: usize = 10;

pub(super) fn encode(record: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(record).map_err(|error| StoreError::Failed(format!("a record cannot be written: {error}")))
}

/// A job's value.
pub(super) struct JobValue {
    pub(super) batch: u64,
    pub(super) stored: Stored<CallJob>,
}

impl JobValue {
    pub(super) fn read(value: &[u8]) -> Result<Self, StoreError> {
        let (head, record) = split(value, JOB_HEAD)?;
        let (version, batch) = (digits(head, 0..10)?, digits(head, 24..34)?);
        Ok(Self { batch, stored: Stored { record: decode(&unpack(record)?)?, version } })
    }
}

/// A campaign's value.
pub(super) fn campaign<T: DeserializeOwned>(value: &[u8]) -> Result<Stored<T>, StoreError> {
    let (head, record) = split(value, CAMPAIGN_HEAD)?;
    let record = if record.starts_with(b"{") { record } else { split(record, RUN)?.1 };
    Ok(Stored { record: decode(record)?, version: digits(head, 0..10)? })
}

/// An endpoint's value: its version in 10 digits, and its record.
pub(super) fn endpoint(value: &[u8]) -> Result<Stored<Endpoint>, StoreError> {
    let (head, record) = split(value, ENDPOINT_HEAD)?;
    Ok(Stored { record: decode(record)?, version: digits(head, 0..10)? })
}

fn split(value: &[u8], head: usize) -> Result<(&[u8], &[u8]), StoreError> {
    value.split_at_checked(head).ok_or_else(|| StoreError::Corrupt("a value without a head".to_owned()))
}

fn digits(head: &[u8], place: std::ops::Range<usize>) -> Result<u64, StoreError> {
    let text = head.get(place).and_then(|digits| std::str::from_utf8(digits).ok());
    text.and_then(|text| text.parse().ok()).ok_or_else(|| StoreError::Corrupt("a head that is no number".to_owned()))
}

/// A job to be written, as the scripts read it.
pub(super) fn push_job(call: &mut Call, write: &JobWrite) -> Result<(), StoreError> {
    let JobWrite { job, from, deadline, line_until, tally, ending, entries } = write;
    call.push(job.id().as_str()).maybe(*from).push(code(job.status()));
    call.maybe(job.due().map(micros)).push(time(*deadline)).push(time(*line_until));
    call.push(if job.holds_number() { "1" } else { "0" }).push(job.gym().phone.as_str());
    call.maybe(job.membership().map(|of| of.campaign.as_str())).maybe(job.membership().map(|of| of.run.as_str()));
    let record = encode(job.as_ref())?;
    call.push(if job.status().is_live() { record } else { pack(&record) });
    push_tally(call, *tally);
    push_ending(call, *ending);
    push_entries(call, entries)
}

/// What changes in the counters of the job's run.
fn push_tally(call: &mut Call, tally: Tally) {
    let changed: Vec<_> = tally.parts().into_iter().filter(|(_, by)| *by != 0).collect();
    call.push(changed.len());
    for (name, by) in changed {
        call.push(name).push(by);
    }
}

/// How a call ended, as the list of a campaign's latest has it, and how many that list holds.
fn push_ending(call: &mut Call, ending: Option<Ending>) {
    match ending {
        None => call.none(),
        Some(Ending::Fine) => call.push("0").push(Endings::LATEST),
        Some(Ending::Failed) => call.push("1").push(Endings::LATEST),
    };
}

/// The list of a campaign's latest endings: a digit for each, the latest first.
pub(super) fn endings(list: Option<&str>) -> Endings {
    let oldest_first = list.unwrap_or_default().bytes().rev();
    oldest_first.fold(Endings::default(), |endings, digit| {
        endings.and(if digit == b'1' { Ending::Failed } else { Ending::Fine })
    })
}

/// A campaign to be written, as the scripts read it.
pub(super) fn push_campaign(call: &mut Call, write: Option<&CampaignWrite>) -> Result<(), StoreError> {
    let Some(CampaignWrite { campaign, from, begins }) = write else {
        call.none();
        return Ok(());
    };
    let running = campaign.state == CampaignState::Running;
    call.push(campaign.id.as_str()).maybe(*from).push(if running { "1" } else { "0" });
    call.push(campaign.run.as_str()).maybe(campaign.fires_at().map(micros)).push(encode(campaign)?);
    match begins {
        None => call.none(),
        Some(run) => call.push(run.id.as_str()).push(run.number).push(encode(run)?),
    };
    Ok(())
}

/// A time as the head has it.
fn time(at: Option<Timestamp>) -> String {
    format!("{:016}", at.map_or(0, micros))
}

pub(super) fn push_entries(call: &mut Call, entries: &[NewEntry]) -> Result<(), StoreError> {
    call.push(entries.len());
    for entry in entries {
        call.push(encode(entry)?);
    }
    Ok(())
}

/// What is announced: how many; then, if any are, how many the list keeps, and each of them.
pub(super) fn push_announcements(call: &mut Call, announcements: &[Announcement]) -> Result<(), StoreError> {
    call.push(announcements.len());
    if !announcements.is_empty() {
        call.push(KEPT);
    }
    for announcement in announcements {
        call.push(encode(announcement)?);
    }
    Ok(())
}

/// What is done with an idempotency key. A reply's value is the time it was made, in 16 digits, and its record.
pub(super) fn push_reply(call: &mut Call, reply: Option<&ReplyWrite>) -> Result<(), StoreError> {
    let (word, reply) = match reply {
        None => {
            call.none();
            return Ok(());
        }
        Some(ReplyWrite::Claim(reply)) => ("claim", reply),
        Some(ReplyWrite::Complete(reply)) => ("complete", reply),
    };
    let mut value = format!("{:016}", micros(reply.at)).into_bytes();
    value.extend(encode(reply)?);
    call.push(word).push(reply.key.as_str()).push(value);
    Ok(())
}

/// A reply's value: when it was made, and the reply.
pub(super) fn reply(value: &[u8]) -> Result<(i64, SavedReply), StoreError> {
    let (at, record) = split(value, 16)?;
    Ok((i64::try_from(digits(at, 0..16)?).unwrap_or(i64::MAX), decode(record)?))
}
