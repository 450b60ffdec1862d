//! `<Gather>`: waiting for keys or words while prompts play.

mod ear;

use std::pin::pin;

use tokio::time::{Instant, sleep_until};

use super::{Flow, Script, Stage, interruption, pairs, recognition};
use crate::address;
use crate::call::Fetch;
use crate::callback;
use crate::status::Status;
use crate::twiml::{Gather, Prompt};
use ear::{Ear, Input};

impl Script<'_> {
    /// Until there is input, or none comes.
    pub(super) async fn gather(&mut self, gather: &Gather) -> Flow {
        match self.input(gather).await {
            Err(flow) => flow,
            Ok(Input::None) if !gather.action_on_empty => Flow::Next,
            Ok(input) => self.act(gather.action.as_deref(), gather.method, news(gather, &input)),
        }
    }

    async fn input(&mut self, gather: &Gather) -> Result<Input, Flow> {
        let (stage, base) = (self.stage, self.page.url.as_deref());
        let mut heard = stage.line.listen();
        let mut ear = Ear::new(gather);
        let mut partial = 0;
        let mut prompts = pin!(stage.prompts(&gather.prompts, base));
        let mut playing = true;
        loop {
            let deadline = ear.deadline().filter(|_| !playing);
            tokio::select! {
                biased;
                flow = interruption(self.commands) => {
                    stage.line.with_playback(|playback| playback.clear());
                    return Err(flow);
                }
                Some(what) = heard.recv() => {
                    let words = ear.words().len();
                    let interrupts = ear.hear(what, Instant::now());
                    if playing && interrupts {
                        stage.line.with_playback(|playback| playback.clear());
                        playing = false;
                        ear.prompts_over(Instant::now());
                    }
                    if ear.words().len() > words {
                        stage.tell_partial(gather, base, &ear, partial);
                        partial += 1;
                    }
                }
                () = &mut prompts, if playing => {
                    playing = false;
                    ear.prompts_over(Instant::now());
                }
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    return Ok(ear.input());
                }
            }
            if ear.is_done() {
                return Ok(ear.input());
            }
        }
    }
}

impl Stage<'_> {
    async fn prompts(&self, prompts: &[Prompt], base: Option<&str>) {
        for prompt in prompts {
            self.prompt(prompt, base).await;
        }
    }

    /// What has been understood so far, for whoever wants to know before the end.
    fn tell_partial(&self, gather: &Gather, base: Option<&str>, ear: &Ear<'_>, number: u32) {
        let Some(speech) = &gather.speech else { return };
        let Some(link) = &speech.partial_results else { return };
        let Some(url) = address::resolve(base, &link.url) else {
            self.warn(11100, format!("invalid partialResultCallback {}", link.url));
            return;
        };
        let Some((last, stable)) = ear.words().split_last() else { return };
        let unstable = recognition::of(std::slice::from_ref(last), speech.hides_profanity);
        let stable = recognition::of(stable, speech.hides_profanity);
        let mut params = callback::identity(self.exchange, self.call, Status::InProgress);
        params.extend(pairs([
            ("SequenceNumber", number.to_string()),
            ("StableSpeechResult", stable.text),
            ("UnstableSpeechResult", unstable.text),
            ("Stability", unstable.confidence.to_owned()),
            ("Language", speech.language.clone()),
        ]));
        let fetch = Fetch { url, method: link.method };
        self.post("the partialResultCallback", fetch, params);
    }
}

/// What the action is told.
fn news(gather: &Gather, input: &Input) -> Vec<(String, String)> {
    let end = ("msg", "Gather End".to_owned());
    match (input, &gather.speech) {
        (Input::Keys { digits, finished_on }, _) => {
            let finished_on = finished_on.map(String::from).unwrap_or_default();
            pairs([end, ("Digits", digits.clone()), ("FinishedOnKey", finished_on)])
        }
        (Input::Words(words), Some(speech)) => {
            let result = recognition::of(words, speech.hides_profanity);
            pairs([
                end,
                ("SpeechResult", result.text),
                ("Confidence", result.confidence.to_owned()),
                ("Language", speech.language.clone()),
            ])
        }
        (Input::None, None) => pairs([end, ("Digits", String::new()), ("FinishedOnKey", String::new())]),
        (Input::None | Input::Words(_), _) => pairs([end, ("SpeechResult", String::new())]),
    }
}
