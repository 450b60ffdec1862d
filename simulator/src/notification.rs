//! What Twilio would put into its debugger, kept for `Notifications.json`.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::call::{Call, Method};
use crate::sid;

/// One error or warning.
#[derive(Debug, Clone)]
pub(crate) struct Notification {
    /// `NO` and 32 hexadecimal digits.
    pub(crate) sid: String,
    pub(crate) call_sid: Option<String>,
    pub(crate) code: u32,
    pub(crate) message: String,
    pub(crate) at: Timestamp,
    /// The request that it is about.
    pub(crate) request: Option<Request>,
}

/// A request to the app, and what it answered.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Notification {
    /// Whether it is a warning and no error.
    pub(crate) fn is_warning(&self) -> bool {
        match self.code {
            // Numbers that cannot be dialled, among the attributes that are passed over.
            13223..=13227 | 13247 => false,
            12200..=12299 | 13200..=13599 | 13610..=13699 => true,
            15003 | 21262 | 21263 | 21626 | 31930 | 31931 | 31950 | 31951 => true,
            _ => false,
        }
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Notifications {
    noted: Mutex<Vec<Arc<Notification>>>,
}

impl Notifications {
    /// Keeps one of Twilio's codes; a remark of the simulator's own has none, and Twilio would not know it.
    pub(crate) fn note(&self, call: Option<&Call>, code: u32, message: &str) {
        if code == 0 {
            return;
        }
        let notification = Notification {
            sid: sid::notification(),
            call_sid: call.map(|call| call.sid.clone()),
            code,
            message: message.to_owned(),
            at: Timestamp::now(),
            request: call.filter(|_| is_of_request(code)).and_then(last_request),
        };
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(notification));
    }

    /// The newest first; those of one call, or all.
    pub(crate) fn list(&self, call_sid: Option<&str>) -> Vec<Arc<Notification>> {
        let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = noted.iter().rev().filter(|one| call_sid.is_none() || one.call_sid.as_deref() == call_sid);
        wanted.cloned().collect()
    }
}

/// Whether errors with this code are about a webhook and the document it gave.
fn is_of_request(code: u32) -> bool {
    (11_000..16_000).contains(&code)
}

/// What goes wrong with a webhook is told right after it, so it is the last one.
fn last_request(call: &Call) -> Option<Request> {
    let deliveries = call.deliveries();
    let all = deliveries.borrow();
    let last = all.last()?;
    let body = last.reply.as_ref().map(|reply| String::from_utf8_lossy(&reply.body).into_owned());
    Some(Request {
        method: last.method,
        url: last.url.clone(),
        params: last.params.clone(),
        body: body.unwrap_or_default(),
    })
}
