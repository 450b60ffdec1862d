//! Recordings: whether Twilio has one of a call, and its sound.

use std::time::Duration;

use gymcall_jobs::id::CallSid;
use serde::Deserialize;

use super::{Client, RequestError, http, remote};

/// The longest call that is made, in two channels, is some 10 MB; a recording may come slower than other answers.
const SOUND_LIMIT: usize = 64 * 1024 * 1024;
const SOUND_WITHIN: Duration = Duration::from_secs(60);

/// A recording of a call, as Twilio's records show it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RemoteRecording {
    /// `RE…`.
    sid: String,
    /// `in-progress paused stopped processing completed absent`.
    status: String,
}

impl RemoteRecording {
    /// Whether its sound can be had.
    pub fn is_ready(&self) -> bool {
        self.status == "completed"
    }

    /// Whether nothing was recorded, and nothing will be.
    pub fn is_absent(&self) -> bool {
        self.status == "absent"
    }
}

#[derive(Deserialize)]
struct WireRecordings {
    recordings: Vec<RemoteRecording>,
}

impl Client {
    /// The recordings of a call, the newest first.
    pub async fn recordings(&self, call: &CallSid) -> Result<Vec<RemoteRecording>, RequestError> {
        let request = self.asking.get(self.url(&["Calls", call.as_str(), "Recordings.json"]));
        let (read, _): (WireRecordings, _) = remote::success(self.ask(request).await?)?;
        Ok(read.recordings)
    }

    /// The sound of a recording that is ready, as a WAV file.
    pub async fn sound(&self, recording: &RemoteRecording) -> Result<Vec<u8>, RequestError> {
        let request = self.asking.get(self.url(&["Recordings", &format!("{}.wav", recording.sid)]));
        let reply = match self.signed_in(request).timeout(SOUND_WITHIN).send().await {
            Ok(response) => http::read_up_to(SOUND_LIMIT, response).await,
            Err(error) => return Err(RequestError::NoReply { why: http::explain(error) }),
        };
        remote::bytes(reply)
    }
}
