//! Whether our clock shows Twilio's time: an unclear call is found by the time at which it was made.

use jiff::{SignedDuration, Timestamp};

use super::Finding;

const CHECK: &str = "clock";
/// More than the whole seconds of Twilio's and the way there explain.
const WORTH_A_WORD: SignedDuration = SignedDuration::from_secs(5);
/// More than any correction is meant for.
const TOO_MUCH: SignedDuration = SignedDuration::from_secs(60);

/// Compares Twilio's clock with ours, which showed `asked` before and `answered` after the reply.
pub(super) fn check(theirs: Option<Timestamp>, asked: Timestamp, answered: Timestamp) -> Finding {
    let Some(theirs) = theirs else {
        return Finding::warning(CHECK, "the reply has no date", "Look whether TWILIO_API_BASE_URL is really Twilio's");
    };
    let middle = asked.saturating_add(answered.duration_since(asked) / 2).unwrap_or(asked);
    let off = theirs.duration_since(middle).abs();
    let mend = "Let the machine set its clock by NTP: look-ups of unclear calls compare times";
    let detail = format!("it differs from Twilio's by {} s", off.as_secs());
    if off > TOO_MUCH {
        Finding::failed(CHECK, detail, mend)
    } else if off > WORTH_A_WORD {
        Finding::warning(CHECK, detail, mend)
    } else {
        Finding::ok(CHECK, "it agrees with Twilio's")
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_clock_is_judged_by_how_far_it_is_off_either_way() {
        let at = |second: i64| Timestamp::from_second(1_000_000 + second).unwrap();
        for (off, verdict) in [
            (0, Verdict::Ok),
            (5, Verdict::Ok),
            (6, Verdict::Warning),
            (-6, Verdict::Warning),
            (60, Verdict::Warning),
            (61, Verdict::Failed),
            (-3_600, Verdict::Failed),
        ] {
            // A slow answer is not a wrong clock.
            assert_eq!(check(Some(at(off)), at(-4), at(4)).verdict, verdict, "{off}");
        }
        assert_eq!(check(None, at(0), at(0)).verdict, Verdict::Warning);
    }
}
