//! The socket that carries a call's sound: Twilio on one side, the conversation on the other.
//!
//! This file owns the I/O and decides nothing; [`crate::voice::conversation`] decides and does no
//! I/O. What the conversation has to say for the record goes to a [`scribe::Scribe`] of its own, in
//! order, so that a slow disk never makes the agent stutter.

mod pump;
mod scribe;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use gymcall_jobs::id::Tag;

use super::{Server, webhooks};
use crate::twilio::callback::STREAM_PATH;

/// The largest message that is taken, in bytes; Twilio's are about 400.
const MAX_MESSAGE: usize = 64 * 1024;

/// Attempts whose sound is on a socket here. The record has one stream for an attempt, whichever server it reached;
/// this also turns away a second socket that gives itself the name of the first.
#[derive(Debug, Clone, Default)]
pub(super) struct OpenStreams(Arc<Mutex<HashSet<String>>>);

/// An attempt's place among the open streams, given back when dropped.
#[derive(Debug)]
struct OpenStream {
    tag: String,
    streams: OpenStreams,
}

impl OpenStreams {
    /// The attempt's place, if no other socket has it.
    fn open(&self, tag: &Tag) -> Option<OpenStream> {
        let tag = tag.as_str().to_owned();
        let free = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(tag.clone());
        free.then(|| OpenStream { tag, streams: self.clone() })
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.streams.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.tag);
    }
}

/// Opens the WebSocket that carries a call's sound.
#[utoipa::path(get, path = STREAM_PATH, responses((status = 101, description = "It is a WebSocket from here on")))]
pub(super) async fn open(
    State(server): State<Arc<Server>>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let url = server.base.opened(uri.path(), uri.query());
    // Before the upgrade: a refusal here is an HTTP answer that Twilio reports as 31920.
    let signed =
        webhooks::check_signature(&server.signatures, &headers, |verifier, proof| verifier.verify_upgrade(&url, proof));
    if let Err(problem) = signed {
        return problem.into_response();
    }
    let upgrade = upgrade.max_message_size(MAX_MESSAGE).max_frame_size(MAX_MESSAGE).read_buffer_size(8 * 1024);
    upgrade.on_upgrade(move |socket| {
        let unfinished = server.unfinished.clone();
        unfinished.track_future(pump::run(server, socket))
    })
}
