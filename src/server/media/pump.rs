//! Moves frames between one socket and one conversation.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use gymcall_jobs::event::Event;
use gymcall_jobs::id::{JobId, Tag};
use gymcall_jobs::ledger::Told;
use gymcall_jobs::store::StoreError;
use tokio::time::{Instant, timeout, timeout_at};

use super::scribe::Scribe;
use super::{OpenStream, webhooks};
use crate::server::Server;
use crate::server::minutes::{self, Call};
use crate::twilio::stream::{FromTwilio, MediaFormat, Start, StreamError, StreamSid, ToTwilio};
use crate::voice::brief::{Brief, Limits};
use crate::voice::conversation::{Conversation, Output};
use crate::voice::dialogue::scripted::Scripted;
use crate::voice::speech::tones::Tones;

/// How long a socket may take to say whose it is.
const START_WITHIN: Duration = Duration::from_secs(5);
/// How long no sound may come. Twilio sends a frame every 20 ms, also of silence.
const SILENCE_LIMIT: Duration = Duration::from_secs(10);
/// How long a socket may take no message.
const SEND_WITHIN: Duration = Duration::from_secs(10);
/// What is left of a call's time for the goodbye.
const GOODBYE: Duration = Duration::from_secs(10);
/// How long after a call's time limit its socket may live, whatever comes over it.
const GRACE: Duration = Duration::from_secs(60);
/// Sound may come this much faster than real time, on average, before the socket is closed.
const MOST_SPEED: u32 = 4;
/// Sound that may come at once at any speed, in ms: what a network hiccup can hold back.
const BURST_MS: u128 = 10_000;

/// Why a stream was not served.
#[derive(Debug, thiserror::Error)]
enum StreamRefused {
    #[error("no start within {} s", START_WITHIN.as_secs())]
    NoStart,
    #[error("its start carries no job and tag of ours")]
    NoTag,
    #[error("job {job}: its sound is {format}, and only audio/x-mulaw at 8000 Hz on one channel can be heard")]
    Format { job: JobId, format: MediaFormat },
    #[error("it is not the open attempt of job {0}")]
    NotOpen(JobId),
    #[error("its attempt has a socket already")]
    SecondSocket,
    #[error(transparent)]
    Message(#[from] StreamError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Serves one socket to its end.
pub(super) async fn run(server: Arc<Server>, mut socket: WebSocket) {
    match admit(&server, &mut socket).await {
        Ok(admitted) => converse(&server, socket, admitted).await,
        Err(why) => {
            tracing::warn!(%why, "a stream is closed: {why}");
            let reason = Some(CloseFrame { code: close_code::POLICY, reason: "not a stream of ours".into() });
            let _ = socket.send(Message::Close(reason)).await;
        }
    }
}

/// A stream that belongs to an open attempt.
struct Admitted {
    stream: StreamSid,
    call: Call,
    brief: Brief,
    /// Held as long as the socket lives.
    _place: OpenStream,
}

async fn admit(server: &Server, socket: &mut WebSocket) -> Result<Admitted, StreamRefused> {
    let Start { stream_sid, call_sid, custom_parameters, media_format } =
        timeout(START_WITHIN, start_of(socket)).await.map_err(|_| StreamRefused::NoStart)??;
    let parameter = |name: &str| custom_parameters.get(name).ok_or(StreamRefused::NoTag);
    let job: JobId = parameter("job")?.parse().map_err(|_| StreamRefused::NoTag)?;
    let tag: Tag = parameter("tag")?.parse().map_err(|_| StreamRefused::NoTag)?;
    // Other sound would be noise to the agent, which would then put questions into nothing.
    if !media_format.is_telephone() {
        return Err(StreamRefused::Format { job, format: media_format });
    }
    let place = server.streams.open(&tag).ok_or(StreamRefused::SecondSocket)?;
    let stream = stream_sid.as_str().to_owned();
    let opened = Event::StreamOpened { tag: tag.clone(), call: call_sid.clone(), stream };
    let record = match server.ledger.tell(&job, opened).await? {
        Told::Moved(record) | Told::Ignored(_, record) => record,
        Told::NoSuchJob => return Err(StreamRefused::NoTag),
    };
    if !webhooks::may_talk(&record, &tag, &call_sid) {
        return Err(StreamRefused::NotOpen(job));
    }
    // Not what came of telling: a store may have taken the news although its answer was lost.
    if record.open_attempt().and_then(|attempt| attempt.stream.as_deref()) != Some(stream_sid.as_str()) {
        return Err(StreamRefused::SecondSocket);
    }
    let brief = minutes::brief_of(server, &record).await?.0;
    tracing::info!(job_id = %job, call_sid = %call_sid, "job {job}: the sound of call {call_sid} is here");
    Ok(Admitted { stream: stream_sid, call: Call { job, tag, sid: call_sid }, brief, _place: place })
}

async fn start_of(socket: &mut WebSocket) -> Result<Start, StreamRefused> {
    while let Some(Ok(message)) = socket.recv().await {
        if let Message::Text(text) = message {
            match FromTwilio::parse(&text)? {
                FromTwilio::Connected => {}
                FromTwilio::Start(start) => return Ok(start),
                _ => break,
            }
        }
    }
    Err(StreamRefused::NoStart)
}

async fn converse(server: &Server, socket: WebSocket, admitted: Admitted) {
    gymcall_jobs::failpoint!("S5");
    let Admitted { stream, call, brief, _place } = admitted;
    let time_limit = Duration::try_from(server.ledger.rules().time_limit).unwrap_or_default();
    // Goodbye comes before Twilio's own limit cuts the call off.
    let talk_ms = u64::try_from(time_limit.saturating_sub(GOODBYE).max(GOODBYE).as_millis()).unwrap_or(u64::MAX);
    let limits = Limits { max_duration_ms: talk_ms, ..Limits::default() };
    let mut conversation = Conversation::new(Box::new(Scripted::new(brief)), Box::new(Tones::new()), limits);
    let scribe = Scribe::start(server.ledger.clone(), call);
    let mut line = Line { socket, stream, over: false, broken: false };
    line.carry_out(&scribe, conversation.begin()).await;
    let mut meter = Meter::new();
    let (mut sound_by, end_by) = (Instant::now() + SILENCE_LIMIT, Instant::now() + time_limit + GRACE);
    while !line.over {
        let outputs = match line.next(sound_by.min(end_by)).await {
            Some(FromTwilio::Media { payload }) if meter.takes(payload.len()) => {
                sound_by = Instant::now() + SILENCE_LIMIT;
                conversation.hear(&payload)
            }
            Some(FromTwilio::Mark { name }) => conversation.mark(&name),
            Some(FromTwilio::Stop) => {
                line.over = true;
                conversation.hung_up()
            }
            Some(FromTwilio::Connected | FromTwilio::Start(_) | FromTwilio::Dtmf | FromTwilio::Unknown) => {
                vec![]
            }
            // Gone, silent for too long, or faster than a telephone can be.
            Some(FromTwilio::Media { .. }) | None => {
                line.over = true;
                conversation.lost()
            }
        };
        line.carry_out(&scribe, outputs).await;
        if line.broken && !line.over {
            line.over = true;
            line.carry_out(&scribe, conversation.lost()).await;
        }
    }
    // What was heard is durable before the socket closes: Twilio's hang-up follows from that.
    scribe.finish().await;
    line.send(Message::Close(Some(CloseFrame { code: close_code::NORMAL, reason: "".into() }))).await;
}

/// The socket of an admitted stream.
struct Line {
    socket: WebSocket,
    stream: StreamSid,
    /// The conversation needs it no more.
    over: bool,
    /// It takes nothing more.
    broken: bool,
}

impl Line {
    /// What Twilio says next; none if it says nothing that counts until `by`, or is gone.
    async fn next(&mut self, by: Instant) -> Option<FromTwilio> {
        loop {
            match timeout_at(by, self.socket.recv()).await.ok()?? {
                Ok(Message::Text(text)) => match FromTwilio::parse(&text) {
                    Ok(message) => return Some(message),
                    Err(error) => tracing::warn!(%error, "a message on a stream is left out: {error}"),
                },
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_)) => {}
                Ok(Message::Close(_)) | Err(_) => return None,
            }
        }
    }

    async fn carry_out(&mut self, scribe: &Scribe, outputs: Vec<Output>) {
        for output in outputs {
            let text = match output {
                Output::Play(payload) => ToTwilio::Media { payload: &payload }.to_text(&self.stream),
                Output::Mark(name) => ToTwilio::Mark { name: &name }.to_text(&self.stream),
                Output::Clear => ToTwilio::Clear.to_text(&self.stream),
                Output::Event(event) => {
                    scribe.write(event);
                    continue;
                }
                Output::HangUp => {
                    self.over = true;
                    continue;
                }
            };
            self.send(Message::Text(text.into())).await;
        }
    }

    /// A peer that reads nothing would otherwise hold up everything that was heard.
    async fn send(&mut self, message: Message) {
        if !self.broken {
            let sent = timeout(SEND_WITHIN, self.socket.send(message)).await;
            self.broken = !matches!(sent, Ok(Ok(())));
        }
    }
}

/// Counts sound against the clock.
struct Meter {
    since: Instant,
    heard_ms: u128,
}

impl Meter {
    fn new() -> Self {
        Self { since: Instant::now(), heard_ms: 0 }
    }

    /// Whether this much more sound, in bytes, is still possible for a telephone.
    fn takes(&mut self, bytes: usize) -> bool {
        self.heard_ms += bytes as u128 / 8;
        self.heard_ms <= self.since.elapsed().as_millis() * u128::from(MOST_SPEED) + BURST_MS
    }
}
