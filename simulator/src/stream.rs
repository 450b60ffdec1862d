//! Media Streams: a WebSocket to the app that carries the call's sound both ways.

mod message;
mod playback;
mod session;
mod target;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::ClientRequestBuilder;
use tokio_tungstenite::tungstenite::{Error as WsError, http::Uri};

use crate::call::{Call, Fetch};
use crate::exchange::Exchange;
use crate::line::Line;
use crate::log::Event;
use crate::{address, date, http, sid, twiml, webhook};

pub(crate) use playback::Playback;
use session::{End, Session};
use target::Target;

/// Twilio gives an app so long to accept a stream.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// A failure as Twilio's debugger would show it.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) code: u32,
    pub(crate) message: String,
}

/// Holds a stream until the app closes it, it breaks, or `stopped` resolves.
pub(crate) async fn run(
    exchange: &Arc<Exchange>,
    call: &Arc<Call>,
    line: &Line,
    noun: &twiml::Stream,
    base: Option<&str>,
    stopped: oneshot::Receiver<()>,
) {
    let stream_sid = sid::stream();
    let tell = |event: &'static str, error: Option<String>| {
        tell(exchange, call, noun, base, &stream_sid, event, error);
    };
    let opened = match target::of(noun, base) {
        Ok(target) => open(exchange, &target).await.map(|socket| (target, socket)),
        Err(trouble) => Err(trouble),
    };
    let (target, socket) = match opened {
        Ok(opened) => opened,
        Err(trouble) => {
            exchange.warn(Some(&call.sid), trouble.code, &trouble.message);
            tell("stream-error", Some(trouble.message));
            return;
        }
    };
    exchange.log.add(Event::StreamOpened { sid: call.sid.clone(), stream_sid: stream_sid.clone(), url: target.signed });
    tell("stream-started", None);
    let session = Session::new(exchange, call, line, noun, &stream_sid);
    let end = session.run(socket, stopped).await;
    exchange.log.add(Event::StreamClosed {
        sid: call.sid.clone(),
        stream_sid: stream_sid.clone(),
        why: end.to_string(),
    });
    match end {
        End::Stopped | End::ClosedByApp => tell("stream-stopped", None),
        End::Broken(trouble) => {
            exchange.warn(Some(&call.sid), trouble.code, &trouble.message);
            tell("stream-error", Some(trouble.message));
        }
    }
}

async fn open(exchange: &Exchange, target: &Target) -> Result<WebSocketStream<TcpStream>, Trouble> {
    let trouble = |code, message: String| Trouble { code, message };
    if exchange.settings.loopback_only && !target.address.loopback {
        return Err(trouble(31902, "not on this machine".to_owned()));
    }
    if target.address.scheme != "ws" {
        return Err(trouble(31910, "only ws is spoken here, no TLS".to_owned()));
    }
    let uri: Uri = target.address.exact.parse().map_err(|_| trouble(31923, "malformed URL".to_owned()))?;
    let slash = if exchange.settings.signs_streams_with_slash { "/" } else { "" };
    let signed = format!("{}{slash}", target.signed);
    let mut request = ClientRequestBuilder::new(uri).with_header("User-Agent", "Twilio.TmeWs/1.0");
    for (name, value) in exchange.signing().headers(&exchange.settings.auth_token, &signed, &[]) {
        request = request.with_header(name, value);
    }
    let socket =
        http::connect(&target.address, HANDSHAKE).await.map_err(|failure| trouble(31902, failure.to_string()))?;
    let handshake = tokio_tungstenite::client_async(request, socket);
    match timeout(HANDSHAKE, handshake).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(WsError::Http(response))) => {
            Err(trouble(31920, format!("handshake answered with {}", response.status())))
        }
        Ok(Err(error)) => Err(trouble(31924, error.to_string())),
        Err(_) => Err(trouble(31901, "no handshake in time".to_owned())),
    }
}

/// The stream's own status callback, if the document wants one.
fn tell(
    exchange: &Arc<Exchange>,
    call: &Arc<Call>,
    noun: &twiml::Stream,
    base: Option<&str>,
    stream_sid: &str,
    event: &str,
    error: Option<String>,
) {
    let callback = noun.status_callback.as_deref();
    let Some(url) = callback.and_then(|url| address::resolve(base, url)) else {
        return;
    };
    let fetch = Fetch { url, method: noun.status_callback_method };
    let name = noun.name.as_deref().unwrap_or(stream_sid);
    let mut params: Vec<(String, String)> = [
        ("AccountSid", exchange.settings.account_sid.as_str()),
        ("CallSid", &call.sid),
        ("StreamSid", stream_sid),
        ("StreamName", name),
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
