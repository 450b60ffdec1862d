//! Every key. All have one hash tag, so that they stay together wherever keys are spread by their names.
//!
//! | key | what it is |
//! |---|---|
//! | `job:ID` | a job: its head (version, status, place in the order of acceptance, batch) and its record |
//! | `log:ID` | its history, a list |
//! | `lock:PHONE` | the job whose open attempt holds the number |
//! | `batch:N:STATUS`, `batch:N:live` | the jobs of a batch at a status, by the order of acceptance; live ones share a list |
//! | `due:N` | the waiting jobs of a batch, by the time from which on they may be dialled |
//! | `phones:N` | the numbers of a batch |
//! | `batch:N` | its campaign and run, and its import while that is open |
//! | `visible`, `shown:RUN` | the batches that can be seen: all, and those of a run |
//! | `sources` | visible batches in which jobs wait |
//! | `deadlines`, `open` | live jobs by their deadline, and by the order of acceptance |
//! | `lines`, `lines:CAMPAIGN` | jobs that hold a line, by the end of their hold |
//! | `pace:SCOPE` | the latest grants, the newest first |
//! | `campaign:ID`, `campaigns` | a campaign: version, whether it is running, present run, record; all, by their creation |
//! | `counts:RUN` | how many of its jobs stand where, by the number of the status, and their tally, by its counters' names |
//! | `run:RUN`, `runs:CAMPAIGN` | a run: campaign, batch of additions, and once begun its record and whether it has ended; a campaign's runs |
//! | `begun:CAMPAIGN`, `open_runs` | a campaign's runs that have begun, by number; all that have not ended |
//! | `fires` | campaigns by the time at which their next run is to begin |
//! | `limits:CAMPAIGN` | how its latest calls ended, and how many began on a day |
//! | `import:ID`, `importing:CAMPAIGN`, `dropped` | open imports; batches that wait to be cleared away |
//! | `suppressed`, `suppressed:list` | numbers that may not be called, and their order |
//! | `announcements` | what is told to those who watch, a stream |
//! | `endpoints` | where announcements are delivered to, by id |
//! | `reply:KEY` | the reply kept for an idempotency key |
//! | `era`, `epoch`, `beat`, `born`, `alive`, `awaited` | see `era.rs` |
//! | `news` | the channel on which changes are told |

/// What all keys begin with.
pub(super) const PREFIX: &str = "{gymcall}:";
pub(super) const SUPPRESSED: &str = "{gymcall}:suppressed";
pub(super) const SUPPRESSED_LIST: &str = "{gymcall}:suppressed:list";
pub(super) const CAMPAIGNS: &str = "{gymcall}:campaigns";
pub(super) const VISIBLE: &str = "{gymcall}:visible";
pub(super) const SOURCES: &str = "{gymcall}:sources";
pub(super) const DEADLINES: &str = "{gymcall}:deadlines";
pub(super) const OPEN_RUNS: &str = "{gymcall}:open_runs";
pub(super) const FIRES: &str = "{gymcall}:fires";
pub(super) const OPEN: &str = "{gymcall}:open";
pub(super) const LINES: &str = "{gymcall}:lines";
pub(super) const DROPPED: &str = "{gymcall}:dropped";
pub(super) const ANNOUNCEMENTS: &str = "{gymcall}:announcements";
pub(super) const ENDPOINTS: &str = "{gymcall}:endpoints";
pub(super) const NEWS: &str = "{gymcall}:news";
/// The scope of the account's pace; a campaign's is its id.
pub(super) const ACCOUNT: &str = "account";

macro_rules! keys {
    ($($name:ident)+) => {
        $(pub(super) fn $name(of: impl std::fmt::Display) -> String {
            format!(concat!("{{gymcall}}:", stringify!($name), ":{}"), of)
        })+
    };
}

keys! { job log lock batch due phones shown pace campaign run runs begun counts limits import reply }

pub(super) fn lines_of(campaign: &str) -> String {
    format!("{LINES}:{campaign}")
}

pub(super) fn batch_list(batch: u64, list: impl std::fmt::Display) -> String {
    format!("{PREFIX}batch:{batch}:{list}")
}
