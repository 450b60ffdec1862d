//! Saying, playing and pausing.

mod file;

use tokio::time::sleep;

use super::Stage;
use crate::tones::{self, Voice};
use crate::twiml::{Prompt, Say, Sound};

impl Stage<'_> {
    /// Until the callee has heard it. Relative URLs start from `base`.
    pub(super) async fn prompt(&self, prompt: &Prompt, base: Option<&str>) {
        match prompt {
            Prompt::Say(say) => self.say(say).await,
            Prompt::Play { sound: Sound::Keys(keys), times } => self.play(&tones::keys(keys), *times).await,
            Prompt::Play { sound: Sound::File(url), times } => {
                if let Some(sound) = self.file(url, base).await {
                    self.play(&sound, *times).await;
                }
            }
            Prompt::Pause(length) => sleep(*length).await,
        }
    }

    async fn say(&self, say: &Say) {
        let speaker = &self.exchange.speaker;
        speaker.prepare(std::iter::once(say.text.as_str())).await;
        let sound = speaker.sound(&say.text, Voice::Clear);
        if speaker.is_understood() {
            return self.play(&sound, say.times).await;
        }
        let mut done = 0;
        while say.times.is_none_or(|times| done < times) && self.play_once(&sound).await {
            self.line.tell(&say.text);
            done += 1;
        }
    }

    pub(super) async fn play(&self, sound: &[u8], times: Option<u32>) {
        let mut done = 0;
        while times.is_none_or(|times| done < times) && !sound.is_empty() {
            if !self.play_once(sound).await {
                return;
            }
            done += 1;
        }
    }

    /// False if it was cut off.
    async fn play_once(&self, sound: &[u8]) -> bool {
        let played = self.line.with_playback(|playback| {
            playback.audio(sound);
            playback.played()
        });
        played.await.is_ok()
    }
}
