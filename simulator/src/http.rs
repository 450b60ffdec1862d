//! One HTTP/1.1 request on a fresh connection, written and read by hand.
//!
//! A webhook's fate must be known exactly (never connected, no reply in time, broken off), and its
//! headers must be Twilio's to the letter. TLS is not spoken: everything is on this machine.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::timeout;

use crate::address::Address;

/// TwiML may have 64 kB; nobody may send much more.
const LARGEST_BODY: usize = 64 * 1024;
const LARGEST_HEAD: usize = 32 * 1024;

/// A reply, of whatever status.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: Option<String>,
    /// `WWW-Authenticate` of a 401.
    pub(crate) challenge: Option<String>,
    /// Where a redirect goes, as written.
    pub(crate) location: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// Why there is no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// Nothing was sent.
    #[error("could not connect: {0}")]
    Connect(String),
    #[error("no reply in time")]
    Timeout,
    #[error("the connection broke: {0}")]
    Broken(String),
    #[error("the reply is too large")]
    TooLarge,
    /// It was never sent: a fault.
    #[error("lost on its way")]
    Lost,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Broken(error.to_string())
    }
}

/// Opens a connection within `limit`.
pub(crate) async fn connect(address: &Address, limit: Duration) -> Result<TcpStream, Failure> {
    connect_with(address, limit, None).await
}

/// As [`connect`]; `buffer` bounds the bytes that the system takes off our hands before the other side
/// has read them.
pub(crate) async fn connect_with(
    address: &Address,
    limit: Duration,
    buffer: Option<u32>,
) -> Result<TcpStream, Failure> {
    match timeout(limit, dial(address, buffer)).await {
        Ok(Ok(socket)) => {
            // Frames of 20 ms must not wait for each other.
            let _ = socket.set_nodelay(true);
            Ok(socket)
        }
        Ok(Err(error)) => Err(Failure::Connect(error.to_string())),
        Err(_) => Err(Failure::Connect("timed out".to_owned())),
    }
}

async fn dial(address: &Address, buffer: Option<u32>) -> io::Result<TcpStream> {
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in lookup_host((address.host.as_str(), address.port)).await? {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if let Some(buffer) = buffer {
            socket.set_send_buffer_size(buffer)?;
        }
        match socket.connect(address).await {
            Ok(socket) => return Ok(socket),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// Sends `head` (the lines of a request without the last empty one) and `body`, and reads the reply.
pub(crate) async fn exchange(socket: TcpStream, head: &str, body: &[u8], limit: Duration) -> Result<Reply, Failure> {
    exchange_up_to(socket, head, body, limit, LARGEST_BODY).await
}

/// The same, with a reply of at most `largest` bytes.
pub(crate) async fn exchange_up_to(
    mut socket: TcpStream,
    head: &str,
    body: &[u8],
    limit: Duration,
    largest: usize,
) -> Result<Reply, Failure> {
    let talk = async {
        let mut request = format!("{head}\r\n").into_bytes();
        request.extend(body);
        socket.write_all(&request).await?;
        read_reply(&mut socket, largest).await
    };
    timeout(limit, talk).await.unwrap_or(Err(Failure::Timeout))
}

async fn read_reply(socket: &mut (impl AsyncRead + Unpin), largest: usize) -> Result<Reply, Failure> {
    let mut read = Vec::new();
    loop {
        let end = loop {
            if let Some(at) = find(&read, b"\r\n\r\n") {
                break at;
            }
            if read.len() > LARGEST_HEAD {
                return Err(Failure::Broken("endless header".to_owned()));
            }
            more(socket, &mut read).await?;
        };
        let head = String::from_utf8_lossy(&read[..end]).into_owned();
        read.drain(..end + 4);
        let status = status_of(&head)?;
        // 1xx only announces the reply.
        if status >= 200 {
            let body = read_body(socket, &head, status, read, largest).await?;
            let named = |name| header(&head, name).map(str::to_owned);
            let (content_type, location) = (named("content-type"), named("location"));
            return Ok(Reply { status, content_type, location, challenge: named("www-authenticate"), body });
        }
    }
}

async fn read_body(
    socket: &mut (impl AsyncRead + Unpin),
    head: &str,
    status: u16,
    mut read: Vec<u8>,
    largest: usize,
) -> Result<Vec<u8>, Failure> {
    if status == 204 || status == 304 {
        return Ok(Vec::new());
    }
    let chunked = header(head, "transfer-encoding").is_some_and(|value| value.to_ascii_lowercase().contains("chunked"));
    if chunked {
        return read_chunks(socket, read, largest).await;
    }
    let length = header(head, "content-length").and_then(|value| value.parse::<usize>().ok());
    if length.is_some_and(|length| length > largest) {
        return Err(Failure::TooLarge);
    }
    while length.is_none_or(|length| read.len() < length) {
        match more(socket, &mut read).await {
            Ok(()) => {}
            Err(_) if length.is_none() => break,
            Err(failure) => return Err(failure),
        }
        if read.len() > largest {
            return Err(Failure::TooLarge);
        }
    }
    read.truncate(length.unwrap_or(read.len()));
    Ok(read)
}

async fn read_chunks(
    socket: &mut (impl AsyncRead + Unpin),
    mut read: Vec<u8>,
    largest: usize,
) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    loop {
        let line = loop {
            if let Some(at) = find(&read, b"\r\n") {
                break at;
            }
            if read.len() > LARGEST_HEAD {
                return Err(Failure::Broken("endless chunk line".to_owned()));
            }
            more(socket, &mut read).await?;
        };
        let size = String::from_utf8_lossy(&read[..line]).into_owned();
        let size = size.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| Failure::Broken("bad chunk".to_owned()))?;
        if size == 0 {
            return Ok(body);
        }
        if body.len().saturating_add(size) > largest {
            return Err(Failure::TooLarge);
        }
        while read.len() < line + 2 + size + 2 {
            more(socket, &mut read).await?;
        }
        body.extend(&read[line + 2..line + 2 + size]);
        read.drain(..line + 2 + size + 2);
    }
}

async fn more(socket: &mut (impl AsyncRead + Unpin), read: &mut Vec<u8>) -> Result<(), Failure> {
    match socket.read_buf(read).await? {
        0 => Err(Failure::Broken("closed before the reply ended".to_owned())),
        _ => Ok(()),
    }
}

fn status_of(head: &str) -> Result<u16, Failure> {
    head.split(' ')
        .nth(1)
        .and_then(|word| word.trim().parse().ok())
        .filter(|_| head.starts_with("HTTP/1."))
        .ok_or_else(|| Failure::Broken("not HTTP".to_owned()))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(bytes: &[u8]) -> Result<Reply, Failure> {
        let mut source = bytes;
        read_reply(&mut source, LARGEST_BODY).await
    }

    #[tokio::test]
    async fn reads_a_body_of_known_length_and_one_in_chunks() {
        let reply = read(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/xml\r\ncontent-length: 2\r\n\r\nhi",
        )
        .await
        .unwrap();
        assert_eq!((reply.status, reply.body.as_slice()), (200, &b"hi"[..]));
        assert_eq!(reply.content_type.as_deref(), Some("text/xml"));
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n3\r\n yo\r\n0\r\n\r\n";
        assert_eq!(read(chunked).await.unwrap().body, b"hi yo");
    }

    #[tokio::test]
    async fn a_reply_cut_short_is_broken_not_empty() {
        for cut in [&b""[..], b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi"] {
            assert!(matches!(read(cut).await, Err(Failure::Broken(_))));
        }
        let large = b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n";
        assert_eq!(read(large).await.unwrap_err(), Failure::TooLarge);
        assert_eq!(read(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap().body, b"");
    }
}
