//! What two runs told of the same gyms, compared.

use std::collections::{BTreeMap, HashMap, HashSet};

use gymcall_jobs::answer::{AnswerValue, OpenHours};
use gymcall_jobs::id::{JobId, RunId};
use gymcall_jobs::job::CallJob;
use gymcall_jobs::question::Question;

/// A number's digits, which stand for the gym: a row of the list is known by its number alone.
pub(super) type Digits = u64;

/// What one run told of the gyms that are looked at.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// Every gym of the run.
    pub(super) roster: HashSet<Digits>,
    /// Those that told something.
    pub(super) gyms: HashMap<Digits, Told>,
}

/// What one gym told.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) name: String,
    pub(super) external_id: Option<String>,
    /// By the place of its question. Of several calls in one run the latest word counts.
    pub(super) answers: BTreeMap<usize, Word>,
}

/// An answer, and where it was given.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    pub(super) value: AnswerValue,
    pub(super) job: JobId,
    pub(super) run: RunId,
}

impl Heard {
    /// Takes note of a job. Answers count once its call is over; what was not asked or not known tells nothing.
    pub(super) fn take(&mut self, job: &CallJob, run: &RunId, questions: &[Question]) {
        let digits = job.gym().phone.digits();
        self.roster.insert(digits);
        if job.outcome().is_none() {
            return;
        }
        for answer in job.answers().iter().filter(|answer| answer.value.is_told()) {
            let Some(place) = questions.iter().position(|question| question.key == answer.key) else { continue };
            let told = self.gyms.entry(digits).or_insert_with(|| Told {
                name: job.gym().name.clone(),
                external_id: job.gym().external_id.clone(),
                answers: BTreeMap::new(),
            });
            let word = Word { value: answer.value.clone(), job: job.id().clone(), run: run.clone() };
            told.answers.insert(place, word);
        }
    }

    /// Fills in what an earlier run told and this one did not.
    pub(super) fn fill_up(&mut self, earlier: Heard) {
        for (digits, gym) in earlier.gyms {
            match self.gyms.get_mut(&digits) {
                None => drop(self.gyms.insert(digits, gym)),
                Some(known) => {
                    for (place, word) in gym.answers {
                        known.answers.entry(place).or_insert(word);
                    }
                }
            }
        }
    }

    /// Whether every answer of `now` was given here before.
    pub(super) fn has_all_of(&self, now: &Heard) -> bool {
        now.gyms.iter().all(|(digits, gym)| {
            let known = self.gyms.get(digits);
            known.is_some_and(|known| gym.answers.keys().all(|place| known.answers.contains_key(place)))
        })
    }
}

/// One answer that is not what it was.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Changed {
    pub(super) digits: Digits,
    pub(super) name: String,
    pub(super) external_id: Option<String>,
    /// The place of its question.
    pub(super) place: usize,
    pub(super) before: Option<Word>,
    pub(super) after: Option<Word>,
}

impl Changed {
    /// Its place among all: changes are in the order of the numbers, and of the questions.
    pub(super) const fn place(&self) -> (Digits, usize) {
        (self.digits, self.place)
    }

    /// The word for it.
    pub(super) const fn word(&self) -> &'static str {
        match (&self.before, &self.after) {
            (None, _) => "new",
            (Some(_), Some(_)) => "changed",
            (Some(_), None) => "gone",
        }
    }
}

/// What changed, by number and question: answers of `now` that nobody gave before or that were others, and all
/// answers of the `gone` gyms, which are not on the list any more. An answer that was not given this time is no change.
pub(super) fn compare(now: Heard, mut before: Heard, gone: &HashSet<Digits>) -> Vec<Changed> {
    let mut changes = Vec::new();
    for (digits, gym) in now.gyms {
        let mut known = before.gyms.remove(&digits).map(|gym| gym.answers).unwrap_or_default();
        for (place, after) in gym.answers {
            let before = known.remove(&place);
            if before.as_ref().is_some_and(|before| is_same(&before.value, &after.value)) {
                continue;
            }
            let (name, external_id) = (gym.name.clone(), gym.external_id.clone());
            changes.push(Changed { digits, name, external_id, place, before, after: Some(after) });
        }
    }
    for (digits, gym) in before.gyms.into_iter().filter(|(digits, _)| gone.contains(digits)) {
        for (place, before) in gym.answers {
            let (name, external_id) = (gym.name.clone(), gym.external_id.clone());
            changes.push(Changed { digits, name, external_id, place, before: Some(before), after: None });
        }
    }
    changes.sort_unstable_by_key(Changed::place);
    changes
}

/// Whether two answers tell the same, however they were put.
fn is_same(one: &AnswerValue, other: &AnswerValue) -> bool {
    match (one, other) {
        (AnswerValue::Text(one), AnswerValue::Text(other)) => words(one) == words(other),
        (AnswerValue::List(one), AnswerValue::List(other)) => {
            let set = |items: &[String]| items.iter().map(|item| words(item)).collect::<HashSet<_>>();
            set(one) == set(other)
        }
        (AnswerValue::Hours(one), AnswerValue::Hours(other)) => days(one) == days(other),
        _ => one == other,
    }
}

/// The words of a text without case and punctuation, which a recogniser sets as it likes.
fn words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// Hours by the day: Monday to Friday is the same as five days one by one.
fn days(hours: &[OpenHours]) -> HashSet<(&str, &str, &str)> {
    hours
        .iter()
        .flat_map(|hours| hours.days.iter().map(|day| (day.as_str(), hours.from.as_str(), hours.to.as_str())))
        .collect()
}
