//! The simulator's speech recognition: it is told the words, and spoils those that were mumbled.

/// Words said in one breath.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::call::script) struct Breath {
    pub(in crate::call::script) text: String,
    pub(in crate::call::script) mumbled: bool,
}

/// What was understood, and how surely.
pub(in crate::call::script) struct Recognised {
    pub(in crate::call::script) text: String,
    /// From 0 to 1.
    pub(in crate::call::script) confidence: &'static str,
}

const SURE: &str = "0.93457216";
const UNSURE: &str = "0.31415927";
const NOTHING: &str = "0.0";

/// Hidden but for their first letter where the app wants no profanity.
const PROFANITY: [&str; 8] = ["asshole", "bastard", "bitch", "bullshit", "crap", "damn", "fuck", "shit"];

/// What a recogniser makes of `breaths`.
pub(in crate::call::script) fn of(breaths: &[Breath], hides_profanity: bool) -> Recognised {
    let words = breaths.iter().flat_map(|breath| {
        breath.text.split_whitespace().map(|word| if breath.mumbled { garbled(word) } else { word.to_owned() })
    });
    let words = words.map(|word| if hides_profanity { masked(&word) } else { word });
    let confidence = match breaths {
        [] => NOTHING,
        breaths if breaths.iter().any(|breath| breath.mumbled) => UNSURE,
        _ => SURE,
    };
    Recognised { text: words.collect::<Vec<_>>().join(" "), confidence }
}

/// A word that was not understood: the vowels are others, and numbers are none any more.
fn garbled(word: &str) -> String {
    if word.chars().any(|character| character.is_ascii_digit()) {
        return "uh".to_owned();
    }
    let other = |character| match character {
        'a' => 'o',
        'e' => 'u',
        'i' => 'a',
        'o' => 'i',
        'u' => 'e',
        'y' => 'a',
        same => same,
    };
    word.to_lowercase().chars().map(other).collect()
}

fn masked(word: &str) -> String {
    let bare = word.trim_matches(|character: char| !character.is_alphanumeric());
    if !PROFANITY.contains(&bare.to_lowercase().as_str()) {
        return word.to_owned();
    }
    let stars: String = bare.chars().enumerate().map(|(n, letter)| if n == 0 { letter } else { '*' }).collect();
    word.replacen(bare, &stars, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breath(text: &str, mumbled: bool) -> Breath {
        Breath { text: text.to_owned(), mumbled }
    }

    #[test]
    fn several_breaths_are_one_result() {
        let result = of(&[breath("We are open from 6 am", false), breath("to 10 pm", false)], true);
        assert_eq!(result.text, "We are open from 6 am to 10 pm");
        assert!(result.confidence.parse::<f64>().unwrap() >= 0.9);
    }

    #[test]
    fn what_was_mumbled_is_garbled_and_unsure() {
        let result = of(&[breath("A day pass is 15 dollars", true)], true);
        assert_eq!(result.text, "o doa poss as uh dillors");
        assert!(result.confidence.parse::<f64>().unwrap() < 0.5);
    }

    #[test]
    fn profanity_is_hidden_unless_it_is_wanted() {
        let said = [breath("Damn, no", false)];
        assert_eq!(of(&said, true).text, "D***, no");
        assert_eq!(of(&said, false).text, "Damn, no");
    }
}
