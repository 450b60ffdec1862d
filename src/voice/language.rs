//! The language that is spoken and heard where Twilio speaks and listens.

use std::fmt;
use std::str::FromStr;

use gymcall_jobs::job::CallJob;

/// Whose voice speaks, and in which language.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Voice {
    /// Twilio's name of it, such as `Polly.Joanna-Neural`; none is Twilio's usual one.
    pub name: Option<String>,
    /// The language of both sides.
    pub language: Language,
}

impl Voice {
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

    /// The voice for a gym with this preferred language: its own kind of the language where it is the same
    /// language. `None` if it is another one, which nobody here speaks.
    pub fn for_gym(&self, preferred: &str) -> Option<Voice> {
        let preferred: Language = preferred.trim().parse().ok()?;
        if preferred.base() != self.language.base() {
            return None;
        }
        // Plain `en` says nothing that `en-US` does not.
        let language = if preferred.is_plain() { self.language.clone() } else { preferred };
        Some(Voice { name: self.name.clone(), language })
    }
}

/// A language by its BCP-47 tag, such as `en-US`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Language(String);

/// A text that is no BCP-47 tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a BCP-47 language tag such as en-US")]
pub struct NoLanguage;

impl Default for Language {
    fn default() -> Self {
        Self("en-US".to_owned())
    }
}

impl FromStr for Language {
    type Err = NoLanguage;

    fn from_str(text: &str) -> Result<Self, NoLanguage> {
        // People write en_US, too.
        let mut parts = text.split(['-', '_']);
        let base = parts.next().unwrap_or_default();
        let mut tag = base.to_ascii_lowercase();
        let mut good = (2..=3).contains(&base.len()) && base.bytes().all(|b| b.is_ascii_alphabetic());
        for part in parts {
            good &= (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
            tag.push('-');
            // A region is written in capitals: Twilio compares the whole tag with its list.
            tag.push_str(&if part.len() == 2 { part.to_ascii_uppercase() } else { part.to_owned() });
        }
        if good { Ok(Self(tag)) } else { Err(NoLanguage) }
    }
}

impl Language {
    /// The tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn base(&self) -> &str {
        self.0.split_once('-').map_or(&self.0, |(base, _)| base)
    }

    fn is_plain(&self) -> bool {
        self.base() == self.0
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_read_however_it_is_written() {
        for (text, tag) in
            [("en-US", "en-US"), ("EN-gb", "en-GB"), ("en_au", "en-AU"), ("en", "en"), ("es-419", "es-419")]
        {
            assert_eq!(text.parse::<Language>().unwrap().as_str(), tag);
        }
        for text in ["", "e", "english", "en-", "en--US", "en-United States", "12"] {
            assert_eq!(text.parse::<Language>(), Err(NoLanguage), "{text}");
        }
    }

    #[test]
    fn a_gym_is_spoken_to_in_its_own_kind_of_the_same_language() {
        let voice = Voice::default();
        let language = |preferred| voice.for_gym(preferred).map(|voice| voice.language.to_string());
        assert_eq!(language("en-GB").as_deref(), Some("en-GB"));
        assert_eq!(language(" en ").as_deref(), Some("en-US"));
        assert_eq!(language("es-MX"), None);
        assert_eq!(language("Spanish, please"), None);
    }
}
