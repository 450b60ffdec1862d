//! `gymcall simulator` as a process, and its log as it grows.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use gymcall_simulator::{Entry, Event, Log};

use super::program::{PATIENCE, Program, gymcall, url_in};

const ACCOUNT_SID: &str = "AC5f0c0ffee05f0c0ffee05f0c0ffee05f";
const AUTH_TOKEN: &str = "c0ffee00c0ffee00c0ffee00c0ffee00";

/// The account that both sides must know.
pub fn with_account(command: &mut Command) {
    command.env("TWILIO_ACCOUNT_SID", ACCOUNT_SID).env("TWILIO_AUTH_TOKEN", AUTH_TOKEN);
}

/// A local Twilio that outlives the servers.
pub struct LocalTwilio {
    _program: Program,
    pub url: String,
    log: PathBuf,
}

impl LocalTwilio {
    /// One with these callees and faults: TOML, the built-in callees and no faults if empty.
    pub async fn start(folder: &Path, callees: &str, faults: &str, pace: u32) -> Self {
        Self::start_at(folder, "127.0.0.1:0", callees, faults, pace).await
    }

    /// The same where one was before.
    pub async fn start_at(folder: &Path, address: &str, callees: &str, faults: &str, pace: u32) -> Self {
        let log = folder.join("twilio.jsonl");
        let mut command = gymcall(folder, ["simulator", "--bind", address]);
        command.args(["--pace", &pace.to_string(), "--log"]).arg(&log);
        for (flag, content) in [("--callees", callees), ("--faults", faults)] {
            if !content.is_empty() {
                let file = folder.join(format!("{}.toml", &flag[2..]));
                std::fs::write(&file, content).unwrap();
                command.arg(flag).arg(file);
            }
        }
        with_account(&mut command);
        let mut program = Program::start(command);
        let url = program.err.until("the local Twilio's address", url_in).await;
        Self { _program: program, url, log }
    }

    /// Everything it did up to now.
    pub fn log(&self) -> Vec<Entry> {
        Log::read(&self.log).unwrap()
    }

    /// Follows what it does.
    pub fn follow(&self) -> LogTail {
        LogTail { file: File::open(&self.log).unwrap(), part: String::new(), entries: Vec::new(), next: 0 }
    }
}

/// The log, read as it is written: the only witness that a killed server cannot take along.
pub struct LogTail {
    file: File,
    /// A line that is not whole yet.
    part: String,
    entries: Vec<Entry>,
    next: usize,
}

impl LogTail {
    /// Waits until the log has grown by an entry that `wanted` holds for, and passes over those before it.
    pub async fn until(&mut self, what: &str, wanted: impl Fn(&Event) -> bool) -> Entry {
        let deadline = Instant::now() + PATIENCE;
        loop {
            while let Some(entry) = self.entries.get(self.next) {
                self.next += 1;
                if wanted(&entry.what) {
                    return entry.clone();
                }
            }
            self.read_on();
            if self.next == self.entries.len() {
                assert!(Instant::now() < deadline, "the log shows no {what} in time");
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
        }
    }

    /// Passes over everything that is there by now.
    pub fn skip(&mut self) {
        self.read_on();
        self.next = self.entries.len();
    }

    fn read_on(&mut self) {
        self.file.read_to_string(&mut self.part).unwrap();
        let whole = self.part.rfind('\n').map_or(0, |at| at + 1);
        let rest = self.part.split_off(whole);
        let lines = std::mem::replace(&mut self.part, rest);
        self.entries.extend(lines.lines().map(|line| serde_json::from_str::<Entry>(line).unwrap()));
    }
}
