//! Ours: an upload to `gymcall serve`. The process that uploads is not measured, as little as a browser would be.

use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::stream;
use serde_json::{Value, json};

use super::ready_made;
use crate::process::server::Server;
use crate::stand::contestant::Run;
use crate::stand::gymcall::{gymcall, sharing, survey};
use crate::stand::redis::Redis;
use crate::stand::{cpu, folder, free_port};

/// The longest that an upload may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// Also leaves ready-made commands for all that it has stored, unless they are there.
pub fn on_redis(rows: usize, file: &Path, commands: &Path) -> Result<Run, String> {
    let folder = folder();
    let redis = Redis::start(folder.path());
    let command = gymcall(&["serve", "--no-worker"], folder.path(), "http://127.0.0.1:9", 1);
    let run = run(sharing(command, redis.port(), free_port()), Some(&redis), rows, file)?;
    if !commands.exists() {
        ready_made::write(&redis, rows, commands);
    }
    Ok(run)
}

pub fn on_sqlite(rows: usize, file: &Path) -> Result<Run, String> {
    let folder = folder();
    run(gymcall(&["serve"], folder.path(), "http://127.0.0.1:9", 1), None, rows, file)
}

fn run(command: std::process::Command, redis: Option<&Redis>, rows: usize, file: &Path) -> Result<Run, String> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let server = Server::start(command).await;
        let campaign = server.api.post("/v1/campaigns", survey()).await["id"].as_str().unwrap().to_owned();
        let used = || redis.map_or(Duration::ZERO, Redis::cpu);
        let size = || redis.map_or(0, |redis| redis.info("aof_current_size"));
        let (memory, written, begun) = (cpu::memory(server.id()), size(), Instant::now());
        let (own, by_redis) = (cpu::of_tree(server.id()), used());
        let report = upload(server.api.url(), &campaign, file).await?;
        let took = begun.elapsed();
        let (own, by_redis) = (cpu::of_tree(server.id()) - own, used() - by_redis);
        let grew = cpu::most_memory(server.id()).saturating_sub(memory);
        let written = size() - written;
        let counters = server.api.get(&format!("/v1/campaigns/{campaign}")).await["counters"].clone();
        if report["accepted"] != json!(rows) || counters["waiting"] != json!(rows) {
            return Err(format!("an import of {rows} rows ended with {report} and {counters}"));
        }
        Ok(Run { jobs: rows, took, own, redis: by_redis, written, grew })
    })
}

/// Sends a file as it is read.
pub async fn upload(server: &str, campaign: &str, file: &Path) -> Result<Value, String> {
    let pieces = stream::unfold(std::fs::File::open(file).unwrap(), |mut file| async {
        let mut piece = vec![0; 65_536];
        let read = file.read(&mut piece).unwrap();
        piece.truncate(read);
        (read > 0).then_some((Ok::<_, std::io::Error>(piece), file))
    });
    let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
    let upload = http.post(format!("{server}/v1/campaigns/{campaign}/gyms")).header("content-type", "text/csv");
    let reply = upload.body(reqwest::Body::wrap_stream(pieces)).send().await.map_err(|error| format!("{error:?}"))?;
    let report = reply.text().await.map_err(|error| format!("{error:?}"))?;
    serde_json::from_str(&report).map_err(|error| format!("{error}: {report}"))
}
