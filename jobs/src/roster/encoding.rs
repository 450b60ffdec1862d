//! Bytes of a file in any usual encoding, brought to bytes in which CSV can be read.
//!
//! Delimiters, quotes and line ends are the same bytes in ASCII, UTF-8 and Windows-1252, so
//! those pass as they are and each row is decoded on its own: a file may be plain ASCII for
//! a thousand rows before an é decides. UTF-16 is turned into UTF-8 on the way in.

use encoding_rs::{Decoder, Encoding as Charset, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::RosterError;

/// The start of a workbook: a zip archive, or the older compound file.
const WORKBOOKS: [&[u8]; 2] = [b"PK\x03\x04", b"\xD0\xCF\x11\xE0"];

/// Enough bytes to know every mark that is looked for.
const MARK: usize = 4;

/// The encoding of a file, as far as it is known.
pub(super) struct Encoding {
    kind: Kind,
    /// Whether the file has shown that it is Unicode. From then on a row that is not UTF-8 is
    /// broken: reading it as Windows-1252 would turn its other letters into pairs of wrong ones.
    unicode: bool,
}

enum Kind {
    /// The first bytes, while there are too few of them.
    Unknown(Vec<u8>),
    /// UTF-8 or Windows-1252.
    Bytes,
    Utf16(Box<Decoder>),
}

impl Encoding {
    pub(super) fn new() -> Encoding {
        Encoding { kind: Kind::Unknown(Vec::new()), unicode: false }
    }

    /// Appends what `bytes` mean to `out`; `last` flushes.
    pub(super) fn push(&mut self, bytes: &[u8], last: bool, out: &mut Vec<u8>) -> Result<(), RosterError> {
        match &mut self.kind {
            Kind::Unknown(first) => {
                first.extend_from_slice(bytes);
                if first.len() < MARK && !last {
                    return Ok(());
                }
                let first = std::mem::take(first);
                let mark = self.decide(&first)?;
                self.push(&first[mark..], last, out)?;
            }
            Kind::Bytes => out.extend_from_slice(bytes),
            Kind::Utf16(decoder) => {
                let mut text = String::new();
                // The size is a bound the decoder gives for exactly this input, so one call
                // takes all of it. Halves of pairs become U+FFFD, which `decode` refuses.
                text.reserve(decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(bytes.len() * 3 + 3));
                let (_, read, _) = decoder.decode_to_string(bytes, &mut text, last);
                debug_assert_eq!(read, bytes.len());
                out.extend_from_slice(text.as_bytes());
            }
        }
        Ok(())
    }

    /// Settles the encoding, and gives the length of the mark that named it.
    fn decide(&mut self, first: &[u8]) -> Result<usize, RosterError> {
        if WORKBOOKS.iter().any(|start| first.starts_with(start)) {
            return Err(RosterError::Workbook);
        }
        let utf16 = |charset: &'static Charset| Kind::Utf16(Box::new(charset.new_decoder_without_bom_handling()));
        let (kind, mark) = match first {
            [0xEF, 0xBB, 0xBF, ..] => (Kind::Bytes, 3),
            [0xFF, 0xFE, ..] => (utf16(UTF_16LE), 2),
            [0xFE, 0xFF, ..] => (utf16(UTF_16BE), 2),
            // Two letters with a zero byte each: UTF-16 that lost its mark.
            [a, 0, b, 0, ..] if *a != 0 && *b != 0 => (utf16(UTF_16LE), 0),
            [0, a, 0, b, ..] if *a != 0 && *b != 0 => (utf16(UTF_16BE), 0),
            _ => (Kind::Bytes, 0),
        };
        self.unicode = mark > 0 || matches!(kind, Kind::Utf16(_));
        self.kind = kind;
        Ok(mark)
    }

    /// A line as text for a person, whatever it holds.
    pub(super) fn lossy(&self, line: &[u8]) -> String {
        let text = match str::from_utf8(line) {
            Err(_) if !self.unicode => WINDOWS_1252.decode_without_bom_handling(line).0,
            _ => String::from_utf8_lossy(line),
        };
        text.trim_end_matches(['\r', '\n']).to_owned()
    }

    /// One row's cells, which end at `ends` in `text`, as text; `None` if they are none.
    pub(super) fn decode(&mut self, text: &[u8], ends: &[usize]) -> Option<Vec<String>> {
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let spans = starts.zip(ends).map(|(start, end)| start..*end);
        // Bytes of two cells can look like one letter where they meet: then the row is no UTF-8.
        let whole = str::from_utf8(text).ok().filter(|text| ends.iter().all(|end| text.is_char_boundary(*end)));
        let cells: Vec<String> = match whole {
            Some(text) => {
                self.unicode |= !text.is_ascii();
                spans.map(|span| text[span].trim().to_owned()).collect()
            }
            None if self.unicode => return None,
            None => {
                spans.map(|span| WINDOWS_1252.decode_without_bom_handling(&text[span]).0.trim().to_owned()).collect()
            }
        };
        // Windows-1252 leaves five bytes without a letter; they come out as control characters.
        let broken = |c: char| c == '\u{FFFD}' || (c.is_control() && !matches!(c, '\t' | '\n' | '\r'));
        let readable = !cells.iter().any(|cell| cell.chars().any(broken));
        readable.then_some(cells)
    }
}
