//! The way out of a stream's socket. Whoever has something to say on it says it at once, and whole;
//! what the socket does not take waits here, so that nobody else waits.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// Clones share it.
#[derive(Clone)]
pub(super) struct Outlet(Arc<Mutex<Way>>);

struct Way {
    socket: OwnedWriteHalf,
    backlog: VecDeque<u8>,
    /// The connection is dead, or plays dead: what is said goes nowhere.
    is_dead: bool,
}

/// A socket as a WebSocket needs it, whose way out others use as well.
pub(super) struct Pipe {
    reader: OwnedReadHalf,
    outlet: Outlet,
}

impl Pipe {
    pub(super) fn new(socket: TcpStream) -> (Pipe, Outlet) {
        let (reader, socket) = socket.into_split();
        let way = Way { socket, backlog: VecDeque::new(), is_dead: false };
        let outlet = Outlet(Arc::new(Mutex::new(way)));
        (Pipe { reader, outlet: outlet.clone() }, outlet)
    }
}

impl Outlet {
    /// Sends all of `bytes`, now or as soon as the socket takes them.
    pub(super) fn send(&self, bytes: &[u8]) {
        let mut way = self.way();
        way.drain();
        let sent = if way.backlog.is_empty() { way.write(bytes) } else { 0 };
        if !way.is_dead {
            way.backlog.extend(&bytes[sent..]);
        }
    }

    /// Bytes that wait for the socket, after it has been asked once more.
    pub(super) fn backlog(&self) -> usize {
        let mut way = self.way();
        way.drain();
        way.backlog.len()
    }

    /// Sends nothing any more, and does not say so.
    pub(super) fn play_dead(&self) {
        let mut way = self.way();
        way.is_dead = true;
        way.backlog.clear();
    }

    fn way(&self) -> MutexGuard<'_, Way> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Way {
    fn drain(&mut self) {
        while !self.backlog.is_empty() && !self.is_dead {
            let backlog = std::mem::take(&mut self.backlog);
            let sent = self.write(backlog.as_slices().0);
            self.backlog = backlog;
            self.backlog.drain(..sent);
            if sent == 0 {
                break;
            }
        }
    }

    /// Writes what the socket takes at once.
    fn write(&mut self, bytes: &[u8]) -> usize {
        let mut sent = 0;
        while sent < bytes.len() && !self.is_dead {
            match self.socket.try_write(&bytes[sent..]) {
                Ok(count) => sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // Whoever reads will hear of it.
                Err(_) => self.is_dead = true,
            }
        }
        sent
    }
}

impl AsyncRead for Pipe {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.reader).poll_read(cx, buf)
    }
}

impl AsyncWrite for Pipe {
    /// Takes everything: a frame that was begun must not be broken by another's.
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.outlet.send(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut way = self.outlet.way();
        loop {
            way.drain();
            if way.backlog.is_empty() || way.is_dead {
                return Poll::Ready(Ok(()));
            }
            ready!(way.socket.as_ref().poll_write_ready(cx))?;
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut way = self.outlet.way();
        Pin::new(&mut way.socket).poll_shutdown(cx)
    }
}
