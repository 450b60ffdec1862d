//! Picks the histories that are stored: few, and of every shape.

use std::collections::{BTreeMap, BTreeSet};

use gymcall_jobs::event::Event;
use gymcall_jobs::id::Tag;
use gymcall_jobs::job::CallJob;
use gymcall_jobs::rules::Rules;
use gymcall_jobs::step::Step;
use serde_json::{Value, json};

use super::history::{Detail, Told, tell};
use super::recorder::Happened;
use crate::histories::patch::difference;
use crate::histories::told::{StoredHistory, StoredRules, StoredStep};

/// A history longer than this is read by nobody.
const LONGEST: usize = 24;

/// The histories of the jobs of many seeds, no two of one shape, by how they ended.
pub(crate) fn pick(seeds: u64, most: usize) -> BTreeMap<String, Vec<StoredHistory>> {
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let mut picked: BTreeMap<String, Vec<StoredHistory>> = BTreeMap::new();
    let mut ways = BTreeSet::new();
    let mut number = 0;
    // First what brings something new, then other ways through what is known.
    for (enough, by_way) in [(most * 3 / 4, false), (most, true)] {
        for seed in 0..seeds {
            for (history, way) in histories(seed) {
                let new = way.iter().any(|step| known.get(step).is_none_or(|times| *times < 2));
                let wanted = if by_way { true } else { new };
                if number >= enough || !wanted || !ways.insert(way.join(", ")) {
                    continue;
                }
                way.into_iter().for_each(|step| *known.entry(step).or_default() += 1);
                let job: CallJob = serde_json::from_value(history.end.clone()).expect("just written");
                picked.entry(job.status().as_str().to_owned()).or_default().push(history);
                number += 1;
            }
        }
    }
    picked
}

/// The histories of a seed's jobs, each with its way: what led from where to where.
fn histories(seed: u64) -> Vec<(StoredHistory, Vec<String>)> {
    let Told { happened, rules: (rules, policy), .. } = tell(seed, Detail::Records);
    let mut by_job: BTreeMap<String, Vec<Happened>> = BTreeMap::new();
    for one in happened {
        by_job.entry(one.after.id().to_string()).or_default().push(one);
    }
    let of_job = |happened: Vec<Happened>| {
        let single = happened[0].before.membership().is_none();
        let rules = if single { rules.for_single_call() } else { rules.for_policy(&policy) };
        history(seed, &rules, &happened)
    };
    by_job.into_values().filter_map(of_job).collect()
}

fn history(seed: u64, rules: &Rules, happened: &[Happened]) -> Option<(StoredHistory, Vec<String>)> {
    let mut way = Vec::new();
    let mut steps = Vec::new();
    for one in happened {
        let Some(event) = event_of(one, rules) else {
            // Ignored on grounds of a record that another was writing at that moment.
            assert!(one.entry.ignored.is_some(), "seed {seed}: no event makes this move: {one:?}");
            continue;
        };
        let (before, after) = (value(&one.before), value(&one.after));
        let ignored = one.entry.ignored.clone();
        way.push(step_of(one, &event));
        steps.push(StoredStep { at: one.entry.at, event, change: difference(&before, &after), ignored });
    }
    let (start, end) = (value(&happened.first()?.before), value(&happened.last()?.after));
    let history = StoredHistory { seed, rules: StoredRules::from(rules), start, steps, end };
    (history.steps.len() <= LONGEST).then_some((history, way))
}

/// From where, by what, to where.
fn step_of(one: &Happened, event: &Event) -> String {
    let json = value(event);
    let detail = ["status", "why", "fate"].iter().find_map(|key| json[*key].as_str()).unwrap_or_default();
    let to = one.entry.ignored.clone().unwrap_or_else(|| match one.after.outcome() {
        Some(outcome) => value(outcome).to_string(),
        None => one.after.status().to_string(),
    });
    let cancelled = if one.before.cancel_requested() { " (cancelled)" } else { "" };
    format!("{}{cancelled} {} {detail} {to}", one.before.status(), event.name())
}

/// The event behind an entry: the log leaves out its secret, so the one is taken that makes the same move.
fn event_of(one: &Happened, rules: &Rules) -> Option<Event> {
    let attempts = one.after.attempts().iter().chain(one.before.attempts());
    let tags = attempts.flat_map(|attempt| std::iter::once(&attempt.tag).chain(&attempt.spent_tags));
    let mut tags: Vec<Option<&Tag>> = tags.map(Some).collect();
    tags.reverse();
    tags.push(None);
    let with = |tag: Option<&Tag>| -> Option<Event> {
        let mut fields = one.entry.detail.clone();
        fields["event"] = json!(one.entry.kind);
        if let Some(tag) = tag {
            fields["tag"] = json!(tag);
        }
        serde_json::from_value(fields).ok()
    };
    tags.into_iter().filter_map(with).find(|event| match one.before.step(event, rules, one.entry.at) {
        Step::Moved(job, _) => *job == one.after && one.entry.ignored.is_none(),
        Step::Ignored(why) => one.entry.ignored.as_deref() == Some(why.as_str()),
    })
}

fn value(of: &impl serde::Serialize) -> Value {
    serde_json::to_value(of).expect("it is plain data")
}
