//! A desk with everything on it: a local Twilio, the server, and whoever uses it over HTTP.
//!
//! Nothing here sleeps. What a story waits for is told by the store's feed of changes or by
//! Twilio's log, and a story that waits in vain says for what.

use std::future::Future;
use std::time::Duration;

use gymcall::app::{self, Role, Running};
use gymcall::config::{Settings, Sources, missing_credentials};
use gymcall_jobs::id::JobId;
use gymcall_jobs::store::Store;
use gymcall_simulator::{
    Account, Callees, Created, Entry, Event, Faults, Settings as TwilioSettings, Simulator, Status,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::broadcast::error::RecvError;

use super::http::{Http, Reply};
use super::redis_server::RedisServer;

/// Picks up at once, answers at once.
pub const ANSWERS: &str = "+14155550101";
/// The same.
pub const ANSWERS_TOO: &str = "+14155550178";
/// The same.
pub const ANSWERS_AS_WELL: &str = "+14155550179";
/// Always busy.
pub const BUSY: &str = "+14155550107";
/// Nobody picks up.
pub const NOBODY: &str = "+14155550109";
/// Twilio itself refuses the number: 21211.
pub const INVALID: &str = "+14155550110";
/// Asks not to be called again.
pub const DO_NOT_CALL: &str = "+14155550112";
/// Cannot be reached.
pub const DEAD: &str = "+14155550116";
/// Rings for as long as anybody lets it.
pub const RINGS: &str = "+14155550130";
/// Picks up, and thinks for so long that the call is live whenever a story looks.
pub const THINKS: &str = "+14155550131";
/// Picks up and puts the receiver down again.
pub const CURT: &str = "+14155550132";
/// The same.
pub const CURT_TOO: &str = "+14155550133";
/// The same.
pub const CURT_AS_WELL: &str = "+14155550134";
/// These too.
pub const MORE_CURT: [&str; 4] = ["+14155550135", "+14155550136", "+14155550137", "+14155550138"];
/// Answers one question, and then the line is dead.
pub const BREAKS: &str = "+14155550117";
/// Answers one question and hangs up.
pub const LEAVES: &str = "+14155550111";

/// Who is called.
const CALLEES: &str = include_str!("callees.toml");

/// The caller's number: one that belongs to nobody.
pub const FROM: &str = "+12125550100";
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// No story has a wait as long as this one.
const TOO_LONG: Duration = Duration::from_secs(30);

/// Who keeps the records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Keeper {
    /// The server itself.
    #[default]
    Embedded,
    /// A Redis beside it.
    Redis,
}

/// Makes of each story, which takes its keeper, one test on each of them.
macro_rules! on_each_keeper {
    ($($story:ident),+ $(,)?) => {
        mod embedded {
            $(#[tokio::test]
            async fn $story() {
                super::$story($crate::desk::Keeper::Embedded).await;
            })+
        }
        mod redis {
            $(#[tokio::test]
            async fn $story() {
                super::$story($crate::desk::Keeper::Redis).await;
            })+
        }
    };
}

/// How a desk differs from the usual one.
#[derive(Default)]
pub struct Plan {
    /// Who keeps the records.
    pub keeper: Keeper,
    /// Whether the server leaves the dialling to others.
    pub no_worker: bool,
    /// What Twilio does wrong.
    pub faults: &'static str,
    /// What the account has.
    pub account: Account,
    /// Settings that replace the usual ones; an empty value unsets one.
    pub settings: Vec<(&'static str, &'static str)>,
}

pub struct Desk {
    pub twilio: Simulator,
    pub http: Http,
    server: Option<Server>,
    role: Role,
    settings: Vec<(&'static str, String)>,
    /// Where the records are, if the server does not keep them itself.
    pub redis: Option<RedisServer>,
    _folder: TempDir,
}

/// The server, on a runtime of its own, which can be taken away from under it.
struct Server {
    running: Running,
    runtime: Runtime,
}

/// A further process.
pub struct Beside {
    http: Option<Http>,
    server: Option<Server>,
}

impl Beside {
    /// Its users' side.
    pub fn http(&self) -> &Http {
        self.http.as_ref().expect("it serves")
    }

    /// As somebody who asks it to stop.
    pub async fn stop(mut self) {
        self.server.take().unwrap().stop().await;
    }

    /// As somebody who pulls the plug.
    pub async fn crash(mut self) {
        self.server.take().unwrap().crash().await;
    }
}

impl Server {
    async fn stop(self) {
        let Server { running, runtime } = self;
        runtime.spawn(running.stop()).await.unwrap();
        end(runtime).await;
    }

    async fn crash(self) {
        let Server { running, runtime } = self;
        drop(running);
        end(runtime).await;
    }

    /// A runtime that is merely dropped would wait, and nobody may wait where a value is dropped.
    fn abandon(self) {
        self.runtime.shutdown_background();
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.abandon();
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.abandon();
        }
    }
}

impl Desk {
    pub async fn open() -> Self {
        Self::of(Plan::default()).await
    }

    pub async fn on(keeper: Keeper) -> Self {
        Self::of(Plan { keeper, ..Plan::default() }).await
    }

    pub async fn with_faults(faults: &'static str, keeper: Keeper) -> Self {
        Self::of(Plan { faults, keeper, ..Plan::default() }).await
    }

    pub async fn of(plan: Plan) -> Self {
        let twilio = Simulator::start(TwilioSettings {
            calls_per_second: 50.0,
            callees: Callees::from_toml(CALLEES).unwrap(),
            faults: Faults::from_toml(plan.faults).unwrap(),
            auth_token: TOKEN.to_owned(),
            account: plan.account,
            ..TwilioSettings::default()
        })
        .await
        .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut settings = vec![
            ("GYMCALL_BIND", "127.0.0.1:0".to_owned()),
            ("GYMCALL_DATA_DIR", folder.path().display().to_string()),
            ("TWILIO_API_BASE_URL", twilio.url()),
            ("TWILIO_ACCOUNT_SID", TwilioSettings::default().account_sid),
            ("TWILIO_AUTH_TOKEN", TOKEN.to_owned()),
            ("TWILIO_FROM_NUMBER", FROM.to_owned()),
            ("GYMCALL_CALLS_PER_SECOND", "50".to_owned()),
            ("GYMCALL_MAX_CONCURRENT_CALLS", "50".to_owned()),
            ("GYMCALL_LOOK_UP_WAITS", "200ms,400ms".to_owned()),
        ];
        let redis = (plan.keeper == Keeper::Redis).then(RedisServer::start);
        settings.extend(redis.as_ref().map(|redis| ("REDIS_URL", redis.url())));
        for (name, value) in plan.settings {
            settings.retain(|(known, _)| *known != name);
            settings.push((name, value.to_owned()));
        }
        let role = if plan.no_worker { Role::Serve } else { Role::ServeAndDial };
        let server = start(&settings, role).await;
        let url = server.running.url().unwrap();
        let http = Http::new(url.clone());
        // Whatever is started here later listens where this one did: Twilio has its address.
        settings.retain(|(name, _)| *name != "GYMCALL_BIND");
        settings.push(("GYMCALL_BIND", url.trim_start_matches("http://").to_owned()));
        Self { twilio, http, server: Some(server), role, settings, redis, _folder: folder }
    }

    /// As somebody who asks the server to stop.
    pub async fn stop(&mut self) {
        self.server.take().unwrap().stop().await;
    }

    /// As somebody who pulls the plug: whatever the server was doing is not done to its end.
    pub async fn crash(&mut self) {
        self.server.take().unwrap().crash().await;
    }

    /// Starts again on the same records and the same port, with these settings changed.
    pub async fn start_again(&mut self, changed: &[(&'static str, &str)]) {
        for (name, value) in changed {
            self.settings.retain(|(known, _)| known != name);
            self.settings.push((name, (*value).to_owned()));
        }
        self.server = Some(start(&self.settings, self.role).await);
    }

    /// Another process on the same records, which Twilio's callbacks do not reach: with a role of its own and
    /// these settings changed.
    pub async fn beside(&self, role: Role, changed: &[(&'static str, &str)]) -> Beside {
        let mut settings = self.settings.clone();
        if !settings.iter().any(|(name, _)| *name == "PUBLIC_BASE_URL") {
            settings.push(("PUBLIC_BASE_URL", self.public_url("")));
        }
        for (name, value) in [("GYMCALL_BIND", "127.0.0.1:0")].iter().chain(changed) {
            settings.retain(|(known, _)| known != name);
            settings.push((name, (*value).to_owned()));
        }
        let server = start(&settings, role).await;
        Beside { http: server.running.url().map(Http::new), server: Some(server) }
    }

    /// Has other people answer the calls from now on. Nobody may be called meanwhile.
    pub async fn change_callees(&mut self, change: impl FnOnce(&str) -> String) {
        let settings = |bind| TwilioSettings {
            bind,
            calls_per_second: 50.0,
            callees: Callees::from_toml(&change(CALLEES)).unwrap(),
            auth_token: TOKEN.to_owned(),
            ..TwilioSettings::default()
        };
        let bind = self.twilio.url().trim_start_matches("http://").parse().unwrap();
        // The server knows one address, so the one that is there has to leave it first.
        let elsewhere = Simulator::start(TwilioSettings::default()).await.unwrap();
        std::mem::replace(&mut self.twilio, elsewhere).shutdown().await;
        self.twilio = Simulator::start(settings(bind)).await.unwrap();
    }

    pub fn store(&self) -> &dyn Store {
        self.server.as_ref().unwrap().running.ledger().store().as_ref()
    }

    /// How Twilio reaches the server.
    pub fn public_url(&self, path: &str) -> String {
        let port = self.http.base().rsplit_once(':').unwrap().1;
        format!("http://localhost:{port}{path}")
    }

    /// What `look` finds, as soon as it finds it: it looks again after every change of a record.
    pub async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        // Before the first look, so that nothing falls between a look and the wait that follows.
        let mut changes = self.store().changes();
        within(what, async {
            loop {
                if let Some(found) = look().await {
                    return found;
                }
                match changes.recv().await {
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => panic!("the store closed before: {what}"),
                }
            }
        })
        .await
    }

    /// Waits for this in Twilio's log, old entries included.
    pub async fn until_logged(&self, what: &str, wanted: impl FnMut(&Event) -> bool) -> std::sync::Arc<Entry> {
        within(what, self.twilio.log().subscribe().wait_for(wanted)).await
    }

    /// Waits until so many calls were created.
    pub async fn until_created(&self, number: usize) {
        let mut left = number;
        let what = format!("{number} creates");
        self.until_logged(&what, |event| {
            left -= usize::from(matches!(event, Event::Create { created: true, .. }));
            left == 0
        })
        .await;
    }

    pub async fn get(&self, path: &str) -> Value {
        self.http.get(path).await.expect(200)
    }

    /// A campaign with one question, about the day pass. It calls at any hour, unless its policy names a window.
    pub async fn campaign(&self, mut policy: Value) -> String {
        if policy["window"].is_null() {
            policy["window"] = all_day();
        }
        let request = json!({
            "name": "Day passes",
            "questions": [{"key": "price", "ask": "How much is a day pass?", "type": "money"}],
            "policy": policy,
        });
        id_of(&self.http.post("/v1/campaigns", &request).await.expect(201))
    }

    /// The same with these numbers in it.
    pub async fn campaign_of(&self, numbers: &[&str], policy: Value) -> String {
        let campaign = self.campaign(policy).await;
        self.import(&campaign, &csv_of(numbers)).await.expect(200);
        campaign
    }

    /// The same, and started.
    pub async fn calling(&self, numbers: &[&str], policy: Value) -> String {
        let campaign = self.campaign_of(numbers, policy).await;
        self.tell(&campaign, "start").await.expect(200);
        campaign
    }

    pub async fn import(&self, campaign: &str, csv: &str) -> Reply {
        self.http.upload(&format!("/v1/campaigns/{campaign}/gyms"), csv, &[]).await
    }

    /// `start`, `pause`, `resume` or `cancel`.
    pub async fn tell(&self, campaign: &str, verb: &str) -> Reply {
        self.http.post(&format!("/v1/campaigns/{campaign}/{verb}"), &json!({})).await
    }

    pub async fn status_of(&self, campaign: &str) -> Value {
        self.get(&format!("/v1/campaigns/{campaign}")).await["status"].clone()
    }

    pub async fn until_campaign(&self, campaign: &str, status: &str) {
        let what = format!("the campaign is {status}");
        self.until(&what, async || (self.status_of(campaign).await == status).then_some(())).await;
    }

    /// All jobs of a campaign, in the order of its file.
    pub async fn jobs(&self, campaign: &str) -> Vec<Value> {
        let page = self.get(&format!("/v1/campaigns/{campaign}/jobs?limit=1000")).await;
        page["items"].as_array().unwrap().clone()
    }

    /// The jobs of a campaign, once all are over.
    pub async fn finished(&self, campaign: &str) -> Vec<Value> {
        self.until("every job of the campaign is over", async || {
            (self.status_of(campaign).await == "completed").then_some(())
        })
        .await;
        self.jobs(campaign).await
    }

    pub async fn job(&self, id: &str) -> Value {
        self.get(&format!("/v1/jobs/{id}")).await
    }

    pub async fn until_job(&self, id: &str, status: &str) -> Value {
        let what = format!("the job is {status}");
        self.until(&what, async || Some(self.job(id).await).filter(|job| job["status"] == status)).await
    }

    /// The one job of a campaign.
    pub async fn only_job(&self, campaign: &str) -> String {
        let jobs = self.jobs(campaign).await;
        assert_eq!(jobs.len(), 1);
        id_of(&jobs[0])
    }

    /// Waits until the first of a campaign's gyms has picked up. Gives its job.
    pub async fn until_somebody_talks(&self, campaign: &str) -> String {
        self.until("somebody talks", async || {
            let jobs = self.jobs(campaign).await;
            jobs.iter().find(|job| job["status"] == "in_progress").map(id_of)
        })
        .await
    }

    /// Waits until this job's call rings, and until everything that came with that is written down.
    pub async fn until_ringing(&self, id: &str) -> Value {
        self.until("the job's call rings", async || {
            Some(self.job(id).await).filter(|job| job["attempts"][0]["status"] == "ringing")
        })
        .await
    }

    /// The job's history: what happened, in order.
    pub async fn events(&self, id: &str) -> Vec<Value> {
        let page = self.get(&format!("/v1/jobs/{id}/events")).await;
        page["items"].as_array().unwrap().clone()
    }

    /// The version of a job's record: it tells a write that changed nothing from no write.
    pub async fn version(&self, id: &str) -> u64 {
        let id: JobId = id.parse().unwrap();
        self.store().job(&id).await.unwrap().unwrap().version
    }

    /// How many calls Twilio has made to a number.
    pub fn created(&self, number: &str) -> usize {
        self.twilio.log().creates().iter().filter(|call| call.to == number).count()
    }

    /// The first call that Twilio has made to a number.
    pub fn call_to(&self, number: &str) -> Created {
        self.twilio.log().creates().into_iter().find(|call| call.to == number).unwrap()
    }

    /// Everything that Twilio has said of a call, in order.
    pub fn statuses(&self, sid: &str) -> Vec<Status> {
        let of_call = |event: &Event| match event {
            Event::Status { sid: of, status, .. } if of == sid => Some(*status),
            _ => None,
        };
        self.twilio.log().entries().iter().filter_map(|entry| of_call(&entry.what)).collect()
    }

    /// The promise at the heart: each of Twilio's calls has a tag of its own.
    pub fn assert_no_attempt_was_dialled_twice(&self) {
        let mut tags: Vec<String> = self.twilio.log().creates().iter().map(|call| job_and_tag(call).1).collect();
        let all = tags.len();
        tags.sort();
        tags.dedup();
        assert_eq!(tags.len(), all, "a tag was used for two calls");
    }
}

/// The job and the tag that a call's URL names.
pub fn job_and_tag(call: &Created) -> (String, String) {
    let url: url::Url = call.url.parse().unwrap();
    let get = |name: &str| url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
    (get("job"), get("tag"))
}

pub fn id_of(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

/// The window of a campaign that must call now, whatever the hour.
pub fn all_day() -> Value {
    json!({"from": "00:00", "to": "24:00", "allow_outside_hours": true})
}

pub fn csv_of(numbers: &[&str]) -> String {
    numbers.iter().fold("phone_number\n".to_owned(), |csv, number| csv + number + "\n")
}

pub async fn within<T>(what: &str, wait: impl Future<Output = T>) -> T {
    match tokio::time::timeout(TOO_LONG, wait).await {
        Ok(value) => value,
        Err(_) => panic!("waited {} s in vain for: {what}", TOO_LONG.as_secs()),
    }
}

async fn start(settings: &[(&'static str, String)], role: Role) -> Server {
    let sources = Sources::of(settings.to_vec());
    let settings = Settings::from_sources(&sources).unwrap();
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let starting = runtime.spawn(async move { app::start(&settings, missing_credentials(&sources), role).await });
    Server { running: starting.await.unwrap().unwrap(), runtime }
}

/// Returns when nothing of the server runs any more.
async fn end(runtime: Runtime) {
    tokio::task::spawn_blocking(move || runtime.shutdown_timeout(TOO_LONG)).await.unwrap();
}
