//! People: they bring jobs, cancel, pause, resume, resolve, redial, and mend the account in the end.

use gymcall_jobs::campaign::{Action, Campaign, CampaignState, PausedReason};
use gymcall_jobs::event::{Event, Fate};
use gymcall_jobs::id::{CampaignId, JobId, RunId};
use gymcall_jobs::job::{CallJob, Membership, Status};
use gymcall_jobs::ledger::Ledger;
use gymcall_jobs::store::{CampaignWrite, Suppression, Write};
use serde_json::json;

use super::process::any_server;
use super::world::{MINUTE, SECOND, World, say};

/// What somebody may do.
#[derive(Debug, Clone, Copy)]
enum Act {
    Cancel,
    Suppress,
    Redial,
    Pause,
    Resume,
    CancelCampaign,
}

const ACTS: [Act; 8] =
    [Act::Cancel, Act::Cancel, Act::Suppress, Act::Redial, Act::Redial, Act::Pause, Act::Resume, Act::CancelCampaign];

impl World {
    /// The campaign, its jobs, and everything that people and chance will do to them.
    pub(crate) fn set_the_scene(&mut self) {
        let now = self.instant();
        let (id, run) = (CampaignId::new(now, self.dice.name()), RunId::new(now, self.dice.name()));
        let campaign = Campaign {
            questions: Vec::new(),
            policy: self.plan.policy.clone(),
            state: CampaignState::Running,
            started_at: Some(now),
            runs: 1,
            run_begun: true,
            ..Campaign::new(id, run, "Spring".to_owned(), now)
        };
        let of = Membership { campaign: campaign.id.clone(), run: campaign.run.clone() };
        let write = Write { campaign: Some(CampaignWrite { campaign, from: None, begins: None }), ..Write::default() };
        self.keeper.commit(write).expect("the first campaign");
        for _ in 0..self.plan.jobs {
            let of = if self.dice.of_thousand(self.plan.singles) { None } else { Some(of.clone()) };
            let come = if self.dice.one_in(2) { 0 } else { self.dice.between(0, self.plan.lasts / 2) };
            let phone = format!("+1212555{:04}", self.dice.below(self.plan.numbers));
            self.after(come, move |world| world.bring(of, &phone));
        }
        for process in 0..self.plan.processes {
            self.start(process);
        }
        for _ in 0..self.plan.acts {
            let at = self.dice.between(0, self.plan.lasts);
            self.after(at, World::act);
        }
        for _ in 0..self.plan.blows {
            let (at, process) = (self.dice.between(0, self.plan.lasts), self.dice.below(self.plan.processes as u64));
            let dies = self.dice.one_in(2);
            self.after(at, move |world| match dies {
                true => world.kill(process as usize, "killed at any time"),
                false => world.stop(process as usize, "stopped at any time"),
            });
        }
        for _ in 0..self.plan.outages {
            let at = self.dice.between(0, self.plan.lasts);
            self.after(at, World::outage);
        }
        self.after(self.plan.lasts, World::calm_down);
    }

    fn bring(&mut self, of: Option<Membership>, phone: &str) {
        let now = self.instant();
        let gym = serde_json::from_value(json!({ "phone": phone, "name": "Iron Temple" })).expect("a gym");
        let job = CallJob::new(JobId::new(now, self.dice.name()), of, gym, now, now);
        self.accepted(&job);
        self.keeper.commit(write_of(job)).expect("a new job");
        self.changed();
    }

    /// The faults are over: what was stopped goes on, and people mend what needs them.
    fn calm_down(&mut self) {
        say!(self, "--- no more faults ---");
        self.calm = true;
        self.outage_until = self.now;
        self.wake_all();
        self.resume();
        self.after(MINUTE, World::mend);
    }

    /// Somebody looks at everything, once a minute.
    fn mend(&mut self) {
        self.look_for_the_forgotten();
        self.resume();
        self.after(MINUTE, World::mend);
    }

    /// Campaigns that stand still go on.
    fn resume(&mut self) {
        if let Some(process) = any_server(self) {
            let ledger = self.processes[process].ledger.clone().expect("it serves");
            let campaigns = self.keeper.campaigns().items;
            for campaign in campaigns.into_iter().map(|stored| stored.record) {
                if matches!(campaign.state, CampaignState::Paused(_)) {
                    let ledger = ledger.clone();
                    self.begin(process, async move {
                        let _ = ledger.act(&campaign.id, Action::Resume, |_, _| None).await;
                    });
                }
            }
        }
    }

    /// A quarantined job is in front of a person, who may take their time, or never come.
    pub(crate) fn shown_to_a_person(&mut self, job: &CallJob) {
        if self.dice.one_in(3) {
            return;
        }
        let called = self.twilio.calls.iter().any(|call| job.open_attempt().is_some_and(|open| open.tag == call.tag));
        // They mostly know better than we do.
        let called = if self.dice.one_in(4) { !called } else { called };
        let fate = if called { Fate::Called } else { Fate::NotCalled };
        let (id, wait) = (job.id().clone(), self.dice.between(SECOND, 10 * MINUTE));
        self.under_way += 1;
        self.after(wait, move |world| {
            world.under_way -= 1;
            world.tally.act("resolve");
            world.through_a_server(move |ledger| async move {
                let _ = ledger.tell(&id, Event::Resolved { fate }).await;
            });
        });
    }

    fn through_a_server<F: Future<Output = ()> + Send + 'static>(
        &mut self,
        what: impl FnOnce(Ledger) -> F + Send + 'static,
    ) {
        if let Some(process) = any_server(self) {
            let ledger = self.processes[process].ledger.clone().expect("it serves");
            self.begin(process, what(ledger));
        }
    }

    fn act(&mut self) {
        let act = self.dice.of(&ACTS);
        let jobs: Vec<CallJob> = self.keeper.all().cloned().collect();
        if jobs.is_empty() || self.calm {
            return;
        }
        let job = jobs[self.dice.below(jobs.len() as u64) as usize].clone();
        let campaign = self.keeper.campaigns().items.remove(0).record.id;
        say!(self, "somebody: {act:?} {}", super::door::name(&job));
        match act {
            Act::Cancel => {
                self.tally.act("cancel");
                self.through_a_server(|ledger| async move {
                    let _ = ledger.tell(job.id(), Event::Cancel).await;
                });
            }
            Act::Suppress => {
                self.tally.act("suppress");
                self.through_a_server(|ledger| async move {
                    let _ = suppress(&ledger, &job).await;
                });
            }
            Act::Redial => self.redial(&job),
            Act::Pause => self.campaign(campaign, "pause", Action::Pause(PausedReason::Manual)),
            Act::Resume => self.campaign(campaign, "resume", Action::Resume),
            // Everything waiting would be gone, and the history over, too often.
            Act::CancelCampaign if !self.dice.one_in(3) => {}
            Act::CancelCampaign => self.campaign(campaign, "cancel a campaign", Action::Cancel),
        }
    }

    fn campaign(&mut self, id: CampaignId, name: &'static str, action: Action) {
        self.tally.act(name);
        self.through_a_server(move |ledger| async move {
            let _ = ledger.act(&id, action, |_, _| None).await;
        });
    }

    /// A new job for the same gym, when the old one is over.
    fn redial(&mut self, old: &CallJob) {
        let over = old.status().is_final() && old.status() != Status::Quarantined;
        if !over || self.keeper.suppression(&old.gym().phone).is_some() {
            return;
        }
        self.tally.act("redial");
        self.bring(old.membership().cloned(), old.gym().phone.as_str());
    }

    /// Whether a cancelled campaign still has waiting jobs.
    pub(crate) fn something_to_clear(&self) -> bool {
        let cancelled = |job: &&CallJob| {
            job.membership().is_some_and(|of| {
                self.keeper.campaign(&of.campaign).is_some_and(|known| known.record.state == CampaignState::Cancelled)
            })
        };
        self.keeper.all().filter(|job| job.status() == Status::Waiting).any(|job| cancelled(&job))
    }
}

async fn suppress(ledger: &Ledger, job: &CallJob) -> Result<(), gymcall_jobs::store::StoreError> {
    let phone = job.gym().phone.clone();
    let suppression = Suppression { phone: phone.clone(), since: ledger.now(), reason: "added by hand".to_owned() };
    ledger.store().commit(Write { suppress: Some(suppression), ..Write::default() }).await?;
    if let Some(holder) = ledger.store().number_holder(&phone).await? {
        ledger.tell(&holder, Event::Suppressed).await?;
    }
    Ok(())
}

fn write_of(job: CallJob) -> Write {
    let job = gymcall_jobs::store::JobWrite::new(job);
    Write { job: Some(job), ..Write::default() }
}
