//! The connection: made again when it breaks, and never used before the server was looked at.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError, ServerErrorKind, cmd,
};
use tokio::sync::{Mutex, broadcast, watch};

use super::check::{self, Durability};
use super::era::{self, Memory};
use super::error::{Failure, OpenError};
use super::script::{self, Answer, Call};
use super::server_time::ServerTime;
use crate::store::clock::Clock;
use crate::store::kept::{micros, timestamp};
use crate::store::{Change, Doubt, StoreError};

/// How long the making of a connection may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);
/// For how long something is tried again: a server that starts anew is back by then, and somebody waits.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long it rests between two tries.
const REST: Duration = Duration::from_millis(50);

/// The way to the server.
pub(super) struct Link {
    client: Client,
    durability: Durability,
    /// Set with the first connection.
    origin: OnceLock<String>,
    clock: Option<Arc<dyn Clock>>,
    server_time: ServerTime,
    feed: broadcast::Sender<Change>,
    doubts: watch::Sender<Option<Doubt>>,
    memory: Memory,
    life: RwLock<Option<Life>>,
    lives: AtomicU64,
    /// Held while a connection is made; when that failed last, and how.
    opening: Mutex<Option<(Instant, Failure)>>,
    /// Batches that are known to be visible: in one life of the server they never become invisible again.
    visible: RwLock<HashSet<u64>>,
}

/// A connection to one life of the server.
#[derive(Clone)]
pub(super) struct Life {
    number: u64,
    connection: MultiplexedConnection,
    pub(super) run_id: Arc<str>,
}

impl Link {
    pub(super) async fn open(
        url: &str,
        durability: Durability,
        clock: Option<Arc<dyn Clock>>,
        feed: broadcast::Sender<Change>,
    ) -> Result<Self, OpenError> {
        let link = Self {
            client: Client::open(url).map_err(OpenError::Url)?,
            durability,
            origin: OnceLock::new(),
            clock,
            server_time: ServerTime::new(),
            feed,
            doubts: watch::Sender::new(None),
            memory: Memory::default(),
            life: RwLock::new(None),
            lives: AtomicU64::new(0),
            opening: Mutex::new(None),
            visible: RwLock::default(),
        };
        link.connect().await?;
        Ok(link)
    }

    /// What this process calls itself, for as long as it lives.
    pub(super) fn origin(&self) -> &str {
        self.origin.get().map_or("", String::as_str)
    }

    pub(super) fn feed(&self) -> &broadcast::Sender<Change> {
        &self.feed
    }

    pub(super) fn doubts(&self) -> &watch::Sender<Option<Doubt>> {
        &self.doubts
    }

    pub(super) fn memory(&self) -> &Memory {
        &self.memory
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn visible(&self) -> &RwLock<HashSet<u64>> {
        &self.visible
    }

    /// The server's time, in whole microseconds.
    pub(super) fn now(&self) -> Timestamp {
        match &self.clock {
            Some(clock) => timestamp(clock.now().as_microsecond()),
            None => self.server_time.now(),
        }
    }

    /// The server's time, whatever a test makes of it.
    pub(super) fn server_now(&self) -> Timestamp {
        self.server_time.now()
    }

    /// What the scripts are told of the time: nothing, unless a test turns it.
    pub(super) fn given_time(&self) -> Option<i64> {
        self.clock.as_ref().map(|clock| micros(clock.now()))
    }

    /// Tells the listeners of this process.
    pub(super) fn tell(&self, change: Change) {
        // Nobody listening is no failure.
        let _ = self.feed.send(change);
    }

    /// The server's clock was read.
    pub(super) fn time_was(&self, asked: Instant, micros: i64) {
        self.server_time.was(asked, micros);
    }

    /// The present connection, or a new one.
    async fn life(&self) -> Result<Life, Failure> {
        let present = || self.life.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(life) = present() {
            return Ok(life);
        }
        let asked = Instant::now();
        let mut last_failed = self.opening.lock().await;
        if let Some(life) = present() {
            // Somebody else was faster.
            return Ok(life);
        }
        match &*last_failed {
            // Or failed just as this one would have: a hundred who wait must not each wait for their own try.
            Some((at, failure)) if *at >= asked => Err(failure.clone()),
            _ => self.connect().await.map_err(|error| {
                let failure = Failure::not_sent(error);
                *last_failed = Some((Instant::now(), failure.clone()));
                failure
            }),
        }
    }

    async fn connect(&self) -> Result<Life, OpenError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_WITHIN))
            .set_response_timeout(Some(ANSWER_WITHIN));
        let connecting = self.client.get_multiplexed_async_connection_with_config(&config);
        let mut connection = connecting.await.map_err(OpenError::Unreachable)?;
        let server = check::look(&mut connection, self.durability).await.map_err(OpenError::Unreachable)??;
        self.prepare(&mut connection, &server.run_id).await.map_err(OpenError::Unreachable)?;
        // A server that forgot gives out its numbers again.
        self.visible.write().unwrap_or_else(PoisonError::into_inner).clear();
        let number = self.lives.fetch_add(1, Ordering::Relaxed) + 1;
        let life = Life { number, connection, run_id: server.run_id.into() };
        *self.life.write().unwrap_or_else(PoisonError::into_inner) = Some(life.clone());
        Ok(life)
    }

    async fn prepare(&self, connection: &mut MultiplexedConnection, run_id: &str) -> Result<(), RedisError> {
        if self.origin.get().is_none() {
            // One life of the server numbers no two connections alike.
            let number: u64 = cmd("CLIENT").arg("ID").query_async(connection).await?;
            let life = run_id.get(..8).unwrap_or(run_id);
            let _ = self.origin.set(format!("{life}-{number}"));
        }
        cmd("CLIENT").arg("SETNAME").arg(client_name(self.origin())).exec_async(connection).await?;
        for script in script::all() {
            script.load_async(connection).await?;
        }
        let asked = Instant::now();
        let (seconds, fraction): (i64, i64) = cmd("TIME").query_async(connection).await?;
        self.time_was(asked, seconds * 1_000_000 + fraction);
        era::arrive(self, connection, run_id).await
    }

    /// This connection answers no more.
    fn is_broken(&self, number: u64) {
        let mut life = self.life.write().unwrap_or_else(PoisonError::into_inner);
        if life.as_ref().is_some_and(|life| life.number == number) {
            *life = None;
            drop(life);
            // What the others told meanwhile may be lost, and so may the news of what failed here.
            self.tell(Change::Gap);
        }
    }

    /// Sends something over a connection, once.
    async fn once<T: FromRedisValue>(&self, life: &Life, sent: Sent<'_>) -> Result<T, Failure> {
        let mut connection = life.connection.clone();
        let answered = match sent {
            Sent::One(command) => command.query_async(&mut connection).await,
            Sent::Many(commands) => commands.query_async(&mut connection).await,
        };
        answered.map_err(|error| {
            let failure = Failure::of(&error);
            // A server whose scripts were flushed is looked at and told them anew.
            if !failure.sure || error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) {
                self.is_broken(life.number);
            }
            failure
        })
    }

    /// Asks a question that changes nothing, as often as patience allows.
    async fn question<T: FromRedisValue>(&self, sent: Sent<'_>) -> Result<T, StoreError> {
        let give_up = Instant::now() + PATIENCE;
        loop {
            let answered = match self.life().await {
                Ok(life) => self.once(&life, sent).await,
                Err(failure) => Err(failure),
            };
            match answered {
                Ok(answer) => return Ok(answer),
                Err(failure) if Instant::now() >= give_up => return Err(failure.into()),
                Err(_) => tokio::time::sleep(REST).await,
            }
        }
    }

    /// The answer to a command that reads.
    pub(super) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        self.question(Sent::One(command)).await
    }

    /// The answers to several commands that read.
    pub(super) async fn ask_all<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T, StoreError> {
        self.question(Sent::Many(commands)).await
    }

    /// Runs a script until it has answered.
    pub(super) async fn run(&self, call: &Call, again: Again) -> Result<Ran, StoreError> {
        let give_up = Instant::now() + PATIENCE;
        let mut unsure = false;
        loop {
            let failure = match self.life().await {
                Ok(life) => match self.once(&life, Sent::One(&call.command(&life.run_id))).await {
                    Ok(parts) => {
                        let answer = Answer::new(parts);
                        if let Some(epoch) = answer.epoch() {
                            self.memory.saw(&life.run_id, epoch, micros(self.server_time.now()));
                        }
                        return Ok(Ran { answer, unsure, run_id: life.run_id });
                    }
                    Err(failure) => failure,
                },
                Err(failure) => failure,
            };
            unsure |= !failure.sure;
            if Instant::now() >= give_up || (unsure && again == Again::Never) {
                return Err(failure.into());
            }
            tokio::time::sleep(REST).await;
        }
    }
}

/// What goes over a connection at once.
#[derive(Clone, Copy)]
enum Sent<'a> {
    One(&'a Cmd),
    Many(&'a Pipeline),
}

/// The name by which the server lists the connections of a process.
pub(super) fn client_name(origin: &str) -> String {
    format!("gymcall:{origin}")
}

/// Whether a script may be sent again when it is not known whether it was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// It notices that it was carried out before, or doing it twice is doing it once.
    Safe,
    /// It would do it twice.
    Never,
}

/// A script that has answered.
pub(super) struct Ran {
    pub(super) answer: Answer,
    /// Whether it was sent before, and may have been carried out then.
    pub(super) unsure: bool,
    /// Which life of the server answered.
    pub(super) run_id: Arc<str>,
}
