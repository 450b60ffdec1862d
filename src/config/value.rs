//! Single values of settings: read, or refused in words.

use gymcall_jobs::phone::{PhoneRules, Region, RegionError};
use jiff::SignedDuration;
use url::{Host, Url};

use super::error::{ConfigError, invalid};
use super::sources::Sources;

pub(super) fn is_account_sid(sid: &str) -> bool {
    let digits = sid.strip_prefix("AC").unwrap_or_default();
    digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whether this can be a caller's number: Twilio refuses every call from another, and compares it letter by letter.
pub(super) fn is_e164(number: &str) -> bool {
    let digits = number.strip_prefix('+').unwrap_or_default();
    (8..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0')
}

/// Whether a URL's host is this machine and nothing else.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

pub(super) fn base_url(variable: &'static str, text: &str) -> Result<Url, ConfigError> {
    let url = Url::parse(text).map_err(|error| invalid(variable, text, error))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(invalid(variable, text, "must be an http or https URL"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid(variable, "…", "must not have a user name or a password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(invalid(variable, text, "must not have a query or a fragment"));
    }
    Ok(url)
}

/// The regions allowed; the first is the one that national numbers are read in.
pub(super) fn regions(text: &str) -> Result<PhoneRules, ConfigError> {
    let refused = |why: String| invalid("GYMCALL_ALLOWED_REGIONS", text, why);
    let regions: Vec<Region> = text
        .split(',')
        .map(str::trim)
        .filter(|region| !region.is_empty())
        .map(|region| region.parse().map_err(|error: RegionError| refused(error.to_string())))
        .collect::<Result<_, _>>()?;
    let first = regions.first().copied().ok_or_else(|| refused("at least one region".to_owned()))?;
    Ok(PhoneRules::new(regions, first))
}

/// Times at which something is asked for again, all counted from the same moment, the `origin`.
pub(super) fn waits(
    sources: &Sources,
    variable: &'static str,
    default: &str,
    origin: &str,
) -> Result<Vec<SignedDuration>, ConfigError> {
    let text = sources.get(variable).unwrap_or(default);
    let waits: Vec<SignedDuration> =
        text.split(',').map(|wait| duration(variable, wait.trim())).collect::<Result<_, _>>()?;
    if !waits.is_sorted() {
        let why = format!("the waits are counted from the {origin}: each must be later than the one before");
        return Err(invalid(variable, text, why));
    }
    Ok(waits)
}

pub(super) fn duration(variable: &'static str, text: &str) -> Result<SignedDuration, ConfigError> {
    let duration: SignedDuration =
        text.parse().map_err(|_| invalid(variable, text, "not a duration such as 500ms, 10s or 2m"))?;
    if duration <= SignedDuration::ZERO || duration > SignedDuration::from_hours(24) {
        return Err(invalid(variable, text, "must be more than nothing and at most a day"));
    }
    Ok(duration)
}
