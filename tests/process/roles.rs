//! Servers and workers as processes of their own, on one Redis.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use super::api::all_day;
use super::local_twilio::{LocalTwilio, with_account};
use super::program::{Program, gymcall, run};
use super::redis_server::RedisServer;
use super::server::{Server, serve};

const NO_TWILIO: &str = "http://127.0.0.1:1";
const GYMS: [&str; 4] = ["+14155550101", "+14155550107", "+14155550118", "+14155550119"];

/// `gymcall worker` on this Redis, for the servers at `public`.
fn worker(folder: &Path, twilio: &str, redis: &str, public: &str) -> Command {
    let mut command = gymcall(folder, ["worker"]);
    with_account(&mut command);
    command
        .env("REDIS_URL", redis)
        .env("PUBLIC_BASE_URL", public)
        .env("TWILIO_API_BASE_URL", twilio)
        .env("TWILIO_FROM_NUMBER", "+12125550100")
        .env("GYMCALL_CALLS_PER_SECOND", "10")
        .env("GYMCALL_MAX_CONCURRENT_CALLS", "20")
        .env("GYMCALL_LOOK_UP_WAITS", "1s,2s,4s,8s");
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_and_two_workers_share_a_campaign_and_stop_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let redis = RedisServer::start();
    let twilio = LocalTwilio::start(folder.path(), "", "", 10).await;
    let mut command = serve(folder.path(), &twilio.url);
    command.arg("--no-worker").env("REDIS_URL", redis.url());
    let server = Server::start(command).await;
    let public = server.api.url().replace("127.0.0.1", "localhost");
    let mut workers = [0, 1].map(|_| Program::start(worker(folder.path(), &twilio.url, &redis.url(), &public)));
    for worker in &mut workers {
        worker.err.until("word that it dials", |line| line.contains("dialling what is due").then_some(())).await;
    }
    let roster = GYMS.iter().fold("phone\n".to_owned(), |roster, gym| roster + gym + "\n");
    let campaign = server
        .api
        .campaign(json!({"name": "Shared", "policy": {"max_attempts": 1, "window": all_day()}}), roster)
        .await;
    server.api.start(&campaign).await;
    server.api.completed(&campaign, Duration::from_secs(60)).await;
    let jobs = server.api.jobs(&campaign).await;
    assert!(jobs.len() == GYMS.len() && jobs.iter().all(|job| job["tries"] == 1), "{jobs:#?}");
    for worker in workers {
        worker.terminate();
        worker.ended().await.expect(0).plain();
    }
    server.terminate();
    server.ended().await.expect(0).plain();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_says_what_it_needs() {
    let folder = tempfile::tempdir().unwrap();
    let redis = RedisServer::start();
    let whole = || worker(folder.path(), NO_TWILIO, &redis.url(), "http://localhost:8000");
    for (missing, named) in [("REDIS_URL", "REDIS_URL"), ("TWILIO_AUTH_TOKEN", "Set TWILIO_AUTH_TOKEN")] {
        let mut command = whole();
        command.env(missing, "");
        let refused = run(command).await.expect(1).plain();
        assert!(refused.err.contains("error: ") && refused.err.contains(named), "{missing}: {}", refused.err);
    }
    let mut command = whole();
    command.env("PUBLIC_BASE_URL", "").args(["--bind", "127.0.0.1:0"]);
    assert!(run(command).await.expect(1).plain().err.contains("PUBLIC_BASE_URL"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_may_lose_what_it_confirmed_is_refused_unless_that_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let redis = RedisServer::with_settings(&["--appendfsync", "everysec"]);
    let mut command = serve(folder.path(), NO_TWILIO);
    command.env("REDIS_URL", redis.url());
    let refused = run(command).await.expect(1).plain();
    for word in ["REDIS_URL", "appendfsync is everysec", "config set appendfsync always", "--accept-weak-durability"] {
        assert!(refused.err.contains(word), "{word}: {}", refused.err);
    }
    let mut command = serve(folder.path(), NO_TWILIO);
    command.env("REDIS_URL", redis.url()).arg("--accept-weak-durability");
    let server = Server::start(command).await;
    server.terminate();
    let ended = server.ended().await.expect(0).plain();
    assert!(ended.err.contains("WARN") && ended.err.contains("may lose what it has confirmed"), "{}", ended.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_health_check_asks_the_server_whether_it_can_work() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(serve(folder.path(), NO_TWILIO)).await;
    let check = || {
        let mut command = gymcall(folder.path(), ["status", "--ready"]);
        command.env("GYMCALL_URL", server.api.url());
        command
    };
    assert_eq!(run(check()).await.expect(0).plain().out, "ready\n");
    let check = check();
    server.kill();
    run(check).await.expect(3).plain();
}
