//! Whether the server may have forgotten something, and what follows.
//!
//! A server is trusted under an era, which names the life (`run_id`) that it was found sound in. Every write counts
//! up the epoch, and every process remembers the highest it was told. After a restart the first connection notes
//! the epoch that the new life was born with, and who gave signs of life shortly before. Then:
//!
//! - a process that was told of no higher epoch vouches. Once everybody who is awaited has, the era becomes the new
//!   life, and little has stopped;
//! - a process that was told of a higher one objects: the era is in doubt from the last sign of life on;
//! - where somebody who is awaited does not come in time, because it died too, the era is in doubt as well.
//!
//! Each of these is one script (`lua/life.lua`), so no two processes decide against each other. The gate lets no
//! dial begin unless the era is the life it runs in. Who can ask Twilio writes back what was forgotten, and
//! dispels the doubt.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use redis::aio::MultiplexedConnection;
use redis::{RedisError, Script};

use super::link::{Again, Link};
use super::script::{self, Call};
use crate::store::kept::{micros, timestamp};
use crate::store::{Change, Doubt, StoreError};

/// How often each process gives a sign of life.
const BEAT: Duration = Duration::from_secs(1);
/// How long the word of a process is waited for.
const PATIENCE: SignedDuration = SignedDuration::from_secs(2);
/// A process counts as there for this long after its last sign.
const RECENT: SignedDuration = SignedDuration::from_secs(5);
/// How much older than the last sign of life a forgotten write can be.
const MARGIN: SignedDuration = SignedDuration::from_secs(5);

/// What an era in doubt begins with; the life and the time in microseconds follow.
const DOUBT: &str = "doubt ";

/// The latest that this process was told.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<Told>);

#[derive(Debug, Default, Clone)]
struct Told {
    /// In which life of the server; empty at first.
    life: String,
    epoch: u64,
    /// When, in microseconds.
    at: i64,
}

impl Memory {
    fn told(&self) -> Told {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// An answer from this life carried this epoch. Answers overtake one another.
    pub(super) fn saw(&self, life: &str, epoch: u64, at: i64) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.life == life {
            told.epoch = told.epoch.max(epoch);
            told.at = told.at.max(at);
        } else {
            *told = Told { life: life.to_owned(), epoch, at };
        }
    }

    /// What was remembered is settled: counting goes on from here.
    fn begin(&self, life: &str, epoch: u64, at: i64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Told { life: life.to_owned(), epoch, at };
    }
}

/// A script that is told what this process remembers.
fn call(link: &Link, script: &Script) -> Call {
    let Told { life, epoch, at } = link.memory().told();
    let mut call = Call::of(script);
    call.push(link.origin()).push(life).push(epoch).push(at);
    for wait in [MARGIN, RECENT, PATIENCE] {
        call.push(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX));
    }
    call
}

/// Tells a life of the server what this process remembers, before anything else is sent to it.
pub(super) async fn arrive(link: &Link, connection: &mut MultiplexedConnection, life: &str) -> Result<(), RedisError> {
    let parts: Vec<String> = call(link, &script::ARRIVE).command(life).query_async(connection).await?;
    let [_, era, epoch] = parts.as_slice() else { return Ok(()) };
    // Only now: what was remembered has been said, and what followed from it is stored.
    link.memory().begin(life, epoch.parse().unwrap_or(0), micros(link.server_now()));
    if era == life {
        tracing::debug!("Redis is sound");
    } else {
        tracing::warn!("Redis was started anew: nothing is dialled until it is clear that it has forgotten nothing");
    }
    know(link, era);
    Ok(())
}

/// Gives signs of life and looks at the era, as long as the store lives.
pub(super) async fn beat(link: Arc<Link>) {
    let mut ticks = tokio::time::interval(BEAT);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = one_beat(&link).await {
            tracing::warn!(%error, "no sign of life reaches Redis: {error}");
        }
    }
}

async fn one_beat(link: &Link) -> Result<(), StoreError> {
    let asked = Instant::now();
    let ran = link.run(&call(link, &script::BEAT), Again::Safe).await?;
    let era = ran.answer.part(2)?;
    if !ran.unsure {
        link.time_was(asked, ran.answer.number(3)?);
    }
    if doubt(era).is_some() {
        // It has been said: from here on the count goes up again.
        link.memory().begin(&ran.run_id, ran.answer.number(1)?, micros(link.server_now()));
    }
    know(link, era);
    Ok(())
}

/// Makes known in this process whether the era is in doubt.
fn know(link: &Link, era: &str) {
    let found = doubt(era);
    link.doubts().send_if_modified(|doubt| {
        let changed = *doubt != found;
        if changed && found.is_some() {
            tracing::error!("Redis may have forgotten what it had confirmed: nothing is dialled for now");
        }
        *doubt = found;
        changed
    });
}

/// The doubt that an era expresses, if it does.
fn doubt(era: &str) -> Option<Doubt> {
    let (_, since) = era.strip_prefix(DOUBT)?.split_once(' ')?;
    Some(Doubt { era: era.to_owned(), since: timestamp(since.parse().ok()?) })
}

/// What was forgotten has been written back.
pub(super) async fn dispel(link: &Link, doubt: &Doubt) -> Result<(), StoreError> {
    let mut call = Call::of(&script::DISPEL);
    call.push(doubt.era.as_str());
    link.run(&call, Again::Safe).await?;
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

/// This process ends in order.
pub(super) async fn leave(link: &Link) -> Result<(), StoreError> {
    let mut call = Call::of(&script::LEAVE);
    call.push(link.origin());
    link.run(&call, Again::Safe).await.map(drop)
}
