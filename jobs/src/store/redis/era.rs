//! Whether the server may have forgotten something, and what follows.
//!
//! A server is trusted under an era, which names the life (`run_id`) that it was found sound in. Every write counts
//! up the epoch, and every process remembers the highest it was told. After a restart the first connection
//! notes the epoch that the new life was born with, and:
//!
//! - a process that was there in the life before, and remembers no higher epoch, vouches: the era
//!   becomes the new life, and nothing has stopped;
//! - a process that remembers a higher one objects: the era says from when on things were forgotten;
//! - where nobody remembers that life, because every process died too, the era is put in doubt as well.
//!
//! The gate lets no dial begin unless the era is the life it runs in. Who can ask Twilio writes back what was
//! forgotten, and dispels the doubt.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use redis::RedisError;
use redis::aio::MultiplexedConnection;

use super::keys;
use super::link::{Again, Link};
use super::record::{micros, timestamp};
use super::script::{self, Answer, Call};
use crate::store::{Change, Doubt, StoreError};

/// How often each process gives a sign of life.
const BEAT: Duration = Duration::from_secs(1);
/// How long a process that remembers nothing waits for one that does.
const WITNESS_WITHIN: Duration = Duration::from_secs(2);
/// How much older than the last sign of life a forgotten write can be: the signs of several processes may stop.
const MARGIN: SignedDuration = SignedDuration::from_secs(5);

/// What an era in doubt begins with; the life and the time in microseconds follow.
const DOUBT: &str = "doubt ";

/// The highest epoch that this process was told, and in which life of the server.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<(String, u64)>);

impl Memory {
    fn recall(&self) -> (String, u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// An answer from this life carried this epoch. Answers overtake one another.
    pub(super) fn saw(&self, run_id: &str, epoch: u64) {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.0 == run_id {
            memory.1 = memory.1.max(epoch);
        } else {
            *memory = (run_id.to_owned(), epoch);
        }
    }

    fn begin(&self, run_id: &str, epoch: u64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (run_id.to_owned(), epoch);
    }
}

/// What a new connection finds, and what follows from it, before anything else is sent over it.
pub(super) async fn arrive(
    link: &Link,
    connection: &mut MultiplexedConnection,
    run_id: &str,
) -> Result<(), RedisError> {
    let parts: Vec<String> = Call::of(&script::ARRIVE).command(run_id).query_async(connection).await?;
    let [_, era, epoch, born, before, beat] = parts.as_slice() else { return Ok(()) };
    let (epoch, born): (u64, u64) = (epoch.parse().unwrap_or(0), born.parse().unwrap_or(0));
    let (life, remembered) = link.memory().recall();
    link.memory().begin(run_id, epoch);
    let forgot = match life.as_str() {
        "" => false,
        life if life == run_id => epoch < remembered,
        life if life == before.as_str() => born < remembered,
        // A whole life went by without this process: what became of its writes nobody can tell.
        _ => true,
    };
    if forgot {
        let since = beat.parse().map_or(Timestamp::UNIX_EPOCH, timestamp);
        tracing::error!(remembered, born, "Redis has forgotten what it had confirmed: nothing is dialled for now");
        change(link, connection, era, &in_doubt(run_id, since)).await?;
    } else if era.is_empty() && epoch == 0 {
        change(link, connection, "", run_id).await?;
    } else if !life.is_empty() && *era == life && era != run_id {
        change(link, connection, era, run_id).await?;
        tracing::info!("Redis was started anew and has forgotten nothing");
    }
    Ok(())
}

fn in_doubt(run_id: &str, last_sign: Timestamp) -> String {
    let since = last_sign.saturating_sub(MARGIN).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{DOUBT}{run_id} {}", micros(since))
}

/// The doubt that an era expresses, if it does.
fn doubt(era: &str) -> Option<Doubt> {
    let (_, since) = era.strip_prefix(DOUBT)?.split_once(' ')?;
    Some(Doubt { era: era.to_owned(), since: timestamp(since.parse().ok()?) })
}

/// Changes the era, unless somebody else has.
async fn change(link: &Link, connection: &mut MultiplexedConnection, from: &str, to: &str) -> Result<(), RedisError> {
    let _: Vec<String> = turning(link, from, to).command("").query_async(connection).await?;
    Ok(())
}

fn turning(link: &Link, from: &str, to: &str) -> Call {
    let mut call = Call::of(&script::ERA);
    call.maybe(link.given_time()).push(from).push(to).push(if to.starts_with(DOUBT) { "0" } else { "1" });
    call
}

/// Gives signs of life and looks at the era, as long as the store lives.
pub(super) async fn beat(link: Arc<Link>) {
    let mut foreign_since: Option<Instant> = None;
    let mut ticks = tokio::time::interval(BEAT);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = one_beat(&link, &mut foreign_since).await {
            tracing::warn!(%error, "no sign of life reaches Redis: {error}");
        }
    }
}

async fn one_beat(link: &Link, foreign_since: &mut Option<Instant>) -> Result<(), StoreError> {
    let asked = Instant::now();
    let before = link.memory().recall();
    let mut call = Call::of(&script::BEAT);
    call.maybe(link.given_time());
    let ran = link.run(&call, Again::Safe).await?;
    let run_id = &*ran.run_id;
    let (epoch, era): (u64, &str) = (ran.answer.number(1)?, ran.answer.part(2)?);
    if !ran.unsure && link.given_time().is_none() {
        link.time_was(asked, ran.answer.number(3)?);
    }
    let found = doubt(era);
    let sound = era == run_id;
    // Emptied behind our back, without a restart.
    let forgot = before.0 == run_id && epoch <= before.1;
    if found.is_none() && (forgot || (!sound && *foreign_since.get_or_insert(asked) + WITNESS_WITHIN <= asked)) {
        return object(link, era, run_id, epoch).await;
    }
    if sound || found.is_some() {
        *foreign_since = None;
    }
    link.doubts().send_if_modified(|doubt| {
        let changed = *doubt != found;
        *doubt = found;
        changed
    });
    Ok(())
}

/// Nobody can say that nothing was forgotten.
async fn object(link: &Link, era: &str, run_id: &str, epoch: u64) -> Result<(), StoreError> {
    let last: Option<i64> = link.ask(redis::cmd("GET").arg(keys::BEAT)).await?;
    let since = last.map_or(Timestamp::UNIX_EPOCH, timestamp);
    tracing::error!("nobody can say whether Redis has forgotten something: nothing is dialled for now");
    link.memory().begin(run_id, epoch);
    turn(link, era, &in_doubt(run_id, since)).await.map(drop)
}

async fn turn(link: &Link, from: &str, to: &str) -> Result<Answer, StoreError> {
    Ok(link.run(&turning(link, from, to), Again::Safe).await?.answer)
}

/// What was forgotten has been written back.
pub(super) async fn dispel(link: &Link, doubt: &Doubt) -> Result<(), StoreError> {
    let Some((run_id, _)) = doubt.era.strip_prefix(DOUBT).and_then(|rest| rest.split_once(' ')) else {
        return Err(StoreError::Failed(format!("{:?} is no doubt of this store", doubt.era)));
    };
    turn(link, &doubt.era, run_id).await?;
    link.doubts().send_if_modified(|known| {
        let ours = known.as_ref().is_some_and(|known| known.era == doubt.era);
        if ours {
            *known = None;
        }
        ours
    });
    link.tell(Change::Gap);
    Ok(())
}
