//! The task that delivers announcements to all endpoints.
//!
//! Every process that serves runs it. One process at a time delivers to an endpoint: it holds a lease on the endpoint's
//! record, which is compared and set like any other. Whoever finds that somebody else has written gives way and
//! reads again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use gymcall_jobs::announcement::{Announced, Follower, Pace};
use gymcall_jobs::endpoint::{Delivery, Endpoint};
use gymcall_jobs::id::EndpointId;
use gymcall_jobs::store::{Change, EndpointWrite, Store, StoreError, Stored, Write};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::message::Message;
use super::sender::Sender;

/// How long a lease lasts: longer than a delivery, and as long as the others wait after its holder has died.
const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// How many announcements are read at once.
const PAGE: u32 = 100;
/// How long it rests after the store has failed.
const REST: Duration = Duration::from_secs(1);
/// How often the list of endpoints is read without news of it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Delivers to all endpoints.
pub struct Deliveries {
    store: Arc<dyn Store>,
    sender: Sender,
    /// When what was not taken is tried again, counted from the first try.
    waits: Vec<SignedDuration>,
    /// What this process calls itself.
    process: String,
}

/// Who delivers to an endpoint in this process.
struct AtWork {
    stop: CancellationToken,
    task: AbortHandle,
}

/// What a look at an endpoint came to.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    /// Look again.
    Again,
    /// There is nothing more to deliver to it here.
    Over,
}

impl Deliveries {
    /// Deliveries from this store, by this sender.
    pub fn new(store: Arc<dyn Store>, sender: Sender, waits: Vec<SignedDuration>) -> Self {
        Self { store, sender, waits, process: format!("{:032x}", rand::random::<u128>()) }
    }

    /// Works until it is stopped. What is being delivered then is delivered to its end, and written down.
    pub async fn run(self, stop: CancellationToken) {
        let deliveries = Arc::new(self);
        let mut changes = deliveries.store.changes();
        let (mut at_work, mut tasks) = (HashMap::<EndpointId, AtWork>::new(), JoinSet::new());
        while !stop.is_cancelled() {
            match deliveries.store.endpoints().await {
                Ok(endpoints) => deliveries.assign(&endpoints, &mut at_work, &mut tasks, &stop),
                Err(error) => tracing::warn!(%error, "the endpoints of webhooks cannot be read: {error}"),
            }
            let _ = stop.run_until_cancelled(endpoints_changed(&mut changes)).await;
            while tasks.try_join_next().is_some() {}
        }
        while tasks.join_next().await.is_some() {}
    }

    /// Has each endpoint that is to be told anything worked on by one task of this process.
    fn assign(
        self: &Arc<Self>,
        endpoints: &[Stored<Endpoint>],
        at_work: &mut HashMap<EndpointId, AtWork>,
        tasks: &mut JoinSet<()>,
        stop: &CancellationToken,
    ) {
        at_work.retain(|id, work| {
            let wanted = endpoints.iter().any(|endpoint| endpoint.record.id == *id);
            if !wanted {
                work.stop.cancel();
            }
            wanted && !work.task.is_finished()
        });
        for endpoint in endpoints.iter().map(|stored| &stored.record).filter(|record| record.disabled_at.is_none()) {
            at_work.entry(endpoint.id.clone()).or_insert_with(|| {
                let (deliveries, id, stop) = (Arc::clone(self), endpoint.id.clone(), stop.child_token());
                let token = stop.clone();
                let task = tasks.spawn(async move { deliveries.work(&id, &stop).await });
                AtWork { stop: token, task }
            });
        }
    }

    async fn work(&self, id: &EndpointId, stop: &CancellationToken) {
        loop {
            match self.look(id, stop).await {
                Ok(Look::Again) => {}
                Ok(Look::Over) => return,
                Err(error) => {
                    tracing::warn!(endpoint = %id, %error, "webhook {id}: the store failed: {error}");
                    if stop.run_until_cancelled(tokio::time::sleep(REST)).await.is_none() {
                        return;
                    }
                }
            }
        }
    }

    /// Reads the endpoint and delivers to it, for as long as nobody else writes it and it takes what it is told.
    async fn look(&self, id: &EndpointId, stop: &CancellationToken) -> Result<Look, StoreError> {
        let Some(mut endpoint) = self.store.endpoint(id).await?.filter(|stored| stored.record.disabled_at.is_none())
        else {
            return Ok(Look::Over);
        };
        let now = self.store.now();
        let taken_until = endpoint.record.taken_until(&self.process, now);
        if let Some(until) = taken_until.into_iter().chain(endpoint.record.ready_at()).max().filter(|at| *at > now) {
            let wait = Duration::try_from(until.duration_since(now)).unwrap_or(REST);
            let woken = stop.run_until_cancelled(tokio::time::sleep(wait)).await;
            return Ok(if woken.is_some() { Look::Again } else { Look::Over });
        }
        let mut follower = Follower::new(Arc::clone(&self.store), endpoint.record.position, Pace::default());
        loop {
            let Some(found) = stop.run_until_cancelled(follower.next(PAGE)).await else {
                return self.release(endpoint).await;
            };
            let found = found?;
            if !self.hold(&mut endpoint).await? {
                return Ok(Look::Again);
            }
            if found.gap {
                tracing::warn!(endpoint = %id, "webhook {id}: events that were not delivered are not kept any more");
                endpoint.record.gap_at = Some(self.store.now());
            }
            for announced in &found.items {
                if stop.is_cancelled() {
                    return self.release(endpoint).await;
                }
                if endpoint.record.wants(&announced.announcement) {
                    match self.deliver(&mut endpoint, announced).await? {
                        Some(Delivery::Taken) => {}
                        Some(Delivery::Gone) => return Ok(Look::Over),
                        Some(Delivery::Failed(_)) | None => return Ok(Look::Again),
                    }
                } else {
                    // Stored with the next write: until then it costs nothing to pass it again.
                    endpoint.record.pass(announced.id);
                }
            }
            endpoint.record.pass(follower.position());
        }
    }

    /// Delivers one and writes down what came of it; none if somebody else has written meanwhile.
    async fn deliver(
        &self,
        endpoint: &mut Stored<Endpoint>,
        announced: &Announced,
    ) -> Result<Option<Delivery>, StoreError> {
        let Endpoint { id, url, secret, .. } = &endpoint.record;
        let began = self.store.now();
        let delivery = self.sender.deliver(url, secret, &Message::of(announced), began).await;
        match &delivery {
            Delivery::Taken => tracing::debug!(endpoint = %id, event = %announced.id, "webhook {id}: delivered"),
            Delivery::Gone => tracing::warn!(endpoint = %id, "webhook {id} answered 410 Gone: it is told nothing more"),
            Delivery::Failed(why) => {
                tracing::warn!(endpoint = %id, event = %announced.id, why, "webhook {id}: not delivered: {why}");
            }
        }
        let given_up = endpoint.record.given_up;
        let mut after = endpoint.record.clone().after(announced.id, delivery.clone(), &self.waits, began);
        if after.given_up > given_up {
            tracing::error!(endpoint = %after.id, event = %announced.id, "webhook {}: {} is given up", after.id, announced.id);
        }
        if delivery == Delivery::Taken {
            after.lease_to(&self.process, self.lease_end());
        }
        endpoint.record = after;
        Ok(self.write(endpoint).await?.then_some(delivery))
    }

    /// Takes or renews the lease where it is due. False: somebody else has written.
    async fn hold(&self, endpoint: &mut Stored<Endpoint>) -> Result<bool, StoreError> {
        let half = self.store.now().checked_add(LEASE / 2).unwrap_or(Timestamp::MAX);
        let held = endpoint.record.lease.as_ref();
        if held.is_some_and(|lease| lease.holder == self.process && lease.until > half) {
            return Ok(true);
        }
        endpoint.record.lease_to(&self.process, self.lease_end());
        self.write(endpoint).await
    }

    /// Lets the others deliver at once.
    async fn release(&self, mut endpoint: Stored<Endpoint>) -> Result<Look, StoreError> {
        if endpoint.record.lease.take_if(|lease| lease.holder == self.process).is_some() {
            self.write(&mut endpoint).await?;
        }
        Ok(Look::Over)
    }

    async fn write(&self, endpoint: &mut Stored<Endpoint>) -> Result<bool, StoreError> {
        let put = EndpointWrite::Put { endpoint: endpoint.record.clone(), from: Some(endpoint.version) };
        match self.store.commit(Write { endpoint: Some(put), ..Write::default() }).await {
            Ok(()) => {
                endpoint.version += 1;
                Ok(true)
            }
            Err(StoreError::Conflict | StoreError::Missing(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn lease_end(&self) -> Timestamp {
        self.store.now().checked_add(LEASE).unwrap_or(Timestamp::MAX)
    }
}

async fn endpoints_changed(changes: &mut broadcast::Receiver<Change>) {
    let news = async {
        loop {
            match changes.recv().await {
                Ok(Change::Endpoint | Change::Gap) | Err(RecvError::Lagged(_)) => return,
                Ok(_) => {}
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    };
    let _ = tokio::time::timeout(PATIENCE, news).await;
}
