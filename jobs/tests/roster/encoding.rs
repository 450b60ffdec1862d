//! A roster is read in whatever encoding a spreadsheet wrote it.
#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use gymcall_jobs::phone::PhoneRules;
use gymcall_jobs::roster::{Limits, Roster};

/// The names of the accepted rows and the codes of the others. Pushed byte by byte, since
/// that is where decoders break.
fn names(file: &[u8]) -> Vec<String> {
    let mut roster = Roster::new(&PhoneRules::default(), Limits::default());
    let mut rows = Vec::new();
    for byte in file {
        rows.extend(roster.push(std::slice::from_ref(byte)).unwrap());
    }
    rows.extend(roster.finish().unwrap());
    rows.into_iter().map(|row| row.result.map_or_else(|bad| bad.code.to_string(), |row| row.gym.name)).collect()
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

const FILE: &str = "phone;name\r\n4155550100;Café “Fort” 💪\r\n4155550101;\"Ō;x\"\r\n";
const NAMES: [&str; 2] = ["Café “Fort” 💪", "Ō;x"];

#[test]
fn unicode_with_and_without_a_mark() {
    assert_eq!(names(FILE.as_bytes()), NAMES);
    assert_eq!(names(format!("\u{feff}{FILE}").as_bytes()), NAMES);
    for mark in ["\u{feff}", ""] {
        let file = format!("{mark}{FILE}");
        assert_eq!(names(&utf16(&file, u16::to_le_bytes)), NAMES);
        assert_eq!(names(&utf16(&file, u16::to_be_bytes)), NAMES);
    }
}

#[test]
fn windows_1252_shows_itself_at_any_row() {
    assert_eq!(names(b"phone,name\n4155550100,Caf\xE9 \x93A\x94 \x80\n"), ["Café “A” €"]);
    // 64 kB of ASCII before the first accent.
    let mut file = b"phone,name\n".to_vec();
    for number in 0..3_000 {
        file.extend(format!("415555{number:04},plain gym\n").bytes());
    }
    file.extend(b"4155559999,Caf\xE9\n");
    assert_eq!(names(&file).last().unwrap(), "Café");
    assert_eq!(names(b"phone,name,\xE9tat\n4155550100,A,x"), ["A"]);
}

#[test]
fn bytes_that_are_no_text_cost_their_row() {
    // 0x81 is a letter in neither.
    assert_eq!(names(b"phone,name\n4155550100,\x81\n4155550101,B\n"), ["bad_encoding", "B"]);
    // A file that has shown to be UTF-8 is not read as Windows-1252 half way.
    assert_eq!(names(b"phone,name\n4155550100,\xC3\xA9\n4155550101,\xE9\n4155550102,C\n"), ["é", "bad_encoding", "C"]);
    assert_eq!(names(b"\xEF\xBB\xBFphone,name\n4155550101,\xE9\n4155550102,C\n"), ["bad_encoding", "C"]);
    // Half a pair in UTF-16, and half a character at its end.
    let mut file = utf16("\u{feff}phone,name\n4155550100,", u16::to_le_bytes);
    file.extend([0x3D, 0xD8]);
    file.extend(utf16("\n4155550101,B\n4155550102,C", u16::to_le_bytes));
    assert_eq!(names(&file), ["bad_encoding", "B", "C"]);
    file.push(b'x');
    assert_eq!(names(&file), ["bad_encoding", "B", "bad_encoding"]);
}
