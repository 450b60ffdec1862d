//! Everything that a trial runs on: the far side, which survives, a store, and the wires between them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::Ordering;

use tempfile::TempDir;

use super::keeper::Keeper;
use super::local_twilio::LocalTwilio;
use super::program::gymcall;
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
    /// Whether the processes tell of troubles only: a large run says too much otherwise.
    quiet: bool,
    /// The servers' ports, the same after each of their deaths.
    ports: Vec<u16>,
    pace: u32,
    lines: u32,
    folder: TempDir,
}

impl Site {
    /// With these callees and faults at the far side, which dials twice as fast as gymcall is allowed to.
    pub async fn start(keeper: Keeper, callees: &str, faults: &str, pace: u32, lines: u32) -> Self {
        Self::with_servers(1, keeper, callees, faults, pace, lines).await
    }

    /// The same, with more than one server, which share what comes from Twilio and from users.
    pub async fn with_servers(
        servers: usize,
        keeper: Keeper,
        callees: &str,
        faults: &str,
        pace: u32,
        lines: u32,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let twilio = LocalTwilio::start(folder.path(), callees, faults, pace * 2).await;
        let to_twilio = Proxy::start(vec![address_of(&twilio.url)]).await;
        let ports: Vec<u16> = (0..servers).map(|_| port_to_keep()).collect();
        let to_server =
            Proxy::start(ports.iter().map(|port| SocketAddr::from(([127, 0, 0, 1], *port))).collect()).await;
        let (mut redis, mut to_redis) = (None, None);
        if keeper == Keeper::Redis {
            let server = Redis::start(&folder.path().join("redis")).await;
            to_redis = Some(Proxy::start(vec![server.address()]).await);
            redis = Some(server);
        }
        Self { keeper, twilio, to_twilio, to_server, redis, to_redis, quiet: false, ports, pace, lines, folder }
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

    /// `gymcall worker`, whose calls come back to the server.
    pub fn worker(&self) -> Command {
        // What the server is told, but for what is the server's alone.
        let mut like = serve(self.folder.path(), &self.to_twilio.url());
        self.equip(&mut like);
        let mut command = gymcall(self.folder.path(), ["worker"]);
        command.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env_remove("GYMCALL_BIND");
        command
    }

    /// Where the embedded store is.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
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
