//! Times as Twilio writes them.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

/// Reads an RFC 2822 time: `Wed, 11 Sep 2024 20:12:05 +0000`, or `GMT` in headers.
///
/// `None` for anything else. Nothing we decide may hang on a time that was not readable,
/// so no caller treats that as an error.
pub(super) fn rfc2822(text: &str) -> Option<Timestamp> {
    // A wrong day of the week beside a right date is still that date.
    const PARSER: DateTimeParser = DateTimeParser::new().relaxed_weekday(true);
    PARSER.parse_timestamp(text.trim()).ok()
}
