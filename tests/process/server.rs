//! `gymcall serve` as a process.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};

use super::api::Api;
use super::local_twilio::with_account;
use super::program::{Ended, Program, gymcall, url_in};

/// A server at work.
pub struct Server {
    pub program: Program,
    pub api: Api,
}

impl Server {
    /// Starts it, and waits until it listens.
    pub async fn start(command: Command) -> Self {
        let mut program = Program::start(command);
        let listening = |line: &str| line.contains("listening on").then(|| url_in(line)).flatten();
        let url = program.err.until("the server's address", listening).await;
        Self { program, api: Api::new(&url) }
    }

    pub fn id(&self) -> u32 {
        self.program.id()
    }

    /// `kill -9`.
    pub fn kill(self) {
        self.program.kill();
    }

    pub fn terminate(&self) {
        self.program.terminate();
    }

    pub async fn ended(self) -> Ended {
        self.program.ended().await
    }
}

/// `gymcall serve` on a free port, with its data in `folder/data`, calling through the Twilio at `twilio`.
pub fn serve(folder: &Path, twilio: &str) -> Command {
    let mut command = gymcall(folder, ["serve"]);
    with_account(&mut command);
    command
        .env("GYMCALL_BIND", "127.0.0.1:0")
        .env("GYMCALL_DATA_DIR", folder.join("data"))
        .env("TWILIO_API_BASE_URL", twilio)
        .env("TWILIO_FROM_NUMBER", "+12125550100")
        .env("GYMCALL_CALLS_PER_SECOND", "10")
        .env("GYMCALL_MAX_CONCURRENT_CALLS", "20")
        .env("GYMCALL_LOOK_UP_WAITS", "1s,2s,4s,8s");
    command
}

/// A port that is free, and stays so while a server on it is being killed and started again:
/// it is below those that the system gives out by itself, to other tests for example.
pub fn port_to_keep() -> u16 {
    // No two tests of one process get the same.
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + (std::process::id() % 10_000) as u16;
    let ports = std::iter::repeat_with(|| first + NEXT.fetch_add(1, Ordering::Relaxed)).take(1_000);
    ports.into_iter().find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("a free port")
}
