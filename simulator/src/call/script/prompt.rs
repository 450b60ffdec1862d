//! Saying, playing and pausing.

mod file;

use tokio::time::sleep;

use super::Stage;
use crate::tones::{self, Voice};
use crate::twiml::{Prompt, Sound};

impl Stage<'_> {
    /// Until the callee has heard it. Relative URLs start from `base`.
    pub(super) async fn prompt(&self, prompt: &Prompt, base: Option<&str>) {
        match prompt {
            // Spoken as tones: that is the voice of this desk, and the callee understands it.
            Prompt::Say(say) => self.play(&tones::speak(&say.text, Voice::Clear), say.times).await,
            Prompt::Play { sound: Sound::Keys(keys), times } => self.play(&tones::keys(keys), *times).await,
            Prompt::Play { sound: Sound::File(url), times } => {
                if let Some(sound) = self.file(url, base).await {
                    self.play(&sound, *times).await;
                }
            }
            Prompt::Pause(length) => sleep(*length).await,
        }
    }

    pub(super) async fn play(&self, sound: &[u8], times: Option<u32>) {
        let mut done = 0;
        while times.is_none_or(|times| done < times) && !sound.is_empty() {
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
