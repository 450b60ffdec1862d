//! Amounts of money, and what a call may cost before anybody knows what it did cost.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::attempt::{Attempt, CallStatus};

/// An amount in the account's currency. It is kept in millionths, because a call's price has more digits than cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, utoipa::ToSchema)]
#[schema(value_type = String, example = "12.50")]
pub struct Amount(i64);

/// The text is no decimal number that an amount can hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an amount: a decimal number such as 12.50, of at most twelve digits before the point")]
pub struct AmountError {
    /// The text.
    pub text: String,
}

const UNIT: i64 = 1_000_000;
/// Digits behind the point.
const PLACES: usize = 6;

impl Amount {
    /// Nothing.
    pub const ZERO: Amount = Amount(0);

    /// An amount of so many millionths.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// How many millionths it is.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// So many times the amount.
    pub const fn times(self, many: i64) -> Self {
        Self(self.0.saturating_mul(many))
    }

    /// Both together.
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    /// Reads a decimal number. Digits behind the sixth are rounded up: what may be spent is never underrated.
    fn from_str(text: &str) -> Result<Self, AmountError> {
        let refused = || AmountError { text: text.to_owned() };
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 12 || !digits(whole) || !digits(part) || text.ends_with('.') {
            return Err(refused());
        }
        let (kept, rest) = part.split_at(part.len().min(PLACES));
        let whole: i64 = whole.parse().map_err(|_| refused())?;
        let micros: i64 = format!("{kept:0<PLACES$}").parse().map_err(|_| refused())?;
        let up = i64::from(rest.bytes().any(|byte| byte != b'0'));
        Ok(Self(whole * UNIT + micros + up))
    }
}

/// At least two digits behind the point, and no more than it has: `12.50`, `0.014`.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let micros = self.0.unsigned_abs();
        let (whole, part) = (micros / UNIT.unsigned_abs(), micros % UNIT.unsigned_abs());
        let part = format!("{part:0PLACES$}");
        let (cents, rest) = part.split_at(2);
        write!(f, "{sign}{whole}.{cents}{}", rest.trim_end_matches('0'))
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// From decimal text, or from a number as people write it in JSON.
impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Decimal;

        impl Visitor<'_> for Decimal {
            type Value = Amount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount such as \"12.50\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Amount, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Amount, E> {
                self.visit_str(&number.to_string())
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Amount, E> {
                self.visit_str(&number.to_string())
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Amount, E> {
                self.visit_str(&number.to_string())
            }
        }

        deserializer.deserialize_any(Decimal)
    }
}

/// What is set aside for a call while nobody knows how long it will be. It is kept with the attempt, so that what was
/// set aside is given back whatever the settings are by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserve {
    /// What a begun minute costs, as far as we know.
    pub per_minute: Amount,
    /// How many minutes the call may take.
    pub minutes: u32,
}

impl Reserve {
    /// All of it.
    pub const fn whole(self) -> Amount {
        self.per_minute.times(self.minutes as i64)
    }

    /// What a call of this length costs. Whoever picks up has begun a minute.
    fn of(self, seconds: i64) -> Amount {
        self.per_minute.times(seconds.max(1).saturating_add(59) / 60)
    }
}

/// What an attempt costs, or may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charge {
    /// Nothing: no call was made, or nobody picked up.
    Nothing,
    /// At most this. It is not over, or nobody knows how it ended.
    Reserved(Amount),
    /// This: Twilio's price, or, until that is told, the begun minutes.
    Cost(Amount),
}

impl Attempt {
    /// What it costs, or may cost, by what is known of it now.
    pub fn charge(&self) -> Charge {
        if let Some(price) = self.cost().and_then(|price| price.parse().ok()) {
            return Charge::Cost(price);
        }
        let Some(reserve) = self.reserve else { return Charge::Nothing };
        let unclear = Charge::Reserved(reserve.whole());
        let Some(ended_at) = self.ended_at else { return unclear };
        if !self.was_picked_up() {
            let settled = self.status.is_some_and(CallStatus::is_terminal);
            return if settled { Charge::Nothing } else { unclear };
        }
        let told = self.duration_s.map(i64::from);
        let length = told.or_else(|| Some(ended_at.duration_since(self.started_at?).as_secs()));
        length.map_or(unclear, |seconds| Charge::Cost(reserve.of(seconds)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    #[test]
    fn an_amount_is_read_and_written_as_people_do() {
        for (text, micros, written) in [
            ("0.014", 14_000, "0.014"),
            ("25", 25_000_000, "25.00"),
            ("25.5", 25_500_000, "25.50"),
            ("0.01400", 14_000, "0.014"),
            ("0.0000001", 1, "0.000001"),
            ("999999999999.999999", 999_999_999_999_999_999, "999999999999.999999"),
        ] {
            assert_eq!((amount(text).micros(), amount(text).to_string()), (micros, written.to_owned()), "{text}");
        }
        for text in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", "1.2.3", "1000000000000", "NaN", " 1"] {
            assert!(text.parse::<Amount>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_amount_in_json_is_a_number_or_text_and_is_shown_as_text() {
        for json in ["25.5", "\"25.50\"", "\"25.5\""] {
            assert_eq!(serde_json::from_str::<Amount>(json).unwrap(), amount("25.5"), "{json}");
        }
        assert_eq!(serde_json::from_str::<Amount>("3").unwrap(), amount("3"));
        assert!(serde_json::from_str::<Amount>("-3").is_err());
        assert_eq!(serde_json::to_string(&amount("25.5")).unwrap(), "\"25.50\"");
    }

    #[test]
    fn a_begun_minute_counts_whole() {
        let reserve = Reserve { per_minute: amount("0.014"), minutes: 5 };
        assert_eq!(reserve.whole(), amount("0.07"));
        for (seconds, cost) in [(0, "0.014"), (1, "0.014"), (60, "0.014"), (61, "0.028"), (300, "0.07")] {
            assert_eq!(reserve.of(seconds), amount(cost), "{seconds} s");
        }
    }
}
