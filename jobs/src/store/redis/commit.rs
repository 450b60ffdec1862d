//! One write as one whole.

use super::endpoints;
use super::link::{Again, Link, Ran};
use super::list;
use super::record::{encode, push_announcements, push_campaign, push_entries, push_job, push_reply};
use super::runs;
use super::script::{self, Call};
use crate::job::CallJob;
use crate::store::{Change, EndpointWrite, JobWrite, ReplyWrite, StoreError, Write};

/// Carries out a write.
pub(super) async fn commit(link: &Link, write: Write) -> Result<(), StoreError> {
    let call = call(link, &write)?;
    // A history would have its new entries twice, and those who watch would hear twice of what has no version; what
    // has a version or a key notices that it was written.
    let twice = write.notes.is_some()
        || (!write.announce.is_empty() && write.job.is_none() && write.campaign.is_none() && write.ends.is_none());
    let again = if twice { Again::Never } else { Again::Safe };
    let ran = link.run(&call, again).await?;
    let suppressions = outcome(link, &write, ran).await?;
    tell(link, &write, suppressions);
    Ok(())
}

fn call(link: &Link, write: &Write) -> Result<Call, StoreError> {
    let mut call = Call::of(&script::COMMIT);
    call.maybe(link.given_time()).push(link.origin());
    push_reply(&mut call, write.reply.as_ref())?;
    push_campaign(&mut call, write.campaign.as_ref())?;
    match &write.ends {
        None => call.none(),
        Some(run) => call.push(run.id.as_str()).push(encode(run)?),
    };
    match &write.job {
        None => drop(call.push("0")),
        Some(job) => {
            call.push("1");
            push_job(&mut call, job)?;
        }
    }
    match &write.notes {
        None => drop(call.none()),
        Some((job, entries)) => {
            call.push(job.as_str());
            push_entries(&mut call, entries)?;
        }
    }
    endpoints::push(&mut call, write.endpoint.as_ref())?;
    call.maybe(write.unsuppress.as_ref().map(crate::phone::PhoneNumber::as_str));
    match &write.suppress {
        None => call.none(),
        Some(suppression) => call.push(suppression.phone.as_str()).push(encode(suppression)?),
    };
    push_announcements(&mut call, &write.announce)?;
    Ok(call)
}

/// What the answer means: how many changes of the suppression list are news.
async fn outcome(link: &Link, write: &Write, ran: Ran) -> Result<usize, StoreError> {
    if ran.answer.word() == "ok" {
        return ran.answer.number(2);
    }
    let error = ran.answer.error();
    // The first try may have been carried out: then its own traces are what stands in the way.
    let ours = ran.unsure
        && match (&error, write) {
            (StoreError::KeyTaken(known), Write { reply: Some(ReplyWrite::Claim(own)), .. }) => **known == *own,
            (StoreError::Conflict, Write { job: Some(job), .. }) => is_written(link, job).await?,
            // Before its campaign, which may be written as it was.
            (StoreError::Conflict, Write { ends: Some(run), .. }) => {
                runs::one(link, run.id.as_str()).await?.is_some_and(|stored| stored == *run)
            }
            (StoreError::Conflict, Write { campaign: Some(change), .. }) => {
                let stored = list::campaign(link, change.campaign.id.as_str()).await?;
                stored.is_some_and(|stored| stored.record == change.campaign)
            }
            (StoreError::Conflict | StoreError::Missing(_), Write { endpoint: Some(write), .. }) => {
                endpoints::is_written(link, write).await?
            }
            _ => false,
        };
    if ours { Ok(0) } else { Err(error) }
}

/// Whether the record is what this write would have made of it.
pub(super) async fn is_written(link: &Link, write: &JobWrite) -> Result<bool, StoreError> {
    let JobWrite { job, from, .. } = write;
    let stored = list::one(link, CallJob::id(job).as_str()).await?;
    Ok(stored.is_some_and(|stored| match from {
        // Nobody else can make a new job under this id, and a worker may have moved it by now.
        None => true,
        Some(from) => stored.version == from + 1 && stored.record == **job,
    }))
}

fn tell(link: &Link, write: &Write, suppressions: usize) {
    if let Some(change) = &write.campaign {
        link.tell(Change::Campaign(change.campaign.id.clone()));
    }
    if let Some(run) = &write.ends {
        link.tell(Change::Campaign(run.campaign.clone()));
    }
    if let Some(write) = &write.job {
        link.tell(moved(&write.job));
    }
    if let Some(EndpointWrite::Put { from: None, .. } | EndpointWrite::Remove(_)) = &write.endpoint {
        link.tell(Change::Endpoint);
    }
    for _ in 0..suppressions {
        link.tell(Change::Suppression);
    }
}

/// The news of a job that was written.
pub(super) fn moved(job: &CallJob) -> Change {
    let run = job.membership().map(|membership| membership.run.clone());
    Change::Job { id: job.id().clone(), run, status: job.status() }
}
