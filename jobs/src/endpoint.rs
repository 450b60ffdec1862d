//! Where announcements are delivered to: a URL of somebody else's, and how far it has got.
//!
//! Each endpoint is told everything that it wants in order, one after the other. What it does not take is tried again at
//! fixed times after the first try, then given up, and the next one follows. All of it is kept with the endpoint, so that
//! it survives whoever delivers; and because a delivery may be stored too late, the same may be delivered twice.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::announcement::{Announcement, AnnouncementId, Kind};
use crate::id::{CampaignId, EndpointId};
use crate::retry::later;

/// An endpoint's record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its id.
    pub id: EndpointId,
    /// Where it is.
    pub url: String,
    /// Which kinds it wants; all if none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Kind>,
    /// Of which campaign; of all, and of single calls, if none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<CampaignId>,
    /// What its deliveries are signed with.
    pub secret: Secret,
    /// When it was created.
    pub created_at: Timestamp,
    /// Up to where it was told everything.
    pub position: AnnouncementId,
    /// The announcement that it has not taken yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trying: Option<Trying>,
    /// Who delivers to it at the moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    /// How many it has taken.
    #[serde(default)]
    pub delivered: u64,
    /// How many were given up after the last try.
    #[serde(default)]
    pub given_up: u64,
    /// When announcements that it may have wanted were found not to be kept any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap_at: Option<Timestamp>,
    /// What went wrong last, if nothing was taken since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<LastError>,
    /// Since when nothing is delivered any more, because it said that it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<Timestamp>,
}

/// An announcement that was not taken, and when it is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trying {
    /// The announcement.
    pub id: AnnouncementId,
    /// When it was tried first.
    pub first: Timestamp,
    /// How often it was tried.
    pub tries: u32,
    /// When it is tried next.
    pub next: Timestamp,
}

/// One process at a time delivers to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// What that process calls itself.
    pub holder: String,
    /// Until when the others leave the endpoint alone.
    pub until: Timestamp,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastError {
    /// When.
    pub at: Timestamp,
    /// In words.
    pub detail: String,
}

/// What came of one delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// It was taken.
    Taken,
    /// The endpoint says that it is gone for good.
    Gone,
    /// It was not taken, for this reason.
    Failed(String),
}

/// The secret of an endpoint: `whsec_` and base64.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// A secret as it is shown to its owner.
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret in clear: for signing, and to be shown once.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Without the secret: whatever is printed for debugging ends in a log some day.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Endpoint {
    /// One that wants to be told everything from `position` on.
    pub const fn new(id: EndpointId, url: String, secret: Secret, position: AnnouncementId, now: Timestamp) -> Self {
        Self {
            id,
            url,
            events: Vec::new(),
            campaign: None,
            secret,
            created_at: now,
            position,
            trying: None,
            lease: None,
            delivered: 0,
            given_up: 0,
            gap_at: None,
            last_error: None,
            disabled_at: None,
        }
    }

    /// Whether it is to be told of this.
    pub fn wants(&self, announcement: &Announcement) -> bool {
        let kind = self.events.is_empty() || self.events.contains(&announcement.kind);
        kind && (self.campaign.is_none() || self.campaign.as_ref() == announcement.campaign())
    }

    /// When it may be told of the next thing: now, unless something waits for its next try.
    pub fn ready_at(&self) -> Option<Timestamp> {
        self.trying.as_ref().map(|trying| trying.next)
    }

    /// Who delivers to it now, if that is another than `process`: until when.
    pub fn taken_until(&self, process: &str, now: Timestamp) -> Option<Timestamp> {
        self.lease.as_ref().filter(|lease| lease.holder != process && lease.until > now).map(|lease| lease.until)
    }

    /// Leases it to a process.
    pub fn lease_to(&mut self, process: &str, until: Timestamp) {
        self.lease = Some(Lease { holder: process.to_owned(), until });
    }

    /// Leaves behind what it does not want, up to `position`.
    pub fn pass(&mut self, position: AnnouncementId) {
        self.position = position;
        // What was tried may have been dropped from the list meanwhile: then nobody will ever take it.
        self.trying.take_if(|trying| trying.id <= position);
    }

    /// The endpoint after a delivery that began at `now`. `waits` are the times of further tries, counted from the first.
    #[must_use]
    pub fn after(self, id: AnnouncementId, delivery: Delivery, waits: &[SignedDuration], now: Timestamp) -> Self {
        let detail = match delivery {
            Delivery::Taken => {
                return Self { position: id, trying: None, delivered: self.delivered + 1, last_error: None, ..self };
            }
            Delivery::Gone => {
                let last_error = Some(LastError { at: now, detail: "it answered 410 Gone".to_owned() });
                return Self { disabled_at: Some(now), trying: None, lease: None, last_error, ..self };
            }
            Delivery::Failed(detail) => detail,
        };
        let (first, before) = match &self.trying {
            Some(trying) if trying.id == id => (trying.first, trying.tries),
            _ => (now, 0),
        };
        let tries = before.saturating_add(1);
        let wait = usize::try_from(before).ok().and_then(|number| waits.get(number));
        let last_error = Some(LastError { at: now, detail });
        // Whoever is awake at the next try makes it.
        let failed = Self { lease: None, last_error, ..self };
        match wait {
            Some(wait) => {
                // Late tries do not crowd: the next one comes no sooner than it would after a punctual one.
                let step = before.checked_sub(1).and_then(|last| waits.get(usize::try_from(last).ok()?)).copied();
                let next = later(first, *wait).max(later(now, *wait - step.unwrap_or(SignedDuration::ZERO)));
                Self { trying: Some(Trying { id, first, tries, next }), ..failed }
            }
            None => Self { position: id, trying: None, given_up: failed.given_up + 1, ..failed },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::Event;
    use crate::id::JobId;
    use crate::job::CallJob;
    use crate::rules::Rules;
    use crate::step::Step;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn endpoint() -> Endpoint {
        let (url, secret) = ("https://example.com/hook".to_owned(), Secret::new("whsec_c2VjcmV0".to_owned()));
        Endpoint::new(EndpointId::new(NOW, 1), url, secret, AnnouncementId::START, NOW)
    }

    fn id(major: u64) -> AnnouncementId {
        AnnouncementId { major, minor: 0 }
    }

    fn at(seconds: i64) -> Timestamp {
        later(NOW, SignedDuration::from_secs(seconds))
    }

    #[test]
    fn what_is_not_taken_is_tried_at_its_times_then_given_up_and_the_next_follows() {
        let waits = [5, 30, 120].map(SignedDuration::from_secs);
        let failed = || Delivery::Failed("500".to_owned());
        let mut endpoint = endpoint();
        let mut times = vec![0];
        let mut now = NOW;
        while endpoint.given_up == 0 {
            endpoint.lease_to("me", at(1_000));
            endpoint = endpoint.after(id(1), failed(), &waits, now);
            assert_eq!(endpoint.lease, None, "others may make the next try");
            if let Some(next) = endpoint.ready_at() {
                times.push(next.as_second());
                now = next;
            }
        }
        assert_eq!(times, [0, 5, 30, 120]);
        assert_eq!((endpoint.position, endpoint.trying.as_ref(), endpoint.given_up), (id(1), None, 1));
        let endpoint = endpoint.after(id(2), Delivery::Taken, &waits, now);
        assert_eq!((endpoint.position, endpoint.delivered, endpoint.given_up), (id(2), 1, 1));
    }

    #[test]
    fn tries_that_were_missed_are_not_made_up_for_all_at_once() {
        let waits = [5, 30, 120].map(SignedDuration::from_secs);
        let failed = || Delivery::Failed("500".to_owned());
        let endpoint = endpoint().after(id(1), failed(), &waits, NOW);
        // Everything was down for an hour: the second try is late, and so is the third.
        let endpoint = endpoint.after(id(1), failed(), &waits, at(3_600));
        assert_eq!(endpoint.ready_at(), Some(at(3_625)));
    }

    #[test]
    fn an_endpoint_that_is_gone_is_told_nothing_more() {
        let endpoint = endpoint().after(id(1), Delivery::Gone, &[], at(3));
        assert_eq!((endpoint.disabled_at, endpoint.position), (Some(at(3)), AnnouncementId::START));
    }

    #[test]
    fn a_lease_keeps_the_others_away_for_its_time() {
        let mut endpoint = endpoint();
        endpoint.lease_to("me", at(30));
        assert_eq!(endpoint.taken_until("me", at(1)), None);
        assert_eq!(endpoint.taken_until("you", at(1)), Some(at(30)));
        assert_eq!(endpoint.taken_until("you", at(30)), None);
    }

    #[test]
    fn an_endpoint_wants_what_it_asked_for() {
        let gym = serde_json::from_value(json!({"phone": "+12125550101", "name": "Iron Temple"})).unwrap();
        let single = CallJob::new(JobId::new(NOW, 3), None, gym, NOW, NOW);
        let Step::Moved(skipped, _) = single.step(&Event::Suppressed, &Rules::default(), NOW) else { panic!() };
        let told = Announcement::of_job(&single, &skipped, NOW).remove(0);
        let of = |events: &[Kind], campaign| Endpoint { events: events.to_vec(), campaign, ..endpoint() };
        assert!(of(&[], None).wants(&told));
        assert!(of(&[Kind::JobFailed, Kind::JobSkipped], None).wants(&told));
        assert!(!of(&[Kind::JobFailed], None).wants(&told));
        assert!(!of(&[], Some(CampaignId::new(NOW, 4))).wants(&told), "a single call is of no campaign");
    }

    #[test]
    fn a_secret_is_not_printed() {
        assert!(!format!("{:?}", endpoint()).contains("c2VjcmV0"));
    }
}
