//! Somebody who can sign as Twilio does: written a second time, so that it cannot share a mistake
//! with the server.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt as _, StreamExt as _};
use hmac::{Hmac, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha1::Sha1;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::desk::{Desk, TOKEN, within};
use super::http::{Http, Reply, reply};

/// A SID that Twilio never gave out.
pub const FOREIGN: &str = "CAffffffffffffffffffffffffffffffff";
pub const STREAM: &str = "/v1/twilio/stream";

pub fn sign(token: &str, url: &str, form: &[(&str, &str)]) -> String {
    let mut pairs = form.to_vec();
    pairs.sort_unstable();
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).unwrap();
    mac.update(url.as_bytes());
    for (name, value) in pairs {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

/// The path and query of a URL that we gave to Twilio.
pub fn target(url: &str) -> String {
    let url: url::Url = url.parse().unwrap();
    format!("{}?{}", url.path(), url.query().unwrap())
}

/// Posts a form with a signature, or without one.
pub async fn post(desk: &Desk, target: &str, form: &[(&str, &str)], signature: Option<&str>) -> Reply {
    post_at(&desk.http, target, form, signature).await
}

async fn post_at(server: &Http, target: &str, form: &[(&str, &str)], signature: Option<&str>) -> Reply {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = server.request(Method::POST, target).body(body);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    reply(match signature {
        Some(signature) => request.header("x-twilio-signature", signature),
        None => request,
    })
    .await
}

/// Posts a form as Twilio does.
pub async fn post_signed(desk: &Desk, target: &str, form: &[(&str, &str)]) -> Reply {
    let signature = sign(TOKEN, &desk.public_url(target), form);
    post(desk, target, form, Some(&signature)).await
}

/// The same to this server, which the one address that Twilio knows may lead to, too.
pub async fn post_signed_at(desk: &Desk, server: &Http, target: &str, form: &[(&str, &str)]) -> Reply {
    let signature = sign(TOKEN, &desk.public_url(target), form);
    post_at(server, target, form, Some(&signature)).await
}

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Opens a socket for sound, with this signature.
pub async fn open_stream(desk: &Desk, signature: Option<&str>) -> Result<Socket, Error> {
    open_stream_at(desk.http.base(), signature).await
}

/// The same at this server.
async fn open_stream_at(server: &str, signature: Option<&str>) -> Result<Socket, Error> {
    let url = server.replacen("http", "ws", 1) + STREAM;
    let mut request = url.into_client_request().unwrap();
    if let Some(signature) = signature {
        request.headers_mut().insert("x-twilio-signature", signature.parse().unwrap());
    }
    connect_async(request).await.map(|(socket, _)| socket)
}

/// Opens a socket as Twilio does.
pub async fn open_signed_stream(desk: &Desk) -> Socket {
    open_signed_stream_at(desk, desk.http.base()).await
}

/// The same at this server, which the one address that Twilio knows may lead to, too.
pub async fn open_signed_stream_at(desk: &Desk, server: &str) -> Socket {
    let url = desk.public_url(STREAM).replacen("http", "ws", 1);
    open_stream_at(server, Some(&sign(TOKEN, &url, &[]))).await.unwrap()
}

/// The first two messages of a stream.
pub async fn begin(socket: &mut Socket, call: &str, parameters: Value) {
    let start = json!({
        "event": "start", "sequenceNumber": "1", "streamSid": "MZ00000000000000000000000000000000",
        "start": {
            "accountSid": "AC00000000000000000000000000000000",
            "streamSid": "MZ00000000000000000000000000000000",
            "callSid": call,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": parameters,
        },
    });
    for message in [json!({"event": "connected", "protocol": "Call", "version": "1.0.0"}), start] {
        socket.send(Message::text(message.to_string())).await.unwrap();
    }
}

/// How the server ends the socket: the close code, or none where it just goes. Nothing may be said before.
pub async fn closed(socket: &mut Socket) -> Option<u16> {
    within("the server closes the socket", async {
        match socket.next().await {
            Some(Ok(Message::Close(frame))) => frame.map(|frame| frame.code.into()),
            Some(Ok(message)) => panic!("the server speaks: {message}"),
            Some(Err(_)) | None => None,
        }
    })
    .await
}
