//! A server, on a runtime of its own, that can be taken away from under it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use gymcall::app::{self, Role, Running};
use gymcall::config::Settings;
use gymcall_jobs::event::Event;
use gymcall_jobs::gym::Gym;
use gymcall_jobs::id::JobId;
use gymcall_jobs::job::CallJob;
use gymcall_jobs::ledger::Ledger;
use gymcall_jobs::rules::Rules;
use gymcall_jobs::store::{Begun, Capacity, Store};
use jiff::SignedDuration;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use super::news::{Call, Plan, TOKEN, Webhook};

/// How many webhooks are on their way at once.
const AT_ONCE: usize = 64;
const TOO_LONG: Duration = Duration::from_secs(300);

pub struct Stand {
    server: Option<(Running, Runtime)>,
    http: reqwest::Client,
    base: String,
    /// The URL that Twilio signs.
    pub public: String,
}

impl Drop for Stand {
    fn drop(&mut self) {
        if let Some((_, runtime)) = self.server.take() {
            // A runtime that is merely dropped would wait, and nobody may wait here.
            runtime.shutdown_background();
        }
    }
}

impl Stand {
    pub async fn start(settings: &Settings) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let settings = settings.clone();
        let starting = runtime.spawn(async move { app::start(&settings, String::new(), Role::Serve).await });
        let running = starting.await.unwrap().unwrap();
        let base = running.url().unwrap();
        let public = base.replace("127.0.0.1", "localhost");
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { server: Some((running, runtime)), http, base, public }
    }

    pub fn store(&self) -> &Arc<dyn Store> {
        self.server.as_ref().unwrap().0.ledger().store()
    }

    /// As somebody who pulls the plug: whatever the server was doing is not done to its end.
    pub async fn crash(mut self) {
        let (running, runtime) = self.server.take().unwrap();
        drop(running);
        tokio::task::spawn_blocking(move || runtime.shutdown_timeout(TOO_LONG)).await.unwrap();
    }

    /// A job for every call of the plan, as it stands when Twilio was asked for the call.
    pub async fn dial(&self, plan: &Plan) -> Vec<JobId> {
        let rules = Rules { look_up_waits: vec![SignedDuration::from_hours(1)], ..Rules::default() };
        let capacity = Capacity { calls_per_second: 1e6, lines: 1_000_000 };
        let (ledger, _orders) = Ledger::new(Arc::clone(self.store()), rules, capacity);
        stream::iter(&plan.calls).map(|call| dialled(&ledger, call)).buffered(AT_ONCE).collect().await
    }

    pub async fn tell_in_order(&self, plan: &Plan, jobs: &[JobId]) {
        let calls = plan.calls.iter().zip(jobs);
        let told = stream::iter(calls).map(async |(call, job)| {
            for (nth, status) in call.course.iter().enumerate() {
                let webhook = call.news(job, nth, status).signed(&self.public, TOKEN);
                assert_eq!(self.send(&webhook).await, 204, "{webhook:?}");
            }
        });
        told.buffer_unordered(AT_ONCE).collect::<()>().await;
    }

    /// The statuses of the answers.
    pub async fn send_all(&self, webhooks: &[Webhook]) -> Vec<u16> {
        stream::iter(webhooks).map(|webhook| self.send(webhook)).buffered(AT_ONCE).collect().await
    }

    async fn send(&self, webhook: &Webhook) -> u16 {
        let request = self.http.post(format!("{}{}", self.base, webhook.target)).body(webhook.body.clone());
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let request = match &webhook.signature {
            Some(signature) => request.header("x-twilio-signature", signature),
            None => request,
        };
        let reply = timeout(TOO_LONG, request.send()).await.expect("a webhook is not answered");
        reply.unwrap().status().as_u16()
    }

    /// Waits until every job is over.
    pub async fn settle(&self) {
        let mut changes = self.store().changes();
        let over = async {
            while !self.store().open_jobs(None, 1).await.unwrap().items.is_empty() {
                let _ = changes.recv().await;
            }
        };
        timeout(TOO_LONG, over).await.expect("a job does not end");
    }
}

async fn dialled(ledger: &Ledger, call: &Call) -> JobId {
    let now = ledger.now();
    let id = JobId::new(now, rand::random());
    ledger.accept(CallJob::new(id.clone(), None, Gym::new(call.number.clone()), now, now), None).await.unwrap();
    while ledger.begin_dial(&id, call.tag.clone()).await.unwrap().0 != Begun::Go {}
    let tag = call.tag.clone();
    let reply = match call.is_known {
        true => Event::Created { tag, call: call.sid.clone() },
        false => Event::Unclear { tag, detail: "the reply was lost".to_owned() },
    };
    ledger.tell(&id, reply).await.unwrap();
    id
}
