//! What may be answered to a question: Twilio's recognition listens for it the harder.

use gymcall_jobs::question::{AnswerType, Question};

/// Twilio takes 500 phrases of at most 100 characters.
const LONGEST: usize = 100;
const MOST: usize = 100;

/// What may be said whatever was asked.
const ALWAYS: [&str; 5] = ["I don't know", "wrong number", "call back later", "don't call again", "not interested"];

/// Phrases that are likely after this question, with commas between, as Twilio's `hints` has them.
pub fn hints(question: &Question) -> String {
    let usual: &[&str] = match question.kind {
        AnswerType::Money => &[
            "dollars",
            "cents",
            "free",
            "per day",
            "per month",
            "per visit",
            "a day pass is",
            "fifteen dollars",
            "twenty dollars",
            "ten dollars",
            "no charge",
        ],
        AnswerType::Hours => &[
            "Monday",
            "Tuesday",
            "Wednesday",
            "Thursday",
            "Friday",
            "Saturday",
            "Sunday",
            "weekdays",
            "weekends",
            "every day",
            "open",
            "closed",
            "24 hours",
            "24/7",
            "a.m.",
            "p.m.",
            "noon",
            "midnight",
            "until",
            "from",
        ],
        AnswerType::Boolean => &["yes", "no", "yes we do", "no we don't", "of course", "not at the moment"],
        AnswerType::List => {
            &["yoga", "spin", "boxing", "pilates", "zumba", "crossfit", "HIIT", "we have", "we offer", "and"]
        }
        AnswerType::Number => &["one", "two", "three", "ten", "twenty", "fifty", "a hundred", "about", "none"],
        AnswerType::Text => &["drop-in", "drop-ins are welcome", "day pass", "membership", "members only", "walk in"],
        AnswerType::Choice => &[],
    };
    let choices = question.choices.iter().map(String::as_str);
    let phrases = choices.chain(usual.iter().copied()).chain(ALWAYS);
    // A comma would make two phrases of one.
    let phrases = phrases.map(|phrase| phrase.replace(',', " ").trim().to_owned());
    let phrases = phrases.filter(|phrase| !phrase.is_empty() && phrase.chars().count() <= LONGEST);
    phrases.take(MOST).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: AnswerType, choices: &[&str]) -> Vec<String> {
        let choices = choices.iter().map(|&choice| choice.to_owned()).collect();
        let question = Question { key: "k".into(), ask: "?".into(), kind, choices };
        hints(&question).split(',').map(str::to_owned).collect()
    }

    #[test]
    fn the_kind_of_answer_says_what_to_listen_for() {
        for (kind, phrase) in [
            (AnswerType::Money, "dollars"),
            (AnswerType::Hours, "24 hours"),
            (AnswerType::Hours, "Sunday"),
            (AnswerType::Boolean, "yes"),
            (AnswerType::List, "yoga"),
            (AnswerType::Number, "twenty"),
            (AnswerType::Text, "don't call again"),
        ] {
            assert!(of(kind, &[]).iter().any(|hint| hint == phrase), "{kind:?} {phrase}");
        }
    }

    #[test]
    fn choices_come_first_and_are_one_phrase_each() {
        let long = "x".repeat(101);
        let hints = of(AnswerType::Choice, &["rows, and bikes", "", &long, "none"]);
        assert_eq!(hints[..2], ["rows  and bikes", "none"]);
        let many: Vec<&str> = vec!["choice"; 600];
        assert_eq!(of(AnswerType::Choice, &many).len(), MOST);
    }
}
