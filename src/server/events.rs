//! What happens, as it happens: a stream of server-sent events that is taken up again where it broke off.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, StreamExt};
use gymcall_jobs::announcement::{Announced, AnnouncementId, Announcements, Follower, Pace};
use gymcall_jobs::id::CampaignId;
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::IntoParams;

use super::Server;
use super::error::Problem;
use super::query::Query;
use crate::notify::message::Message;

/// How many may watch one server at a time.
pub(super) const WATCHERS: usize = 256;
/// How many events are read ahead for a reader: all that a slow one costs.
const PAGE: u32 = 100;
/// After how long without an event a comment is sent, so that nobody on the way takes the connection for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// After how long a reader whose connection broke comes back.
const RETRY: Duration = Duration::from_secs(2);
/// After how many seconds one who finds no place may ask again.
const COME_BACK_AFTER: u64 = 10;

/// From where on, and of what.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct EventsQuery {
    /// Only what happened after the event with this id; `Last-Event-ID` goes before it. Without both, what happens from now on.
    after: Option<String>,
    /// Only of this campaign.
    campaign: Option<String>,
}

/// A reader on its way through the list.
struct Watcher {
    follower: Follower,
    campaign: Option<CampaignId>,
    /// Another may watch when this one is gone.
    _place: OwnedSemaphorePermit,
}

/// Follows what happens: server-sent events, each with its id.
#[utoipa::path(
    get, path = "/v1/events", params(EventsQuery),
    responses((status = 200, description = "Events for as long as somebody reads", body = String, content_type = "text/event-stream"))
)]
pub(super) async fn follow(
    State(server): State<Arc<Server>>,
    Query(query): Query<EventsQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let store = server.ledger.store();
    let campaign = match query.campaign {
        None => None,
        Some(text) => {
            let id: CampaignId = text.parse().map_err(|_| Problem::missing("campaign"))?;
            store.campaign(&id).await?.ok_or_else(|| Problem::missing("campaign"))?;
            Some(id)
        }
    };
    // A browser that comes back names its last event beside the query that it began with.
    let asked = match headers.get("last-event-id").filter(|id| !id.is_empty()) {
        Some(id) => Some(read_id(id.to_str().unwrap_or_default())?),
        None => query.after.as_deref().map(read_id).transpose()?,
    };
    let after = match asked {
        Some(after) => after,
        None => store.last_announcement().await?,
    };
    let place = Arc::clone(&server.watchers).try_acquire_owned().map_err(|_| {
        let detail = format!("{WATCHERS} readers are watching this server already: try again later");
        Problem::busy(StatusCode::SERVICE_UNAVAILABLE, COME_BACK_AFTER, detail)
    })?;
    let follower = Follower::new(Arc::clone(store), after, Pace::default());
    let stop = server.closing.clone().cancelled_owned();
    let watcher = Watcher { follower, campaign, _place: place };
    // Its id lets a reader that has not heard of anything yet come back to this place.
    let hello = Event::default().retry(RETRY).id(after.to_string());
    let events = stream::unfold(watcher, Watcher::next).flat_map(stream::iter);
    let events = stream::iter([hello]).chain(events).take_until(stop).map(Ok::<_, Infallible>);
    let events = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    // Some proxies would gather events before they hand them on.
    Ok(([("x-accel-buffering", "no")], events).into_response())
}

fn read_id(text: &str) -> Result<AnnouncementId, Problem> {
    text.parse().map_err(|error| Problem::field("/after", "invalid", format!("{error}")))
}

impl Watcher {
    /// The next events; none once the store fails: the reader comes back to where it was.
    async fn next(mut self) -> Option<(Vec<Event>, Self)> {
        match self.follower.next(PAGE).await {
            Ok(found) => {
                let events = self.show(&found);
                Some((events, self))
            }
            Err(error) => {
                tracing::warn!(%error, "a stream of events breaks off: {error}");
                None
            }
        }
    }

    fn show(&self, found: &Announcements) -> Vec<Event> {
        let wanted =
            |told: &&Announced| self.campaign.is_none() || self.campaign.as_ref() == told.announcement.campaign();
        let mut events = Vec::new();
        if found.gap {
            let detail = "Events between your last one and the next are not kept any more: look at the records again.";
            let data = serde_json::json!({"type": "gap", "detail": detail}).to_string();
            events.push(Event::default().event("gap").data(data));
        }
        events.extend(found.items.iter().filter(wanted).map(event_of));
        if found.items.last().is_none_or(|last| !wanted(&last)) {
            // No event, only the place: whoever filters must not fall behind what is kept.
            events.push(Event::default().id(self.follower.position().to_string()));
        }
        events
    }
}

fn event_of(announced: &Announced) -> Event {
    let message = Message::of(announced);
    Event::default().event(message.r#type).id(&message.id).data(message.text())
}
