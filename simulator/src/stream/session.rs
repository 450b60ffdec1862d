//! One open stream: the callee's sound goes out every 20 ms whatever the app does, and what the app
//! sends waits in the line's playback.

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{Sink, SinkExt as _, StreamExt as _};
use serde_json::{Map, Value, json};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use super::Trouble;
use super::message::{self, FromApp};
use crate::call::Call;
use crate::exchange::Exchange;
use crate::line::{Line, Tick};
use crate::mulaw::{FRAME, SILENCE};
use crate::twiml;

/// How long a closing app may take to answer the close.
const CLOSING: Duration = Duration::from_secs(1);

/// How a stream ended.
pub(super) enum End {
    /// The call ended or went elsewhere.
    Stopped,
    ClosedByApp,
    Broken(Trouble),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Stopped => f.write_str("stopped"),
            End::ClosedByApp => f.write_str("closed by the app"),
            End::Broken(trouble) => write!(f, "broken: {}", trouble.message),
        }
    }
}

pub(super) struct Session<'a> {
    exchange: &'a Exchange,
    call: &'a Call,
    line: &'a Line,
    noun: &'a twiml::Stream,
    stream_sid: &'a str,
    sequence: u64,
    chunk: u64,
    /// Codes already noted: Twilio reports each kind of mistake once per stream.
    noted: HashSet<u32>,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        exchange: &'a Exchange,
        call: &'a Call,
        line: &'a Line,
        noun: &'a twiml::Stream,
        stream_sid: &'a str,
    ) -> Session<'a> {
        Session { exchange, call, line, noun, stream_sid, sequence: 0, chunk: 0, noted: HashSet::new() }
    }

    pub(super) async fn run(mut self, socket: WebSocketStream<TcpStream>, stopped: oneshot::Receiver<()>) -> End {
        let end = self.pump(socket, stopped).await;
        if self.line.detach() {
            self.note(31930, "the app reads too slowly: audio was lost");
        }
        end
    }

    async fn pump(&mut self, socket: WebSocketStream<TcpStream>, mut stopped: oneshot::Receiver<()>) -> End {
        let (mut to_app, mut from_app) = socket.split();
        let mut ticks = self.line.attach();
        let began = Instant::now();
        let hello = [json!({"event": "connected", "protocol": "Call", "version": "1.0.0"}), self.start()];
        for message in hello {
            if let Err(end) = send(&mut to_app, message).await {
                return end;
            }
        }
        loop {
            let outgoing = tokio::select! {
                biased;
                _ = &mut stopped => break,
                message = from_app.next() => match self.take(message) {
                    Ok(outgoing) => outgoing,
                    Err(end) => return end,
                },
                Some(tick) = ticks.recv() => {
                    if tick.drop {
                        // Both halves go without a word: the app sees a connection that died.
                        return End::Broken(Trouble {
                            code: 31903,
                            message: "the connection died".to_owned(),
                        });
                    }
                    self.tick(tick, began.elapsed())
                }
            };
            for message in outgoing {
                // An app that reads nothing fills the socket; the call must be able to end all the same.
                tokio::select! {
                    biased;
                    _ = &mut stopped => return End::Stopped,
                    sent = send(&mut to_app, message) => if let Err(end) = sent {
                        return end;
                    },
                }
            }
        }
        let stop = self.stop();
        let goodbye = async {
            let _ = send(&mut to_app, stop).await;
            let normal = CloseFrame { code: CloseCode::Normal, reason: "".into() };
            let _ = to_app.send(Message::Close(Some(normal))).await;
            while let Some(Ok(_)) = from_app.next().await {}
        };
        // An app that does not answer must not keep the call from ending.
        let _ = timeout(CLOSING, goodbye).await;
        End::Stopped
    }

    /// Takes a message of the app's; gives what must be said in return.
    fn take(&mut self, message: Option<Result<Message, WsError>>) -> Result<Vec<Value>, End> {
        let broken = |code, message: String| Err(End::Broken(Trouble { code, message }));
        let text = match message {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Binary(_))) => {
                self.note(31950, "binary message");
                return Ok(Vec::new());
            }
            Some(Ok(Message::Close(frame))) => {
                return match frame {
                    Some(frame) if frame.code != CloseCode::Normal && frame.code != CloseCode::Away => {
                        broken(31921, format!("closed with code {}", frame.code))
                    }
                    _ => Err(End::ClosedByApp),
                };
            }
            Some(Ok(_)) => return Ok(Vec::new()),
            Some(Err(error)) => return broken(31924, error.to_string()),
            None => return broken(31903, "the connection ended".to_owned()),
        };
        match message::read(&text, self.stream_sid) {
            Ok(FromApp::Media(audio)) => {
                if !self.line.with_playback(|playback| playback.audio(&audio)) {
                    self.note(31931, "more than ten minutes of audio: the rest was lost");
                }
                Ok(Vec::new())
            }
            Ok(FromApp::Mark(name)) => {
                let done = self.line.with_playback(|playback| playback.mark(name));
                Ok(done.into_iter().map(|name| self.mark(&name)).collect())
            }
            Ok(FromApp::Clear) => {
                let marks = self.line.with_playback(|playback| playback.clear());
                Ok(marks.iter().map(|name| self.mark(name)).collect())
            }
            Err(trouble) => {
                self.note(trouble.code, &trouble.message);
                Ok(Vec::new())
            }
        }
    }

    fn tick(&mut self, tick: Tick, since_start: Duration) -> Vec<Value> {
        let mut messages: Vec<Value> = tick.marks.iter().map(|name| self.mark(name)).collect();
        self.chunk += 1;
        let frame = tick.spoken.unwrap_or([SILENCE; FRAME]);
        let media = json!({
            "track": "inbound",
            "chunk": self.chunk.to_string(),
            "timestamp": since_start.as_millis().to_string(),
            "payload": STANDARD.encode(frame),
        });
        messages.push(self.message("media", "media", media));
        messages
    }

    fn start(&mut self) -> Value {
        let parameters: Map<String, Value> =
            self.noun.parameters.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
        let start = json!({
            "accountSid": self.exchange.settings.account_sid,
            "streamSid": self.stream_sid,
            "callSid": self.call.sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": parameters,
        });
        self.message("start", "start", start)
    }

    fn stop(&mut self) -> Value {
        let stop = json!({
            "accountSid": self.exchange.settings.account_sid,
            "callSid": self.call.sid,
        });
        self.message("stop", "stop", stop)
    }

    fn mark(&mut self, name: &str) -> Value {
        self.message("mark", "mark", json!({"name": name}))
    }

    fn message(&mut self, event: &str, key: &str, body: Value) -> Value {
        self.sequence += 1;
        let mut message = json!({
            "event": event,
            "sequenceNumber": self.sequence.to_string(),
            "streamSid": self.stream_sid,
        });
        message[key] = body;
        message
    }

    fn note(&mut self, code: u32, message: &str) {
        if self.noted.insert(code) {
            self.exchange.warn(Some(&self.call.sid), code, message);
        }
    }
}

async fn send(to_app: &mut (impl Sink<Message, Error = WsError> + Unpin), message: Value) -> Result<(), End> {
    to_app
        .send(Message::text(message.to_string()))
        .await
        .map_err(|error| End::Broken(Trouble { code: 31903, message: error.to_string() }))
}
