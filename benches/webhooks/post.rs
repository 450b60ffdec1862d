//! Twilio's side of it: signed forms over connections that are kept.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha1::Sha1;

use crate::stand::far::Arrival;

/// How many post at the same time.
pub const CONNECTIONS: usize = 64;
/// Of the account in `with_account`.
pub const TOKEN: &str = "c0ffee00c0ffee00c0ffee00c0ffee00";
/// How the call fares, in order.
const NEWS: [&str; EACH] = ["initiated", "ringing", "no-answer"];
/// How many webhooks a call gets.
pub const EACH: usize = 3;

/// A call that was asked for.
pub struct Call {
    sid: String,
    to: String,
    /// The path and query of its status callback.
    target: String,
}

impl Call {
    pub fn of(request: &Arrival) -> Self {
        let value = |wanted: &str| {
            let form = url::form_urlencoded::parse(request.body.as_bytes());
            form.into_iter().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned()).unwrap()
        };
        let callback: url::Url = value("StatusCallback").parse().unwrap();
        let target = format!("{}?{}", callback.path(), callback.query().unwrap());
        Self { sid: request.sid.clone(), to: value("To"), target }
    }

    /// One webhook, as it goes over the wire.
    fn post(&self, port: u16, sequence: usize) -> Vec<u8> {
        let sequence_number = sequence.to_string();
        let mut form = [
            ("CallSid", self.sid.as_str()),
            ("AccountSid", "AC5f0c0ffee05f0c0ffee05f0c0ffee05f"),
            ("From", "+12125550100"),
            ("To", self.to.as_str()),
            ("CallStatus", NEWS[sequence]),
            ("Direction", "outbound-api"),
            ("ApiVersion", "2010-04-01"),
            ("CallbackSource", "call-progress-events"),
            ("SequenceNumber", sequence_number.as_str()),
        ];
        form.sort_unstable();
        let mut mac = <Hmac<Sha1> as Mac>::new_from_slice(TOKEN.as_bytes()).unwrap();
        mac.update(format!("http://localhost:{port}{}", self.target).as_bytes());
        for (name, value) in form {
            mac.update(name.as_bytes());
            mac.update(value.as_bytes());
        }
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: localhost:{port}\r\nUser-Agent: TwilioProxy/1.1\r\nAccept: */*\r\n\
             Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\nX-Twilio-Signature: {signature}\r\n\
             Content-Length: {}\r\n\r\n",
            self.target,
            body.len()
        );
        (head + &body).into_bytes()
    }
}

/// Waits until somebody listens.
pub fn await_server(port: u16) -> Result<(), String> {
    let deadline = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if Instant::now() > deadline {
            return Err("nobody listens".to_owned());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Posts all of these as fast as it goes; a call's in order.
pub fn saturate(port: u16, calls: &[Call]) -> Result<Duration, String> {
    let posts = prepared(port, calls);
    let begun = Instant::now();
    over_all(port, posts, |line, posts| {
        for post in posts {
            line.post(&post)?;
        }
        Ok(Vec::<()>::new())
    })?;
    Ok(begun.elapsed())
}

/// Posts all of these at a steady rate, whether those before were answered or not. How long each took from when it was due.
pub fn paced(port: u16, calls: &[Call], per_second: f64) -> Result<Vec<Duration>, String> {
    let posts = prepared(port, calls);
    let every = Duration::from_secs_f64(CONNECTIONS as f64 / per_second);
    let begun = Instant::now() + Duration::from_millis(50);
    over_all(port, posts, |line, posts| {
        let first = begun + every.mul_f64(line.number as f64 / CONNECTIONS as f64);
        let due = (0..).map(|nth| first + every * nth);
        let mut took = Vec::with_capacity(posts.len());
        for (post, due) in posts.into_iter().zip(due) {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            line.post(&post)?;
            took.push(due.elapsed());
        }
        Ok(took)
    })
}

/// What each connection posts: everything there is about its calls, one status after the other.
fn prepared(port: u16, calls: &[Call]) -> Vec<Vec<Vec<u8>>> {
    let share = |first: usize| calls.iter().skip(first).step_by(CONNECTIONS);
    let all_of = |first: usize| (0..EACH).flat_map(move |news| share(first).map(move |call| call.post(port, news)));
    (0..CONNECTIONS).map(|first| all_of(first).collect()).collect()
}

fn over_all<T: Send>(
    port: u16,
    posts: Vec<Vec<Vec<u8>>>,
    work: impl Fn(&mut Line, Vec<Vec<u8>>) -> std::io::Result<Vec<T>> + Sync,
) -> Result<Vec<T>, String> {
    let lines = (0..CONNECTIONS).map(|number| Line::open(port, number)).collect::<Result<Vec<_>, _>>();
    let lines = lines.map_err(|error| error.to_string())?;
    std::thread::scope(|scope| {
        let work = &work;
        let begin = |(mut line, posts)| scope.spawn(move || work(&mut line, posts));
        let threads: Vec<_> = lines.into_iter().zip(posts).map(begin).collect();
        let mut all = Vec::new();
        for thread in threads {
            all.extend(thread.join().unwrap().map_err(|error| error.to_string())?);
        }
        Ok(all)
    })
}

/// A connection that is kept.
struct Line {
    number: usize,
    socket: BufReader<TcpStream>,
}

impl Line {
    fn open(port: u16, number: usize) -> std::io::Result<Self> {
        let socket = TcpStream::connect(("127.0.0.1", port))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self { number, socket: BufReader::new(socket) })
    }

    /// Posts, and waits for a 2xx.
    fn post(&mut self, post: &[u8]) -> std::io::Result<()> {
        self.socket.get_mut().write_all(post)?;
        let (mut line, mut length, mut status) = (String::new(), 0, String::new());
        loop {
            line.clear();
            if self.socket.read_line(&mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            if status.is_empty() {
                status.clone_from(&line);
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        self.socket.read_exact(&mut vec![0; length])?;
        if status.contains(" 20") { Ok(()) } else { Err(std::io::Error::other(status)) }
    }
}
