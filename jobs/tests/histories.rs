//! Stored histories of every shape of job, replayed against the code as it is now.
//!
//! The simulation told them once (`histories/*.jsonl`, a history a line). What happened to a job then must
//! come to the same record today, and every record that was ever stored must still be readable.

pub(crate) mod patch;
pub(crate) mod told;

use std::collections::BTreeSet;
use std::path::Path;

use gymcall_jobs::job::{CallJob, Status};
use gymcall_jobs::rules::Rules;
use gymcall_jobs::step::Step;

use self::told::{StoredHistory, StoredStep};

/// What to do if a change of behaviour is wanted.
const IF_WANTED: &str = "\n\nIf this change is wanted, record it: tell the histories anew with
    cargo test -p gymcall-jobs --test jobs -- --ignored tell_the_stored_histories_anew
and write into CHANGELOG.md what becomes of a job now that did not before, and why.
Jobs that are under way while somebody updates gymcall go on by the new rules.";

/// What to do if it is not: nobody can take back a record that a user's store holds.
const IF_UNREADABLE: &str = "\n\nStores out there hold such records. Give a new field a default, or keep reading \
                             the old form beside the new one; do not tell the histories anew to get rid of this.";

fn histories() -> Vec<(String, StoredHistory)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/histories");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).collect();
    files.sort();
    let mut found = Vec::new();
    for path in files {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        for (number, line) in std::fs::read_to_string(&path).unwrap().lines().enumerate() {
            let place = format!("{file}, line {}", number + 1);
            let history = serde_json::from_str(line);
            let history =
                history.unwrap_or_else(|error| panic!("{place}: an event cannot be read: {error}{IF_UNREADABLE}"));
            found.push((place, history));
        }
    }
    found
}

#[test]
fn what_happened_once_comes_to_the_same_record_now() {
    for (place, history) in histories() {
        let rules = Rules::from(&history.rules);
        let mut job: CallJob = serde_json::from_value(history.start.clone()).expect(IF_UNREADABLE);
        for (number, StoredStep { at, event, change, ignored }) in history.steps.iter().enumerate() {
            let place = format!("{place}, step {} ({} at {at})", number + 1, event.name());
            match job.step(event, &rules, *at) {
                Step::Moved(next, _) => {
                    let mut then = serde_json::to_value(&job).unwrap();
                    patch::apply(&mut then, change.as_ref().unwrap_or(&serde_json::json!({})));
                    let now = serde_json::to_value(&next).unwrap();
                    assert_eq!(ignored, &None, "{place}: it was ignored then, and moves the job now{IF_WANTED}");
                    assert_eq!(
                        now, then,
                        "{place}: left is the record as it becomes now, right as it became then{IF_WANTED}"
                    );
                    job = *next;
                }
                Step::Ignored(why) => {
                    let then = ignored.as_deref().unwrap_or("a move");
                    assert_eq!(why.as_str(), then, "{place}: left is why it is ignored now{IF_WANTED}");
                }
            }
        }
        assert_eq!(serde_json::to_value(&job).unwrap(), history.end, "{place}: the record in the end{IF_WANTED}");
    }
}

#[test]
fn every_record_that_was_ever_stored_can_be_read() {
    for (place, history) in histories() {
        let mut record = history.start;
        let changes = history.steps.iter().filter_map(|step| step.change.as_ref());
        for change in std::iter::once(&serde_json::json!({})).chain(changes) {
            patch::apply(&mut record, change);
            let read: Result<CallJob, _> = serde_json::from_value(record.clone());
            let read = read.unwrap_or_else(|error| panic!("{place}: {error}: {record}{IF_UNREADABLE}"));
            assert_eq!(serde_json::to_value(&read).unwrap(), record, "{place}: something was lost{IF_UNREADABLE}");
        }
    }
}

#[test]
fn the_stored_histories_are_of_every_shape() {
    let histories = histories();
    assert!(histories.len() >= 200, "only {} histories are stored", histories.len());
    let (mut reached, mut events) = (BTreeSet::new(), BTreeSet::new());
    for (_, history) in &histories {
        let mut record = history.start.clone();
        for step in &history.steps {
            patch::apply(&mut record, step.change.as_ref().unwrap_or(&serde_json::json!({})));
            let job: CallJob = serde_json::from_value(record.clone()).unwrap();
            reached.insert(job.status().as_str());
            events.insert((step.event.name(), step.ignored.is_some()));
        }
    }
    let every: BTreeSet<_> = Status::ALL.iter().map(|status| status.as_str()).collect();
    assert_eq!(reached, every);
    assert_eq!(events.iter().filter(|(_, ignored)| !ignored).count(), 17, "{events:?}");
}
