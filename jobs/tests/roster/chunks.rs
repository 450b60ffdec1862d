//! Properties of the reader: cuts change nothing, and what a CSV writer writes is read back.

use gymcall_jobs::phone::PhoneRules;
use gymcall_jobs::roster::{Limits, Roster, RosterError, Row};
use proptest::prelude::*;

const LIMITS: Limits = Limits { cell_chars: 20, row_bytes: 60, columns: 5 };

fn read<'a>(chunks: impl Iterator<Item = &'a [u8]>, limits: Limits) -> (Vec<Row>, Option<RosterError>) {
    let mut roster = Roster::new(&PhoneRules::default(), limits);
    let mut rows = Vec::new();
    for chunk in chunks {
        match roster.push(chunk) {
            Ok(more) => rows.extend(more),
            Err(error) => return (rows, Some(error)),
        }
    }
    match roster.finish() {
        Ok(more) => rows.extend(more),
        Err(error) => return (rows, Some(error)),
    }
    (rows, None)
}

/// Bytes with everything that a reader can trip over.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => Just("phone,name\n"), 1 => Just("phone;name\r\n"), 1 => Just("sep=;\n"),
        3 => Just("4155550100,A\n"), 3 => Just("+14155550101,B\r\n"), 2 => Just("4155550102;C\r"),
        4 => Just("\""), 2 => Just("\"\""), 4 => Just(","), 3 => Just("\n"), 3 => Just("\r"), 1 => Just("\r\n"),
        1 => Just(" "), 1 => Just("é"), 1 => Just("\0"), 1 => Just("\u{feff}"),
        1 => Just("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
    ];
    let piece = prop_oneof![
        20 => piece.prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..4),
    ];
    let start = prop_oneof![4 => Just(&b"phone,name\n"[..]), 1 => Just(&b""[..]), 1 => Just(&b"\xEF\xBB\xBF"[..])];
    (start, prop::collection::vec(piece, 0..40)).prop_map(|(start, pieces)| [start, &pieces.concat()].concat())
}

fn utf16(text: &[u8]) -> Vec<u8> {
    let text = format!("\u{feff}{}", String::from_utf8_lossy(text));
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_cuts_give_the_same_rows(
        file in hostile(),
        sixteen in any::<bool>(),
        cuts in prop::collection::vec(0_usize..400, 0..8),
    ) {
        let file = if sixteen { utf16(&file) } else { file };
        let whole = read(std::iter::once(&file[..]), LIMITS);
        prop_assert_eq!(&read(file.chunks(1), LIMITS), &whole);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(file.len())).collect();
        cuts.extend([0, file.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|pair| &file[pair[0]..pair[1]]);
        prop_assert_eq!(&read(pieces, LIMITS), &whole);
        // Lines only ever go up, and none is past the end of the file.
        let lines: Vec<u64> = whole.0.iter().map(|row| row.line).collect();
        prop_assert!(lines.windows(2).all(|pair| pair[0] < pair[1]), "{lines:?}");
        prop_assert!(lines.last().is_none_or(|last| *last as usize <= file.len() + 1));
    }

    #[test]
    fn what_a_csv_writer_writes_is_read_back(
        cells in prop::collection::vec("[a-z,;|\" \n\ré💪]{0,12}", 1..20),
        crlf in any::<bool>(),
        delimiter in prop::sample::select(vec![b',', b';', b'\t', b'|']),
    ) {
        let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = csv::WriterBuilder::new().terminator(terminator).delimiter(delimiter).from_writer(Vec::new());
        writer.write_record(["phone", "name", "note"]).unwrap();
        let number = |at: usize| format!("+1415555{at:04}");
        for (at, cell) in cells.iter().enumerate() {
            writer.write_record([&number(at), cell, cell]).unwrap();
        }
        let file = writer.into_inner().unwrap();
        let (rows, error) = read(std::iter::once(&file[..]), Limits::default());
        prop_assert_eq!(error, None);
        prop_assert_eq!(rows.len(), cells.len());
        for (at, (row, cell)) in rows.iter().zip(&cells).enumerate() {
            let gym = &row.result.as_ref().unwrap().gym;
            prop_assert_eq!(gym.phone.as_str(), number(at));
            prop_assert_eq!(&gym.name, cell.trim());
            prop_assert_eq!(gym.variable("note").unwrap_or_default(), cell.trim());
        }
    }
}

#[test]
fn a_hostile_file_costs_no_more_than_its_length() {
    // Quotes opened on every line: each must be read a bounded number of times.
    for line in ["4155550100,\"A\n", "\"\n", ",\"\"\"\n", "a,\"\"\"\"\"b\n", "\"\"\"\n\"", "\"a\"\"\n"] {
        let mut file = b"phone,name\n".to_vec();
        while file.len() < 4_000_000 {
            file.extend(line.bytes());
        }
        let start = std::time::Instant::now();
        let (_, error) = read(file.chunks(8_192), Limits::default());
        assert_eq!(error, None);
        assert!(start.elapsed().as_secs() < 20, "{line:?} took {:?}", start.elapsed());
    }
}

#[test]
fn a_long_file_leaves_nothing_behind_but_its_numbers() {
    let mut roster = Roster::new(&PhoneRules::default(), Limits::default());
    roster.push(b"phone,name\n").unwrap();
    let mut accepted = 0;
    for number in 0..100_000 {
        let line = format!("+1{}555{:04},Gym\n", 200 + number / 10_000, number % 10_000);
        accepted += roster.push(line.as_bytes()).unwrap().iter().filter(|row| row.result.is_ok()).count();
    }
    assert!(accepted > 50_000, "{accepted}");
    assert_eq!(roster.finish().unwrap(), []);
}
