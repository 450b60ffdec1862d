//! A telephone whose loudspeaker is heard by its microphone.

use std::collections::VecDeque;

use crate::mulaw::{self, FRAME, SILENCE};

/// How much quieter the echo is: about 12 dB.
const GAIN: i32 = 4;

/// What was played and has yet to come back.
pub(super) struct Echo {
    delay: usize,
    frames: VecDeque<[u8; FRAME]>,
}

impl Echo {
    /// One that comes back after `ms`, in whole frames; `None` if there is none.
    pub(super) fn after(ms: u64) -> Option<Echo> {
        (ms > 0).then(|| Echo { delay: (ms as usize).div_ceil(20), frames: VecDeque::new() })
    }

    /// What the other side gets when the callee hears `heard` and says `spoken`.
    pub(super) fn frame(&mut self, heard: &[u8; FRAME], spoken: Option<[u8; FRAME]>) -> Option<[u8; FRAME]> {
        self.frames.push_back(*heard);
        if self.frames.len() <= self.delay {
            return spoken;
        }
        let back = self.frames.pop_front().filter(|frame| frame.iter().any(|byte| *byte != SILENCE));
        let Some(back) = back else { return spoken };
        let mut mixed = spoken.unwrap_or([SILENCE; FRAME]);
        for (sample, back) in mixed.iter_mut().zip(back) {
            let sum = i32::from(mulaw::decode(*sample)) + i32::from(mulaw::decode(back)) / GAIN;
            *sample = mulaw::encode(sum.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16);
        }
        Some(mixed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_played_comes_back_later_and_quieter() {
        let mut echo = Echo::after(40).unwrap();
        let loud = [mulaw::encode(8000); FRAME];
        let quiet = [SILENCE; FRAME];
        assert_eq!(echo.frame(&loud, None), None);
        assert_eq!(echo.frame(&quiet, None), None);
        let back = echo.frame(&quiet, None).unwrap();
        let level = mulaw::decode(back[0]);
        assert!((1900..2100).contains(&level), "{level}");
        assert_eq!(echo.frame(&quiet, Some(loud)), Some(loud));
        assert!(Echo::after(0).is_none());
    }
}
