//! Whether a piece of sound is one steady tone, and which.

use crate::mulaw;

/// The pitch in Hz of a frame that is a single tone from its beginning to its end.
///
/// Each sample of a pure tone follows from the two before it by one factor, which is its pitch. The
/// factor that fits best is tried on the whole frame; what does not fit is not a pure tone.
pub(crate) fn pitch(frame: &[u8; mulaw::FRAME]) -> Option<f32> {
    let samples = frame.map(|byte| f32::from(mulaw::decode(byte)));
    let mut fit = (0.0, 0.0);
    for n in 2..samples.len() {
        let [before, last, next] = [samples[n - 2], samples[n - 1], samples[n]];
        fit.0 += last * (next + before);
        fit.1 += last * last;
    }
    if fit.1 == 0.0 {
        return None;
    }
    let factor = fit.0 / fit.1;
    let miss: f32 = samples.windows(3).map(|three| (three[2] + three[0] - factor * three[1]).powi(2)).sum();
    // Noise of the same power would miss by this much; the steps of the μ-law alone miss by 0.0003 of it.
    let noise = (2.0 + factor * factor) * fit.1;
    let is_tone = miss < 0.002 * noise && factor.abs() < 2.0;
    is_tone.then(|| (factor / 2.0).acos() * 8000.0 / std::f32::consts::TAU)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mulaw::FRAME;
    use crate::tones::{self, Voice};

    fn pitches(sound: &[u8]) -> Vec<Option<f32>> {
        sound.as_chunks::<FRAME>().0.iter().map(pitch).collect()
    }

    #[test]
    fn a_tone_has_its_pitch_in_every_frame() {
        for hz in [300, 440, 1000, 1400, 2100, 3000] {
            for heard in pitches(&tones::beep(hz, 200)) {
                let heard = heard.unwrap_or_else(|| panic!("no pitch at {hz} Hz"));
                assert!((heard - hz as f32).abs() < 5.0, "{hz} Hz was heard as {heard} Hz");
            }
        }
    }

    #[test]
    fn keys_words_and_silence_have_none_that_lasts() {
        let text = "You have reached the gym. Please leave a message after the beep. 0123456789";
        for sound in [tones::keys("147*2580369#ABCD"), tones::speak(text, Voice::Clear), vec![mulaw::SILENCE; 1600]] {
            let most = pitches(&sound)
                .chunk_by(|a, b| a.is_some() == b.is_some())
                .filter(|run| run[0].is_some())
                .map(<[_]>::len)
                .max();
            assert!(most.unwrap_or(0) <= 2, "{most:?} frames in a row");
        }
    }
}
