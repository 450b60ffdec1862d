//! A client of the REST API, down to the bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{ACCOUNT, FROM, TOKEN, soon};

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) json: Value,
}

fn form(params: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish()
}

pub(crate) struct Client {
    base: String,
    pub(crate) user: String,
    pub(crate) password: String,
}

impl Client {
    pub(crate) fn of(simulator: &gymcall_simulator::Simulator) -> Client {
        Client { base: simulator.url(), user: ACCOUNT.to_owned(), password: TOKEN.to_owned() }
    }

    pub(crate) async fn create(&self, to: &str, params: &[(&str, &str)]) -> Reply {
        let mut all = vec![("To", to), ("From", FROM)];
        all.extend(params);
        self.post("/Calls.json", &all).await
    }

    /// Creates a call that must be accepted, and gives its SID.
    pub(crate) async fn created(&self, to: &str, params: &[(&str, &str)]) -> String {
        let reply = self.create(to, params).await;
        assert_eq!(reply.status, 201, "{}", reply.json);
        reply.json["sid"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn post(&self, path: &str, params: &[(&str, &str)]) -> Reply {
        self.send("POST", path, &form(params)).await
    }

    /// A connection on which a call was ordered.
    pub(crate) async fn order(&self, to: &str, params: &[(&str, &str)]) -> TcpStream {
        let mut all = vec![("To", to), ("From", FROM)];
        all.extend(params);
        self.ask("POST", "/Calls.json", &form(&all)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, "").await
    }

    pub(crate) async fn call(&self, sid: &str) -> Value {
        self.get(&format!("/Calls/{sid}.json")).await.json
    }

    /// `path` is below the account, or absolute if it begins with a version.
    pub(crate) async fn send(&self, method: &str, path: &str, body: &str) -> Reply {
        let mut socket = self.ask(method, path, body).await;
        let (bytes, end) = rest_of(&mut socket).await;
        end.unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        Reply {
            status: head[9..12].parse().unwrap(),
            head: head.to_ascii_lowercase(),
            json: serde_json::from_str(body).unwrap_or(Value::Null),
        }
    }

    /// The head and the body of what is no JSON.
    pub(crate) async fn bytes(&self, path: &str) -> (String, Vec<u8>) {
        let mut socket = self.ask("GET", path, "").await;
        let (bytes, end) = rest_of(&mut socket).await;
        end.unwrap();
        let at = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        (String::from_utf8_lossy(&bytes[..at]).to_ascii_lowercase(), bytes[at + 4..].to_vec())
    }

    /// A connection on which a request was sent.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &str) -> TcpStream {
        let path = if path.starts_with("/2010") || path.starts_with("/v") {
            path.to_owned()
        } else {
            format!("/2010-04-01/Accounts/{ACCOUNT}{path}")
        };
        let host = self.base.strip_prefix("http://").unwrap();
        let auth = STANDARD.encode(format!("{}:{}", self.user, self.password));
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {auth}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        );
        let mut socket = TcpStream::connect(host).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        socket
    }
}

/// What still comes on a connection, and how the connection ends.
pub(crate) async fn rest_of(socket: &mut TcpStream) -> (Vec<u8>, std::io::Result<usize>) {
    let mut bytes = Vec::new();
    let end = soon(socket.read_to_end(&mut bytes)).await;
    (bytes, end)
}
