//! What the local Twilio's log says about the promise: no call twice, no job lost.
//!
//! The server's own records are not believed, only compared with what Twilio did.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use gymcall_simulator::{Entry, Event};
use serde_json::Value;
use url::Url;

/// A call that Twilio made.
#[derive(Debug, Clone)]
pub struct Call {
    pub sid: String,
    pub to: String,
    /// The job in its URL.
    pub job: String,
    /// The attempt's secret in its URL.
    pub tag: String,
    pub at_ms: i64,
}

impl Call {
    /// The call that this line of the log created, if it did.
    pub fn of(entry: &Entry) -> Option<Self> {
        let Event::Create { sid: Some(sid), to, url, .. } = &entry.what else { return None };
        let url = Url::parse(url).unwrap();
        let named = |name: &str| url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        Some(Self { sid: sid.clone(), to: to.clone(), job: named("job"), tag: named("tag"), at_ms: entry.at_ms })
    }
}

/// What the log and the jobs together show. Everything but `calls` and `quarantined` should be empty.
#[derive(Debug, Default)]
pub struct Verdict {
    pub calls: Vec<Call>,
    /// Calls that should not be there, in words.
    pub doubled: Vec<String>,
    /// Jobs and calls that are gone from the records, or stand still, in words.
    pub lost: Vec<String>,
    /// Jobs that a person has to look at.
    pub quarantined: Vec<String>,
}

/// Judges the jobs of one campaign, in which every number was accepted once.
pub fn judge(log: &[Entry], numbers: &[String], jobs: &[Value]) -> Verdict {
    let mut verdict = Verdict { calls: log.iter().filter_map(Call::of).collect(), ..Verdict::default() };
    verdict.same_tag();
    verdict.at_once(log);
    verdict.missing(numbers, jobs);
    let mut made: HashMap<String, BTreeSet<String>> = HashMap::new();
    for call in &verdict.calls {
        made.entry(call.job.clone()).or_default().insert(call.sid.clone());
    }
    let none = BTreeSet::new();
    for job in jobs {
        verdict.job(job, made.get(job["id"].as_str().unwrap()).unwrap_or(&none));
    }
    verdict
}

impl Verdict {
    /// A tag is one request: a second call for it is a call made twice.
    fn same_tag(&mut self) {
        let mut by_tag: BTreeMap<&str, &Call> = BTreeMap::new();
        for call in &self.calls {
            if let Some(first) = by_tag.insert(&call.tag, call) {
                self.doubled.push(format!("{} and {} have one tag", first.sid, call.sid));
            }
        }
    }

    /// From its creation to its end no call may meet another of its job, or to its number.
    fn at_once(&mut self, log: &[Entry]) {
        let mut open: HashMap<String, Call> = HashMap::new();
        for entry in log {
            if let Some(call) = Call::of(entry) {
                for other in open.values().filter(|other| other.job == call.job || other.to == call.to) {
                    self.doubled.push(format!("{} began while {} to {} went on", call.sid, other.sid, other.to));
                }
                open.insert(call.sid.clone(), call);
            } else if let Event::Status { sid, status, .. } = &entry.what
                && status.is_final()
            {
                open.remove(sid);
            }
        }
    }

    fn missing(&mut self, numbers: &[String], jobs: &[Value]) {
        let mut there: HashMap<&str, usize> = HashMap::new();
        for job in jobs {
            *there.entry(job["phone_number"].as_str().unwrap()).or_default() += 1;
        }
        for number in numbers {
            match there.get(number.as_str()).copied().unwrap_or_default() {
                1 => {}
                count => self.lost.push(format!("{number} has {count} jobs")),
            }
        }
        let ids: HashSet<&str> = jobs.iter().map(|job| job["id"].as_str().unwrap()).collect();
        for call in self.calls.iter().filter(|call| !ids.contains(call.job.as_str())) {
            self.lost.push(format!("{} belongs to no job", call.sid));
        }
    }

    fn job(&mut self, job: &Value, made: &BTreeSet<String>) {
        let id = job["id"].as_str().unwrap();
        let made: BTreeSet<&str> = made.iter().map(String::as_str).collect();
        let attempts = job["attempts"].as_array().unwrap();
        let known: BTreeSet<&str> = attempts
            .iter()
            .flat_map(|attempt| {
                let conflicts = attempt["conflicts"].as_array().into_iter().flatten();
                conflicts.chain([&attempt["twilio_call_sid"]]).filter_map(Value::as_str)
            })
            .collect();
        if made.len() > attempts.len() {
            self.doubled.push(format!("{id} has {} attempts and {made:?}", attempts.len()));
        }
        if made != known {
            self.lost.push(format!("{id} knows {known:?}, Twilio made {made:?}"));
        }
        match (job["status"].as_str().unwrap(), job["outcome"].as_str()) {
            ("quarantined", _) => {
                self.quarantined.push(id.to_owned());
                // Twilio knows every call it has made: a call that is there must have been found.
                if made.len() == attempts.len() {
                    self.lost.push(format!("{id} is in quarantine, but its calls are known: {made:?}"));
                }
            }
            (_, Some(_)) => {}
            (status, None) => self.lost.push(format!("{id} stands still at {status}")),
        }
    }
}

/// The most requests for calls that came in any second, whatever was answered.
pub fn most_in_a_second(log: &[Entry]) -> usize {
    let asked = log.iter().filter(|entry| matches!(entry.what, Event::Create { .. }));
    let times: Vec<i64> = asked.map(|entry| entry.at_ms).collect();
    let within = |first: usize| times[first..].iter().take_while(|at| **at < times[first] + 1_000).count();
    (0..times.len()).map(within).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn create(sid: &str, job: &str, tag: &str) -> Entry {
        let url = format!("http://localhost/v1/twilio/voice?job={job}&tag={tag}#rc=5");
        let what = json!({"at_ms": 1, "event": "create", "ordinal": 0, "sid": sid, "to": format!("+1{job}"), "from": "",
            "url": url, "params": [], "created": true, "http_status": 201, "code": null});
        serde_json::from_value(what).unwrap()
    }

    fn ended(sid: &str) -> Entry {
        serde_json::from_value(json!({"at_ms": 2, "event": "status", "sid": sid, "to": "", "status": "busy"})).unwrap()
    }

    fn job(id: &str, status: &str, sids: &[Option<&str>]) -> Value {
        let attempts: Vec<Value> = sids.iter().map(|sid| json!({"twilio_call_sid": sid, "conflicts": []})).collect();
        let outcome = (status == "completed").then_some("answered");
        json!({"id": id, "phone_number": format!("+1{id}"), "status": status, "outcome": outcome, "attempts": attempts})
    }

    fn found(log: &[Entry], jobs: &[Value]) -> [usize; 3] {
        let verdict = judge(log, &["+1a".to_owned()], jobs);
        [verdict.doubled.len(), verdict.lost.len(), verdict.quarantined.len()]
    }

    #[test]
    fn two_tries_one_after_the_other_are_fine() {
        let log = [create("CA1", "a", "t1"), ended("CA1"), create("CA2", "a", "t2"), ended("CA2")];
        assert_eq!(found(&log, &[job("a", "completed", &[Some("CA1"), Some("CA2")])]), [0, 0, 0]);
    }

    #[test]
    fn doubles_are_found() {
        let known = [job("a", "completed", &[Some("CA1"), Some("CA2")])];
        let same_tag = [create("CA1", "a", "t1"), ended("CA1"), create("CA2", "a", "t1"), ended("CA2")];
        assert_eq!(found(&same_tag, &known), [1, 0, 0]);
        let at_once = [create("CA1", "a", "t1"), create("CA2", "a", "t2"), ended("CA1"), ended("CA2")];
        assert_eq!(found(&at_once, &known), [1, 0, 0]);
        let too_many = [create("CA1", "a", "t1"), ended("CA1"), create("CA2", "a", "t2"), ended("CA2")];
        assert_eq!(found(&too_many, &[job("a", "completed", &[Some("CA1")])]), [1, 1, 0]);
    }

    #[test]
    fn losses_are_found() {
        let log = [create("CA1", "a", "t1"), ended("CA1")];
        assert_eq!(found(&log, &[]), [0, 2, 0], "neither the number nor the call has a job");
        assert_eq!(found(&log, &[job("a", "placed", &[Some("CA1")])]), [0, 1, 0], "it stands still");
        assert_eq!(found(&log, &[job("a", "quarantined", &[None])]), [0, 2, 1], "its call could have been found");
        assert_eq!(found(&[], &[job("a", "quarantined", &[None])]), [0, 0, 1], "nobody can know");
    }

    #[test]
    fn the_fullest_second_is_found_wherever_it_begins() {
        let at = |at_ms: i64| Entry { at_ms, ..create("CA", "a", "t") };
        assert_eq!(most_in_a_second(&[]), 0);
        assert_eq!(most_in_a_second(&[at(0), at(900), at(1_000), at(1_899), at(1_900)]), 3);
    }
}
