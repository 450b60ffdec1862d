//! An app's end of a media stream: a raw WebSocket server.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

use super::{soon, tone};

/// Where streams come in.
pub(crate) struct Door {
    listener: TcpListener,
}

/// An open stream.
pub(crate) struct Desk {
    socket: WebSocketStream<TcpStream>,
    pub(crate) request: Request,
    pub(crate) stream_sid: String,
    pub(crate) start: Value,
    /// All sound so far.
    pub(crate) sound: Vec<u8>,
    /// All messages but `media`, in order.
    pub(crate) messages: Vec<Value>,
    pub(crate) media: Vec<Value>,
    pub(crate) ended: bool,
    /// With which it was closed, if it was.
    pub(crate) close_code: Option<u16>,
}

impl Door {
    pub(crate) async fn open() -> Door {
        Door { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    /// A door for an app whose sockets hold little that it has not read.
    pub(crate) async fn open_with_receive_buffer(bytes: u32) -> Door {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        // Before it listens: its connections inherit it.
        socket.set_recv_buffer_size(bytes).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Door { listener: socket.listen(16).unwrap() }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}/media", self.listener.local_addr().unwrap())
    }

    /// TwiML that connects here, followed by `rest`.
    pub(crate) fn twiml(&self, rest: &str) -> String {
        format!(
            "<Response><Connect><Stream url=\"{}?query=dropped\">\
             <Parameter name=\"tag\" value=\"t-1\"/></Stream></Connect>{rest}</Response>",
            self.url()
        )
    }

    pub(crate) async fn accept(&self) -> Desk {
        let (socket, _) = soon(self.listener.accept()).await.unwrap();
        Door::greet(socket).await
    }

    #[allow(clippy::result_large_err)]
    async fn greet(socket: TcpStream) -> Desk {
        let request = Arc::new(Mutex::new(None));
        let seen = Arc::clone(&request);
        let keep = move |request: &Request, response: Response| {
            *seen.lock().unwrap() = Some(request.clone());
            Ok(response)
        };
        let socket = tokio_tungstenite::accept_hdr_async(socket, keep).await.unwrap();
        let request = request.lock().unwrap().take().unwrap();
        let mut desk = Desk {
            socket,
            request,
            stream_sid: String::new(),
            start: Value::Null,
            sound: Vec::new(),
            messages: Vec::new(),
            media: Vec::new(),
            ended: false,
            close_code: None,
        };
        let start = desk.until("start").await;
        desk.stream_sid = start["streamSid"].as_str().unwrap().to_owned();
        desk.start = start;
        desk
    }
}

impl Desk {
    /// Takes the next message; false when the stream has ended.
    pub(crate) async fn take(&mut self) -> bool {
        let text = match soon(self.socket.next()).await {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Close(frame))) => {
                self.close_code = frame.map(|frame| frame.code.into());
                return true;
            }
            Some(Ok(_)) => panic!("not a text message"),
            Some(Err(_)) | None => {
                self.ended = true;
                return false;
            }
        };
        let message: Value = serde_json::from_str(&text).unwrap();
        if message["event"] == "media" {
            let payload = message["media"]["payload"].as_str().unwrap();
            self.sound.extend(STANDARD.decode(payload).unwrap());
            self.media.push(message);
        } else {
            self.messages.push(message);
        }
        true
    }

    /// Takes messages until one of the kind `event` comes.
    pub(crate) async fn until(&mut self, event: &str) -> Value {
        let known = self.messages.len();
        loop {
            assert!(self.take().await, "the stream ended before {event}");
            let new = &self.messages[known.min(self.messages.len())..];
            if let Some(message) = new.iter().find(|message| message["event"] == event) {
                return message.clone();
            }
        }
    }

    /// Takes messages until the stream has ended.
    pub(crate) async fn until_end(&mut self) {
        while self.take().await {}
    }

    /// Listens until the callee has said a whole block that was not heard before.
    pub(crate) async fn hear(&mut self) -> (String, bool) {
        loop {
            if let Some(block) = tone::hear(&self.sound).into_iter().next() {
                self.sound.clear();
                return block;
            }
            assert!(self.take().await, "the stream ended before a word was said");
        }
    }

    pub(crate) async fn say(&mut self, text: &str) {
        let payload = STANDARD.encode(tone::speak(text));
        let media = json!({"event": "media", "streamSid": self.stream_sid, "media": {"payload": payload}});
        self.send(media).await;
    }

    pub(crate) async fn mark(&mut self, name: &str) {
        let mark = json!({"event": "mark", "streamSid": self.stream_sid, "mark": {"name": name}});
        self.send(mark).await;
    }

    pub(crate) async fn clear(&mut self) {
        let clear = json!({"event": "clear", "streamSid": self.stream_sid});
        self.send(clear).await;
    }

    pub(crate) async fn send(&mut self, message: Value) {
        self.raw(Message::text(message.to_string())).await;
    }

    pub(crate) async fn raw(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// Takes what still comes, until nothing does for a time in which 150 frames would.
    pub(crate) async fn until_silence(&mut self) {
        while let Ok(is_open) = tokio::time::timeout(std::time::Duration::from_secs(3), self.take()).await {
            assert!(is_open, "the stream ended");
        }
    }

    pub(crate) async fn close(&mut self) {
        self.socket.close(None).await.unwrap();
        self.until_end().await;
    }
}
