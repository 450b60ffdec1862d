//! One cell of the crash matrix: a process stands at a point, a fault strikes, and twenty jobs must come to their ends.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::api::Api;
use super::crowd;
use super::disk::SmallDisk;
use super::fault::Fault;
use super::judge::{Verdict, judge};
use super::keeper::Keeper;
use super::program::Program;
use super::proxy::Wire;
use super::redis::Redis;
use super::server::Server;
use super::site::{DIAL_DEADLINE_S, Parts, Site};

const GYMS: usize = 20;
const PACE: u32 = 20;
/// How late Twilio's reply to a request for a call is.
const REPLY_AFTER_MS: i64 = 300;
/// How long everything may take after the fault. Unclear calls are looked up for 8 s.
const PATIENCE: Duration = Duration::from_secs(90);

#[derive(Debug, Clone, Copy)]
pub struct Trial {
    pub keeper: Keeper,
    pub point: &'static str,
    pub fault: Fault,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    pub trial: Trial,
    /// At which pass of its point the fault struck: at least 1.
    pub pass: u64,
    pub calls: usize,
    pub quarantined: usize,
    /// Connections that were reset, replies swallowed, pieces slowed, on all wires.
    pub wire: [u64; 3],
    pub took: Duration,
}

impl Trial {
    /// Runs it. Panics if the promise was broken, or if the point was not passed.
    pub async fn run(self) -> Outcome {
        let begun = Instant::now();
        let numbers = crowd::numbers(GYMS);
        let (callees, faults) = match self.point.as_bytes()[0] {
            b'K' => (crowd::slow_callees(&numbers), crowd::unclear_replies(REPLY_AFTER_MS)),
            _ => (crowd::quick_callees(&numbers), crowd::late_replies(REPLY_AFTER_MS)),
        };
        let small_disk = match self.keeper {
            Keeper::Embedded => self.fault == Fault::F8,
            Keeper::Redis => self.fault == Fault::F9,
        };
        let lines = GYMS as u32;
        let parts = Parts {
            keeper: self.keeper,
            callees: &callees,
            faults: &faults,
            pace: PACE,
            lines,
            servers: 1,
            small_disk,
        };
        let mut site = Site::of(parts).await;
        let mut cast = Cast::start(&site, self).await;

        let campaign =
            cast.server().api.post("/v1/campaigns", crowd::survey()).await["id"].as_str().unwrap().to_owned();
        let roster = crowd::roster(&numbers);
        let api = cast.server().api.clone();
        let upload = {
            let (api, campaign, roster) = (Api::new(&site.to_server.url()), campaign.clone(), roster.clone());
            tokio::spawn(async move { api.upload(&campaign, &roster, Duration::from_millis(100)).await })
        };
        let (pass, uploaded) = if self.point.starts_with('C') {
            let pass = cast.strike(&mut site, self).await;
            (pass, upload.await.unwrap())
        } else {
            let uploaded = upload.await.unwrap();
            api.start(&campaign).await;
            (cast.strike(&mut site, self).await, uploaded)
        };
        // The store may be a moment away still.
        api.until(&format!("/v1/campaigns/{campaign}"), PATIENCE, |_| true).await;
        if self.point.starts_with('C') {
            self.all_or_nothing(&api, &campaign, &roster, uploaded).await;
            api.start(&campaign).await;
        }
        api.completed(&campaign, PATIENCE).await;

        let jobs = api.jobs(&campaign).await;
        let verdict = judge(&site.twilio.log(), &numbers, &jobs);
        self.check(&verdict, &jobs, &api).await;
        let wire = site.on_the_wires();
        let (calls, quarantined) = (verdict.calls.len(), verdict.quarantined.len());
        drop(cast);
        Outcome { trial: self, pass, calls, quarantined, wire, took: begun.elapsed() }
    }

    /// At which pass the point acts: late enough that others are under way, early enough that it comes at all.
    fn at(self) -> u64 {
        match self.point {
            "C1" | "C2" | "C3" | "K1" | "K2" | "K3" => 1,
            "S5" => 3,
            _ if self.point.starts_with('S') => 9,
            _ => 4,
        }
    }

    fn armed(self) -> String {
        let action = if self.fault == Fault::F1 { "kill" } else { "stop" };
        format!("{}:{action}@{}", self.point, self.at())
    }

    /// Whether the point is in the worker, where there is one of its own.
    fn is_the_workers(self) -> bool {
        self.point.starts_with(['W', 'K'])
    }

    /// An upload whose reply was lost is made again: it became visible whole, or not at all.
    async fn all_or_nothing(self, api: &Api, campaign: &str, roster: &str, uploaded: Result<Value, String>) {
        let there = api.jobs(campaign).await.len();
        assert!(there == 0 || there == GYMS, "{self:?}: {there} of {GYMS} gyms are visible");
        if let Ok(report) = uploaded {
            assert_eq!((there, &report["accepted"]), (GYMS, &GYMS.into()), "{self:?}: {report:#}");
            return;
        }
        let again = Instant::now() + PATIENCE;
        let report = loop {
            match api.upload(campaign, roster, Duration::ZERO).await {
                Ok(report) => break report,
                Err(why) => assert!(Instant::now() < again, "{self:?}: {why}"),
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        };
        let known = if there == 0 { "accepted" } else { "duplicates" };
        assert_eq!(report[known], GYMS, "{self:?}: {report:#}");
    }

    async fn check(self, verdict: &Verdict, jobs: &[Value], api: &Api) {
        assert!(verdict.doubled.is_empty(), "{self:?}: doubled: {:#?}", verdict.doubled);
        assert!(verdict.lost.is_empty(), "{self:?}: lost: {:#?}", verdict.lost);
        assert_eq!(jobs.len(), GYMS);
        // A person is asked only about a request whose fate nobody could know: the dialler died, or heard nothing.
        for id in &verdict.quarantined {
            let events = api.events(id).await;
            let unclear = ["dialer_died", "unclear", "tick"];
            let why = events.iter().any(|event| unclear.iter().any(|name| event["event"] == *name));
            assert!(why, "{self:?}: {id} is in quarantine without a reason: {events:#?}");
        }
    }
}

/// The processes of a trial. One of them is armed.
struct Cast {
    server: Option<Server>,
    worker: Option<Program>,
}

impl Cast {
    async fn start(site: &Site, trial: Trial) -> Self {
        let mut serve = site.serve();
        if site.keeper == Keeper::Embedded {
            serve.env("GYMCALL_FAILPOINT", trial.armed());
            return Self { server: Some(Server::start(serve).await), worker: None };
        }
        let arm = |command: &mut Command, wanted: bool| {
            if wanted {
                command.env("GYMCALL_FAILPOINT", trial.armed());
            }
        };
        arm(&mut serve, !trial.is_the_workers());
        let server = Server::start(serve).await;
        let worker = site.worker(|command| arm(command, trial.is_the_workers())).await;
        Self { server: Some(server), worker: Some(worker) }
    }

    fn server(&self) -> &Server {
        self.server.as_ref().expect("a server")
    }

    fn armed(&mut self, trial: Trial) -> &mut Program {
        match &mut self.worker {
            Some(worker) if trial.is_the_workers() => worker,
            _ => &mut self.server.as_mut().expect("a server").program,
        }
    }

    /// Waits until the point is passed, and lets the fault strike. When this returns everything runs again.
    async fn strike(&mut self, site: &mut Site, trial: Trial) -> u64 {
        let marked = format!("failpoint {}: pass ", trial.point);
        let pass_of = |line: &str| line.split_once(&marked)?.1.split_once(',')?.0.parse::<u64>().ok();
        let pass = self.armed(trial).err.until(&format!("{trial:?}: pass"), pass_of).await;
        if trial.fault == Fault::F1 {
            self.armed(trial).ends().await;
            self.restart(site, trial).await;
            return pass;
        }
        self.armed(trial).stopped().await;
        match (trial.fault, site.keeper) {
            (Fault::F10, Keeper::Embedded) => {
                self.armed(trial).kill_and_reap();
                tear(&site.write_ahead_log());
                self.restart(site, trial).await;
            }
            (Fault::F12, Keeper::Redis) => {
                self.armed(trial).kill_and_reap();
                redis(site).kill();
                redis(site).begin().await;
                self.restart(site, trial).await;
            }
            _ => self.under(site, trial).await,
        }
        pass
    }

    /// Lets the stopped process go on under the fault, for as long as it lasts.
    async fn under(&mut self, site: &mut Site, trial: Trial) {
        match (trial.fault, site.keeper) {
            (Fault::F2, _) => tokio::time::sleep(Duration::from_secs(DIAL_DEADLINE_S + 1)).await,
            (Fault::F3 | Fault::F10, Keeper::Redis) => redis(site).kill(),
            (Fault::F4, Keeper::Redis) => redis(site).signal("STOP"),
            (Fault::F5, _) => site.wires_become(Wire::Reset),
            (Fault::F6, _) => site.wires_become(Wire::SwallowReplies),
            (Fault::F7, _) => site.wires_become(Wire::Slow { from_ms: 200, to_ms: 3_000 }),
            (Fault::F8, Keeper::Redis) => drop(redis(site).ask(&["CONFIG", "SET", "maxmemory", "1"])),
            (Fault::F8, Keeper::Embedded) | (Fault::F9, Keeper::Redis) => disk(site).fill(),
            (fault, keeper) => unreachable!("{fault:?} is not had on {keeper:?}"),
        }
        self.armed(trial).signal("CONT");
        tokio::time::sleep(trial.fault.lasts()).await;
        match (trial.fault, site.keeper) {
            (Fault::F3, Keeper::Redis) => redis(site).begin().await,
            (Fault::F4, Keeper::Redis) => redis(site).signal("CONT"),
            (Fault::F8, Keeper::Redis) => drop(redis(site).ask(&["CONFIG", "SET", "maxmemory", "0"])),
            (Fault::F8, Keeper::Embedded) => disk(site).clear(),
            // With `appendfsync always`, Redis ends rather than go on without its file.
            (Fault::F9, Keeper::Redis) => {
                redis(site).ends().await;
                disk(site).clear();
                redis(site).begin().await;
            }
            (Fault::F10, Keeper::Redis) => {
                tear(&redis(site).growing_file());
                redis(site).begin().await;
            }
            _ => site.wires_become(Wire::Clear),
        }
    }

    /// Starts the armed process again, without its point.
    async fn restart(&mut self, site: &Site, trial: Trial) {
        if self.worker.is_some() && trial.is_the_workers() {
            self.worker = Some(site.worker(|_| {}).await);
        } else {
            self.server = None;
            self.server = Some(Server::start(site.serve()).await);
        }
    }
}

fn redis(site: &mut Site) -> &mut Redis {
    site.redis.as_mut().expect("a trial on Redis")
}

fn disk(site: &Site) -> &SmallDisk {
    site.disk.as_ref().expect("a small disk")
}

/// Leaves part of a write at the end of a log, as a machine does that lost its power meanwhile.
fn tear(log: &Path) {
    let part: &[u8] =
        if log.ends_with("gymcall.sqlite3-wal") { &[0xA5; 2_000] } else { b"*3\r\n$3\r\nSET\r\n$9\r\nha" };
    OpenOptions::new().append(true).open(log).unwrap().write_all(part).unwrap();
}
