//! The far sides, each a process of its own on one core: the simulator, and the bare loop that is its limit.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use gymcall_simulator::{Settings, Simulator};

use crate::STREAMS;

/// Bytes of one media message as a WebSocket frame, about.
const MESSAGE: usize = 344;

/// Another of this program, held on core 0. It ends with this value.
pub(crate) struct Far {
    child: Child,
    pub first_line: String,
}

impl Far {
    pub(crate) fn start(words: &[&str]) -> Far {
        let program = std::env::current_exe().unwrap();
        let mut command = Command::new("taskset");
        command.args(["-c", "0"]).arg(program).args(words).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("taskset is installed");
        let mut first_line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first_line).unwrap();
        Far { child, first_line: first_line.trim().to_owned() }
    }

    /// CPU time so far; the kernel tells in hundredths of a second.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat[stat.rfind(')').unwrap() + 2..].split(' ').collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Holds this process, with all threads it will have, on one core.
pub(crate) fn hold_this_process_on(core: usize) {
    let pid = std::process::id().to_string();
    let held = Command::new("taskset").args(["-a", "-p", "-c", &core.to_string(), &pid]).stdout(Stdio::null()).status();
    assert!(held.is_ok_and(|status| status.success()), "taskset holds this process on core {core}");
}

/// The simulator, until its standard input ends.
pub(crate) fn simulator() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let settings = Settings { calls_per_second: 250.0, ..Settings::default() };
        let simulator = Simulator::start(settings).await.unwrap();
        println!("{}", simulator.url());
        let wait = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
        let _ = wait.await;
    });
    ExitCode::SUCCESS
}

/// Writes to as many sockets as there are streams, every 20 ms, spread over that time as the simulator does it.
pub(crate) fn bare_loop(address: &str) -> ExitCode {
    let mut sockets: Vec<TcpStream> = (0..STREAMS)
        .map(|_| {
            let socket = TcpStream::connect(address).unwrap();
            socket.set_nodelay(true).unwrap();
            socket
        })
        .collect();
    println!("connected");
    // As a WebSocket frame with a length of two bytes and a mask of four, so that one app reads both.
    let mut message = vec![b'x'; MESSAGE];
    message[..4].copy_from_slice(&[0x81, 0x80 | 126, ((MESSAGE - 8) >> 8) as u8, ((MESSAGE - 8) & 0xFF) as u8]);
    let began = Instant::now();
    for ms in 1u64.. {
        let due = began + Duration::from_millis(ms);
        sleep(due.saturating_duration_since(Instant::now()));
        for socket in sockets.iter_mut().skip((ms % 20) as usize).step_by(20) {
            if socket.write_all(&message).is_err() {
                return ExitCode::SUCCESS;
            }
        }
    }
    ExitCode::SUCCESS
}
