//! Saying, playing and pausing.

use tokio::time::sleep;

use super::Stage;
use crate::tones::{self, Voice};
use crate::twiml::{Prompt, Sound};

impl Stage<'_> {
    /// Until the callee has heard it.
    pub(super) async fn prompt(&self, prompt: &Prompt, _base: Option<&str>) {
        match prompt {
            // Spoken as tones: that is the voice of this desk, and the callee understands it.
            Prompt::Say(say) => self.play(&tones::speak(&say.text, Voice::Clear), say.times).await,
            Prompt::Play { sound: Sound::Keys(_) | Sound::File(_), .. } => {
                self.warn(0, "<Play> is not simulated yet");
            }
            Prompt::Pause(length) => sleep(*length).await,
        }
    }

    async fn play(&self, sound: &[u8], times: Option<u32>) {
        let mut done = 0;
        while times.is_none_or(|times| done < times) {
            let played = self.line.with_playback(|playback| {
                playback.audio(sound);
                playback.played()
            });
            // An error means that it was cut off.
            if played.await.is_err() {
                return;
            }
            done += 1;
        }
    }
}
