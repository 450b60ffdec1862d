//! Running a program that speaks.

use std::io::Read as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use super::{Speech, SpeechError, wav};
use crate::mulaw::{FRAME, SILENCE};

/// Both take some hundredths of a second for a sentence; a text may have 4096 characters.
const LONGEST: Duration = Duration::from_secs(10);
/// How often it is asked whether a program that has written all has ended.
const ENDING: Duration = Duration::from_millis(2);

/// `text` as the program of `speech` says it: μ-law in whole frames. Calls go on meanwhile: it is started
/// and read on threads of its own.
pub(super) async fn speak(speech: Speech, text: &str) -> Result<Vec<u8>, SpeechError> {
    let (program, arguments): (_, &[&str]) = match speech {
        Speech::Tones => return Ok(crate::tones::speak(text, crate::tones::Voice::Clear)),
        Speech::Flite => ("flite", &["-voice", "kal", "-o", "/dev/stdout", "-t"]),
        Speech::EspeakNg => ("espeak-ng", &["-s", "150", "--stdout", "--"]),
    };
    let mut command = Command::new(program);
    command.args(arguments).arg(text);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let output = timeout(LONGEST, output(command)).await.map_err(|_| SpeechError::TooLong(program))?;
    let (status, file) = output.map_err(|error| SpeechError::Missing { program, error })?;
    let failed = |why: String| SpeechError::Failed { program, why };
    if !status.success() {
        return Err(failed(status.to_string()));
    }
    let mut sound = wav::as_mulaw(&file).map_err(failed)?;
    sound.resize(sound.len().next_multiple_of(FRAME), SILENCE);
    Ok(sound)
}

/// A program that does not outlive those who wait for it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended long ago.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How `command` ended, and what it wrote.
async fn output(mut command: Command) -> std::io::Result<(ExitStatus, Vec<u8>)> {
    let mut running = spawn_blocking(move || command.spawn().map(Running)).await.map_err(std::io::Error::other)??;
    let stdout = running.0.stdout.take();
    let written = spawn_blocking(move || {
        let mut written = Vec::new();
        stdout.map_or(Ok(0), |mut stdout| stdout.read_to_end(&mut written)).map(|_| written)
    });
    let written = written.await.map_err(std::io::Error::other)??;
    loop {
        match running.0.try_wait()? {
            Some(status) => return Ok((status, written)),
            None => sleep(ENDING).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mulaw;

    /// Programs that are not there are no reason for a test to fail: whoever wants them installs them.
    async fn spoken(speech: Speech, text: &str) -> Option<Vec<u8>> {
        match speak(speech, text).await {
            Ok(sound) => Some(sound),
            Err(SpeechError::Missing { program, .. }) => {
                println!("{program} is not installed: not tested");
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    #[tokio::test]
    async fn a_sentence_becomes_speech_of_a_sentences_length() {
        for speech in [Speech::Flite, Speech::EspeakNg] {
            let Some(sound) = spoken(speech, "Hello, thank you for calling the gym").await else {
                continue;
            };
            let ms = sound.len() / 8;
            assert!((1200..4000).contains(&ms), "{speech:?}: {ms} ms");
            let loud = sound.chunks(FRAME).filter(|frame| mulaw::is_speech(frame)).count();
            assert!(loud * 3 > sound.len() / FRAME, "{speech:?}: {loud} frames of speech in {ms} ms");
            // A text that looks like an option is a text.
            assert!(spoken(speech, "--help").await.is_some_and(|sound| sound.len() > 8 * 300));
        }
    }
}
