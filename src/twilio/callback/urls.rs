//! The URLs at which Twilio finds us, and whose call one of them is about.

use std::fmt;

use gymcall_jobs::id::{IdError, JobId, Tag};
use url::Url;

use crate::twilio::public_url::PublicBase;

/// Where Twilio asks what to do when the gym picks up.
pub const VOICE_PATH: &str = "/v1/twilio/voice";
/// Where Twilio reports how the call fares.
pub const STATUS_PATH: &str = "/v1/twilio/status";
/// Where Twilio tells what it heard, in calls that it speaks and hears itself.
pub const GATHER_PATH: &str = "/v1/twilio/gather";
/// Where Twilio tells who answered.
pub const AMD_PATH: &str = "/v1/twilio/amd";
/// Where Twilio opens the socket for the sound.
pub const STREAM_PATH: &str = "/v1/twilio/stream";

/// Without it Twilio asks a second time only if it cannot connect, and drops the news
/// when we answer 5xx: up to five times, also after 5xx and timeouts.
const DELIVERY: &str = "rc=5&rp=5xx,ct,rt";

/// The URLs that one request for a call hands to Twilio.
///
/// All but [`stream`](Self::stream) carry the job and the tag in the query, and in the
/// fragment, which Twilio neither sends nor signs, how often to try.
#[derive(Clone, PartialEq, Eq)]
pub struct CallbackUrls {
    /// For `Url`.
    pub voice: Url,
    /// For `StatusCallback`.
    pub status: Url,
    /// For `AsyncAmdStatusCallback`.
    pub amd: Url,
    /// For `<Gather action>`, without the turn: see [`gather`](Self::gather).
    gather: Url,
    /// For `<Stream url>`: Twilio strips the query there, so job and tag ride as `<Parameter>`.
    pub stream: Url,
}

impl CallbackUrls {
    /// The URLs of one attempt at a job.
    pub fn new(base: &PublicBase, job: &JobId, tag: &Tag) -> Self {
        let to = |path| {
            let mut url = base.http_url(path);
            url.query_pairs_mut().append_pair("job", job.as_str()).append_pair("tag", tag.as_str());
            url.set_fragment(Some(DELIVERY));
            url
        };
        Self {
            voice: to(VOICE_PATH),
            status: to(STATUS_PATH),
            amd: to(AMD_PATH),
            gather: to(GATHER_PATH),
            stream: base.ws_url(STREAM_PATH),
        }
    }

    /// For `<Gather action>`: where Twilio tells what it heard in this turn, from 0.
    pub fn gather(&self, turn: usize) -> Url {
        let mut url = self.gather.clone();
        url.query_pairs_mut().append_pair("turn", &turn.to_string());
        url
    }
}

/// The tag is a secret, so the URLs are not for logs.
impl fmt::Debug for CallbackUrls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallbackUrls").finish_non_exhaustive()
    }
}

/// Whose call a callback is about: what [`CallbackUrls`] put into the query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackQuery {
    /// The job.
    pub job: JobId,
    /// The request for a call that was made for it.
    pub tag: Tag,
}

/// A query is not one that we handed out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallbackQueryError {
    /// `job` or `tag` is not there.
    #[error("the callback's query has no {0:?}")]
    Missing(&'static str),
    /// `job` is not the id of a job.
    #[error("the callback's job: {0}")]
    Job(IdError),
    /// `tag` is not a tag. Its text is left out: it may be most of a secret.
    #[error("the callback's tag is not a tag")]
    Tag,
}

/// The turn that a query of [`CallbackUrls::gather`] is about.
pub fn turn_of(raw_query: &str) -> Option<usize> {
    let mut pairs = url::form_urlencoded::parse(raw_query.as_bytes());
    pairs.find_map(|(name, value)| (name == "turn").then_some(value))?.parse().ok()
}

impl CallbackQuery {
    /// Reads the query as it came, without `?`. Other parameters are ignored.
    pub fn parse(raw_query: &str) -> Result<Self, CallbackQueryError> {
        let find = |wanted: &'static str| {
            url::form_urlencoded::parse(raw_query.as_bytes())
                .find_map(|(name, value)| (name == wanted).then_some(value))
                .ok_or(CallbackQueryError::Missing(wanted))
        };
        Ok(Self {
            job: find("job")?.parse().map_err(CallbackQueryError::Job)?,
            tag: find("tag")?.parse().map_err(|_| CallbackQueryError::Tag)?,
        })
    }
}
