//! What the log adds up to.

use std::collections::{BTreeMap, HashSet};

use super::{Entry, Event};
use crate::fault::Fate;

/// Counts over a log, or over the part of it that was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// The requests for a call, in order.
    pub asked: Vec<Asked>,
    /// The calls that were created, in order.
    pub created: Vec<Created>,
    /// Most calls that were live (dialled and not over) at one time.
    pub max_live: usize,
    /// The same for each number that was dialled.
    pub max_live_by_number: BTreeMap<String, usize>,
    /// Calls created to each number, dialled or not.
    pub created_by_number: BTreeMap<String, usize>,
    /// Calls dialled to each number.
    pub dialled_by_number: BTreeMap<String, usize>,
}

/// A request for a call, and what its client could know of the call.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The call, if one was created.
    pub sid: Option<String>,
    /// The number called.
    pub to: String,
    /// `Url` of the request, fragment included: it names the attempt.
    pub url: String,
    /// The faults it met.
    pub fate: Fate,
    /// Whether the app took any webhook of the call: with 2xx.
    pub told: bool,
}

/// A call that was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// The call.
    pub sid: String,
    /// The number called.
    pub to: String,
    /// `Url` of the request, fragment included: it names the attempt.
    pub url: String,
    /// When, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// HTTP status of the reply: not always 201, for a call may exist although the reply was an error,
    /// and none if there was no reply.
    pub http_status: Option<u16>,
}

impl Tally {
    /// Counts over `entries`, which must be in order.
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Tally {
        let mut tally = Tally::default();
        let mut live: BTreeMap<String, String> = BTreeMap::new();
        let mut told: HashSet<&str> = HashSet::new();
        for entry in entries {
            if let Event::Create { sid, to, url, fate, .. } = &entry.what {
                let (sid, to, url, fate) = (sid.clone(), to.clone(), url.clone(), fate.clone());
                tally.asked.push(Asked { sid, to, url, fate, told: false });
            }
            match &entry.what {
                Event::Create { sid: Some(sid), to, url, http_status, .. } => {
                    *tally.created_by_number.entry(to.clone()).or_default() += 1;
                    tally.created.push(Created {
                        sid: sid.clone(),
                        to: to.clone(),
                        url: url.clone(),
                        created_at_ms: entry.at_ms,
                        http_status: *http_status,
                    });
                }
                Event::Status { sid, to, status } if status.is_live() => {
                    if live.insert(sid.clone(), to.clone()).is_some() {
                        continue;
                    }
                    *tally.dialled_by_number.entry(to.clone()).or_default() += 1;
                    tally.max_live = tally.max_live.max(live.len());
                    let same = live.values().filter(|number| *number == to).count();
                    let most = tally.max_live_by_number.entry(to.clone()).or_default();
                    *most = same.max(*most);
                }
                Event::Status { sid, .. } => {
                    live.remove(sid);
                }
                Event::Webhook { sid, response: Some(200..300), .. } => {
                    told.insert(sid);
                }
                _ => {}
            }
        }
        for asked in &mut tally.asked {
            asked.told = asked.sid.as_deref().is_some_and(|sid| told.contains(sid));
        }
        tally
    }
}
