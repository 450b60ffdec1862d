//! Keeps what happened to each job, for the stored histories.

use gymcall_jobs::job::CallJob;
use gymcall_jobs::store::NewEntry;

/// One thing that happened.
#[derive(Debug, Clone)]
pub(crate) struct Happened {
    pub(crate) before: CallJob,
    pub(crate) entry: NewEntry,
    pub(crate) after: CallJob,
}

/// Everything that happened, if somebody wants it.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    pub(crate) on: bool,
    pub(crate) happened: Vec<Happened>,
}

impl Recorder {
    pub(crate) fn moved(&mut self, before: &CallJob, after: &CallJob, entries: &[NewEntry]) {
        if self.on {
            for entry in entries {
                self.happened.push(Happened { before: before.clone(), entry: entry.clone(), after: after.clone() });
            }
        }
    }

    pub(crate) fn note(&mut self, job: &CallJob, entries: &[NewEntry]) {
        self.moved(job, job, entries);
    }
}
