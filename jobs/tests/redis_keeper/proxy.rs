//! Stands between a store and its server, and loses an answer when told to.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

const CARRIES: u8 = 0;
const LOSES: u8 = 1;
const HAS_LOST: u8 = 2;

pub struct Proxy {
    folder: TempDir,
    state: Arc<AtomicU8>,
    shut: Arc<AtomicBool>,
}

impl Proxy {
    pub async fn before(server: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("proxy.sock")).unwrap();
        let state = Arc::new(AtomicU8::new(CARRIES));
        let shut = Arc::new(AtomicBool::new(false));
        let (shared, closed, server) = (Arc::clone(&state), Arc::clone(&shut), server.to_owned());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if !closed.load(Ordering::SeqCst)
                    && let Ok(server) = UnixStream::connect(&server).await
                {
                    tokio::spawn(carry(client, server, Arc::clone(&shared)));
                }
            }
        });
        Self { folder, state, shut }
    }

    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.folder.path().join("proxy.sock").display())
    }

    /// Lets no new connection through, or lets them through again.
    pub fn shut(&self, shut: bool) {
        self.shut.store(shut, Ordering::SeqCst);
    }

    /// The server's answer to the next script that writes reaches nobody, and its connection is closed.
    pub fn lose_next_answer(&self) {
        self.state.store(LOSES, Ordering::SeqCst);
    }

    pub fn has_lost(&self) -> bool {
        self.state.load(Ordering::SeqCst) == HAS_LOST
    }
}

/// The scripts' signs of life are let through: it is the test's own write that is to be lost.
fn is_write(asked: &[u8]) -> bool {
    let asked = String::from_utf8_lossy(asked);
    asked.contains("EVALSHA") && asked.len() > 250
}

async fn carry(mut client: UnixStream, mut server: UnixStream, state: Arc<AtomicU8>) {
    let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    let mut losing = false;
    loop {
        tokio::select! {
            read = client.read(&mut asked) => match read {
                Ok(read) if read > 0 => {
                    losing |= is_write(&asked[..read]) && state.load(Ordering::SeqCst) == LOSES;
                    if server.write_all(&asked[..read]).await.is_err() { return }
                }
                _ => return,
            },
            read = server.read(&mut answered) => match read {
                Ok(read) if read > 0 => {
                    if losing {
                        state.store(HAS_LOST, Ordering::SeqCst);
                        return;
                    }
                    if client.write_all(&answered[..read]).await.is_err() { return }
                }
                _ => return,
            },
        }
    }
}
