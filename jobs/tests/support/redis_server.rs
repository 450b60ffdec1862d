//! A redis-server of a test's own: in a temporary folder, on a unix socket, gone with the value.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a server may take to be there.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server as production wants it: append-only file, synced always, nothing evicted.
pub struct RedisServer {
    folder: TempDir,
    settings: Vec<String>,
    child: Child,
}

impl RedisServer {
    /// Starts one. Fails with a clear word where redis-server is not installed.
    pub fn start() -> Self {
        Self::with_settings(&[])
    }

    /// Starts one with further settings, such as `["--appendfsync", "everysec"]`; the last of a name counts.
    pub fn with_settings(settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings: Vec<String> = settings.iter().map(|word| (*word).to_owned()).collect();
        let child = spawn(folder.path(), &settings);
        Self { folder, settings, child }
    }

    /// Where clients find it.
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// Its socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    /// Where its append-only files are.
    pub fn append_only_folder(&self) -> PathBuf {
        self.folder.path().join("appendonlydir")
    }

    fn append_only_file(&self) -> PathBuf {
        let mut files = std::fs::read_dir(self.append_only_folder()).unwrap().map(|file| file.unwrap().path());
        files.find(|file| file.extension().is_some_and(|kind| kind == "aof")).expect("an append-only file")
    }

    /// How long its append-only file is, in bytes.
    pub fn append_only_size(&self) -> u64 {
        std::fs::metadata(self.append_only_file()).unwrap().len()
    }

    /// Takes away what its append-only file has beyond `size`, as a disk does that said more than it had kept.
    pub fn cut_append_only(&self, size: u64) {
        std::fs::OpenOptions::new().write(true).open(self.append_only_file()).unwrap().set_len(size).unwrap();
    }

    /// Its process.
    #[allow(dead_code, reason = "tests of the program need it")]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`; the process is gone when this returns.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again on the files that it left.
    pub fn restart(&mut self) {
        self.kill();
        let _ = std::fs::remove_file(self.socket());
        self.child = spawn(self.folder.path(), &self.settings);
    }

    /// Sends one command in Redis's inline form and answers the first bytes of the reply.
    pub fn say(&self, command: &str) -> String {
        say(&self.socket(), command).expect("redis-server answers")
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(folder: &Path, settings: &[String]) -> Child {
    let socket = folder.join("redis.sock");
    let child = Command::new("redis-server")
        .args(["--port", "0", "--save", "", "--appendonly", "yes", "--appendfsync", "always"])
        .args(["--maxmemory-policy", "noeviction", "--daemonize", "no"])
        .arg("--dir")
        .arg(folder)
        .arg("--unixsocket")
        .arg(&socket)
        .args(settings)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => panic!(
            "redis-server cannot be started ({error}): the tests of the shared store need it. Install it, on Debian with \
             `apt-get install redis-server`"
        ),
    };
    let give_up = Instant::now() + PATIENCE;
    loop {
        // While it reads its files it answers everything else with LOADING.
        if say(&socket, "GET there").is_some_and(|answer| answer.starts_with('$')) {
            return child;
        }
        if let Ok(Some(status)) = child.try_wait() {
            panic!("redis-server ended at once: {status}");
        }
        assert!(Instant::now() < give_up, "redis-server does not answer on its socket");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn say(socket: &Path, command: &str) -> Option<String> {
    let mut stream = UnixStream::connect(socket).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    stream.write_all(format!("{command}\r\n").as_bytes()).ok()?;
    let mut answer = vec![0; 4096];
    let read = stream.read(&mut answer).ok()?;
    Some(String::from_utf8_lossy(&answer[..read]).into_owned())
}
