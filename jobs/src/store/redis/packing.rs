//! Records that wait or are over are kept small.
//!
//! Compression pays where records look alike, so it starts from a typical one. A million gyms wait for hours, and a night
//! of ten thousand is kept for years and read seldom; a job that is under way is written too often to be packed each time.

use lz4_flex::block::{compress_prepend_size_with_dict, decompress_size_prepended_with_dict};

use crate::store::StoreError;

/// What a packed record begins with; JSON never does. Another typical record would need another mark, because what
/// was packed with this one can be read with no other.
const MARK: u8 = 1;

/// The typical record.
const TYPICAL: &[u8] = include_bytes!("typical.json");

/// The record, packed.
pub(super) fn pack(record: &[u8]) -> Vec<u8> {
    let mut packed = vec![MARK];
    packed.extend(compress_prepend_size_with_dict(record, TYPICAL));
    packed
}

/// The record as JSON, whether it was packed or not.
pub(super) fn unpack(value: &[u8]) -> Result<std::borrow::Cow<'_, [u8]>, StoreError> {
    match value.split_first() {
        Some((&MARK, packed)) => decompress_size_prepended_with_dict(packed, TYPICAL)
            .map(Into::into)
            .map_err(|error| StoreError::Corrupt(format!("a packed record: {error}"))),
        _ => Ok(value.into()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_packed_comes_back(record in proptest::collection::vec(any::<u8>(), 0..4_000)) {
            let packed = pack(&record);
            let unpacked = unpack(&packed).unwrap();
            prop_assert_eq!(unpacked.as_ref(), record.as_slice());
        }

        #[test]
        fn nonsense_is_refused_and_nothing_panics(mut value in proptest::collection::vec(any::<u8>(), 0..200)) {
            value.insert(0, MARK);
            let _ = unpack(&value);
        }
    }

    #[test]
    fn what_is_not_packed_stays_as_it_is() {
        let plain = b"{\"a\":1}";
        assert_eq!(unpack(plain).unwrap().as_ref(), plain);
    }
}
