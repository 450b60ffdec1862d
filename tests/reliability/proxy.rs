//! A TCP proxy that does to a connection what networks do: slow it, slice it, reset it, swallow a reply, go silent.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use rand::RngExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What the wire does with bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// Passes them on.
    Clear,
    /// Holds each piece back so long, from and to in ms, and then lets it out in slices.
    Slow { from_ms: u64, to_ms: u64 },
    /// Resets connections: those that are open at once, new ones as soon as they carry something.
    Reset,
    /// Delivers requests; replies are lost, and the asker waits in vain.
    SwallowReplies,
    /// Takes nothing and says nothing, in both directions; connections stay open.
    Silent,
}

/// How many bytes a slice has on a slow wire.
const SLICE: usize = 64;
/// How long after one slice the next one comes.
const BETWEEN_SLICES: Duration = Duration::from_millis(2);

/// A port that stands for others.
pub struct Proxy {
    address: SocketAddr,
    wire: watch::Sender<Wire>,
    tally: Arc<Tally>,
    // Dropped with the proxy: all connections end.
    _connections: JoinSet<()>,
}

/// What was done to connections.
#[derive(Debug, Default)]
pub struct Tally {
    pub reset: AtomicU64,
    pub swallowed: AtomicU64,
    pub slowed: AtomicU64,
}

impl Proxy {
    /// Stands for these; each new connection goes to the next of them that accepts it.
    pub async fn start(behind: Vec<SocketAddr>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (wire, watched) = watch::channel(Wire::Clear);
        let tally = Arc::new(Tally::default());
        let mut connections = JoinSet::new();
        let counted = Arc::clone(&tally);
        connections.spawn(async move {
            let (turn, mut open) = (Arc::new(AtomicUsize::new(0)), JoinSet::new());
            while let Ok((near, _)) = listener.accept().await {
                let (behind, turn) = (behind.clone(), Arc::clone(&turn));
                let (watched, counted) = (watched.clone(), Arc::clone(&counted));
                open.spawn(async move {
                    if let Some(far) = connect(&behind, &turn).await {
                        carry(near, far, watched, &counted).await;
                    }
                });
                while open.try_join_next().is_some() {}
            }
        });
        Self { address, wire, tally, _connections: connections }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn becomes(&self, wire: Wire) {
        self.wire.send_replace(wire);
    }

    pub fn tally(&self) -> &Tally {
        &self.tally
    }
}

async fn connect(behind: &[SocketAddr], turn: &AtomicUsize) -> Option<TcpStream> {
    let first = turn.fetch_add(1, Ordering::Relaxed);
    for nth in 0..behind.len() {
        if let Ok(far) = TcpStream::connect(behind[(first + nth) % behind.len()]).await {
            return Some(far);
        }
    }
    None
}

async fn carry(mut near: TcpStream, mut far: TcpStream, wire: watch::Receiver<Wire>, tally: &Tally) {
    // Small pieces must arrive as they were written.
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let cut = {
        let (near_read, near_write) = near.split();
        let (far_read, far_write) = far.split();
        let there = pump(near_read, far_write, wire.clone(), Way::There, tally);
        let back = pump(far_read, near_write, wire.clone(), Way::Back, tally);
        let both = async { tokio::join!(there, back) };
        tokio::select! {
            (there, back) = both => there == Ended::Cut || back == Ended::Cut,
            () = reset_while_open(wire) => true,
        }
    };
    if cut {
        tally.reset.fetch_add(1, Ordering::Relaxed);
        // Closed with nothing lingering, a socket sends RST.
        let _ = (near.set_zero_linger(), far.set_zero_linger());
    }
}

/// Returns when the wire begins to reset connections; one that was opened meanwhile dies by its first bytes.
async fn reset_while_open(mut wire: watch::Receiver<Wire>) {
    loop {
        if wire.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        if *wire.borrow() == Wire::Reset {
            return;
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    There,
    Back,
}

#[derive(Debug, PartialEq, Eq)]
enum Ended {
    ByItself,
    Cut,
}

async fn pump(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut wire: watch::Receiver<Wire>,
    way: Way,
    tally: &Tally,
) -> Ended {
    let (mut piece, mut deaf) = (vec![0; 16 * 1024], false);
    loop {
        let Ok(read @ 1..) = from.read(&mut piece).await else {
            let _ = to.shutdown().await;
            return Ended::ByItself;
        };
        if wire.wait_for(|wire| *wire != Wire::Silent).await.is_err() {
            return Ended::ByItself;
        }
        let now = *wire.borrow_and_update();
        match now {
            Wire::Reset => return Ended::Cut,
            Wire::SwallowReplies if way == Way::Back => {
                tally.swallowed.fetch_add(u64::from(!deaf), Ordering::Relaxed);
                deaf = true;
            }
            _ => {}
        }
        // A reply of which the beginning is lost is lost as a whole.
        if deaf {
            continue;
        }
        let written = match now {
            Wire::Slow { from_ms, to_ms } => {
                tally.slowed.fetch_add(1, Ordering::Relaxed);
                let held = rand::rng().random_range(from_ms..=to_ms);
                tokio::time::sleep(Duration::from_millis(held)).await;
                in_slices(&mut to, &piece[..read]).await
            }
            _ => to.write_all(&piece[..read]).await,
        };
        if written.is_err() {
            return Ended::ByItself;
        }
    }
}

async fn in_slices(to: &mut (impl AsyncWriteExt + Unpin), piece: &[u8]) -> std::io::Result<()> {
    for slice in piece.chunks(SLICE) {
        to.write_all(slice).await?;
        to.flush().await?;
        tokio::time::sleep(BETWEEN_SLICES).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tokio::time::timeout;

    use super::*;

    /// A proxy before a server that answers each piece with itself.
    async fn echo() -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = socket.split();
                    tokio::io::copy(&mut read, &mut write).await
                });
            }
        });
        Proxy::start(vec![address]).await
    }

    async fn ask(socket: &mut TcpStream) -> std::io::Result<usize> {
        socket.write_all(&[7; 200]).await?;
        socket.read_exact(&mut [0; 200]).await
    }

    #[tokio::test]
    async fn a_clear_wire_passes_on_what_it_is_given() {
        let proxy = echo().await;
        let mut socket = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(ask(&mut socket).await.unwrap(), 200);
        socket.shutdown().await.unwrap();
        assert_eq!(socket.read(&mut [0; 8]).await.unwrap(), 0, "an end is passed on, too");
    }

    #[tokio::test]
    async fn a_reset_wire_cuts_what_is_open_and_what_begins() {
        let proxy = echo().await;
        let mut open = TcpStream::connect(proxy.address()).await.unwrap();
        ask(&mut open).await.unwrap();
        proxy.becomes(Wire::Reset);
        let cut = open.read(&mut [0; 8]).await.unwrap_err();
        assert_eq!(cut.kind(), std::io::ErrorKind::ConnectionReset);
        let mut new = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(ask(&mut new).await.is_err());
        proxy.becomes(Wire::Clear);
        let mut later = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(ask(&mut later).await.is_ok());
        assert_eq!(proxy.tally().reset.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn a_swallowed_reply_never_comes_although_the_wire_is_clear_again() {
        let proxy = echo().await;
        let mut socket = TcpStream::connect(proxy.address()).await.unwrap();
        proxy.becomes(Wire::SwallowReplies);
        assert!(timeout(Duration::from_millis(200), ask(&mut socket)).await.is_err());
        assert_eq!(proxy.tally().swallowed.load(Ordering::Relaxed), 1, "it was delivered, and answered");
        proxy.becomes(Wire::Clear);
        assert!(timeout(Duration::from_millis(200), ask(&mut socket)).await.is_err());
    }

    #[tokio::test]
    async fn a_silent_wire_keeps_what_it_has_until_it_is_clear() {
        let proxy = echo().await;
        let mut socket = TcpStream::connect(proxy.address()).await.unwrap();
        proxy.becomes(Wire::Silent);
        let mut asked = Box::pin(ask(&mut socket));
        assert!(timeout(Duration::from_millis(200), &mut asked).await.is_err());
        proxy.becomes(Wire::Clear);
        assert_eq!(asked.await.unwrap(), 200);
    }

    #[tokio::test]
    async fn a_slow_wire_is_slow_and_loses_nothing() {
        let proxy = echo().await;
        let mut socket = TcpStream::connect(proxy.address()).await.unwrap();
        proxy.becomes(Wire::Slow { from_ms: 50, to_ms: 60 });
        let begun = Instant::now();
        assert_eq!(ask(&mut socket).await.unwrap(), 200);
        assert!(begun.elapsed() >= Duration::from_millis(100), "{:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn who_is_gone_is_passed_over() {
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let there = echo().await;
        let proxy = Proxy::start(vec![gone, there.address()]).await;
        for _ in 0..4 {
            let mut socket = TcpStream::connect(proxy.address()).await.unwrap();
            assert_eq!(ask(&mut socket).await.unwrap(), 200);
        }
    }
}
