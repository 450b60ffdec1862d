//! Everything that a trial runs on: the far side, which survives, a store, and the wires between them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::Ordering;

use tempfile::TempDir;

use super::disk::SmallDisk;
use super::keeper::Keeper;
use super::local_twilio::LocalTwilio;
use super::program::{Program, gymcall};
use super::proxy::{Proxy, Wire};
use super::redis::Redis;
use super::server::{port_to_keep, serve};

/// How long placing a call may take, in seconds: a process that is stopped for longer has missed it.
pub const DIAL_DEADLINE_S: u64 = 3;

pub struct Site {
    pub keeper: Keeper,
    pub twilio: LocalTwilio,
    /// Between gymcall and Twilio's REST API.
    pub to_twilio: Proxy,
    /// Between Twilio, or a user, and the server: webhooks, streams, uploads.
    pub to_server: Proxy,
    pub redis: Option<Redis>,
    /// Between gymcall and Redis.
    pub to_redis: Option<Proxy>,
    /// Where the store's files are, if it is small enough to be filled.
    pub disk: Option<SmallDisk>,
    /// Whether the processes tell of troubles only: a large run says too much otherwise.
    quiet: bool,
    /// The servers' ports, the same after each of their deaths.
    ports: Vec<u16>,
    pace: u32,
    lines: u32,
    folder: TempDir,
}

/// What a site is made of.
pub struct Parts<'a> {
    pub keeper: Keeper,
    pub callees: &'a str,
    pub faults: &'a str,
    pub pace: u32,
    pub lines: u32,
    /// They share what comes from Twilio and from users.
    pub servers: usize,
    pub small_disk: bool,
}

impl Site {
    /// With these callees and faults at the far side, which dials twice as fast as gymcall is allowed to.
    pub async fn start(keeper: Keeper, callees: &str, faults: &str, pace: u32, lines: u32) -> Self {
        Self::of(Parts { keeper, callees, faults, pace, lines, servers: 1, small_disk: false }).await
    }

    pub async fn of(parts: Parts<'_>) -> Self {
        let Parts { keeper, callees, faults, pace, lines, servers, small_disk } = parts;
        let folder = tempfile::tempdir().unwrap();
        let twilio = LocalTwilio::start(folder.path(), callees, faults, pace * 2).await;
        let to_twilio = Proxy::start(vec![address_of(&twilio.url)]).await;
        let ports: Vec<u16> = (0..servers).map(|_| port_to_keep()).collect();
        let to_server =
            Proxy::start(ports.iter().map(|port| SocketAddr::from(([127, 0, 0, 1], *port))).collect()).await;
        let stored = folder.path().join(if keeper == Keeper::Redis { "redis" } else { "data" });
        let disk = small_disk.then(|| SmallDisk::mount(&stored).expect("the superuser, for a disk that can be filled"));
        let (mut redis, mut to_redis) = (None, None);
        if keeper == Keeper::Redis {
            let server = Redis::start(&stored).await;
            to_redis = Some(Proxy::start(vec![server.address()]).await);
            redis = Some(server);
        }
        Self { keeper, twilio, to_twilio, to_server, redis, to_redis, disk, quiet: false, ports, pace, lines, folder }
    }

    /// The same, and its processes tell of troubles only.
    pub fn quiet(self) -> Self {
        Self { quiet: true, ..self }
    }

    /// `gymcall serve`: alone on the embedded store, without a worker on Redis.
    pub fn serve(&self) -> Command {
        self.serve_as(0)
    }

    /// The same, as one of several.
    pub fn serve_as(&self, nth: usize) -> Command {
        let mut command = serve(self.folder.path(), &self.to_twilio.url());
        command.args(["--bind", &format!("127.0.0.1:{}", self.ports[nth])]);
        if self.keeper == Keeper::Redis {
            command.arg("--no-worker");
        }
        self.equip(&mut command);
        command
    }

    /// `gymcall worker` at work, whose calls come back to the servers. `more` may add to its environment.
    pub async fn worker(&self, more: impl FnOnce(&mut Command)) -> Program {
        // What the server is told, but for what is the server's alone.
        let mut like = serve(self.folder.path(), &self.to_twilio.url());
        self.equip(&mut like);
        let mut command = gymcall(self.folder.path(), ["worker"]);
        command.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env_remove("GYMCALL_BIND");
        more(&mut command);
        let mut program = Program::start(command);
        program.err.until("a worker that dials", |line| line.contains("dialling what is due").then_some(())).await;
        program
    }

    /// The write-ahead log of the embedded store.
    pub fn write_ahead_log(&self) -> PathBuf {
        self.folder.path().join("data/gymcall.sqlite3-wal")
    }

    /// Every wire becomes so.
    pub fn wires_become(&self, wire: Wire) {
        let wires = [Some(&self.to_twilio), Some(&self.to_server), self.to_redis.as_ref()];
        for between in wires.into_iter().flatten() {
            between.becomes(wire);
        }
    }

    /// Connections that were reset, replies swallowed and pieces slowed, on all wires together.
    pub fn on_the_wires(&self) -> [u64; 3] {
        let wires = [Some(&self.to_twilio), Some(&self.to_server), self.to_redis.as_ref()];
        let mut sums = [0; 3];
        for tally in wires.into_iter().flatten().map(Proxy::tally) {
            for (sum, count) in sums.iter_mut().zip([&tally.reset, &tally.swallowed, &tally.slowed]) {
                *sum += count.load(Ordering::Relaxed);
            }
        }
        sums
    }

    fn equip(&self, command: &mut Command) {
        command
            .env("GYMCALL_CALLS_PER_SECOND", self.pace.to_string())
            .env("GYMCALL_MAX_CONCURRENT_CALLS", self.lines.to_string())
            .env("PUBLIC_BASE_URL", self.to_server.url())
            .env("GYMCALL_DIAL_DEADLINE", format!("{DIAL_DEADLINE_S}s"));
        if self.quiet {
            command.env("LOG_LEVEL", "warn,gymcall::app=info");
        }
        if let Some(wire) = &self.to_redis {
            command.env("REDIS_URL", format!("redis://{}", wire.address()));
        }
    }
}

fn address_of(url: &str) -> SocketAddr {
    url.strip_prefix("http://").unwrap().parse().unwrap()
}
