//! The points that `GYMCALL_FAILPOINT` has armed, and what they do.

use std::future::poll_fn;
use std::io::Write as _;
use std::pin::pin;
use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};

/// Every point, and the moment that it marks.
pub const POINTS: [(&str, &str); 21] = [
    ("W1", "a due job was handed out"),
    ("W2", "before begin_dial"),
    ("W3", "begin_dial said go"),
    ("W4", "just before the deadline is checked and the request sent"),
    ("W5", "half of the request is written"),
    ("W6", "the request is written, its reply not read"),
    ("W7", "the reply is read"),
    ("W8", "the outcome is on its way to the store"),
    ("W9", "the outcome is stored, the handler has not returned"),
    ("W10", "the handler has returned, the job is given back"),
    ("S1", "a webhook is read"),
    ("S2", "it is verified"),
    ("S3", "its news is on its way to the store"),
    ("S4", "the news is stored, the 2xx not sent"),
    ("S5", "a stream is open, nothing said yet"),
    ("C1", "in the middle of an uploaded CSV"),
    ("C2", "its rows are staged, not published"),
    ("C3", "they are published, the reply not sent"),
    ("K1", "the sweep found overdue jobs and has told none"),
    ("K2", "Twilio answered a look-up, nobody was told"),
    ("K3", "the look-up's result is told, the next order not carried out"),
];

/// Which point an event passes while it is on its way to the store.
const ON_THE_WAY: [(&str, &str); 10] = [
    ("created", "W8"),
    ("not_created", "W8"),
    ("unclear", "W8"),
    ("voice_requested", "S3"),
    ("call_news", "S3"),
    ("stream_opened", "S3"),
    ("reported", "S3"),
    ("speech_begun", "S3"),
    ("turn_heard", "S3"),
    ("detected", "S3"),
];

/// How long work is left alone before its middle counts as reached: it is in another thread's or
/// another process's hands by then.
const ON_ITS_WAY: Duration = Duration::from_millis(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Kill,
    Stop,
    Error,
}

#[derive(Debug)]
struct Armed {
    point: String,
    action: Action,
    /// At which pass it acts, from 1.
    at: u64,
    passed: AtomicU64,
}

static ARMED: OnceLock<Vec<Armed>> = OnceLock::new();

/// Passes a point, which may end or stop this process.
pub fn hit(point: &str) {
    let _ = fails(point);
}

/// Passes a point, which may end or stop this process. Says whether the step is to fail here.
#[must_use]
pub fn fails(point: &str) -> bool {
    let armed = armed().iter().find(|armed| armed.point == point);
    armed.is_some_and(Armed::pass)
}

/// Whether a point will act some time.
pub fn is_armed(point: &str) -> bool {
    armed().iter().any(|armed| armed.point == point)
}

/// Does the work, and passes the point of this event once the work was begun and nothing has come of it here.
pub async fn in_flight<T>(event: &str, work: impl Future<Output = T>) -> T {
    let point = ON_THE_WAY.iter().find(|(name, _)| *name == event).map(|(_, point)| *point);
    let mut work = pin!(work);
    if let Some(point) = point.filter(|point| is_armed(point)) {
        if let Poll::Ready(done) = poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await {
            return done;
        }
        tokio::time::sleep(ON_ITS_WAY).await;
        hit(point);
    }
    work.await
}

impl Armed {
    fn pass(&self) -> bool {
        let pass = self.passed.fetch_add(1, Ordering::SeqCst) + 1;
        if pass != self.at {
            return false;
        }
        say(&format!("failpoint {}: pass {pass}, {}\n", self.point, self.action.word()));
        let signal = match self.action {
            Action::Error => return true,
            Action::Kill => Signal::KILL,
            Action::Stop => Signal::STOP,
        };
        if let Err(error) = kill_process(getpid(), signal) {
            refuse(&format!("{signal:?} cannot be sent: {error}"));
        }
        false
    }
}

impl Action {
    fn word(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Stop => "stop",
            Self::Error => "error",
        }
    }
}

impl FromStr for Armed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (point, rest) = text.split_once(':').ok_or("no action")?;
        let (action, at) = rest.split_once('@').unwrap_or((rest, "1"));
        if !POINTS.iter().any(|(name, _)| *name == point) {
            return Err(format!("no point {point}"));
        }
        let action = match action {
            "kill" => Action::Kill,
            "stop" => Action::Stop,
            "error" => Action::Error,
            other => return Err(format!("no action {other}")),
        };
        let at = at.parse().map_err(|error| format!("{at}: {error}"))?;
        Ok(Self { point: point.to_owned(), action, at, passed: AtomicU64::new(0) })
    }
}

fn armed() -> &'static [Armed] {
    ARMED.get_or_init(|| {
        // This exists for tests alone, and is no setting of anybody's.
        #[allow(clippy::disallowed_methods)]
        let text = std::env::var("GYMCALL_FAILPOINT").unwrap_or_default();
        let points = text.split(',').filter(|point| !point.is_empty());
        let armed: Result<Vec<Armed>, String> = points.map(str::parse).collect();
        // A test whose point is misspelt would show that nothing goes wrong.
        armed.unwrap_or_else(|why| refuse(&format!("GYMCALL_FAILPOINT={text}: {why}")))
    })
}

fn refuse(why: &str) -> ! {
    say(&format!("error: {why}\n"));
    std::process::exit(1)
}

fn say(line: &str) {
    // Without it the test that armed the point waits in vain, and says so.
    let _ = std::io::stderr().write_all(line.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_acts_at_its_pass_and_at_no_other() {
        let armed: Armed = "W2:error@3".parse().unwrap();
        let acts: Vec<bool> = (0..5).map(|_| armed.pass()).collect();
        assert_eq!(acts, [false, false, true, false, false]);
        let first: Armed = "K1:error".parse().unwrap();
        assert!(first.pass() && !first.pass());
    }

    #[test]
    fn what_is_misspelt_is_refused() {
        for text in ["W11:kill", "W1", "W1:die", "W1:kill@", "W1:kill@x", ":kill"] {
            assert!(text.parse::<Armed>().is_err(), "{text}");
        }
    }
}
