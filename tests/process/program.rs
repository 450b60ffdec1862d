//! One gymcall process: its lines as they come, its end, and nothing left of it afterwards.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::time::timeout;

/// How long any single thing may take that a process is waited for.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// `gymcall` in this folder, with nothing of the environment that the tests run in: neither a
/// developer's `TWILIO_*` nor the `.env` of the repository may decide a test.
pub fn gymcall<'a>(folder: &Path, arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gymcall"));
    command.env_clear().current_dir(folder).args(arguments);
    command
}

/// A process that was started, and that dies with this value.
pub struct Program {
    child: Child,
    pub out: Lines,
    pub err: Lines,
}

impl Program {
    pub fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let out = Lines::of(child.stdout.take().unwrap());
        let err = Lines::of(child.stderr.take().unwrap());
        Self { child, out, err }
    }

    /// `kill -9`, and the process is gone when this returns.
    pub fn kill(mut self) {
        self.kill_and_reap();
    }

    /// Its process id. It is not reaped yet, so the id cannot belong to anybody else.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop, as a service manager does.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits until it stands still.
    pub async fn stopped(&self) {
        let state = format!("/proc/{}/stat", self.id());
        let deadline = Instant::now() + PATIENCE;
        // After the name, which is in parentheses: T for stopped.
        while !std::fs::read_to_string(&state).unwrap().contains(") T ") {
            assert!(Instant::now() < deadline, "process {} does not stop", self.id());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for its end.
    pub async fn ended(mut self) -> Ended {
        let out = self.out.rest().await;
        let err = self.err.rest().await;
        // Both pipes are closed: it has ended, or is about to.
        let code = self.child.wait().unwrap().code();
        Ended { code, out, err }
    }

    /// The most memory that it has held up to now, in MB.
    pub fn peak_mb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() / 1_000
    }

    /// Waits until it has ended, its pipes may still be read.
    pub async fn ends(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while !self.has_ended() {
            assert!(Instant::now() < deadline, "process {} does not end", self.id());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// As [`Program::kill`], with what it said still to be read.
    pub fn kill_and_reap(&mut self) {
        // Fails if it has ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill_and_reap();
    }
}

/// How a process ended, and everything it said.
#[derive(Debug)]
pub struct Ended {
    /// None if a signal ended it.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ended {
    /// Its exit code was this; fails with all it said otherwise.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Standard output as one JSON value.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// Nothing in it is meant for a terminal.
    #[track_caller]
    pub fn plain(self) -> Self {
        assert!(!self.out.contains('\u{1b}') && !self.err.contains('\u{1b}'), "escapes: {self:?}");
        self
    }
}

/// Runs a command to its end.
pub async fn run(command: Command) -> Ended {
    Program::start(command).ended().await
}

/// What a process writes to one of its pipes, line by line. Read all the time, so that a full
/// pipe never stops the process.
pub struct Lines {
    feed: UnboundedReceiver<String>,
    seen: Vec<String>,
}

impl Lines {
    fn of(pipe: impl Read + Send + 'static) -> Self {
        let (sender, feed) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            let mut pipe = BufReader::new(pipe);
            let mut line = Vec::new();
            while pipe.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    return;
                }
                line.clear();
            }
        });
        Self { feed, seen: Vec::new() }
    }

    /// Waits for the first line, from here on, in which `wanted` finds something.
    pub async fn until<T>(&mut self, what: &str, wanted: impl Fn(&str) -> Option<T>) -> T {
        loop {
            let line = timeout(PATIENCE, self.feed.recv()).await;
            let line = line.unwrap_or_else(|_| panic!("no {what} in time:\n{}", self.seen.concat()));
            let line = line.unwrap_or_else(|| panic!("it ended before {what}:\n{}", self.seen.concat()));
            let found = wanted(&line);
            self.seen.push(line);
            if let Some(found) = found {
                return found;
            }
        }
    }

    /// All lines up to now, those passed over included.
    pub fn so_far(&self) -> String {
        self.seen.concat()
    }

    /// Waits for the end; gives all lines.
    async fn rest(&mut self) -> String {
        while let Some(line) = timeout(PATIENCE, self.feed.recv()).await.expect("the process ends in time") {
            self.seen.push(line);
        }
        self.seen.concat()
    }
}

/// The first URL in a line, up to the port.
pub fn url_in(line: &str) -> Option<String> {
    let url = &line[line.find("http://127.0.0.1:")?..];
    let end = url[17..].find(|c: char| !c.is_ascii_digit()).map_or(url.len(), |at| at + 17);
    Some(url[..end].to_owned())
}
