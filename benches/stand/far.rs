//! The far side at its barest: takes every request for a call, notes when it came, and has nothing more to say.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

/// A request for a call.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// Microseconds since 1970.
    pub at_us: i64,
    /// Its body: for ours a form, for a peer whatever names the job.
    pub body: String,
    /// What the call was called in the reply.
    pub sid: String,
}

/// It listens for as long as the bench runs.
pub struct Far {
    port: u16,
    arrivals: Arc<Mutex<Vec<Arrival>>>,
}

impl Far {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let arrivals: Arc<Mutex<Vec<Arrival>>> = Arc::default();
        let noted = Arc::clone(&arrivals);
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let noted = Arc::clone(&noted);
                std::thread::spawn(move || answer(&socket, &noted));
            }
        });
        Self { port, arrivals }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How many came so far.
    pub fn count(&self) -> usize {
        self.arrivals.lock().unwrap().len()
    }

    /// What came so far, in order.
    pub fn arrivals(&self) -> Vec<Arrival> {
        let mut arrivals = self.arrivals.lock().unwrap().clone();
        arrivals.sort_by_key(|arrival| arrival.at_us);
        arrivals
    }
}

fn answer(socket: &TcpStream, noted: &Mutex<Vec<Arrival>>) -> Option<()> {
    let mut reader = BufReader::new(socket);
    loop {
        let (mut line, mut length) = (String::new(), 0);
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let at_us = now_us();
        let creates = line.starts_with("POST");
        while line.trim() != "" {
            line.clear();
            reader.read_line(&mut line).ok()?;
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let (status, reply) = if creates {
            let mut noted = noted.lock().unwrap();
            let sid = format!("CA{:032x}", noted.len() + 1);
            let reply = format!(r#"{{"sid":"{sid}"}}"#);
            noted.push(Arrival { at_us, body: String::from_utf8_lossy(&body).into_owned(), sid });
            ("201 Created", reply)
        } else {
            ("404 Not Found", r#"{"code":20404,"message":"not found","status":404}"#.to_owned())
        };
        let head =
            format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", reply.len());
        (&mut &*socket).write_all((head + &reply).as_bytes()).ok()?;
    }
}

pub fn now_us() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_micros()).unwrap()
}
