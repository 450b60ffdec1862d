//! Media Streams: a WebSocket to the app that carries the call's sound both ways.

mod book;
mod message;
mod outlet;
mod playback;
mod sender;
mod session;
mod target;

use std::collections::HashSet;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::ClientRequestBuilder;
use tokio_tungstenite::tungstenite::{Error as WsError, http::Uri};

use crate::call::{Call, Fetch};
use crate::exchange::Exchange;
use crate::line::Line;
use crate::log::Event;
use crate::signature::Signing;
use crate::status::Status;
use crate::{address, date, http, sid, twiml, webhook};

pub(crate) use book::{Book, Entry, Standing, StartError};
use outlet::{Outlet, Pipe};
pub(crate) use playback::Playback;
pub(crate) use sender::{Direction, Sender, Tick};
use session::{End, Session};
use target::Target;

/// Twilio gives an app so long to accept a stream.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// So few bytes are on their way to an app that does not read: else minutes would pass unnoticed.
const SEND_BUFFER: u32 = 32 * 1024;

/// A failure as Twilio's debugger would show it.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) code: u32,
    pub(crate) message: String,
}

/// A stream's order, and what it is carried out with.
#[derive(Clone)]
struct Order {
    exchange: Arc<Exchange>,
    call: Arc<Call>,
    line: Line,
    noun: twiml::Stream,
    base: Option<String>,
    entry: Arc<Entry>,
}

/// Holds the stream of a `<Connect>` until the app closes it, it breaks, or `stopped` resolves.
pub(crate) async fn run(
    exchange: &Arc<Exchange>,
    call: &Arc<Call>,
    line: &Line,
    noun: &twiml::Stream,
    base: Option<&str>,
    stopped: oneshot::Receiver<()>,
) {
    let entry = Entry::new(sid::stream(), &call.sid, noun.name.as_deref(), Direction::TwoWay);
    // Only one-way streams are counted.
    let Ok(entry) = exchange.streams.enter(entry) else {
        return;
    };
    let order = order(exchange, call, line, noun, base, entry);
    order
        .hold(async {
            let _ = stopped.await;
        })
        .await;
}

/// Starts a one-way stream beside whatever the call does. It ends with the call, by `<Stop>`, over the
/// REST API, or when the app closes it.
pub(crate) fn start(
    exchange: &Arc<Exchange>,
    call: &Arc<Call>,
    line: &Line,
    noun: &twiml::Stream,
    base: Option<&str>,
) -> Result<Arc<Entry>, StartError> {
    let direction = match noun.track.as_deref() {
        None | Some("inbound_track") => Direction::OneWay { inbound: true, outbound: false },
        Some("outbound_track") => Direction::OneWay { inbound: false, outbound: true },
        Some("both_tracks") => Direction::OneWay { inbound: true, outbound: true },
        Some(other) => return Err(StartError::Track(other.to_owned())),
    };
    if call.status() != Status::InProgress {
        return Err(StartError::NotInProgress);
    }
    let entry = Entry::new(sid::stream(), &call.sid, noun.name.as_deref(), direction);
    let entry = exchange.streams.enter(entry)?;
    let order = order(exchange, call, line, noun, base, Arc::clone(&entry));
    // Asked to stop before the call is over; but it may have been ordered in that very moment.
    let mut status = call.watch();
    let over = async move {
        let _ = status.wait_for(|status| status.is_final()).await;
    };
    exchange.tasks.spawn(async move { order.hold(over).await });
    Ok(entry)
}

fn order(
    exchange: &Arc<Exchange>,
    call: &Arc<Call>,
    line: &Line,
    noun: &twiml::Stream,
    base: Option<&str>,
    entry: Arc<Entry>,
) -> Order {
    Order {
        exchange: Arc::clone(exchange),
        call: Arc::clone(call),
        line: line.clone(),
        noun: noun.clone(),
        base: base.map(str::to_owned),
        entry,
    }
}

impl Order {
    /// From the connect to the last callback.
    async fn hold(&self, stopped: impl Future<Output = ()>) {
        let (call, stream_sid) = (&self.call, &self.entry.sid);
        let log = &self.exchange.log;
        let mut stopped = pin!(async {
            tokio::select! {
                () = stopped => {}
                () = self.entry.stopping() => {}
            }
        });
        let opened = match target::of(&self.noun, self.base.as_deref(), self.entry.direction) {
            Ok(target) => tokio::select! {
                biased;
                opened = self.open(&target) => opened.map(|open| (target, open)),
                // An app that takes its time must not hold a hang-up up; nothing has begun yet.
                () = &mut stopped => return self.entry.ended(),
            },
            Err(trouble) => Err(trouble),
        };
        let (target, (socket, outlet)) = match opened {
            Ok(opened) => opened,
            Err(trouble) => {
                self.exchange.warn(Some(&call.sid), trouble.code, &trouble.message);
                self.entry.ended();
                self.tell("stream-error", Some(trouble.message));
                return;
            }
        };
        log.add(Event::StreamOpened { sid: call.sid.clone(), stream_sid: stream_sid.clone(), url: target.signed });
        self.tell("stream-started", None);
        let (sender, news) = Sender::new(
            stream_sid,
            self.entry.direction,
            self.line.condition().clone(),
            self.line.seed(),
            self.exchange.settings.largest_stream_lag,
            outlet,
        );
        let session = Session {
            exchange: &self.exchange,
            call,
            line: &self.line,
            noun: &self.noun,
            entry: &self.entry,
            sender: Arc::new(sender),
            noted: HashSet::new(),
            is_half_open: false,
        };
        let end = session.run(socket, news, stopped).await;
        log.add(Event::StreamClosed { sid: call.sid.clone(), stream_sid: stream_sid.clone(), why: end.to_string() });
        self.entry.ended();
        match end {
            End::Stopped | End::ClosedByApp => self.tell("stream-stopped", None),
            End::Broken(trouble) => {
                self.exchange.warn(Some(&call.sid), trouble.code, &trouble.message);
                self.tell("stream-error", Some(trouble.message));
            }
        }
    }

    async fn open(&self, target: &Target) -> Result<(WebSocketStream<Pipe>, Outlet), Trouble> {
        let settings = &self.exchange.settings;
        let trouble = |code, message: String| Trouble { code, message };
        if self.line.condition().refuse {
            return Err(trouble(31902, "connection refused".to_owned()));
        }
        if settings.loopback_only && !target.address.loopback {
            return Err(trouble(31902, "not on this machine".to_owned()));
        }
        if target.address.scheme != "ws" {
            return Err(trouble(31910, "only ws is spoken here, no TLS".to_owned()));
        }
        let uri: Uri = target.address.exact.parse().map_err(|_| trouble(31923, "malformed URL".to_owned()))?;
        let slash = if settings.signs_streams_with_slash { "/" } else { "" };
        let signed = format!("{}{slash}", target.signed);
        let mut request = ClientRequestBuilder::new(uri).with_header("User-Agent", "Twilio.TmeWs/1.0");
        for (name, value) in self.signing().headers(&settings.auth_token, &signed, &[]) {
            request = request.with_header(name, value);
        }
        let socket = http::connect_with(&target.address, HANDSHAKE, Some(SEND_BUFFER)).await;
        let socket = socket.map_err(|failure| trouble(31902, failure.to_string()))?;
        let (pipe, outlet) = Pipe::new(socket);
        let handshake = tokio_tungstenite::client_async(request, pipe);
        match timeout(HANDSHAKE, handshake).await {
            Ok(Ok((socket, _))) => Ok((socket, outlet)),
            Ok(Err(WsError::Http(response))) => {
                Err(trouble(31920, format!("handshake answered with {}", response.status())))
            }
            Ok(Err(error)) => Err(trouble(31924, error.to_string())),
            Err(_) => Err(trouble(31901, "no handshake in time".to_owned())),
        }
    }

    fn signing(&self) -> Signing {
        self.call.fate.signing().unwrap_or_else(|| self.exchange.signing())
    }

    /// The stream's own status callback, if the document wants one.
    fn tell(&self, event: &str, error: Option<String>) {
        let Order { exchange, call, noun, entry, .. } = self;
        let callback = noun.status_callback.as_deref();
        let Some(url) = callback.and_then(|url| address::resolve(self.base.as_deref(), url)) else {
            return;
        };
        let fetch = Fetch { url, method: noun.status_callback_method };
        let mut params: Vec<(String, String)> = [
            ("AccountSid", exchange.settings.account_sid.as_str()),
            ("CallSid", &call.sid),
            ("StreamSid", &entry.sid),
            ("StreamName", &entry.name),
            ("StreamEvent", event),
            ("Timestamp", &date::iso8601(Timestamp::now())),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
        params.extend(error.map(|error| ("StreamError".to_owned(), error)));
        let (shared, call) = (Arc::clone(exchange), Arc::clone(call));
        exchange.tasks.spawn(async move {
            if let Err(failure) = webhook::request(&shared, &call, &fetch, &params).await {
                shared.warn(Some(&call.sid), 11200, format!("callback lost: {failure}"));
            }
        });
    }
}
