//! The language that is spoken and heard where Twilio speaks and listens.

use std::fmt;
use std::str::FromStr;

use gymcall_jobs::job::CallJob;

/// Whose voice speaks, and in which language.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Voice {
    /// Twilio's name of it, such as `Polly.Joanna-Neural`; none is Twilio's usual one.
    pub name: Option<String>,
    /// The language that is spoken.
    pub language: Language,
    /// The language that is listened for: the gym's kind of it.
    pub hears: Language,
}

impl Voice {
    /// A voice that hears its own language.
    pub fn new(name: Option<String>, language: Language) -> Self {
        Self { name, hears: language.clone(), language }
    }

    /// The language that Twilio is told to speak. A voice such as `Polly.Amy` has its own, and Twilio has voices for
    /// fewer kinds of a language than it understands; it refuses what it cannot say.
    pub fn said_in(&self) -> Option<&str> {
        let own = self.name.as_ref().is_some_and(|name| name.contains('.'));
        (!own && SPOKEN.contains(&self.language.as_str())).then(|| self.language.as_str())
    }

    /// The voice for a job's gym. A preference for a language that nobody here speaks is left aside, and told.
    pub fn for_job(&self, job: &CallJob) -> Voice {
        let Some(preferred) = job.gym().preferred_language.as_deref().filter(|text| !text.trim().is_empty()) else {
            return self.clone();
        };
        self.for_gym(preferred).unwrap_or_else(|| {
            let (id, spoken) = (job.id(), &self.language);
            tracing::info!(job_id = %id, preferred, "job {id}: prefers {preferred}, and is spoken to in {spoken}");
            self.clone()
        })
    }

    /// The voice for a gym with this preferred language, which listens for the gym's own kind of it. `None` if it is
    /// another one, which nobody here speaks, or a kind that Twilio does not know.
    pub fn for_gym(&self, preferred: &str) -> Option<Voice> {
        // Plain `en` says nothing that `en-US` does not.
        if preferred.trim().eq_ignore_ascii_case("en") {
            return Some(self.clone());
        }
        let hears = preferred.trim().parse().ok()?;
        Some(Voice { hears, ..self.clone() })
    }
}

/// The English that Twilio's speech recognition knows. The agent's own lines are English.
const HEARD: [&str; 15] = [
    "en-AU", "en-CA", "en-GB", "en-GH", "en-HK", "en-IE", "en-IN", "en-KE", "en-NG", "en-NZ", "en-PH", "en-SG",
    "en-TZ", "en-US", "en-ZA",
];
/// The English that Twilio's own voices speak.
const SPOKEN: [&str; 5] = ["en-AU", "en-CA", "en-GB", "en-IN", "en-US"];

/// A kind of English that Twilio understands, by its BCP-47 tag, such as `en-US`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Language(&'static str);

/// A text that is no such tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a kind of English that Twilio listens for: {}", HEARD.join(", "))]
pub struct NoLanguage;

impl Default for Language {
    fn default() -> Self {
        Self("en-US")
    }
}

impl FromStr for Language {
    type Err = NoLanguage;

    fn from_str(text: &str) -> Result<Self, NoLanguage> {
        // People write en_US, too. Twilio compares the whole tag with its list.
        let tag = text.replace('_', "-");
        let known = HEARD.into_iter().find(|known| known.eq_ignore_ascii_case(&tag));
        known.map(Self).ok_or(NoLanguage)
    }
}

impl Language {
    /// The tag.
    pub fn as_str(&self) -> &str {
        self.0
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_of_english_that_twilio_knows_is_read_however_it_is_written() {
        for (text, tag) in [("en-US", "en-US"), ("EN-gb", "en-GB"), ("en_au", "en-AU"), ("en-ke", "en-KE")] {
            assert_eq!(text.parse::<Language>().unwrap().as_str(), tag);
        }
        for text in
            ["", "e", "en", "english", "en-", "en--US", "en-United States", "12", "en-ZZ", "en-Latn-US", "es-MX"]
        {
            assert_eq!(text.parse::<Language>(), Err(NoLanguage), "{text}");
        }
        assert!(NoLanguage.to_string().ends_with("en-TZ, en-US, en-ZA"), "{NoLanguage}");
    }

    #[test]
    fn a_gym_is_listened_to_in_its_own_kind_of_english_and_the_voice_stays() {
        let voice = Voice::default();
        let tags =
            |preferred| voice.for_gym(preferred).map(|voice| (voice.hears.to_string(), voice.language.to_string()));
        let both = |hears: &str, says: &str| Some((hears.to_owned(), says.to_owned()));
        assert_eq!(tags("en-GB"), both("en-GB", "en-US"));
        assert_eq!(tags(" en "), both("en-US", "en-US"));
        for left in ["es-MX", "en-ZZ", "en-Latn-US", "Spanish, please"] {
            assert_eq!(tags(left), None, "{left}");
        }
    }

    #[test]
    fn twilio_is_told_only_a_language_that_the_voice_can_speak() {
        let said_in = |name: Option<&str>, tag: &str| {
            let voice = Voice::new(name.map(str::to_owned), tag.parse().unwrap());
            voice.said_in().map(str::to_owned)
        };
        assert_eq!(said_in(None, "en-GB").as_deref(), Some("en-GB"));
        assert_eq!(said_in(Some("alice"), "en-AU").as_deref(), Some("en-AU"));
        assert_eq!(said_in(None, "en-KE"), None);
        assert_eq!(said_in(Some("Polly.Joanna-Neural"), "en-US"), None);
    }
}
