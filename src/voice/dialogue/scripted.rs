//! Asks the questions of a campaign one by one and understands the answers by rule.
//!
//! A question is put at most twice: if the first answer is not understood it is asked again, and if the second is
//! not either, the answer is "not known" with the words kept, and the next question follows. Turns that answer
//! nothing because they could not (they cut the question off, or ask who is calling) do not count, up to a limit.

mod lines;
#[cfg(test)]
mod tests;

use super::remark::{Remark, is_greeting, remark};
use super::{Dialogue, End, Heard, Reply, Tally};
use crate::voice::answers::{Phrase, is_open, understand};
use crate::voice::brief::Brief;
use gymcall_jobs::answer::{Answer, AnswerValue};
use gymcall_jobs::question::{AnswerType, Question};
use lines::Opener;

/// Turns that cost a question no try. Without a limit, a radio by the phone would be asked for ever.
const FREE_TURNS: u8 = 3;

/// Words from which "let me see" is only how an answer begins.
const LONGEST_STALL: usize = 6;

/// Where a dialogue stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Place {
    /// The question that was put last, from 0.
    question: usize,
    /// Answers to it that were not understood.
    tries: u8,
    /// Turns about it that cost no try.
    free_turns: u8,
    /// Silences in a row.
    silences: u8,
    /// Questions answered with something.
    told: usize,
    /// Whether they have heard who calls.
    introduced: bool,
    /// The percentage of the last line that is the introduction: who calls.
    introduction: u8,
    /// The percentage of the last line that comes before the question: the introduction and the greeting.
    preamble: u8,
    /// The last line was a goodbye.
    over: bool,
}

/// The dialogue by rule.
#[derive(Debug, Clone)]
pub struct Scripted {
    brief: Brief,
    place: Place,
}

impl Scripted {
    /// A dialogue that has not begun.
    pub fn new(brief: Brief) -> Self {
        Self { brief, place: Place::default() }
    }

    fn question(&self) -> Option<&Question> {
        self.brief.questions.get(self.place.question)
    }

    /// Puts the current question, after the introduction if that was not heard yet.
    fn put(&mut self, opener: Opener) -> Reply {
        let Some(question) = self.question() else { return self.done() };
        let question = lines::question(&self.brief, question, opener);
        let line = if self.place.introduced {
            (self.place.introduction, self.place.preamble) = (0, 0);
            question
        } else {
            let introduction = lines::introduction(&self.brief);
            let preamble = introduction.clone() + &lines::greeting(&self.brief);
            let line = format!("{preamble} {question}");
            let percent = |of: &str| (of.len() * 100 / line.len()) as u8;
            (self.place.introduction, self.place.preamble) = (percent(&introduction), percent(&preamble));
            line
        };
        Reply { say: Some(line), ..Reply::default() }
    }

    fn done(&mut self) -> Reply {
        let introduction =
            (!self.place.introduced).then(|| lines::introduction(&self.brief) + &lines::greeting(&self.brief) + " ");
        let goodbye = self.goodbye(End::Done);
        Reply { say: goodbye.say.map(|line| introduction.unwrap_or_default() + &line), ..goodbye }
    }

    fn next(&mut self, opener: Opener) -> Reply {
        self.place = Place { question: self.place.question + 1, tries: 0, free_turns: 0, ..self.place };
        self.put(opener)
    }

    fn goodbye(&mut self, end: End) -> Reply {
        self.place.over = true;
        Reply { say: Some(lines::goodbye(&end).to_owned()), end: Some(end), ..Reply::default() }
    }

    /// Puts the question again without counting a try, while there are turns left for that.
    fn again(&mut self, heard: &Heard, opener: Opener) -> Reply {
        if self.place.free_turns >= FREE_TURNS {
            return self.not_understood(heard);
        }
        self.place.free_turns += 1;
        self.put(opener)
    }

    fn not_understood(&mut self, heard: &Heard) -> Reply {
        if self.place.tries == 0 {
            self.place.tries = 1;
            return self.put(Opener::NotCaught);
        }
        self.answer(heard, AnswerValue::NotKnown)
    }

    fn answer(&mut self, heard: &Heard, value: AnswerValue) -> Reply {
        let Some(question) = self.question() else { return Reply::default() };
        let answer = Answer {
            key: question.key.clone(),
            quote: heard.text.clone(),
            from_ms: heard.from_ms,
            to_ms: heard.to_ms,
            value,
        };
        self.place.told += usize::from(answer.value.is_told());
        let opener = if answer.value.is_told() { Opener::Thanks } else { Opener::AllRight };
        Reply { answers: vec![answer], ..self.next(opener) }
    }

    /// The value of the words, unless they cannot be meant as an answer to the question.
    fn value(&self, heard: &Heard, phrase: &Phrase, remark: Option<Remark>) -> Option<AnswerValue> {
        let question = self.question()?;
        if is_open(question.kind) {
            // Almost any words would do here, so they must have heard what they answer.
            let asked = self.place.preamble + (100 - self.place.preamble) / 2;
            let heard_it = heard.cut_at.is_none_or(|percent| percent >= asked);
            let stalls = match remark {
                // "Let me see, we have yoga and spin."
                Some(Remark::Wait) => phrase.words().count() < LONGEST_STALL,
                other => other.is_some(),
            };
            if !heard_it || stalls || is_greeting(phrase, &self.brief.gym_name) {
                return None;
            }
        }
        // "I don't know" is no "no"; but "not sure, 15 dollars I think" is a price.
        if remark == Some(Remark::NotKnown) && question.kind == AnswerType::Boolean {
            return None;
        }
        understand(question, &heard.text)
    }
}

impl Dialogue for Scripted {
    fn begin(&mut self, greeting: &str) -> Reply {
        match remark(&Phrase::new(greeting)) {
            Some(Remark::DoNotCall) => self.goodbye(End::DoNotCall { quote: greeting.to_owned() }),
            Some(Remark::WrongNumber) => self.goodbye(End::WrongNumber),
            _ => self.put(Opener::Plain),
        }
    }

    fn heard(&mut self, heard: &Heard) -> Reply {
        let phrase = Phrase::new(&heard.text);
        let remark = remark(&phrase);
        // Even from damaged words, and even after the goodbye: calling again would be worse than a mistake here.
        if remark == Some(Remark::DoNotCall) {
            return self.goodbye(End::DoNotCall { quote: heard.text.clone() });
        }
        if self.place.over {
            return Reply::default();
        }
        self.place.silences = 0;
        self.place.introduced |= heard.cut_at.is_none_or(|percent| percent >= self.place.introduction);
        if heard.damaged {
            return match heard.cut_at {
                Some(_) => self.again(heard, Opener::Plain),
                None => self.not_understood(heard),
            };
        }
        match remark {
            Some(Remark::WrongNumber) => return self.goodbye(End::WrongNumber),
            Some(Remark::Refusal) => return self.goodbye(End::Refused),
            Some(Remark::NoThanks) if self.place.question == 0 => return self.goodbye(End::Refused),
            Some(Remark::CallLater) => return self.goodbye(End::CallLater),
            _ => {}
        }
        if let Some(value) = self.value(heard, &phrase, remark) {
            return self.answer(heard, value);
        }
        match remark {
            Some(Remark::NotKnown) => self.answer(heard, AnswerValue::NotKnown),
            Some(Remark::WhoIsThis) => {
                self.place.introduced = false;
                self.again(heard, Opener::Plain)
            }
            Some(Remark::SayAgain) => self.again(heard, Opener::Plain),
            Some(Remark::Wait) => Reply::default(),
            _ if heard.cut_at.is_some() || is_greeting(&phrase, &self.brief.gym_name) => {
                self.again(heard, Opener::Plain)
            }
            _ => self.not_understood(heard),
        }
    }

    fn silence(&mut self) -> Reply {
        self.place.introduced = true;
        self.place.silences += 1;
        if self.place.silences > 1 { self.goodbye(End::Silence) } else { self.put(Opener::StillThere) }
    }

    fn time_up(&mut self) -> Reply {
        self.goodbye(End::TimeUp)
    }

    fn asking(&self) -> Option<&Question> {
        self.question().filter(|_| !self.place.over)
    }

    fn preamble(&self) -> u8 {
        self.place.preamble
    }

    fn tally(&self) -> Tally {
        Tally { told: self.place.told, of: self.brief.questions.len() }
    }
}
