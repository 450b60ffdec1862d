//! How every keeper writes things down: statuses as numbers, times as microseconds, lists by the page.

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use crate::job::Status;
use crate::store::{Page, StoreError};

/// The number of a status. These never change, whatever order the words are listed in: they are in the
/// files, and indexes and scripts know them. 0 is waiting, 1 to 5 are live.
pub(super) const fn code(status: Status) -> u8 {
    match status {
        Status::Waiting => 0,
        Status::Dialing => 1,
        Status::Unknown => 2,
        Status::Placed => 3,
        Status::InProgress => 4,
        Status::Closing => 5,
        Status::Completed => 6,
        Status::Failed => 7,
        Status::Skipped => 8,
        Status::Cancelled => 9,
        Status::Quarantined => 10,
    }
}

/// Whether a job that stands at the status with this number is open: it waits, or a call of it is under way.
pub(super) const fn is_open(code: i64) -> bool {
    code <= self::code(Status::Closing) as i64
}

/// The status of a number.
pub(super) fn status(number: u8) -> Option<Status> {
    Status::ALL.iter().copied().find(|status| code(*status) == number)
}

/// A time in microseconds, rounded up: a job must never count as due before its record does.
pub(super) fn micros(at: Timestamp) -> i64 {
    let rest = at.subsec_nanosecond() % 1_000;
    at.as_microsecond() + i64::from(rest > 0)
}

/// The time of a number.
pub(super) fn timestamp(micros: i64) -> Timestamp {
    let bounded = micros.clamp(Timestamp::MIN.as_microsecond(), Timestamp::MAX.as_microsecond());
    Timestamp::from_microsecond(bounded).unwrap_or(Timestamp::MAX)
}

/// A record out of its JSON.
pub(super) fn decode<T: DeserializeOwned>(value: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(value).map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// An id out of its text.
pub(super) fn id<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|error: T::Err| StoreError::Corrupt(error.to_string()))
}

/// A page's size as asked for, within bounds: none would never come to an end.
pub(super) const fn page_size(limit: u32) -> u32 {
    match limit {
        0 => 1,
        1..=1_000 => limit,
        _ => 1_000,
    }
}

/// A cursor that is a number.
pub(super) fn cursor<T: std::str::FromStr>(text: Option<&str>) -> Result<Option<T>, StoreError> {
    text.map(|text| text.parse().map_err(|_| StoreError::BadCursor)).transpose()
}

/// Cuts what was found, one more than fits, to a page; the last item that stays names the next.
/// Those that cannot be read take up their places in it and are left out.
pub(super) fn page<T>(mut found: Vec<(String, Option<T>)>, size: u32) -> Page<T> {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let more = found.len() > size;
    found.truncate(size);
    let next = found.last().filter(|_| more).map(|(cursor, _)| cursor.clone());
    Page { items: found.into_iter().filter_map(|(_, item)| item).collect(), next }
}
