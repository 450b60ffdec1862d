//! A storm of webhooks: doubled, shuffled and forged, over real sockets. `GYMCALL_SOAK=1` makes it ten times as large.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod judge;
mod news;
#[allow(dead_code, reason = "no user of it needs all of it")]
#[path = "../../jobs/tests/support/redis_server.rs"]
mod redis_server;
mod stand;

use std::path::Path;
use std::time::Instant;

use gymcall::config::{Settings, Sources};
use gymcall_simulator::{Settings as TwilioSettings, Simulator};

use judge::{Heard, Watch, endings, history};
use news::{Expected, FORGERIES, Plan, TIMES};
use redis_server::RedisServer;
use stand::Stand;

/// How many webhooks blow.
const USUAL: usize = 10_000;
/// How many in a soak.
const SOAK: usize = 100_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_webhooks_leaves_every_job_as_the_same_news_told_once_and_in_order() {
    let twilio = Simulator::start(TwilioSettings::default()).await.unwrap();
    let [calm, wild] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [calm, wild] = [calm.path(), wild.path()].map(|folder| settings(&twilio, folder, None));
    storm("embedded", &calm, &wild, || {}).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_over_redis_is_as_durable_when_redis_is_killed_after_it() {
    let twilio = Simulator::start(TwilioSettings::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [calm_redis, mut wild_redis] = [RedisServer::start(), RedisServer::start()];
    let [calm, wild] = [&calm_redis, &wild_redis].map(|redis| settings(&twilio, folder.path(), Some(redis.url())));
    storm("redis", &calm, &wild, || wild_redis.restart()).await;
}

fn webhooks() -> usize {
    #[allow(clippy::disallowed_methods, reason = "it is no setting of gymcall's, and nothing but this test reads it")]
    let soak = std::env::var_os("GYMCALL_SOAK").is_some_and(|value| value == "1");
    if soak { SOAK } else { USUAL }
}

fn settings(twilio: &Simulator, folder: &Path, redis: Option<String>) -> Settings {
    let sources = Sources::of([
        ("GYMCALL_BIND", "127.0.0.1:0".to_owned()),
        ("GYMCALL_DATA_DIR", folder.display().to_string()),
        ("REDIS_URL", redis.unwrap_or_default()),
        ("TWILIO_API_BASE_URL", twilio.url()),
        ("TWILIO_ACCOUNT_SID", TwilioSettings::default().account_sid),
        ("TWILIO_AUTH_TOKEN", news::TOKEN.to_owned()),
        ("TWILIO_FROM_NUMBER", news::FROM.to_owned()),
    ]);
    Settings::from_sources(&sources).unwrap()
}

/// Tells a server with the `calm` settings all news once and in order, and one with the `wild` settings the same
/// news as they come in a storm. Both begin with empty records, which are theirs alone. `kill` is what happens to
/// the keeper of the wild one's records after its server has died.
async fn storm(name: &str, calm: &Settings, wild: &Settings, kill: impl FnOnce()) {
    let plan = Plan::of(webhooks());
    let told_once = Stand::start(calm).await;
    let jobs = told_once.dial(&plan).await;
    told_once.tell_in_order(&plan, &jobs).await;

    let stormed = Stand::start(wild).await;
    let jobs_in_storm = stormed.dial(&plan).await;
    let watch = Watch::begin(stormed.store(), &jobs_in_storm);
    let blown = plan.storm(&jobs_in_storm, &stormed.public);
    let began = Instant::now();
    let statuses = stormed.send_all(&blown).await;
    let took = began.elapsed();
    for (webhook, status) in blown.iter().zip(&statuses) {
        assert_eq!(webhook.expected.status(), *status, "{webhook:?}");
    }
    let mut heard = Heard::default();
    for webhook in blown.iter().filter(|webhook| webhook.expected.status() == 204) {
        *heard.entry(webhook.news.clone()).or_default() += 1;
    }

    // Whatever was answered with 2xx is there after the server has died.
    stormed.crash().await;
    let watched = watch.end().await;
    assert_eq!(watched.fell, Vec::<String>::new(), "a status fell back");
    kill();
    let stormed = Stand::start(wild).await;
    assert_eq!(history(stormed.store(), &jobs_in_storm).await, heard, "news that was answered with 2xx is lost");

    told_once.settle().await;
    stormed.settle().await;
    let (calm_ends, _) = endings(told_once.store(), &jobs).await;
    let (wild_ends, conflicts) = endings(stormed.store(), &jobs_in_storm).await;
    for (nth, (calm, wild)) in calm_ends.iter().zip(&wild_ends).enumerate() {
        assert_eq!(calm, wild, "call {nth}");
    }
    assert_eq!(conflicts, plan.foreign(), "foreign calls that claimed an attempt");

    let count = |expected: Expected| blown.iter().filter(|webhook| webhook.expected == expected).count();
    let forged = count(Expected::Refused) + count(Expected::WithoutEffect);
    println!(
        "{name}: {} webhooks in {:.1} s, {:.0} a second: {} genuine ({} jobs, each news {TIMES} times), {forged} forged in \
         {FORGERIES} ways ({} refused, {} without effect, 0 believed); {} moves watched ({} overlooked), none backwards",
        blown.len(),
        took.as_secs_f64(),
        blown.len() as f64 / took.as_secs_f64(),
        count(Expected::Taken),
        jobs.len(),
        count(Expected::Refused),
        count(Expected::WithoutEffect),
        watched.seen,
        watched.overlooked,
    );
}
