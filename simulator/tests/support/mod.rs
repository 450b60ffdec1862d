//! What the tests put around a simulator: a client of its REST API, an app with webhooks and media
//! streams, and ears. All over plain sockets, sharing no code with the simulator.

pub(crate) mod app;
pub(crate) mod desk;
pub(crate) mod rest;
pub(crate) mod tone;

use std::time::Duration;

use gymcall_simulator::{Event, Settings, Simulator, Status};

pub(crate) const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
pub(crate) const TOKEN: &str = "fedcba9876543210fedcba9876543210";
pub(crate) const FROM: &str = "+15005550006";

pub(crate) fn settings() -> Settings {
    Settings {
        account_sid: ACCOUNT.to_owned(),
        auth_token: TOKEN.to_owned(),
        calls_per_second: 100.0,
        ..Settings::default()
    }
}

pub(crate) async fn start(settings: Settings) -> Simulator {
    Simulator::start(settings).await.unwrap()
}

/// Fails a test that waits for something that does not come.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), what).await.expect("it did not come within 20 s")
}

/// Waits until the call `sid` is over, and gives every status it had.
pub(crate) async fn over(simulator: &Simulator, sid: &str) -> Vec<Status> {
    let mut feed = simulator.log().subscribe();
    let mut statuses = Vec::new();
    soon(feed.wait_for(|event| match event {
        Event::Status { sid: of, status, .. } if of == sid => {
            statuses.push(*status);
            status.is_final()
        }
        _ => false,
    }))
    .await;
    statuses
}

/// The first thing of the call `sid` that `wanted` takes.
pub(crate) async fn happened<T>(simulator: &Simulator, sid: &str, wanted: impl Fn(&Event) -> Option<T>) -> T {
    let mut feed = simulator.log().subscribe();
    let mut found = None;
    soon(feed.wait_for(|event| {
        if event.sid() == Some(sid) {
            found = wanted(event);
        }
        found.is_some()
    }))
    .await;
    found.unwrap()
}

/// All words that the callee of the call `sid` understood, one turn after the other, up to `last`. Where
/// a turn ends depends on how fast the app and this machine are.
pub(crate) async fn heard_until(simulator: &Simulator, sid: &str, last: &str) -> Vec<String> {
    let mut turns: Vec<String> = Vec::new();
    let mut feed = simulator.log().subscribe();
    soon(feed.wait_for(|event| match event {
        Event::Heard { sid: of, text } if of == sid => {
            turns.push(text.clone());
            text.ends_with(last)
        }
        _ => false,
    }))
    .await;
    turns
}

/// When the first event that `wanted` takes was logged, in milliseconds.
pub(crate) fn logged_at(simulator: &Simulator, wanted: impl Fn(&Event) -> bool) -> i64 {
    simulator.log().entries().iter().find(|entry| wanted(&entry.what)).unwrap().at_ms
}

/// Everybody who answers as the TOML file says.
pub(crate) fn callees(toml: &str) -> Settings {
    Settings { callees: gymcall_simulator::Callees::from_toml(toml).unwrap(), ..settings() }
}

/// The codes of all warnings so far.
pub(crate) fn warnings(simulator: &Simulator) -> Vec<u32> {
    simulator
        .log()
        .entries()
        .iter()
        .filter_map(|entry| match &entry.what {
            Event::Warning { code, .. } => Some(*code),
            _ => None,
        })
        .collect()
}
