//! Placing one call: begin, place, sort the reply, tell.
//!
//! What makes it safe is the order. The intent is stored before anything is sent; exactly one
//! request follows; and only certainty that it created nothing leads back to another. Whatever
//! dies on the way, the record says that a request may be out there, and nobody repeats it.

use std::sync::Arc;
use std::time::Duration;

use gymcall_jobs::campaign::PausedReason;
use gymcall_jobs::event::{Event, NonCreation};
use gymcall_jobs::failpoint;
use gymcall_jobs::id::{JobId, Tag};
use gymcall_jobs::job::{CallJob, Status};
use gymcall_jobs::ledger::{Ledger, Told};
use gymcall_jobs::step::{Effect, Ignored};
use gymcall_jobs::store::{Begun, Refusal as GateRefusal, StoreError};
use tokio::time::Instant;

use crate::twilio::callback::CallbackUrls;
use crate::twilio::client::{Client, MachineDetection, PlaceCall, Placement};
use crate::twilio::public_url::PublicBase;
use crate::twilio::refusal::{Refusal, Verdict};

/// Places calls for due jobs. Cheap to clone.
#[derive(Clone)]
pub struct Dialer {
    ledger: Ledger,
    twilio: Arc<Client>,
    base: PublicBase,
    /// Whether Twilio listens for machines.
    machine_detection: bool,
    /// How long after the stored intent a request may still be sent, so that it has ended,
    /// whatever came of it, before the sweep looks at the job.
    send_within: Duration,
}

/// How long a job rests whose dial could not even be refused.
const REST_AFTER_FAILURE: Duration = Duration::from_secs(1);

impl Dialer {
    /// A dialler whose requests to Twilio take at most `http_timeout`.
    pub fn new(
        ledger: Ledger,
        twilio: Arc<Client>,
        base: PublicBase,
        machine_detection: bool,
        http_timeout: Duration,
    ) -> Self {
        let deadline = Duration::try_from(ledger.rules().dial_deadline).unwrap_or_default();
        let send_within = deadline.saturating_sub(http_timeout).max(Duration::from_secs(1));
        Self { ledger, twilio, base, machine_detection, send_within }
    }

    /// Dials one due job, if the gate lets it.
    ///
    /// Returns once the outcome of the request is stored. Never fails: what cannot be stored now,
    /// the job's deadline and Twilio's own callbacks bring to light later.
    pub async fn dial(&self, id: &JobId) {
        let tag = Tag::new(rand::random());
        // From before the intent is stored: a slow store, or a process that was stopped, eats into it.
        let send_before = Instant::now() + self.send_within;
        let job = match self.begin(id, &tag).await {
            Ok(Some(job)) => job,
            Ok(None) => return,
            Err(error) => {
                tracing::error!(job_id = %id, %error, "job {id}: cannot begin: {error}");
                if matches!(error, StoreError::Failed(_)) {
                    self.give_back(id, &tag).await;
                }
                // The job stays handed out meanwhile: given back at once, it would be handed out again at once.
                return tokio::time::sleep(REST_AFTER_FAILURE).await;
            }
        };
        let placement = self.place(&job, &tag, send_before).await;
        failpoint!("W7");
        self.tell(id, &tag, sort(&tag, &placement)).await;
        failpoint!("W9");
        if let Placement::NotCreated(refusal) = &placement
            && refusal.verdict() == Verdict::PauseEverything
        {
            self.pause_everything(refusal).await;
        }
    }

    async fn begin(&self, id: &JobId, tag: &Tag) -> Result<Option<Arc<CallJob>>, StoreError> {
        failpoint!("W2", Err(StoreError::Failed("failpoint W2".to_owned())));
        let (begun, job) = self.ledger.begin_dial(id, tag.clone()).await?;
        match begun {
            Begun::Go => {
                failpoint!("W3", Err(StoreError::Failed("failpoint W3".to_owned())));
                return Ok(job);
            }
            Begun::Refused(GateRefusal::Suppressed) => {
                self.ledger.tell(id, Event::Suppressed).await?;
            }
            Begun::Refused(GateRefusal::Superseded) => {
                self.ledger.tell(id, Event::Superseded).await?;
            }
            Begun::Refused(GateRefusal::WindowClosed) => {
                self.ledger.tell(id, Event::WindowClosed).await?;
            }
            Begun::Refused(GateRefusal::HoursChanged) => {
                self.ledger.tell(id, Event::HoursChanged).await?;
            }
            Begun::Refused(GateRefusal::NumberHeld(holder)) => {
                // Nobody waits for a single call that cannot be made now, and nothing but a person frees
                // the number of a call that is in quarantine.
                let single = job.is_some_and(|job| job.membership().is_none());
                if single || self.is_quarantined(&holder).await? {
                    self.ledger.tell(id, Event::Overtaken).await?;
                }
            }
            Begun::Refused(refusal) => tracing::debug!(job_id = %id, ?refusal, "job {id}: not now"),
        }
        Ok(None)
    }

    /// The dial may have begun, unheard of. Nothing was sent under this tag and nothing will be, which nobody
    /// else can know: without this word its job would be looked up for an hour, and a person would have to decide.
    async fn give_back(&self, id: &JobId, tag: &Tag) {
        let detail = "not sent: the store did not say in time that the dial had begun".to_owned();
        self.tell(id, tag, Event::NotCreated { tag: tag.clone(), why: NonCreation::TryAgain, detail }).await;
    }

    async fn is_quarantined(&self, id: &JobId) -> Result<bool, StoreError> {
        let holder = self.ledger.store().job(id).await?;
        Ok(holder.is_some_and(|holder| holder.record.status() == Status::Quarantined))
    }

    async fn place(&self, job: &CallJob, tag: &Tag, send_before: Instant) -> Placement {
        let urls = CallbackUrls::new(&self.base, job.id(), tag);
        let rules = self.ledger.rules();
        let seconds = |duration: jiff::SignedDuration| u32::try_from(duration.as_secs()).unwrap_or(u32::MAX);
        let detection = match self.machine_detection {
            // Known since the dial began. If it cannot be told now, a machine is hung up on and nobody is harmed.
            true => Some(MachineDetection {
                awaits_beep: self.ledger.rules_for(job).await.is_ok_and(|rules| rules.message.is_some()),
                callback: urls.amd,
            }),
            false => None,
        };
        self.twilio
            .place(&PlaceCall {
                to: job.gym().phone.as_str().to_owned(),
                voice_url: urls.voice,
                status_url: urls.status,
                timeout_s: seconds(rules.ring_timeout),
                time_limit_s: seconds(rules.time_limit),
                detection,
                recorded: job.attempts().last().is_some_and(|attempt| attempt.recorded),
                send_before,
            })
            .await
    }

    /// Tells the ledger, and tries for a while if the store does not take it.
    async fn tell(&self, id: &JobId, tag: &Tag, event: Event) {
        let mut wait = Duration::from_millis(50);
        loop {
            let told = match event {
                // Nothing came of it, so nothing is lost if the store forgot it.
                Event::NotCreated { .. } => self.ledger.tell(id, event.clone()).await,
                _ => self.ledger.remind(id, tag, event.clone()).await,
            };
            match told {
                Ok(told) => return self.let_go_if_nobodys(id, &event, told),
                Err(error) => {
                    tracing::error!(job_id = %id, %error, "job {id}: cannot store what came of its request: {error}");
                }
            }
            if wait > Duration::from_secs(10) {
                // By now the sweep has made the job Unknown; it will be looked up, never redialled.
                return;
            }
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
    }

    /// A call that no record takes must not keep anybody on the line.
    fn let_go_if_nobodys(&self, id: &JobId, event: &Event, told: Told) {
        let nobodys = matches!(told, Told::NoSuchJob | Told::Ignored(Ignored::ForeignTag, _));
        if let (true, Event::Created { call, .. }) = (nobodys, event) {
            tracing::error!(job_id = %id, call_sid = %call, "job {id}: does not know call {call}, which is hung up");
            self.ledger.order(id, [Effect::HangUp(call.clone())]);
        }
    }

    async fn pause_everything(&self, refusal: &Refusal) {
        tracing::error!(
            "all calling is paused: {refusal}. {}. Then resume the campaigns; `gymcall doctor` tells more",
            refusal.remedy()
        );
        if let Err(error) = self.ledger.pause_everything(PausedReason::Credentials).await {
            tracing::error!(%error, "the campaigns could not be paused: {error}");
        }
    }
}

/// What Twilio's reply means for the job.
fn sort(tag: &Tag, placement: &Placement) -> Event {
    let tag = tag.clone();
    match placement {
        Placement::Created { sid } => Event::Created { tag, call: sid.clone() },
        Placement::Unclear { why } => Event::Unclear { tag, detail: why.clone() },
        Placement::NotCreated(refusal) => {
            let why = match refusal.verdict() {
                Verdict::TryAgain => NonCreation::TryAgain,
                Verdict::GiveUpNumber => NonCreation::BadNumber,
                Verdict::PauseEverything => NonCreation::BadAccount,
            };
            Event::NotCreated { tag, why, detail: refusal.to_string() }
        }
    }
}
