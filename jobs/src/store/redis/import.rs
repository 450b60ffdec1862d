//! Imports: rows come in unseen, and are shown by making their batch visible.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use redis::cmd;

use super::keys;
use super::link::{Again, Link, client_name};
use super::packing::pack;
use super::record::{encode, push_announcements, push_campaign, push_reply};
use super::script::{self, Answer, Call};
use crate::announcement::Announcement;
use crate::id::{CampaignId, ImportId, RunId};
use crate::job::{CallJob, Status};
use crate::store::kept::{self, micros};
use crate::store::{CampaignWrite, Change, ReplyWrite, StoreError};

/// So many rows hold up the server for about a millisecond.
const CHUNK: usize = 100;
/// So many scripts keep the server busy while the next is made, and others wait behind no more than these.
const AT_ONCE: usize = 4;
/// How long clearing rests after it failed.
const REST: Duration = Duration::from_secs(5);

/// Begins an import.
pub(super) async fn open(link: &Link, import: &ImportId, campaign: &CampaignId, run: &RunId) -> Result<(), StoreError> {
    let mut call = Call::of(&script::OPEN_IMPORT);
    call.push(import.as_str()).push(campaign.as_str()).push(run.as_str()).push(link.origin());
    loop {
        let ran = link.run(&call, Again::Safe).await?;
        let answer = ran.answer;
        match answer.word() {
            "ok" => return Ok(()),
            "busy" if ran.unsure && answer.part(1)? == import.as_str() => return Ok(()),
            "busy" => {
                let (in_the_way, owner) = (answer.part(1)?, answer.part(2)?);
                if is_connected(link, owner).await? {
                    return Err(StoreError::Busy("another import into this campaign is under way".into()));
                }
                // Its process is gone, and nobody else can finish it.
                match forget(link, in_the_way, Some(owner)).await {
                    Ok(_) | Err(StoreError::Missing(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            _ => return Err(answer.error()),
        }
    }
}

/// Whether a process still has a connection to the server. A server that was just started anew may not know
/// it yet: its import is then lost, which its caller is told.
async fn is_connected(link: &Link, origin: &str) -> Result<bool, StoreError> {
    let clients: String = link.ask(cmd("CLIENT").arg("LIST")).await?;
    let name = format!("name={}", client_name(origin));
    Ok(clients.split_ascii_whitespace().any(|word| word == name))
}

/// Adds rows: several scripts are on their way at once, and the server runs them in the order in which they are sent.
pub(super) async fn stage(link: &Link, import: &ImportId, jobs: Vec<CallJob>) -> Result<Vec<bool>, StoreError> {
    // Each is made when its turn comes.
    let scripts: Vec<_> = jobs.chunks(CHUNK).map(|rows| stage_some(link, import, rows)).collect();
    let taken: Vec<Vec<bool>> = stream::iter(scripts).buffered(AT_ONCE).try_collect().await?;
    Ok(taken.concat())
}

/// One script's rows, column by column. Whether it was carried out when its answer is lost nobody can tell: that fails the
/// import, whatever became of the scripts behind it.
async fn stage_some(link: &Link, import: &ImportId, rows: &[CallJob]) -> Result<Vec<bool>, StoreError> {
    let mut call = Call::of(&script::STAGE);
    call.push(import.as_str()).push(rows.len());
    for job in rows {
        call.push(job.id().as_str());
    }
    for job in rows {
        call.push(job.gym().phone.as_str());
    }
    for job in rows {
        let (Status::Waiting, Some(due)) = (job.status(), job.due()) else {
            return Err(StoreError::Failed("only waiting jobs can be imported".into()));
        };
        call.push(micros(due));
    }
    for job in rows {
        call.push(pack(&encode(job)?));
    }
    let ran = link.run(&call, Again::Never).await?;
    if ran.answer.word() != "ok" {
        return Err(ran.answer.error());
    }
    Ok(ran.answer.part(2)?.bytes().map(|taken| taken == b'1').collect())
}

/// Shows an import, and changes its campaign with it.
pub(super) async fn publish(
    link: &Link,
    import: &ImportId,
    reply: Option<ReplyWrite>,
    change: Option<CampaignWrite>,
    announce: &[Announcement],
) -> Result<(), StoreError> {
    let campaign: Option<String> = link.ask(cmd("HGET").arg(keys::import(import)).arg("campaign")).await?;
    let mut call = Call::of(&script::PUBLISH);
    call.maybe(link.given_time()).push(link.origin()).push(import.as_str());
    push_reply(&mut call, reply.as_ref())?;
    push_campaign(&mut call, change.as_ref())?;
    push_announcements(&mut call, announce)?;
    // Published twice it would be missing the second time: whether it was there is told by an error, not by a guess.
    let ran = link.run(&call, Again::Never).await?;
    if ran.answer.word() != "ok" {
        return Err(ran.answer.error());
    }
    if let Some(campaign) = campaign {
        link.tell(Change::Campaign(kept::id(&campaign)?));
    }
    Ok(())
}

/// Forgets an import, if it is still its owner's. Answers its batch, which is to be cleared.
pub(super) async fn forget(link: &Link, import: &str, owner: Option<&str>) -> Result<u64, StoreError> {
    let mut call = Call::of(&script::DROP_IMPORT);
    call.push(import).maybe(owner);
    let ran = link.run(&call, Again::Never).await?;
    if ran.answer.word() == "ok" { ran.answer.number(2) } else { Err(ran.answer.error()) }
}

/// Removes the rows of a dropped import, piece by piece.
pub(super) async fn clear(link: Arc<Link>, batch: u64) {
    loop {
        match clear_some(&link, batch).await {
            Ok(true) => {}
            Ok(false) => return,
            // Nobody sees these rows. A later start tries again.
            Err(error) => {
                tracing::warn!(%error, "the rows of a dropped import could not be removed: {error}");
                return;
            }
        }
    }
}

async fn clear_some(link: &Link, batch: u64) -> Result<bool, StoreError> {
    let mut call = Call::of(&script::CLEAR);
    call.push(batch).push(CHUNK);
    let ran = link.run(&call, Again::Safe).await?;
    Answer::number::<u8>(&ran.answer, 2).map(|left| left == 1)
}

/// Removes what processes that are gone have left.
pub(super) async fn clear_dropped(link: Arc<Link>) {
    let batches: Vec<u64> = loop {
        match link.ask(cmd("SMEMBERS").arg(keys::DROPPED)).await {
            Ok(batches) => break batches,
            Err(_) => tokio::time::sleep(REST).await,
        }
    };
    for batch in batches {
        clear(Arc::clone(&link), batch).await;
    }
}
