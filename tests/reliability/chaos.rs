//! Everything at once, for a while: processes die and stand still, wires break, and every job must come to its end.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use serde_json::Value;

use super::api::Api;
use super::crowd;
use super::judge::{judge, most_in_a_second};
use super::keeper::Keeper;
use super::kill::ends;
use super::program::Program;
use super::proxy::Wire;
use super::report::{Report, is_soak};
use super::server::Server;
use super::site::Site;

const SEED: u64 = 20_260_315;
/// How long after one blow the next one comes.
const APART: Duration = Duration::from_secs(2);

/// How large a run is.
struct Size {
    gyms: usize,
    pace: u32,
    lines: u32,
    servers: usize,
    workers: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_blow_every_2_seconds_no_job_is_lost_and_no_call_doubled_on_the_embedded_store() {
    let (gyms, pace, lines) = if is_soak() { (1_000, 20, 60) } else { (200, 10, 40) };
    run(Keeper::Embedded, Size { gyms, pace, lines, servers: 1, workers: 0 }).await;
}

async fn run(keeper: Keeper, size: Size) {
    let begun = Instant::now();
    let numbers = crowd::numbers(size.gyms);
    let (callees, faults) = (crowd::quick_callees(&numbers), crowd::late_replies(300));
    let mut site = Site::with_servers(size.servers, keeper, &callees, &faults, size.pace, size.lines).await.quiet();
    let mut troupe = Troupe::start(&site, &size).await;
    let api = Api::new(&site.to_server.url());
    let campaign = api.campaign(crowd::survey(), crowd::roster(&numbers)).await;
    api.start(&campaign).await;

    let mut dice = StdRng::seed_from_u64(SEED);
    let mut blows: BTreeMap<&str, usize> = BTreeMap::new();
    // As long as calls are still to be made; then in peace, so that what is unclear can become clear.
    while waiting(&api, &campaign).await != Some(0) {
        *blows.entry(troupe.strike(&mut site, &mut dice).await).or_default() += 1;
        tokio::time::sleep(APART).await;
        troupe.replace(&site).await;
        assert!(begun.elapsed() < Duration::from_secs(1_800), "calls are still to be made after half an hour");
    }
    api.completed(&campaign, Duration::from_secs(120)).await;

    let (jobs, log) = (api.jobs(&campaign).await, site.twilio.log());
    let verdict = judge(&log, &numbers, &jobs);
    let most = most_in_a_second(&log);
    let mut report = Report::new(&format!("chaos-{}", keeper.name()));
    report.line(&format!(
        "chaos soak, {} store, seed {SEED}, {} servers, {} workers, {:.0} s: {blows:?}; {} restarts of processes that \
         had ended by themselves; {} jobs, {} calls made, {} doubled, {} lost, {} quarantined; at pace {} at most {most} \
         requests in a second at the far side",
        keeper.name(),
        size.servers,
        size.workers,
        begun.elapsed().as_secs_f64(),
        troupe.replaced,
        jobs.len(),
        verdict.calls.len(),
        verdict.doubled.len(),
        verdict.lost.len(),
        verdict.quarantined.len(),
        size.pace,
    ));
    report.line(&format!("{:#?}", ends(&jobs)));
    report.print();
    assert!(verdict.doubled.is_empty(), "{:#?}", verdict.doubled);
    assert!(verdict.lost.is_empty(), "{:#?}", verdict.lost);
    assert_eq!(jobs.len(), size.gyms);
    assert!(most <= size.pace as usize + 1, "{most} requests in one second");
}

/// How many jobs wait to be called; none if nobody says it.
async fn waiting(api: &Api, campaign: &str) -> Option<u64> {
    let shown: Value = api.try_get(&format!("/v1/campaigns/{campaign}")).await.ok()?;
    shown["counters"]["waiting"].as_u64()
}

/// The processes that are struck.
struct Troupe {
    servers: Vec<Server>,
    workers: Vec<Program>,
    /// How many were started again that nobody had killed.
    replaced: usize,
}

impl Troupe {
    async fn start(site: &Site, size: &Size) -> Self {
        let mut servers = Vec::new();
        for nth in 0..size.servers {
            servers.push(Server::start(site.serve_as(nth)).await);
        }
        let workers = (0..size.workers).map(|_| Program::start(site.worker())).collect();
        Self { servers, workers, replaced: 0 }
    }

    /// One blow; says what it was.
    async fn strike(&mut self, site: &mut Site, dice: &mut StdRng) -> &'static str {
        let short = Duration::from_millis(dice.random_range(500..3_000));
        match dice.random_range(0..100) {
            0..10 => {
                site.wires_become(Wire::Reset);
                tokio::time::sleep(Duration::from_millis(300)).await;
                site.wires_become(Wire::Clear);
                "wires reset"
            }
            10..20 => {
                site.to_server.becomes(Wire::SwallowReplies);
                tokio::time::sleep(Duration::from_millis(300)).await;
                site.to_server.becomes(Wire::Clear);
                "webhooks' replies swallowed"
            }
            20..35 if site.redis.is_some() => {
                let redis = site.redis.as_mut().unwrap();
                redis.kill();
                redis.begin().await;
                "redis killed"
            }
            35..42 if site.redis.is_some() => {
                let redis = site.redis.as_ref().unwrap();
                redis.signal("STOP");
                tokio::time::sleep(short).await;
                redis.signal("CONT");
                "redis stopped"
            }
            42..57 => {
                let victim = self.any(dice);
                victim.signal("STOP");
                tokio::time::sleep(short).await;
                victim.signal("CONT");
                "process stopped"
            }
            57..80 if !self.workers.is_empty() => {
                let nth = dice.random_range(0..self.workers.len());
                self.workers[nth].kill_and_reap();
                self.workers[nth] = Program::start(site.worker());
                "worker killed"
            }
            _ => {
                let nth = dice.random_range(0..self.servers.len());
                self.servers[nth].program.kill_and_reap();
                self.servers[nth] = Server::start(site.serve_as(nth)).await;
                "server killed"
            }
        }
    }

    /// Starts again what has ended by itself, as whoever runs it would.
    async fn replace(&mut self, site: &Site) {
        for worker in &mut self.workers {
            if worker.has_ended() {
                *worker = Program::start(site.worker());
                self.replaced += 1;
            }
        }
        for (nth, server) in self.servers.iter_mut().enumerate() {
            if server.program.has_ended() {
                *server = Server::start(site.serve_as(nth)).await;
                self.replaced += 1;
            }
        }
    }

    fn any(&self, dice: &mut impl Rng) -> &Program {
        let nth = dice.random_range(0..self.workers.len() + self.servers.len());
        self.workers.get(nth).unwrap_or_else(|| &self.servers[nth - self.workers.len()].program)
    }
}
