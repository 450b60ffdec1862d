//! A telephone number: parsed once, E.164 from then on.

mod region;
mod written;

use std::collections::BTreeSet;
use std::fmt;

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, PhoneNumberType, Region as Plan};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use region::{Region, RegionError};

use crate::row_code::RowCode;

/// A number that may be dialled, as `+` and up to 15 digits.
///
/// [`PhoneNumber::parse`] is the only way in from outside. A stored number is read back by
/// its shape alone: number plans change, and a job from last year must still open.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(pattern = r"^\+[1-9][0-9]{1,14}$", example = "+14155550101")]
pub struct PhoneNumber(String);

/// Which numbers may be called. Premium, satellite and emergency numbers never may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneRules {
    /// The regions, by number plan.
    pub allowed_regions: BTreeSet<Region>,
    /// The region of a number that is written without its country.
    pub default_region: Region,
}

/// Why a text is not a number that may be dialled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    /// The cell is empty, or says `n/a`.
    #[error("there is no phone number")]
    Missing,
    /// It is no number of the plan it claims.
    #[error(
        "{0:?} is not one complete phone number; outside its own country a number starts with + and the country code"
    )]
    Invalid(String),
    /// It ends in an extension. The part before it would reach a switchboard, not the gym,
    /// and its menu is not ours to answer.
    #[error("an extension cannot be dialled; give a direct number")]
    Extension,
    /// A spreadsheet has replaced the last digits by an exponent.
    #[error("a spreadsheet has rounded this number and digits are lost; format the column as text and enter it again")]
    Rounded,
    /// The country is not understood and the number does not name its own. Guessing would
    /// dial a stranger: ten digits from Mexico are a valid number in New Jersey.
    #[error("the country {0:?} is not known; use its two-letter code, or start the number with + and the country code")]
    UnknownCountry(String),
    /// An emergency or crisis line.
    #[error("emergency numbers are never called")]
    Emergency,
    /// A number of a country that is not allowed.
    #[error("the number belongs to {region}, which is not among the allowed regions ({allowed})")]
    NotAllowed {
        /// Where the number belongs.
        region: Region,
        /// The allowed regions, comma-separated.
        allowed: String,
    },
    /// A satellite phone, or another number that belongs to no country.
    #[error("satellite and international service numbers are never called")]
    NoCountry,
    /// The call itself would cost extra.
    #[error("premium-rate and shared-cost numbers are never called")]
    Premium,
}

/// Emergency, police, ambulance, fire and crisis lines. They are short everywhere, so a list
/// across countries refuses nothing that a gym could have.
const EMERGENCY: &[&str] = &[
    "000", "061", "066", "080", "100", "101", "102", "108", "110", "111", "112", "113", "115", "116117", "116123",
    "117", "118", "119", "120", "122", "123", "131", "132", "133", "144", "190", "191", "192", "193", "194", "197",
    "199", "911", "988", "991", "992", "993", "994", "995", "997", "998", "999", "1122", "1669",
];

/// Calling codes of services that belong to no country. 800, 808 and 979 are freephone,
/// shared cost and premium; the rest are satellites and networks at satellite prices.
const NO_COUNTRY: &[i32] = &[800, 808, 870, 878, 881, 882, 883, 888, 979];

impl PhoneNumber {
    /// Reads a number as people and spreadsheets write it.
    ///
    /// `country` is an ISO code or a common name, and is the number's region where the
    /// number itself names none; without it, or where it is blank, the rules' default is.
    pub fn parse(raw: &str, country: Option<&str>, rules: &PhoneRules) -> Result<PhoneNumber, PhoneError> {
        let text = written::plain(raw)?;
        let region = match country.map(str::trim).filter(|country| !country.is_empty()) {
            Some(country) => Region::of_country(country).ok_or_else(|| PhoneError::UnknownCountry(excerpt(country))),
            None => Ok(rules.default_region),
        };
        if is_emergency(&text, *region.as_ref().unwrap_or(&rules.default_region)) {
            return Err(PhoneError::Emergency);
        }
        let region = if text.contains('+') { region.unwrap_or(rules.default_region) } else { region? };
        let text = dialable(&text, region).ok_or_else(|| PhoneError::invalid(raw))?;
        let text = abroad(&text, region).unwrap_or(text);
        let number = PHONE_NUMBER_UTIL.parse(&text, Some(region.0)).map_err(|_| PhoneError::invalid(raw))?;
        let e164 = PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164).into_owned();
        let kind = PHONE_NUMBER_UTIL.get_number_type(&number);
        let code = number.country_code;
        if is_premium(kind, code, &e164) {
            return Err(PhoneError::Premium);
        }
        // Before the number is checked: a satellite number that is a digit short is refused
        // for what it is.
        if NO_COUNTRY.contains(&code) {
            return Err(PhoneError::NoCountry);
        }
        // The fictional numbers 555-0100 to 555-0199 of an area are numbers to the plan, and to us.
        if kind == PhoneNumberType::Unknown {
            return Err(match Region::of_island(&e164) {
                Some(region) if !rules.allowed_regions.contains(&region) => rules.not_allowed(region),
                _ => PhoneError::invalid(raw),
            });
        }
        match PHONE_NUMBER_UTIL.get_region_for_number(&number) {
            None => Err(PhoneError::invalid(raw)),
            Some(Plan::World) => Err(PhoneError::NoCountry),
            Some(plan) if rules.allowed_regions.contains(&Region(plan)) => Ok(PhoneNumber(e164)),
            Some(plan) => Err(rules.not_allowed(Region(plan))),
        }
    }

    /// The number as E.164.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number as it is written in its own country, such as `(201) 555-0123`.
    pub fn national(&self) -> String {
        match PHONE_NUMBER_UTIL.parse(&self.0, None) {
            Ok(number) => PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::National).into_owned(),
            Err(_) => self.0.clone(),
        }
    }

    /// The number for a log, such as `+1•••••1234`: the country, and enough to recognise it.
    pub fn masked(&self) -> String {
        let code = calling_code_length(&self.0[1..]);
        let shown = if self.0.len() - 1 - code >= 8 { 4 } else { 2 };
        format!("{}•••••{}", &self.0[..=code], &self.0[self.0.len() - shown..])
    }

    /// The region by today's number plan, looked up afresh; `None` if the plan has changed.
    pub fn region(&self) -> Option<Region> {
        let number = PHONE_NUMBER_UTIL.parse(&self.0, None).ok()?;
        PHONE_NUMBER_UTIL.get_region_for_number(&number).map(Region)
    }

    /// The digits as one number: 15 of them fit, and sets of numbers stay small.
    pub fn digits(&self) -> u64 {
        self.0.bytes().skip(1).fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'))
    }
}

impl PhoneError {
    pub(crate) fn invalid(raw: &str) -> PhoneError {
        PhoneError::Invalid(excerpt(raw))
    }

    /// The word for it in the report of an import.
    pub fn row_code(&self) -> RowCode {
        match self {
            PhoneError::Missing => RowCode::MissingPhone,
            PhoneError::Invalid(_) | PhoneError::Extension | PhoneError::Rounded | PhoneError::UnknownCountry(_) => {
                RowCode::InvalidPhone
            }
            PhoneError::Emergency | PhoneError::NotAllowed { .. } | PhoneError::NoCountry => RowCode::NotAllowed,
            PhoneError::Premium => RowCode::Premium,
        }
    }
}

impl PhoneRules {
    /// Rules that allow these regions and read numbers without a country as `default_region`.
    pub fn new(allowed_regions: impl IntoIterator<Item = Region>, default_region: Region) -> PhoneRules {
        PhoneRules { allowed_regions: allowed_regions.into_iter().collect(), default_region }
    }

    /// The same with every region allowed: for numbers that are only kept from being called.
    pub fn anywhere(&self) -> PhoneRules {
        PhoneRules::new(PHONE_NUMBER_UTIL.get_supported_regions().map(Region), self.default_region)
    }

    /// A number that may be called, for people to see how one is written, and its region.
    pub fn example(&self) -> Option<(Region, PhoneNumber)> {
        let first = self.allowed_regions.get(&self.default_region);
        first.into_iter().chain(&self.allowed_regions).find_map(|region| {
            let number = PHONE_NUMBER_UTIL.get_example_number(region.0).ok()?;
            let e164 = PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164);
            Some((*region, PhoneNumber::parse(&e164, None, self).ok()?))
        })
    }

    fn not_allowed(&self, region: Region) -> PhoneError {
        let allowed = self.allowed_regions.iter().map(Region::to_string).collect::<Vec<_>>().join(", ");
        PhoneError::NotAllowed { region, allowed }
    }
}

impl Default for PhoneRules {
    fn default() -> Self {
        PhoneRules::new([Region::US], Region::US)
    }
}

/// The text with nothing in it but digits, a leading `+`, and punctuation between them.
///
/// The number library would skip words before a number and read letters after it as digits,
/// so it never sees any.
fn dialable(text: &str, region: Region) -> Option<String> {
    if text.chars().any(|c| c.is_ascii_alphabetic()) {
        let north_american = text.starts_with("+1") || (!text.contains('+') && region.calling_code() == Some(1));
        return if north_american { written::spelled(text) } else { None };
    }
    let known = |c: char| matches!(c, '0'..='9' | ' ' | '-' | '.' | '(' | ')' | '/' | '+');
    let plus_leads = text.trim_start_matches(['(', ' ']).rfind('+').is_none_or(|at| at == 0);
    (text.chars().all(known) && plus_leads).then(|| text.to_owned())
}

/// The number behind `00`, with which most of the world dials abroad. In North America, which dials `011`, no
/// number begins so; elsewhere the number plan itself knows.
fn abroad(text: &str, region: Region) -> Option<String> {
    let zeros = text.trim_start_matches(['(', ' ']);
    let rest = zeros.strip_prefix("00").filter(|_| region.calling_code() == Some(1))?;
    Some(format!("+{}", rest.trim_start_matches([' ', '-', '.', ')', '/'])))
}

/// Emergency lines, also behind a country code: `+1 911`.
fn is_emergency(text: &str, region: Region) -> bool {
    let digits = written::digits(text);
    let national = match region.calling_code() {
        _ if text.contains('+') => digits.get(calling_code_length(&digits)..),
        Some(code) => digits.strip_prefix(&code.to_string()),
        None => None,
    };
    EMERGENCY.contains(&digits.as_str()) || national.is_some_and(|line| EMERGENCY.contains(&line))
}

/// Premium by the plan, and two kinds the plan does not tell: personal numbers, which cost
/// the caller extra everywhere but in North America, where Twilio's own test numbers are
/// among them; and the 976 exchange of any North American area.
fn is_premium(kind: PhoneNumberType, code: i32, e164: &str) -> bool {
    match kind {
        PhoneNumberType::PremiumRate | PhoneNumberType::SharedCost => true,
        PhoneNumberType::PersonalNumber => code != 1,
        _ => code == 979 || code == 808 || (code == 1 && e164.len() == 12 && &e164[5..8] == "976"),
    }
}

/// How many of the digits are the country's. Codes never begin one another (ITU E.164).
fn calling_code_length(digits: &str) -> usize {
    match digits.as_bytes() {
        [b'1' | b'7', ..] => 1,
        [b'2', b'0' | b'7', ..]
        | [b'3', b'0'..=b'4' | b'6' | b'9', ..]
        | [b'4', b'0' | b'1' | b'3'..=b'9', ..]
        | [b'5', b'1'..=b'8', ..]
        | [b'6', b'0'..=b'6', ..]
        | [b'8', b'1' | b'2' | b'4' | b'6', ..]
        | [b'9', b'0'..=b'5' | b'8', ..] => 2,
        _ => 3,
    }
}

/// Enough of a cell to find it by.
fn excerpt(text: &str) -> String {
    let mut characters = text.trim().chars();
    let mut excerpt: String = characters.by_ref().take(40).collect();
    if characters.next().is_some() {
        excerpt.push('…');
    }
    excerpt
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for PhoneNumber {
    type Error = PhoneError;

    fn try_from(text: String) -> Result<Self, PhoneError> {
        match text.as_bytes() {
            [b'+', b'1'..=b'9', rest @ ..] if (6..=14).contains(&rest.len()) && rest.iter().all(u8::is_ascii_digit) => {
                Ok(PhoneNumber(text))
            }
            _ => Err(PhoneError::invalid(&text)),
        }
    }
}

impl From<PhoneNumber> for String {
    fn from(phone: PhoneNumber) -> String {
        phone.0
    }
}
