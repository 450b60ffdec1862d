//! What happened to a job in one moment, and is stored together or not at all.

use jiff::Timestamp;

use crate::event::Event;
use crate::id::RunId;
use crate::job::{CallJob, Phase};
use crate::rules::Rules;
use crate::step::{Effect, Step};
use crate::store::{NewEntry, Suppression};

/// What is written down of one moment.
#[derive(Debug, Clone)]
pub enum News {
    /// Something that happened to the job.
    Event(Event),
    /// A line of its history alone.
    Note(NewEntry),
}

/// A job on its way through what happened to it in one moment.
pub(super) struct Moment {
    pub(super) job: CallJob,
    pub(super) effects: Vec<Effect>,
    pub(super) entries: Vec<NewEntry>,
}

impl Moment {
    pub(super) fn new(job: CallJob, effects: Vec<Effect>, entry: NewEntry) -> Self {
        Self { job, effects, entries: vec![entry] }
    }

    pub(super) fn and(mut self, further: &[News], rules: &Rules, now: Timestamp) -> Self {
        for news in further {
            match news {
                News::Note(entry) => self.entries.push(entry.clone()),
                News::Event(event) => {
                    let mut entry = entry_of(event, now);
                    match self.job.step(event, rules, now) {
                        Step::Moved(job, effects) => {
                            self.job = *job;
                            self.effects.extend(effects);
                        }
                        Step::Ignored(why) => entry.ignored = Some(why.as_str().to_owned()),
                    }
                    self.entries.push(entry);
                }
            }
        }
        self
    }

    /// A job does not wait again in a run that a newer one has replaced. What is remembered as the present run may be
    /// behind, but not ahead: ids that are made later sort later.
    pub(super) fn within(self, present: Option<&RunId>, rules: &Rules, now: Timestamp) -> Self {
        let replaced = self.job.membership().zip(present).is_some_and(|(of, present)| of.run < *present);
        if !replaced || !matches!(self.job.phase(), Phase::Waiting { .. }) {
            return self;
        }
        self.and(&[News::Event(Event::Superseded)], rules, now)
    }
}

/// The number's place on the list of those not to be called, where something that happened puts it there.
pub(super) fn suppression(
    job: &CallJob,
    event: &Event,
    further: &[News],
    effects: &[Effect],
    now: Timestamp,
) -> Option<Suppression> {
    let further = further.iter().filter_map(|news| match news {
        News::Event(event) => Some(event),
        News::Note(_) => None,
    });
    let quote = std::iter::once(event).chain(further).find_map(|event| match event {
        Event::DoNotCallHeard { quote, .. } => Some(quote),
        _ => None,
    });
    effects.contains(&Effect::Suppress).then(|| Suppression {
        phone: job.gym().phone.clone(),
        since: now,
        reason: quote
            .map_or_else(|| "asked not to be called".to_owned(), |quote| format!("said on the phone: {quote}")),
    })
}

pub(super) fn entry_of(event: &Event, now: Timestamp) -> NewEntry {
    NewEntry { at: now, kind: event.name().to_owned(), detail: event.detail(), ignored: None }
}
