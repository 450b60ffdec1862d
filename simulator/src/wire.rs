//! The connections of the REST API, which can be made to break: a client's worst minutes happen
//! below HTTP.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Where clients come in.
pub(crate) struct Door(pub(crate) TcpListener);

/// One connection.
pub(crate) struct Wire {
    socket: TcpStream,
    cutter: Cutter,
}

/// How a reply is broken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Before its first byte.
    AtOnce,
    /// In its middle.
    MidWay,
}

/// Breaks a connection while one of its requests is answered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cutter(Arc<Mutex<Option<Cut>>>);

impl Cutter {
    /// Makes the reply that comes next break off there. What the client gets is a reset, as from a
    /// machine that knows of no connection, not the orderly end of one.
    pub(crate) fn cut(&self, cut: Cut) {
        self.set(Some(cut));
    }

    fn set(&self, cut: Option<Cut>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = cut;
    }

    fn get(&self) -> Option<Cut> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connected<IncomingStream<'_, Door>> for Cutter {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Cutter {
        stream.io().cutter.clone()
    }
}

impl Listener for Door {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        let (socket, address) = Listener::accept(&mut self.0).await;
        (Wire { socket, cutter: Cutter::default() }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, buf)
    }
}

/// Not vectored, so that a short reply comes in one piece, of which a part can be sent.
impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.cutter.get() {
            None => Pin::new(&mut self.socket).poll_write(cx, bytes),
            Some(Cut::MidWay) => {
                // The head of a created call's reply, and not as much of its body as would name the call.
                let beginning = bytes.len().div_ceil(4);
                let written = Pin::new(&mut self.socket).poll_write(cx, &bytes[..beginning]);
                if written.is_ready() {
                    self.cutter.set(Some(Cut::AtOnce));
                }
                written
            }
            Some(Cut::AtOnce) => {
                // Without lingering the socket's end, which follows from this error, is a reset.
                let error = self.socket.set_zero_linger().err();
                Poll::Ready(Err(error.unwrap_or_else(|| io::ErrorKind::ConnectionReset.into())))
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
