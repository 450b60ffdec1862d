//! A program that does the same work as others, measured from outside.
//!
//! It says `ready`, waits for a line, works, says `done`, waits for a line, checks its own work, and says
//! `checked N` with the number of jobs that ended once and as they should.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use super::redis::Redis;
use super::{cpu, folder, place};

/// How long a contestant may take for any of its steps.
const PATIENCE: Duration = Duration::from_secs(180);

/// Makes a command, given the port of its Redis, if it has one, its folder and the number of jobs.
pub type Start = dyn Fn(u16, &Path, usize) -> Command;
/// Looks at what a run of so many jobs left.
pub type Check = dyn Fn(Option<&Redis>, usize) -> Result<(), String>;

pub struct Contestant {
    pub name: &'static str,
    /// How many jobs it does in a run: enough for its CPU time to be well above the kernel's ticks.
    pub jobs: usize,
    pub with_redis: bool,
    pub command: Box<Start>,
    /// A check from outside, after its own.
    pub check: Box<Check>,
}

/// What one run came to.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    pub jobs: usize,
    pub took: Duration,
    /// Of the contestant's processes.
    pub own: Duration,
    /// Of its Redis.
    pub redis: Duration,
    /// Written to the append-only file.
    pub written: u64,
    /// By how much the process grew at most, in bytes, where that is measured.
    pub grew: u64,
}

impl Run {
    /// CPU microseconds for a job.
    pub fn cpu_us(&self) -> f64 {
        (self.own + self.redis).as_secs_f64() * 1e6 / self.jobs as f64
    }

    pub fn redis_us(&self) -> f64 {
        self.redis.as_secs_f64() * 1e6 / self.jobs as f64
    }

    pub fn per_second(&self) -> f64 {
        self.jobs as f64 / self.took.as_secs_f64()
    }

    pub fn written_per_job(&self) -> f64 {
        self.written as f64 / self.jobs as f64
    }
}

impl Contestant {
    /// One run, with a fresh Redis and folder.
    pub fn run(&self) -> Result<Run, String> {
        let folder = folder();
        let redis = self.with_redis.then(|| Redis::start(folder.path()));
        let port = redis.as_ref().map_or(0, Redis::port);
        let mut program = Program::start(self.name, (self.command)(port, folder.path(), self.jobs))?;
        program.until("ready")?;
        let used = || redis.as_ref().map_or(Duration::ZERO, Redis::cpu);
        let size = || redis.as_ref().map_or(0, |redis| redis.info("aof_current_size"));
        let (written, own, by_redis, begun) = (size(), cpu::of_tree(program.id()), used(), Instant::now());
        program.say();
        program.until("done")?;
        let took = begun.elapsed();
        let (own, by_redis) = (cpu::of_tree(program.id()) - own, used() - by_redis);
        let written = size() - written;
        program.say();
        let checked = program.until("checked")?;
        if checked.trim() != self.jobs.to_string() {
            return Err(format!("{}: {checked} of {} jobs ended once and as they should", self.name, self.jobs));
        }
        (self.check)(redis.as_ref(), self.jobs)?;
        Ok(Run { jobs: self.jobs, took, own, redis: by_redis, written, grew: 0 })
    }
}

/// A process that speaks as above. It ends with this value.
pub struct Program {
    name: &'static str,
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Program {
    pub fn start(name: &'static str, mut command: Command) -> Result<Self, String> {
        let log = std::fs::File::create(place().join(format!("{}.log", name.replace([' ', ','], "-")))).unwrap();
        // A group of its own: what it starts must end with it.
        command.process_group(0);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).spawn();
        let mut child = child.map_err(|error| format!("{name} does not start: {error}"))?;
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self { name, child, input, lines })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next step.
    pub fn say(&mut self) {
        let _ = writeln!(self.input, "go");
    }

    /// Waits for a line that begins so; gives the rest of it.
    pub fn until(&mut self, word: &str) -> Result<String, String> {
        let begun = Instant::now();
        loop {
            match self.lines.recv_timeout(PATIENCE.saturating_sub(begun.elapsed())) {
                Ok(line) => {
                    if let Some(rest) = line.strip_prefix(word) {
                        return Ok(rest.to_owned());
                    }
                }
                Err(_) => {
                    let log = place().join(format!("{}.log", self.name.replace([' ', ','], "-")));
                    return Err(format!("{}: no {word:?}; what it said is in {}", self.name, log.display()));
                }
            }
        }
    }

    /// `kill -9` for it and all that it started; it is gone when this returns.
    pub fn kill(&mut self) {
        // It is not waited for yet, so its id cannot belong to anybody else.
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.child.wait();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}
