//! A redis-server of a test's own: killed, stopped and started again as the test likes.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use super::program::{PATIENCE, Program};
use super::server::port_to_keep;

/// A redis-server, or the place where one was.
pub struct Redis {
    program: Option<Program>,
    folder: PathBuf,
    port: u16,
}

impl Redis {
    /// One that keeps every acknowledged write, with its files in `folder`.
    pub async fn start(folder: &Path) -> Self {
        let there = Command::new("redis-server").arg("--version").output();
        assert!(there.is_ok(), "these tests need redis-server: install it, it is never more than started here");
        std::fs::create_dir_all(folder).unwrap();
        let mut redis = Self { program: None, folder: folder.to_owned(), port: port_to_keep() };
        redis.begin().await;
        redis
    }

    /// Starts it again, and waits until it has loaded what it kept.
    pub async fn begin(&mut self) {
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &self.port.to_string(), "--dir"]).arg(&self.folder);
        command.args(["--appendonly", "yes", "--appendfsync", "always", "--save", ""]);
        command.args(["--maxmemory-policy", "noeviction", "--slowlog-log-slower-than", "5000"]);
        command.args(["--slowlog-max-len", "100000"]);
        let mut program = Program::start(command);
        program.out.until("a redis-server that is ready", |line| line.contains("Ready to accept").then_some(())).await;
        self.program = Some(program);
    }

    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.program.take().expect("a redis-server that runs").kill();
    }

    pub fn signal(&self, name: &str) {
        self.program.as_ref().expect("a redis-server that runs").signal(name);
    }

    /// Waits until it has ended by itself.
    pub async fn ends(&mut self) {
        self.program.take().expect("a redis-server that runs").ends().await;
    }

    /// What it replies to one command, as redis-cli shows it.
    pub fn ask(&self, words: &[&str]) -> String {
        let begun = Instant::now();
        loop {
            let asked = Command::new("redis-cli").args(["-p", &self.port.to_string()]).args(words).output().unwrap();
            if asked.status.success() {
                return String::from_utf8_lossy(&asked.stdout).trim().to_owned();
            }
            assert!(begun.elapsed() < PATIENCE, "redis-server does not answer {words:?}: {asked:?}");
        }
    }

    /// How many scripts it has run, how long one took on average in µs, and how many commands took over 5 ms. That is
    /// time on the wall: on a busy machine a script that is interrupted is slow without any fault of its own.
    pub fn scripts(&self) -> (f64, f64, f64) {
        let stats = self.ask(&["INFO", "commandstats"]);
        let evalsha = stats.lines().find(|line| line.starts_with("cmdstat_evalsha:")).expect("scripts were run");
        let of = |name: &str| evalsha.split([':', ',']).find_map(|part| part.strip_prefix(name)?.parse().ok()).unwrap();
        (of("calls="), of("usec_per_call="), self.ask(&["SLOWLOG", "LEN"]).parse().unwrap())
    }

    /// The append-only file that grows.
    pub fn growing_file(&self) -> PathBuf {
        let files = std::fs::read_dir(self.folder.join("appendonlydir")).unwrap();
        let mut growing: Vec<PathBuf> = files
            .map(|file| file.unwrap().path())
            .filter(|path| path.to_string_lossy().ends_with(".incr.aof"))
            .collect();
        growing.sort();
        growing.pop().expect("a file that is appended to")
    }
}
