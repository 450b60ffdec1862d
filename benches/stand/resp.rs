//! The wire language of Redis, no more of it than a bare client needs.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// A reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    Simple(String),
    Error(String),
    Number(i64),
    Bulk(Option<Vec<u8>>),
    Many(Vec<Reply>),
}

impl Reply {
    /// Whether it, or something in it, is an error.
    pub fn is_error(&self) -> bool {
        match self {
            Self::Error(_) => true,
            Self::Many(replies) => replies.iter().any(Self::is_error),
            _ => false,
        }
    }

    pub fn text(&self) -> String {
        match self {
            Self::Simple(text) | Self::Error(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Bulk(bytes) => String::from_utf8_lossy(bytes.as_deref().unwrap_or_default()).into_owned(),
            Self::Many(replies) => replies.iter().map(Self::text).collect::<Vec<_>>().join(" "),
        }
    }
}

/// A connection.
pub struct Connection {
    socket: BufReader<TcpStream>,
}

impl Connection {
    pub fn open(port: u16) -> std::io::Result<Self> {
        let socket = TcpStream::connect(("127.0.0.1", port))?;
        socket.set_nodelay(true)?;
        Ok(Self { socket: BufReader::with_capacity(256 * 1024, socket) })
    }

    /// Sends what [`encode`] has made.
    pub fn write(&mut self, commands: &[u8]) -> std::io::Result<()> {
        self.socket.get_mut().write_all(commands)
    }

    pub fn reply(&mut self) -> std::io::Result<Reply> {
        let line = self.line()?;
        let (kind, rest) = line.split_at(1);
        let number = || rest.parse::<i64>().map_err(std::io::Error::other);
        Ok(match kind {
            "+" => Reply::Simple(rest.to_owned()),
            "-" => Reply::Error(rest.to_owned()),
            ":" => Reply::Number(number()?),
            "$" => Reply::Bulk(match usize::try_from(number()?) {
                Ok(length) => {
                    let mut bytes = vec![0; length + 2];
                    self.socket.read_exact(&mut bytes)?;
                    bytes.truncate(length);
                    Some(bytes)
                }
                Err(_) => None,
            }),
            "*" => Reply::Many((0..number()?.max(0)).map(|_| self.reply()).collect::<Result<_, _>>()?),
            other => return Err(std::io::Error::other(format!("no reply begins with {other:?}"))),
        })
    }

    /// One line, without its end. Also how `MONITOR` is read.
    pub fn line(&mut self) -> std::io::Result<String> {
        let mut line = Vec::new();
        self.socket.read_until(b'\n', &mut line)?;
        if line.pop() != Some(b'\n') || line.len() < 2 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        line.pop();
        String::from_utf8(line).map_err(std::io::Error::other)
    }

    /// Sends one command and waits for its reply.
    pub fn ask<P: AsRef<[u8]>>(&mut self, command: &[P]) -> std::io::Result<Reply> {
        let mut bytes = Vec::new();
        encode(&mut bytes, command);
        self.write(&bytes)?;
        self.reply()
    }
}

/// Adds a command.
pub fn encode<P: AsRef<[u8]>>(bytes: &mut Vec<u8>, command: &[P]) {
    write!(bytes, "*{}\r\n", command.len()).unwrap();
    for part in command {
        let part = part.as_ref();
        write!(bytes, "${}\r\n", part.len()).unwrap();
        bytes.extend_from_slice(part);
        bytes.extend_from_slice(b"\r\n");
    }
}
