//! One open stream, as the task that holds it sees it: it reads what the app sends, and ends. The
//! sound to the app is the [`Sender`]'s, on the clock of the lines.

use std::collections::HashSet;
use std::fmt;
use std::future::{Future, pending};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use super::Trouble;
use super::book::Entry;
use super::message::{self, FromApp};
use super::outlet::Pipe;
use super::sender::{News, Sender};
use crate::call::Call;
use crate::exchange::Exchange;
use crate::line::Line;
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
    pub(super) exchange: &'a Exchange,
    pub(super) call: &'a Call,
    pub(super) line: &'a Line,
    pub(super) noun: &'a twiml::Stream,
    pub(super) entry: &'a Entry,
    pub(super) sender: Arc<Sender>,
    /// Codes already noted: Twilio reports each kind of mistake once per stream.
    pub(super) noted: HashSet<u32>,
    pub(super) is_half_open: bool,
}

impl Session<'_> {
    pub(super) async fn run(
        mut self,
        mut socket: WebSocketStream<Pipe>,
        mut news: mpsc::UnboundedReceiver<News>,
        stopped: impl Future<Output = ()>,
    ) -> End {
        self.sender.hello(&self.start());
        self.line.attach(&self.sender);
        let end = self.pump(&mut socket, &mut news, stopped).await;
        self.line.detach(&self.sender);
        if self.is_half_open {
            // Nobody says that it is over, so it stays open as long as the simulator runs.
            let sender = Arc::clone(&self.sender);
            self.exchange.tasks.spawn(async move {
                let _open = (socket, sender);
                pending::<()>().await;
            });
            return end;
        }
        match end {
            End::Stopped => self.say_goodbye(&mut socket).await,
            // The answer to its close.
            End::ClosedByApp => drop(timeout(CLOSING, socket.flush()).await),
            End::Broken(_) => {}
        }
        end
    }

    async fn pump(
        &mut self,
        socket: &mut WebSocketStream<Pipe>,
        news: &mut mpsc::UnboundedReceiver<News>,
        stopped: impl Future<Output = ()>,
    ) -> End {
        let mut stopped = pin!(stopped);
        loop {
            tokio::select! {
                biased;
                () = &mut stopped => return End::Stopped,
                Some(news) = news.recv() => match news {
                    News::Lagging => self.note(31930, "the app reads too slowly: audio was lost"),
                    News::Stalled(ms) => tokio::select! {
                        () = &mut stopped => return End::Stopped,
                        () = sleep(Duration::from_millis(ms)) => {}
                    },
                    News::HalfOpen => {
                        self.is_half_open = true;
                        self.sender.play_dead();
                        stopped.await;
                        return End::Stopped;
                    }
                    News::Died => {
                        // Without a word: the app sees a connection that died.
                        let message = "the connection died".to_owned();
                        return End::Broken(Trouble { code: 31903, message });
                    }
                    News::CloseWith(code) => {
                        let frame = CloseFrame { code: code.into(), reason: "".into() };
                        let _ = timeout(CLOSING, socket.close(Some(frame))).await;
                        return End::Broken(Trouble { code: 31921, message: format!("closed here with code {code}") });
                    }
                },
                message = socket.next() => if let Err(end) = self.take(message) {
                    return end;
                },
            }
        }
    }

    async fn say_goodbye(&self, socket: &mut WebSocketStream<Pipe>) {
        let account = &self.exchange.settings.account_sid;
        self.sender.stop(&json!({"accountSid": account, "callSid": self.call.sid}));
        let goodbye = async {
            let normal = CloseFrame { code: CloseCode::Normal, reason: "".into() };
            let _ = socket.close(Some(normal)).await;
            while let Some(Ok(_)) = socket.next().await {}
        };
        // An app that does not answer must not keep the call from ending.
        let _ = timeout(CLOSING, goodbye).await;
    }

    /// Takes a message of the app's.
    fn take(&mut self, message: Option<Result<Message, WsError>>) -> Result<(), End> {
        let broken = |code, message: String| Err(End::Broken(Trouble { code, message }));
        let text = match message {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Binary(_))) => {
                self.note(31950, "binary message");
                return Ok(());
            }
            Some(Ok(Message::Close(frame))) => {
                return match frame {
                    Some(frame) if frame.code != CloseCode::Normal && frame.code != CloseCode::Away => {
                        broken(31921, format!("closed with code {}", frame.code))
                    }
                    _ => Err(End::ClosedByApp),
                };
            }
            Some(Ok(_)) => return Ok(()),
            Some(Err(WsError::Io(error))) => return broken(31903, error.to_string()),
            Some(Err(WsError::Protocol(error @ ProtocolError::ResetWithoutClosingHandshake))) => {
                return broken(31903, error.to_string());
            }
            Some(Err(error)) => return broken(31924, error.to_string()),
            None => return broken(31903, "the connection ended".to_owned()),
        };
        match message::read(&text, &self.entry.sid) {
            Ok(_) if self.entry.is_one_way() => self.note(31951, "a one-way stream takes no messages"),
            Ok(FromApp::Media(audio)) => {
                if !self.line.with_playback(|playback| playback.audio(&audio)) {
                    self.note(31931, "more than ten minutes of audio: the rest was lost");
                }
            }
            // Given back under the line's lock, so that none overtakes one that the clock gives back.
            Ok(FromApp::Mark(name)) => self.line.with_playback(|playback| {
                playback.mark(name).iter().for_each(|name| self.sender.mark(name));
            }),
            Ok(FromApp::Clear) => self.line.with_playback(|playback| {
                playback.clear().iter().for_each(|name| self.sender.mark(name));
            }),
            Err(trouble) => self.note(trouble.code, &trouble.message),
        }
        Ok(())
    }

    fn start(&self) -> Value {
        let parameters: Map<String, Value> =
            self.noun.parameters.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
        let direction = self.entry.direction;
        let tracks = [("inbound", direction.inbound()), ("outbound", direction.outbound())];
        let tracks: Vec<_> = tracks.iter().filter(|(_, is_carried)| *is_carried).map(|(track, _)| *track).collect();
        json!({
            "accountSid": self.exchange.settings.account_sid,
            "streamSid": self.entry.sid,
            "callSid": self.call.sid,
            "tracks": tracks,
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": parameters,
        })
    }

    fn note(&mut self, code: u32, message: &str) {
        if self.noted.insert(code) {
            self.exchange.warn(Some(&self.call.sid), code, message);
        }
    }
}
