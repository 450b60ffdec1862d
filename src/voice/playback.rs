//! The line that is being played.
//!
//! What we send is buffered at the other end and played in real time; a mark behind it comes back when it has been
//! played. `clear` sends all marks back at once, so a mark proves that a line was heard only if that line was not
//! cleared before: a line is forgotten when it is cut, and its mark then means nothing.

use super::mulaw::SAMPLES_PER_MS;
use super::turn::Turn;

/// How much later than its length a line may end; after that its mark is taken for lost.
const MARK_SLACK_MS: u64 = 2_000;

/// The line that is being played, if any.
#[derive(Debug, Default)]
pub(super) struct Playback {
    line: Option<Line>,
    lines: u64,
}

#[derive(Debug)]
struct Line {
    mark: String,
    text: String,
    from_ms: u64,
    length_ms: u64,
}

impl Playback {
    /// Begins a line; gives the name of the mark behind it.
    pub(super) fn begin(&mut self, text: String, audio: &[u8], now_ms: u64) -> String {
        self.lines += 1;
        let mark = format!("line-{}", self.lines);
        let length_ms = audio.len() as u64 / SAMPLES_PER_MS;
        self.line = Some(Line { mark: mark.clone(), text, from_ms: now_ms, length_ms });
        mark
    }

    /// A mark came back; gives the line if that proves it was played.
    pub(super) fn played(&mut self, mark: &str, now_ms: u64) -> Option<Turn> {
        self.line.take_if(|line| line.mark == mark).map(|line| line.said(now_ms, false))
    }

    /// Gives the line whose mark should have come long ago.
    pub(super) fn overdue(&mut self, now_ms: u64) -> Option<Turn> {
        let line = self.line.take_if(|line| now_ms >= line.from_ms + line.length_ms + MARK_SLACK_MS)?;
        let end_ms = line.from_ms + line.length_ms;
        Some(line.said(end_ms, false))
    }

    /// Cuts the line; gives it, and how much of it was played, in percent. A line whose time was over was played.
    pub(super) fn cut(&mut self, now_ms: u64) -> Option<(Turn, u8)> {
        let line = self.line.take()?;
        let played_ms = (now_ms - line.from_ms).min(line.length_ms);
        let percent = (played_ms * 100 / line.length_ms.max(1)) as u8;
        Some((line.said(now_ms, percent < 100), percent))
    }

    pub(super) fn is_playing(&self) -> bool {
        self.line.is_some()
    }
}

impl Line {
    fn said(self, to_ms: u64, interrupted: bool) -> Turn {
        Turn { text: self.text, from_ms: self.from_ms, to_ms, damaged: false, interrupted }
    }
}
