//! A socket that answers bytes written by hand, and counts every connection: a second one
//! would be a second call to somebody's phone.
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use gymcall::twilio::client::{Account, Client, PlaceCall};
use gymcall_jobs::id::CallSid;
use tokio::time::Instant;
use url::Url;

pub const SID: &str = "CA0123456789abcdef0123456789abcdef";
pub const TOKEN: &str = "the-token-nobody-may-see";
pub const DATE: &str = "Mon, 23 Nov 2026 14:00:00 GMT";

pub enum Then {
    /// Reads the request and answers this.
    Answer(String),
    /// Closes without reading.
    CloseAtOnce,
    /// Reads the request and closes.
    CloseAfterReading,
    /// Reads the request, answers this and keeps the connection open.
    AnswerAndHang(String),
    /// Keeps the connection open and does nothing.
    Hang,
}

pub struct Seen {
    pub connections: usize,
    pub requests: Vec<String>,
}

pub struct Peer {
    pub base: Url,
    done: Arc<AtomicBool>,
    thread: JoinHandle<Seen>,
}

impl Peer {
    pub fn start(then: Vec<Then>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let done = Arc::new(AtomicBool::new(false));
        let over = done.clone();
        let thread = std::thread::spawn(move || {
            let mut then = then.into_iter();
            let mut seen = Seen { connections: 0, requests: Vec::new() };
            let mut open = Vec::new();
            loop {
                let (mut stream, _) = listener.accept().unwrap();
                if over.load(Ordering::SeqCst) {
                    // The client is done, so whatever it opened waits here already; and
                    // one of these connections is the one that finish() made.
                    listener.set_nonblocking(true).unwrap();
                    while listener.accept().is_ok() {
                        seen.connections += 1;
                    }
                    return seen;
                }
                seen.connections += 1;
                match then.next() {
                    Some(Then::Answer(bytes)) => {
                        seen.requests.push(read_request(&mut stream));
                        stream.write_all(bytes.as_bytes()).unwrap();
                    }
                    Some(Then::AnswerAndHang(bytes)) => {
                        seen.requests.push(read_request(&mut stream));
                        stream.write_all(bytes.as_bytes()).unwrap();
                        open.push(stream);
                    }
                    Some(Then::CloseAfterReading) => seen.requests.push(read_request(&mut stream)),
                    Some(Then::Hang) => open.push(stream),
                    Some(Then::CloseAtOnce) | None => {}
                }
            }
        });
        Self { base, done, thread }
    }

    pub fn answering(bytes: String) -> Self {
        Self::start(vec![Then::Answer(bytes)])
    }

    pub fn client(&self, timeout: Duration) -> Client {
        client(self.base.clone(), timeout)
    }

    pub fn finish(self) -> Seen {
        self.done.store(true, Ordering::SeqCst);
        let port = self.base.port().unwrap();
        let _last = TcpStream::connect(("127.0.0.1", port)).unwrap();
        self.thread.join().unwrap()
    }
}

pub fn read_request(stream: &mut TcpStream) -> String {
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().unwrap())
            });
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        match stream.read(&mut buffer).unwrap() {
            0 => panic!("the request ended early: {text}"),
            n => bytes.extend_from_slice(&buffer[..n]),
        }
    }
}

pub fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nDate: {DATE}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

pub fn refusal(status: &str, code: u32) -> String {
    let http = &status[..3];
    answer(status, &format!(r#"{{"code":{code},"message":"so it is","more_info":"https://x/{code}","status":{http}}}"#))
}

pub fn call_json(status: &str) -> String {
    format!(
        r#"{{"sid":"{SID}","account_sid":"AC00000000000000000000000000000000","date_created":"Mon, 23 Nov 2026 13:59:58 +0000","date_updated":null,"to":"+14155550100","from":"+15005550006","status":"{status}","start_time":null,"duration":null,"price":null,"price_unit":"USD","direction":"outbound-api","answered_by":null,"queue_time":"1000","subresource_uris":{{"events":"/x"}}}}"#
    )
}

pub fn client(base_url: Url, timeout: Duration) -> Client {
    let account = Account {
        account_sid: "AC00000000000000000000000000000000".to_owned(),
        auth_token: TOKEN.to_owned().into(),
        base_url,
        from_number: "+15005550006".to_owned(),
    };
    Client::new(account, timeout).unwrap()
}

pub fn sid() -> CallSid {
    SID.parse().unwrap()
}

pub fn a_call(send_within: Duration) -> PlaceCall {
    let url = |what: &str| {
        let text = format!("https://gym.example/v1/twilio/{what}?job=1&tag=2#rc=5&rp=5xx,ct,rt");
        text.parse().unwrap()
    };
    PlaceCall {
        to: "+14155550100".to_owned(),
        voice_url: url("voice"),
        status_url: url("status"),
        timeout_s: 30,
        time_limit_s: 300,
        detection: None,
        recorded: false,
        send_before: Instant::now() + send_within,
    }
}

pub const LONG: Duration = Duration::from_secs(30);
