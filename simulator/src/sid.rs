//! Names that Twilio gives to things: two letters and 32 hexadecimal digits.
//!
//! They are random and do not follow the seed: a client that outlives a restart of the simulator
//! would otherwise meet the same SID twice for different calls.

use std::fmt::Write as _;

use sha1::{Digest as _, Sha1};

pub(crate) fn call() -> String {
    with_prefix("CA")
}

pub(crate) fn stream() -> String {
    with_prefix("MZ")
}

pub(crate) fn recording() -> String {
    with_prefix("RE")
}

pub(crate) fn transcription() -> String {
    with_prefix("TR")
}

pub(crate) fn request() -> String {
    with_prefix("RQ")
}

pub(crate) fn notification() -> String {
    with_prefix("NO")
}

/// The SID of a telephone number, always the same for one number.
pub(crate) fn of_number(number: &str) -> String {
    let digest = Sha1::digest(number);
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("PN{hex}")
}

/// A random UUID, version 4.
pub(crate) fn uuid() -> String {
    let n: u128 = rand::random();
    let n = n & !(0xF << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let hex = format!("{n:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

fn with_prefix(prefix: &str) -> String {
    let mut sid = prefix.to_owned();
    // Writing to a String cannot fail.
    let _ = write!(sid, "{:032x}", rand::random::<u128>());
    sid
}

#[cfg(test)]
mod tests {
    #[test]
    fn sids_and_uuids_have_their_shape() {
        let sid = super::call();
        assert_eq!(sid.len(), 34);
        assert!(sid.starts_with("CA") && sid[2..].chars().all(|c| c.is_ascii_hexdigit()));
        let uuid = super::uuid();
        assert_eq!(uuid.len(), 36);
        assert_eq!(&uuid[14..15], "4");
        assert!("89ab".contains(&uuid[19..20]));
    }
}
