//! What there is to tell of the calls, and what others make of it.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gymcall_jobs::id::{CallSid, JobId, Tag};
use gymcall_jobs::phone::{PhoneNumber, PhoneRules};
use hmac::{Hmac, Mac};
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use sha1::Sha1;

pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";
pub const FROM: &str = "+12125550100";
/// How often every news is told.
pub const TIMES: usize = 5;
/// In how many ways a webhook is forged.
pub const FORGERIES: usize = 6;

/// How calls go. Together they have twelve news.
const COURSES: [&[&str]; 4] = [
    &["initiated", "ringing", "in-progress", "completed"],
    &["initiated", "ringing", "no-answer"],
    &["initiated", "ringing", "busy"],
    &["initiated", "failed"],
];

/// Area codes that exist; 555-0100 to 555-0199 belong to nobody in each.
const AREAS: [u16; 60] = [
    201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217, 218, 219, 224, 225, 228, 229, 231, 234,
    239, 240, 248, 251, 252, 253, 254, 256, 260, 262, 267, 269, 270, 276, 281, 301, 302, 303, 304, 305, 307, 308, 309,
    310, 312, 313, 314, 315, 316, 317, 318, 319, 320, 321, 323, 325, 330,
];

pub struct Plan {
    pub calls: Vec<Call>,
    /// The call that each forgery is about.
    forgeries: Vec<usize>,
    seed: u64,
}

pub struct Call {
    pub number: PhoneNumber,
    pub tag: Tag,
    pub sid: CallSid,
    /// Whether Twilio's reply told the call's name; otherwise the first webhook does.
    pub is_known: bool,
    pub course: &'static [&'static str],
}

/// What a webhook claims: of which job, which call, which status.
pub type News = (JobId, String, String);

#[derive(Debug)]
pub struct Webhook {
    pub target: String,
    pub body: String,
    pub signature: Option<String>,
    pub expected: Expected,
    pub news: News,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// It is genuine.
    Taken,
    /// It is signed, and about nothing that is ours.
    WithoutEffect,
    /// It is not signed by Twilio.
    Refused,
}

impl Expected {
    pub fn status(self) -> u16 {
        match self {
            Expected::Taken | Expected::WithoutEffect => 204,
            Expected::Refused => 403,
        }
    }
}

impl Plan {
    /// So many webhooks: one in ten is forged.
    pub fn of(webhooks: usize) -> Self {
        let forged = webhooks / 10;
        let rounds = (webhooks - forged) / TIMES / COURSES.iter().map(|course| course.len()).sum::<usize>();
        let seed = 20_261_127;
        let mut dice = StdRng::seed_from_u64(seed);
        let calls: Vec<Call> = (0..rounds * COURSES.len()).map(|nth| Call::new(nth, &mut dice)).collect();
        let forgeries = (0..forged).map(|_| dice.random_range(0..calls.len())).collect();
        Self { calls, forgeries, seed }
    }

    /// Every webhook, in an order that nobody would expect.
    pub fn storm(&self, jobs: &[JobId], base: &str) -> Vec<Webhook> {
        let mut all: Vec<Webhook> = Vec::new();
        for (call, job) in self.calls.iter().zip(jobs) {
            for (nth, status) in call.course.iter().enumerate() {
                all.extend((0..TIMES).map(|_| call.news(job, nth, status).signed(base, TOKEN)));
            }
        }
        all.extend((0..self.forgeries.len()).map(|nth| self.forged(nth, jobs, base)));
        all.shuffle(&mut StdRng::seed_from_u64(self.seed));
        all
    }

    /// The call that forgery `nth` is about: one whose name is known, where a strange name is to be told from it.
    fn victim(&self, nth: usize) -> usize {
        let victim = self.forgeries[nth];
        match nth % FORGERIES {
            5 => (victim..self.calls.len()).chain(0..victim).find(|at| self.calls[*at].is_known).unwrap(),
            _ => victim,
        }
    }

    fn forged(&self, nth: usize, jobs: &[JobId], base: &str) -> Webhook {
        let at = self.victim(nth);
        let (call, job) = (&self.calls[at], &jobs[at]);
        let lie = if call.course.ends_with(&["failed"]) { "busy" } else { "failed" };
        let other = &self.calls[(at + 1) % self.calls.len()];
        let sent = |call: &Call| call.news(job, call.course.len(), lie);
        match nth % FORGERIES {
            0 => sent(call).unsigned(),
            1 => sent(call).signed(base, "a token that is somebody else's").refused(),
            2 => {
                let genuine = call.news(job, 0, call.course[0]).signed(base, TOKEN);
                Webhook { signature: genuine.signature, ..sent(call).unsigned() }
            }
            3 => sent(&Call { tag: Tag::new(nth as u128), ..call.clone() }).signed(base, TOKEN).without_effect(),
            4 => sent(&Call { tag: other.tag.clone(), ..call.clone() }).signed(base, TOKEN).without_effect(),
            _ => sent(&Call { sid: foreign(nth), ..call.clone() }).signed(base, TOKEN).without_effect(),
        }
    }

    /// Every foreign call that claims somebody's attempt, with the number of the call whose attempt it is.
    pub fn foreign(&self) -> BTreeSet<(usize, String)> {
        let all = (0..self.forgeries.len()).filter(|nth| nth % FORGERIES == 5);
        all.map(|nth| (self.victim(nth), foreign(nth).as_str().to_owned())).collect()
    }
}

fn foreign(nth: usize) -> CallSid {
    format!("CAf{nth:031x}").parse().unwrap()
}

impl Clone for Call {
    fn clone(&self) -> Self {
        Self { number: self.number.clone(), tag: self.tag.clone(), sid: self.sid.clone(), ..*self }
    }
}

impl Call {
    fn new(nth: usize, dice: &mut StdRng) -> Self {
        let number = format!("+1{}55501{:02}", AREAS[nth / 100], nth % 100);
        Self {
            number: PhoneNumber::parse(&number, None, &PhoneRules::default()).unwrap(),
            tag: Tag::new(dice.random()),
            sid: format!("CA0{:031x}", dice.random::<u128>() >> 4).parse().unwrap(),
            is_known: !nth.is_multiple_of(5),
            course: COURSES[nth % COURSES.len()],
        }
    }

    /// The callback with this number, not signed yet.
    pub fn news(&self, job: &JobId, nth: usize, status: &str) -> Unsigned {
        let mut form = vec![
            ("CallSid", self.sid.as_str().to_owned()),
            ("CallStatus", status.to_owned()),
            ("SequenceNumber", nth.to_string()),
            ("Timestamp", format!("Fri, 27 Nov 2026 09:00:{:02} +0000", 10 * nth)),
            ("To", self.number.as_str().to_owned()),
            ("From", FROM.to_owned()),
        ];
        if !["initiated", "ringing", "in-progress"].contains(&status) {
            form.push(("CallDuration", "17".to_owned()));
        }
        let target = format!("/v1/twilio/status?job={}&tag={}", job.as_str(), self.tag.as_str());
        Unsigned { target, form, news: (job.clone(), self.sid.as_str().to_owned(), status.to_owned()) }
    }
}

pub struct Unsigned {
    target: String,
    form: Vec<(&'static str, String)>,
    news: News,
}

impl Unsigned {
    /// As Twilio signs it, if this is its token.
    pub fn signed(self, base: &str, token: &str) -> Webhook {
        let mut pairs = self.form.clone();
        pairs.sort_unstable();
        let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).unwrap();
        mac.update(format!("{base}{}", self.target).as_bytes());
        for (name, value) in pairs {
            mac.update(name.as_bytes());
            mac.update(value.as_bytes());
        }
        let signature = Some(STANDARD.encode(mac.finalize().into_bytes()));
        Webhook { signature, expected: Expected::Taken, ..self.unsigned() }
    }

    fn unsigned(self) -> Webhook {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.form).finish();
        Webhook { target: self.target, body, signature: None, expected: Expected::Refused, news: self.news }
    }
}

impl Webhook {
    fn refused(self) -> Self {
        Self { expected: Expected::Refused, ..self }
    }

    fn without_effect(self) -> Self {
        Self { expected: Expected::WithoutEffect, ..self }
    }
}
