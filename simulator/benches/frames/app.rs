//! The app: lean enough that what it measures is not itself. One thread, raw sockets.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use crate::STREAMS;
use crate::far::Far;
use crate::figures::Figures;

/// What the calls do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Load {
    /// The callee greets, and then everybody listens.
    Quiet,
    /// The app sends sound all the time, and the callee listens to every sample of it.
    Talking,
}

/// Time for all calls to be picked up.
const PATIENCE: Duration = Duration::from_secs(60);

type Arrivals = Arc<Mutex<HashMap<usize, Vec<Instant>>>>;

/// Measures the simulator.
pub(crate) fn measure(time: Duration, load: Load) -> Result<Figures, String> {
    runtime().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let far = Far::start(&["simulator"]);
        let arrivals = Arrivals::default();
        let kept = Arc::clone(&arrivals);
        tokio::spawn(async move {
            for id in 0.. {
                let (socket, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(socket, id, Arc::clone(&kept), load));
            }
        });
        let url = far.first_line.strip_prefix("http://").ok_or("the simulator does not start")?.to_owned();
        for n in 0..STREAMS {
            order(&url, &format!("+1999555{n:04}"), &format!("http://{address}/voice")).await;
        }
        count(&far, &arrivals, time).await
    })
}

/// Measures the bare loop.
pub(crate) fn measure_loop(time: Duration) -> Result<Figures, String> {
    runtime().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let arrivals = Arrivals::default();
        let kept = Arc::clone(&arrivals);
        let far = tokio::task::spawn_blocking(move || Far::start(&["loop", &address.to_string()]));
        tokio::spawn(async move {
            for id in 0.. {
                let (socket, _) = listener.accept().await.unwrap();
                socket.set_nodelay(true).unwrap();
                tokio::spawn(take(socket, Vec::new(), id, Arc::clone(&kept)));
            }
        });
        count(&far.await.unwrap(), &arrivals, time).await
    })
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Waits until all streams are open, and then for the time that counts.
async fn count(far: &Far, arrivals: &Arrivals, time: Duration) -> Result<Figures, String> {
    let open = || arrivals.lock().unwrap().values().filter(|at| !at.is_empty()).count();
    let all = async {
        while open() < STREAMS {
            sleep(Duration::from_millis(50)).await;
        }
        // The last greetings.
        sleep(Duration::from_secs(4)).await;
    };
    timeout(PATIENCE, all).await.map_err(|_| format!("only {} of {STREAMS} streams were opened", open()))?;
    let (from, used) = (Instant::now(), far.cpu());
    sleep(time).await;
    let (until, used) = (Instant::now(), far.cpu() - used);
    let arrivals: Vec<Vec<Instant>> = arrivals.lock().unwrap().values().cloned().collect();
    Ok(Figures::of(&arrivals, from, until, used))
}

/// Orders a call.
async fn order(host: &str, to: &str, voice: &str) {
    let settings = gymcall_simulator::Settings::default();
    let auth = STANDARD.encode(format!("{}:{}", settings.account_sid, settings.auth_token));
    let pairs = [("To", to), ("From", "+15005550006"), ("Url", voice)];
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let request = format!(
        "POST /2010-04-01/Accounts/{}/Calls.json HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {auth}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        settings.account_sid,
        body.len()
    );
    let mut socket = TcpStream::connect(host).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut reply = String::new();
    socket.read_to_string(&mut reply).await.unwrap();
    assert!(reply.starts_with("HTTP/1.1 201"), "{reply}");
}

/// A webhook, or a stream.
async fn serve(mut socket: TcpStream, id: usize, arrivals: Arrivals, load: Load) {
    socket.set_nodelay(true).unwrap();
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if socket.read_buf(&mut head).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
    if !text.contains("upgrade: websocket") {
        let address = socket.local_addr().unwrap();
        let twiml = format!("<Response><Connect><Stream url=\"ws://{address}/media\"/></Connect></Response>");
        let reply = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{twiml}",
            twiml.len()
        );
        let _ = socket.write_all(reply.as_bytes()).await;
        return;
    }
    let key = String::from_utf8_lossy(&head).into_owned();
    let key = key.lines().find(|line| line.to_ascii_lowercase().starts_with("sec-websocket-key:")).unwrap();
    let key = key.split_once(':').unwrap().1.trim().to_owned();
    let accept = STANDARD.encode(Sha1::digest(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
    let reply = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    socket.write_all(reply.as_bytes()).await.unwrap();
    match load {
        Load::Quiet => take(socket, Vec::new(), id, arrivals).await,
        Load::Talking => talk(socket, id, arrivals).await,
    }
}

/// Notes when frames come, until the stream ends.
async fn take(mut socket: impl AsyncRead + Unpin, mut read: Vec<u8>, id: usize, arrivals: Arrivals) {
    let mut noted = Noted { id, arrivals };
    loop {
        let at = Instant::now();
        let mut start = 0;
        while let Some(length) = frame(&read[start..]) {
            noted.add(at);
            start += length;
        }
        read.drain(..start);
        if socket.read_buf(&mut read).await.unwrap_or(0) == 0 {
            return;
        }
    }
}

/// Takes frames, and speaks: four seconds of sound every four seconds, as a vendor's audio comes.
async fn talk(mut socket: TcpStream, id: usize, arrivals: Arrivals) {
    // `start` names the stream; its text is masked.
    let mut read = Vec::new();
    let mut sid = None;
    while sid.is_none() {
        if socket.read_buf(&mut read).await.unwrap_or(0) == 0 {
            return;
        }
        let mut start = 0;
        while let Some(length) = frame(&read[start..]) {
            let text = unmasked(&read[start..start + length]);
            if let Some(at) = text.find("MZ") {
                sid = Some(text[at..at + 34].to_owned());
            }
            start += length;
        }
        read.drain(..start);
    }
    // Loud sound that is no word: the callee listens to every sample of it.
    let sound: Vec<u8> = (0..32_000u32).map(|n| [0x90, 0x9D, 0x1D, 0x10][(n / 2 % 4) as usize]).collect();
    let text = format!(
        r#"{{"event":"media","streamSid":"{}","media":{{"payload":"{}"}}}}"#,
        sid.unwrap_or_default(),
        STANDARD.encode(sound)
    );
    let mut message = vec![0x81, 127];
    message.extend((text.len() as u64).to_be_bytes());
    message.extend(text.as_bytes());
    let (reader, mut writer) = socket.into_split();
    tokio::spawn(async move {
        // Not all at once.
        sleep(Duration::from_millis(id as u64 * 8 % 4_000)).await;
        while writer.write_all(&message).await.is_ok() {
            sleep(Duration::from_secs(4)).await;
        }
    });
    take(reader, read, id, arrivals).await;
}

struct Noted {
    id: usize,
    arrivals: Arrivals,
}

impl Noted {
    fn add(&mut self, at: Instant) {
        self.arrivals.lock().unwrap().entry(self.id).or_default().push(at);
    }
}

/// The length of the WebSocket frame that `bytes` begin with, if all of it is there.
fn frame(bytes: &[u8]) -> Option<usize> {
    let [_, second, rest @ ..] = bytes else { return None };
    let mask = if second & 0x80 != 0 { 4 } else { 0 };
    let (head, length) = match second & 0x7F {
        126 => (4, u16::from_be_bytes(*rest.first_chunk()?) as usize),
        127 => (10, u64::from_be_bytes(*rest.first_chunk()?) as usize),
        length => (2, length as usize),
    };
    let whole = head + mask + length;
    (bytes.len() >= whole).then_some(whole)
}

/// The text of a frame of less than 64 kB.
fn unmasked(frame: &[u8]) -> String {
    let head = if frame[1] & 0x7F == 126 { 4 } else { 2 };
    let (mask, text) = frame[head..].split_at(4);
    let text: Vec<u8> = text.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
    String::from_utf8_lossy(&text).into_owned()
}
