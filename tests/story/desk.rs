//! A desk with everything on it: a local Twilio, the server, and whoever uses it over HTTP.
//!
//! Nothing here sleeps. What a story waits for is told by the store's feed of changes or by
//! Twilio's log, and a story that waits in vain says for what.

mod callees;
mod campaigns;
mod log;
mod server;

use std::future::Future;
use std::time::Duration;

use gymcall::app::Role;
use gymcall_jobs::store::Store;
use gymcall_simulator::{Account, Callees, Faults, Settings as TwilioSettings, Simulator};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::broadcast::error::RecvError;

use self::callees::CALLEES;
use self::server::{Server, start};
use super::http::Http;
use super::redis_server::RedisServer;

pub use self::callees::*;
pub use self::campaigns::{all_day, csv_of, id_of};
pub use self::log::job_and_tag;
pub use self::server::Beside;

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

    pub async fn get(&self, path: &str) -> Value {
        self.http.get(path).await.expect(200)
    }
}

pub async fn within<T>(what: &str, wait: impl Future<Output = T>) -> T {
    match tokio::time::timeout(TOO_LONG, wait).await {
        Ok(value) => value,
        Err(_) => panic!("waited {} s in vain for: {what}", TOO_LONG.as_secs()),
    }
}
