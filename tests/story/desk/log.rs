//! What Twilio has done, as its log says.

use std::sync::Arc;

use gymcall_simulator::{Created, Entry, Event, Status};

use super::{Desk, within};

impl Desk {
    /// Waits for this in Twilio's log, old entries included.
    pub async fn until_logged(&self, what: &str, wanted: impl FnMut(&Event) -> bool) -> Arc<Entry> {
        within(what, self.twilio.log().subscribe().wait_for(wanted)).await
    }

    /// Waits until so many calls were created.
    pub async fn until_created(&self, number: usize) {
        let mut left = number;
        let what = format!("{number} creates");
        self.until_logged(&what, |event| {
            left -= usize::from(matches!(event, Event::Create { created: true, .. }));
            left == 0
        })
        .await;
    }

    /// How many calls Twilio has made to a number.
    pub fn created(&self, number: &str) -> usize {
        self.twilio.log().creates().iter().filter(|call| call.to == number).count()
    }

    /// The first call that Twilio has made to a number.
    pub fn call_to(&self, number: &str) -> Created {
        self.twilio.log().creates().into_iter().find(|call| call.to == number).unwrap()
    }

    /// Everything that Twilio has said of a call, in order.
    pub fn statuses(&self, sid: &str) -> Vec<Status> {
        let of_call = |event: &Event| match event {
            Event::Status { sid: of, status, .. } if of == sid => Some(*status),
            _ => None,
        };
        self.twilio.log().entries().iter().filter_map(|entry| of_call(&entry.what)).collect()
    }

    /// The promise at the heart: each of Twilio's calls has a tag of its own.
    pub fn assert_no_attempt_was_dialled_twice(&self) {
        let mut tags: Vec<String> = self.twilio.log().creates().iter().map(|call| job_and_tag(call).1).collect();
        let all = tags.len();
        tags.sort();
        tags.dedup();
        assert_eq!(tags.len(), all, "a tag was used for two calls");
    }
}

/// The job and the tag that a call's URL names.
pub fn job_and_tag(call: &Created) -> (String, String) {
    let url: url::Url = call.url.parse().unwrap();
    let get = |name: &str| url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
    (get("job"), get("tag"))
}
