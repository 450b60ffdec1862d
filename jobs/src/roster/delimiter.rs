//! Which character separates the cells, told from the first line.

use super::columns::is_phone_column;

/// The delimiters that are understood; of two that fit equally well the first is taken.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// What the start of a file says about its delimiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sniffed {
    /// The header line uses this one.
    Header(u8),
    /// The first line is a spreadsheet's `sep=;`, the header comes after it.
    SepLine(u8),
}

/// Looks at the first line of `start` that is neither blank nor a comment. `None` while its end is not there;
/// `whole` says that no more will come.
pub(super) fn sniff(start: &[u8], whole: bool) -> Option<Sniffed> {
    let mut start = past_blanks(start);
    while start.first() == Some(&b'#') {
        let end = match line_end(start, false) {
            Some(end) => end,
            None if !whole => return None,
            None => break,
        };
        let names_phone = |delimiter: &u8| cells(&start[..end], *delimiter).iter().any(|cell| is_phone(cell));
        if DELIMITERS.iter().any(names_phone) || past_blanks(&start[end..]).is_empty() {
            break;
        }
        start = past_blanks(&start[end..]);
    }
    let line = match line_end(start, true) {
        Some(end) => &start[..end],
        None if !whole => return None,
        // A quote that never closes: the first physical line has to do.
        None => &start[..line_end(start, false).unwrap_or(start.len())],
    };
    let bare = line.trim_ascii().trim_ascii_start();
    let bare = bare.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(bare);
    if let [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter] = bare
        && DELIMITERS.contains(delimiter)
    {
        return Some(Sniffed::SepLine(*delimiter));
    }
    // `sep=` and a tab: trimming has taken the tab.
    if line.to_ascii_lowercase().starts_with(b"sep=\t") {
        return Some(Sniffed::SepLine(b'\t'));
    }
    // A name such as `hours (mon, tue, wed)` may hold more commas than the line has real
    // delimiters, so one that yields a phone column wins over one that is merely frequent.
    let fits = |delimiter: &u8| {
        let cells = cells(line, *delimiter);
        let phone = cells.iter().any(|cell| is_phone(cell));
        (phone, cells.len())
    };
    DELIMITERS.into_iter().rev().max_by_key(fits).map(Sniffed::Header)
}

fn past_blanks(start: &[u8]) -> &[u8] {
    let blank = start.iter().take_while(|byte| byte.is_ascii_whitespace() && **byte != b'\t').count();
    &start[blank..]
}

fn is_phone(cell: &[u8]) -> bool {
    is_phone_column(&String::from_utf8_lossy(cell))
}

/// Where the first line ends, at a line break outside quotes if `quotes` count.
fn line_end(start: &[u8], quotes: bool) -> Option<usize> {
    let mut quoted = false;
    start.iter().position(|byte| {
        quoted ^= quotes && *byte == b'"';
        !quoted && matches!(byte, b'\r' | b'\n')
    })
}

/// The cells of a line, without their quotes; close enough to compare delimiters by.
fn cells(line: &[u8], delimiter: u8) -> Vec<Vec<u8>> {
    let mut quoted = false;
    let split = line.split(|byte| {
        quoted ^= *byte == b'"';
        !quoted && *byte == delimiter
    });
    split.map(|cell| cell.iter().copied().filter(|byte| *byte != b'"').collect()).collect()
}
