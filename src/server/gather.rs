//! A call that Twilio speaks and hears itself: it says a line, listens, and asks here what comes next.
//!
//! No server remembers a call. The turns are on record, numbered, and the conversation follows from them: it is held
//! again, from the first turn to the present one, for every request. So any server may get the next one, one that comes
//! twice gets the same reply, and an old one moves nothing. What a turn comes to is stored with it in one transaction,
//! before Twilio is answered.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use gymcall_jobs::attempt::Attempt;
use gymcall_jobs::campaign::Campaign;
use gymcall_jobs::event::Event;
use gymcall_jobs::failpoint;
use gymcall_jobs::job::{CallJob, Phase};
use gymcall_jobs::ledger::{News, Told};
use gymcall_jobs::store::StoreError;
use gymcall_jobs::turn::SpokenTurn;
use jiff::SignedDuration;

use super::Server;
use super::error::Problem;
use super::minutes::{self, Call};
use super::webhooks::{may_talk, verified, xml};
use crate::config::Speech;
use crate::twilio::callback::{CallbackUrls, GATHER_PATH, SpeechNews, turn_of};
use crate::twilio::twiml::{self, Ask, TwimlError};
use crate::voice::brief::Brief;
use crate::voice::conversation::AgentEvent;
use crate::voice::dialogue::is_do_not_call;
use crate::voice::dialogue::scripted::Scripted;
use crate::voice::hints::hints;
use crate::voice::language::Voice;
use crate::voice::pause::pause_s;
use crate::voice::spoken::{OnMachine, Reply, Spoken, Then, is_damaged};

/// What is left of a call's time for the goodbye.
const GOODBYE: SignedDuration = SignedDuration::from_secs(10);
/// How long a machine's beep takes to come after its last word, mostly; in seconds.
const BEFORE_MESSAGE_S: u32 = 2;
/// How long a call waits for a message that Twilio is being told to say, in seconds.
const AWAITS_MESSAGE_S: u32 = 10;
/// A turn is told again if another server was faster, which can happen once for each turn.
const MOST_TRIES: usize = 4;

/// The first line, for a call that was picked up.
pub(super) async fn begin(server: &Server, call: &Call, voice: &Voice) -> Result<Response, Problem> {
    let job = match server.ledger.store().job(&call.job).await? {
        Some(stored) => stored.record,
        None => return Ok(hang_up()),
    };
    let script = Script::of(server, &job).await?;
    let (spoken, reply) = script.begin();
    let begun = Event::SpeechBegun { tag: call.tag.clone(), call: call.sid.clone(), line_ms: reply.line_ms() };
    if let Told::Moved(_) = server.ledger.tell_together(&call.job, begun, &news(server, call, &reply)).await? {
        reply.events.iter().for_each(|event| minutes::log(call, event));
    }
    failpoint!("S4");
    document(server, call, &voice.for_job(&job), &spoken, &reply, 0)
}

/// Takes what Twilio heard in a turn, and tells it what to say next.
#[utoipa::path(
    post, path = GATHER_PATH, responses((status = 200, description = "TwiML", body = String, content_type = "text/xml"))
)]
pub(super) async fn heard(
    State(server): State<Arc<Server>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let turn = turn_of(uri.query().unwrap_or_default());
    let (Some((query, said)), Some(turn)) = (verified(&server, &uri, &headers, &body, SpeechNews::from_form)?, turn)
    else {
        return Ok(hang_up());
    };
    let call = Call { job: query.job, tag: query.tag, sid: said.call.clone() };
    let Some(mut job) = record(&server, &call).await? else { return Ok(hang_up()) };
    for _ in 0..MOST_TRIES {
        let Some(attempt) = attempt_of(&job, &call) else { return Ok(hang_up()) };
        if turn < attempt.turns.len() {
            // It came before: the same reply, whatever it says this time.
            let turns = &attempt.turns[..=turn];
            return say_again(&server, &call, &job, turns).await;
        }
        let over = is_over(&job, &call);
        if !over && !may_talk(&job, &call.tag, &call.sid) {
            return too_late(&server, &call, &job, turn, &said).await;
        }
        if turn > attempt.turns.len() {
            if over {
                return too_late(&server, &call, &job, turn, &said).await;
            }
            tracing::warn!(job_id = %call.job, turn, "job {}: turn {turn} comes before an earlier one", call.job);
            return say_again(&server, &call, &job, &attempt.turns).await;
        }
        let script = Script::of(&server, &job).await?;
        let (mut spoken, _) = script.replay(&attempt.turns);
        let heard = turn_now(&server, &job, attempt, &said);
        let mut reply = spoken.hear(&heard);
        if over {
            // Nobody is there to hear the line.
            reply.events.retain(|event| !matches!(event, AgentEvent::Said(_)));
        }
        let event = event_of(&call, turn, heard, reply.line_ms());
        match server.ledger.tell_together(&call.job, event, &news(&server, &call, &reply)).await? {
            Told::Moved(_) => {
                reply.events.iter().for_each(|event| minutes::log(&call, event));
                failpoint!("S4");
                return document(&server, &call, &script.voice, &spoken, &reply, turn + 1);
            }
            Told::Ignored(_, now) => job = CallJob::clone(&now),
            Told::NoSuchJob => return Ok(hang_up()),
        }
    }
    Err(StoreError::Conflict.into())
}

/// The job's record, with its dial put on it again if the store has forgotten it.
async fn record(server: &Server, call: &Call) -> Result<Option<CallJob>, Problem> {
    let store = server.ledger.store();
    let Some(stored) = store.job(&call.job).await? else { return Ok(None) };
    if !stored.record.has_forgotten(&call.tag) {
        return Ok(Some(stored.record));
    }
    let news = Event::VoiceRequested { tag: call.tag.clone(), call: call.sid.clone() };
    server.ledger.remind(&call.job, &call.tag, news).await?;
    Ok(store.job(&call.job).await?.map(|stored| stored.record))
}

/// Whether the call is known to be over and this may be what was said last in it: Twilio tells both apart. An answer
/// in it is one all the same.
fn is_over(job: &CallJob, call: &Call) -> bool {
    let open = job.open_attempt().is_some_and(|open| open.tag == call.tag && open.call.as_ref() == Some(&call.sid));
    open && job.phase().awaits_last_words() && !job.cancel_requested()
}

fn attempt_of<'a>(job: &'a CallJob, call: &Call) -> Option<&'a Attempt> {
    job.attempts().iter().rev().find(|attempt| attempt.tag == call.tag && attempt.call.as_ref() == Some(&call.sid))
}

/// What was heard, on the clock that began with the pick-up: after the turn before, and before now.
fn turn_now(server: &Server, job: &CallJob, attempt: &Attempt, said: &SpeechNews) -> SpokenTurn {
    let since = match job.phase() {
        Phase::Talking { since, .. } => Some(*since),
        _ => attempt.started_at,
    };
    let now = server.ledger.now();
    let from_ms = attempt.turns.last().map_or(0, |before| before.to_ms);
    let to_ms = since.and_then(|since| u64::try_from(now.duration_since(since).as_millis()).ok()).unwrap_or_default();
    SpokenTurn {
        text: said.text.clone(),
        confidence: said.confidence,
        damaged: is_damaged(said.confidence),
        from_ms,
        to_ms: to_ms.max(from_ms),
    }
}

fn event_of(call: &Call, turn: usize, heard: SpokenTurn, line_ms: u64) -> Event {
    Event::TurnHeard { tag: call.tag.clone(), call: call.sid.clone(), turn, heard, line_ms }
}

/// What a reply writes down.
fn news(server: &Server, call: &Call, reply: &Reply) -> Vec<News> {
    let now = server.ledger.now();
    reply.events.iter().map(|event| minutes::news_of(call, event, now)).collect()
}

/// The reply to the last of these turns, which was stored when it was first given.
async fn say_again(server: &Server, call: &Call, job: &CallJob, turns: &[SpokenTurn]) -> Result<Response, Problem> {
    if job.cancel_requested() {
        return Ok(hang_up());
    }
    let script = Script::of(server, job).await?;
    let (spoken, reply) = script.replay(turns);
    document(server, call, &script.voice, &spoken, &reply, turns.len())
}

/// A turn of a call that is over for us. It is kept in the history, and a wish in it is granted.
async fn too_late(
    server: &Server,
    call: &Call,
    job: &CallJob,
    turn: usize,
    said: &SpeechNews,
) -> Result<Response, Problem> {
    if !said.text.is_empty() {
        let heard = SpokenTurn { text: said.text.clone(), confidence: said.confidence, ..SpokenTurn::default() };
        server.ledger.tell(&call.job, event_of(call, turn, heard, 0)).await?;
        if is_do_not_call(&said.text) {
            let (tag, sid, quote) = (call.tag.clone(), call.sid.clone(), said.text.clone());
            server.ledger.tell(&call.job, Event::DoNotCallHeard { tag, call: sid, quote }).await?;
        }
    }
    let takes_message = attempt_of(job, call).is_some_and(|attempt| attempt.message) && !job.cancel_requested();
    if takes_message && matches!(job.phase(), Phase::Closing { .. }) {
        // Twilio is being told to say it, and ending the call now would cut it off.
        return twiml::say_and_hang_up(AWAITS_MESSAGE_S, None, None, None).map(xml).map_err(no_twiml);
    }
    Ok(hang_up())
}

/// What the conversation of a job is made of.
struct Script {
    brief: Brief,
    machine: OnMachine,
    max_duration_ms: u64,
    voice: Voice,
}

impl Script {
    async fn of(server: &Server, job: &CallJob) -> Result<Self, StoreError> {
        let (brief, campaign) = minutes::brief_of(server, job).await?;
        let time_limit = server.ledger.rules().time_limit;
        let talk = (time_limit - GOODBYE).max(GOODBYE);
        let voice = match &server.speech {
            Speech::Twilio(voice) => voice.for_job(job),
            // The settings were changed in the middle of the call, which goes on as it began.
            Speech::Tones => Voice::default(),
        };
        Ok(Self {
            machine: on_machine(&brief, campaign.as_ref(), server.machine_detection),
            brief,
            max_duration_ms: u64::try_from(talk.as_millis()).unwrap_or(u64::MAX),
            voice,
        })
    }

    fn begin(&self) -> (Spoken<Scripted>, Reply) {
        Spoken::begin(Scripted::new(self.brief.clone()), self.machine.clone(), self.max_duration_ms)
    }

    /// The conversation after these turns, and the reply to the last of them.
    fn replay(&self, turns: &[SpokenTurn]) -> (Spoken<Scripted>, Reply) {
        let begun = self.begin();
        turns.iter().fold(begun, |(mut spoken, _), turn| {
            let reply = spoken.hear(turn);
            (spoken, reply)
        })
    }
}

fn on_machine(brief: &Brief, campaign: Option<&Campaign>, detection: bool) -> OnMachine {
    match campaign.and_then(|campaign| campaign.policy.message()) {
        None => OnMachine::HangUp,
        Some(_) if detection => OnMachine::AwaitBeep,
        Some(message) => OnMachine::Say(brief.fill(message)),
    }
}

/// The reply as Twilio takes it. `next` is the turn that is listened for.
fn document(
    server: &Server,
    call: &Call,
    voice: &Voice,
    spoken: &Spoken<Scripted>,
    reply: &Reply,
    next: usize,
) -> Result<Response, Problem> {
    let line = reply.line.as_deref();
    let (name, said_in) = (voice.name.as_deref(), voice.said_in());
    let document = match reply.then {
        Then::Listen => {
            let hints = spoken.asking().map(hints).unwrap_or_default();
            let action = CallbackUrls::new(&server.base, &call.job, &call.tag).gather(next);
            let (language, pause_s) = (voice.hears.as_str(), pause_s(spoken.asking()));
            twiml::ask(&Ask { action: &action, line, voice: name, said_in, language, pause_s, hints: &hints })
        }
        Then::HangUp => twiml::say_and_hang_up(0, line, name, said_in),
        Then::Wait { seconds } => twiml::say_and_hang_up(seconds, line, name, said_in),
        Then::Message => twiml::leave_message(BEFORE_MESSAGE_S, line.unwrap_or_default(), name, said_in),
    };
    document.map(xml).map_err(no_twiml)
}

fn hang_up() -> Response {
    xml(twiml::hang_up().to_owned())
}

fn no_twiml(error: TwimlError) -> Problem {
    tracing::error!(%error, "no TwiML: {error}");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "no TwiML")
}
