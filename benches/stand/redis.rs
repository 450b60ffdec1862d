//! A Redis of our own, as durable as it can be, on a free port and in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::resp::{Connection, Reply};
use super::{cpu, free_port};

/// It ends with this value.
pub struct Redis {
    child: Child,
    port: u16,
    folder: PathBuf,
}

impl Redis {
    /// Starts one, and waits until it answers.
    pub fn start(folder: &Path) -> Self {
        let port = free_port();
        let mut redis = Self { child: spawn(folder, port), port, folder: folder.to_owned() };
        redis.wait();
        redis
    }

    /// Starts it again on the same port, with what it had stored. Returns how long it took to load that.
    pub fn restart(&mut self) -> Duration {
        let begun = Instant::now();
        self.child = spawn(&self.folder, self.port);
        self.wait();
        begun.elapsed()
    }

    /// `kill -9`; it is gone when this returns.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn wait(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            // While it loads its file it answers with an error.
            let answer = Connection::open(self.port).and_then(|mut connection| connection.ask(&["PING"]));
            if answer.is_ok_and(|answer| answer == Reply::Simple("PONG".to_owned())) {
                return;
            }
            assert!(self.child.try_wait().unwrap().is_none(), "redis-server ended: see {}", self.folder.display());
            assert!(Instant::now() < deadline, "redis-server does not answer");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn connect(&self) -> Connection {
        Connection::open(self.port).expect("redis-server listens")
    }

    pub fn cpu(&self) -> Duration {
        cpu::of_tree(self.child.id())
    }

    /// A figure of `INFO`.
    pub fn info(&self, name: &str) -> u64 {
        let info = self.connect().ask(&["INFO", "everything"]).unwrap().text();
        let found = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        found.and_then(|figure| figure.parse().ok()).unwrap_or_default()
    }

    pub fn keys(&self) -> i64 {
        match self.connect().ask(&["DBSIZE"]).unwrap() {
            Reply::Number(keys) => keys,
            other => panic!("DBSIZE answered {other:?}"),
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(folder: &Path, port: u16) -> Child {
    let log = std::fs::File::options().create(true).append(true).open(folder.join("redis.log")).unwrap();
    let mut command = Command::new("redis-server");
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"]).arg(folder);
    command.args(["--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction"]);
    // A rewrite of the file would fall into some runs and not into others.
    command.args(["--auto-aof-rewrite-percentage", "0"]);
    command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    command.spawn().expect("redis-server is installed")
}
