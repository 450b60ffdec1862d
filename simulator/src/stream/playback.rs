//! What the agent has sent and the callee has not yet heard: audio and marks in one queue.

use std::collections::VecDeque;

use tokio::sync::oneshot;

use crate::mulaw::{FRAME, SILENCE};

/// Ten minutes of audio, in bytes; Twilio throws the rest away.
const LARGEST: usize = 10 * 60 * 8000;

/// A queue drained at 8000 bytes a second.
#[derive(Debug, Default)]
pub(crate) struct Playback {
    queue: VecDeque<Item>,
    buffered: usize,
    /// Marks reached by the frame now playing: they are due when it has played.
    reached: Vec<String>,
    /// Those who wait for the end of the frame now playing.
    waiting: Vec<oneshot::Sender<()>>,
}

#[derive(Debug)]
enum Item {
    Audio(VecDeque<u8>),
    Mark(String),
    /// Somebody waits until all before it has been played.
    Wait(oneshot::Sender<()>),
}

impl Playback {
    /// Adds audio; false if some of it was thrown away.
    pub(crate) fn audio(&mut self, bytes: &[u8]) -> bool {
        let room = LARGEST - self.buffered;
        let taken = &bytes[..bytes.len().min(room)];
        self.buffered += taken.len();
        if let Some(Item::Audio(last)) = self.queue.back_mut() {
            last.extend(taken);
        } else if !taken.is_empty() {
            self.queue.push_back(Item::Audio(taken.iter().copied().collect()));
        }
        taken.len() == bytes.len()
    }

    /// Adds a mark; it is given back at once if there is nothing before it.
    pub(crate) fn mark(&mut self, name: String) -> Option<String> {
        if self.queue.is_empty() && self.reached.is_empty() {
            return Some(name);
        }
        self.queue.push_back(Item::Mark(name));
        None
    }

    /// Whether there is nothing to play.
    pub(crate) fn is_empty(&self) -> bool {
        self.buffered == 0
    }

    /// Resolves when all audio that is here by now has been played, or was thrown away.
    pub(crate) fn played(&mut self) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        self.queue.push_back(Item::Wait(sender));
        receiver
    }

    /// Throws all audio away and gives back every mark that was waiting, in order.
    pub(crate) fn clear(&mut self) -> Vec<String> {
        self.buffered = 0;
        self.waiting.clear();
        let mut marks = std::mem::take(&mut self.reached);
        marks.extend(self.queue.drain(..).filter_map(|item| match item {
            Item::Mark(name) => Some(name),
            Item::Audio(_) | Item::Wait(_) => None,
        }));
        marks
    }

    /// The next 20 ms for the callee, and the marks whose audio has been played by now.
    pub(crate) fn frame(&mut self) -> ([u8; FRAME], Vec<String>) {
        let played = std::mem::take(&mut self.reached);
        for waiting in self.waiting.drain(..) {
            // Whoever waited may have gone.
            let _ = waiting.send(());
        }
        let mut frame = [SILENCE; FRAME];
        let mut filled = 0;
        while let Some(item) = self.queue.front_mut() {
            match item {
                Item::Audio(bytes) => {
                    let length = bytes.len().min(FRAME - filled);
                    for byte in bytes.drain(..length) {
                        frame[filled] = byte;
                        filled += 1;
                    }
                    self.buffered -= length;
                    if !bytes.is_empty() {
                        break;
                    }
                    self.queue.pop_front();
                }
                Item::Mark(_) | Item::Wait(_) => match self.queue.pop_front() {
                    Some(Item::Mark(name)) => self.reached.push(name),
                    Some(Item::Wait(sender)) => self.waiting.push(sender),
                    Some(Item::Audio(_)) | None => {}
                },
            }
        }
        (frame, played)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_comes_back_when_the_audio_before_it_has_played() {
        let mut playback = Playback::default();
        assert_eq!(playback.mark("now".into()).as_deref(), Some("now"));
        assert!(playback.audio(&[1; FRAME * 2]));
        assert_eq!(playback.mark("end".into()), None);
        assert_eq!(playback.frame(), ([1; FRAME], vec![]));
        assert_eq!(playback.frame(), ([1; FRAME], vec![]));
        assert_eq!(playback.frame(), ([SILENCE; FRAME], vec!["end".to_owned()]));
    }

    #[test]
    fn clear_cuts_the_audio_and_gives_all_marks_back() {
        let mut playback = Playback::default();
        playback.audio(&[1; 500]);
        playback.mark("a".into());
        playback.audio(&[2; 500]);
        playback.mark("b".into());
        playback.frame();
        assert_eq!(playback.clear(), ["a", "b"]);
        // A mark whose audio is just playing is pending too.
        playback.audio(&[1; FRAME]);
        playback.mark("late".into());
        playback.frame();
        assert_eq!(playback.clear(), ["late"]);
        assert_eq!(playback.frame(), ([SILENCE; FRAME], vec![]));
        assert_eq!(playback.mark("c".into()).as_deref(), Some("c"));
    }

    #[test]
    fn odd_pieces_join_and_the_last_frame_is_filled_with_silence() {
        let mut playback = Playback::default();
        playback.audio(&[1; 100]);
        playback.audio(&[1; 100]);
        assert_eq!(playback.frame().0, [1; FRAME]);
        let (last, _) = playback.frame();
        assert_eq!(last[..40], [1; 40]);
        assert!(last[40..].iter().all(|byte| *byte == SILENCE));
    }

    #[test]
    fn whoever_waits_is_told_when_it_has_been_played_or_cleared() {
        let mut playback = Playback::default();
        playback.audio(&[1; FRAME]);
        let mut played = playback.played();
        playback.frame();
        assert!(played.try_recv().is_err(), "the frame is just playing");
        playback.frame();
        assert!(played.try_recv().is_ok());
        playback.audio(&[1; FRAME]);
        let played = playback.played();
        playback.clear();
        assert!(played.blocking_recv().is_err());
    }

    #[test]
    fn more_than_ten_minutes_is_thrown_away() {
        let mut playback = Playback::default();
        assert!(playback.audio(&vec![1; LARGEST - 1]));
        assert!(!playback.audio(&[1; 2]));
        assert_eq!(playback.buffered, LARGEST);
    }
}
