//! Small files and the report each must give.
#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use gymcall_jobs::phone::{PhoneRules, Region};
use gymcall_jobs::roster::{Limits, Roster, RosterError, Row};

fn rows(file: &[u8]) -> Result<Vec<Row>, RosterError> {
    let rules = PhoneRules::new([Region::US, "GB".parse().unwrap()], Region::US);
    let mut roster = Roster::new(&rules, Limits::default());
    let mut rows = roster.push(file)?;
    rows.extend(roster.finish()?);
    Ok(rows)
}

/// One word for each row: its line, then the last four digits and the name, or the code.
fn report(file: &str) -> String {
    let rows = match rows(file.as_bytes()) {
        Ok(rows) => rows,
        Err(error) => {
            return format!("{error:?}").split([' ', '(']).next().unwrap_or_default().to_owned();
        }
    };
    let word = |row: &Row| match &row.result {
        Ok(row) => format!("{}{}:{}", if row.corrected { "~" } else { "" }, &row.gym.phone.as_str()[8..], row.gym.name),
        Err(bad) => bad.code.to_string(),
    };
    rows.iter().map(|row| format!("{}={}", row.line, word(row))).collect::<Vec<_>>().join(" ")
}

#[test]
fn each_file_gives_its_report() {
    for (file, expected) in [
        // Nothing, and nothing but a header.
        ("", "Empty"),
        (" \n\r\n\n", "Empty"),
        ("\u{feff}", "Empty"),
        ("phone,name", ""),
        // Line ends.
        ("phone,name\n+14155550100,A\n+14155550101,B\n", "2=0100:A 3=0101:B"),
        ("phone,name\r\n+14155550100,A\r\n+14155550101,B", "2=0100:A 3=0101:B"),
        ("phone,name\r+14155550100,A\r+14155550101,B\r", "2=0100:A 3=0101:B"),
        ("\n\nphone,name\n\n \n,\n+14155550100,A\r\n\r\n\n+14155550101,B", "7=0100:A 10=0101:B"),
        // Headers.
        ("Phone Number ,GYM-NAME\n4155550100,A", "2=~0100:A"),
        ("Contact_Number,Gym\n4155550100,A", "2=~0100:A"),
        (" Number ,\u{a0}Name\n4155550100,A", "2=~0100:A"),
        ("number,phone,name\n12,4155550100,A", "2=~0100:A"),
        ("\u{feff}phone,name\n+14155550100,A", "2=0100:A"),
        ("name,city\nA,Reno", "NoPhoneColumn"),
        ("A,+1 (415) 555-0100\nB,4155550101", "NoHeader"),
        ("phone,name,Day Pass,day-pass\n4155550100,A,1,2", "RepeatedColumn"),
        ("phone,time zone,timezone\n", "RepeatedColumn"),
        ("\"phone\n4155550100", "UnreadableHeader"),
        // Delimiters.
        ("phone;name\n+14155550100;A, B", "2=0100:A, B"),
        ("phone\tname\n+14155550100\tA", "2=0100:A"),
        ("phone|name\n+14155550100|A", "2=0100:A"),
        ("phone\n+14155550100", "2=0100:"),
        ("\"a, b, c, d\";phone;name\nx;+14155550100;A", "2=0100:A"),
        ("hours (mon, tue, wed);phone;name\nx;+14155550100;A", "2=0100:A"),
        ("sep=;\nphone;name\n+14155550100;A", "3=0100:A"),
        ("\"SEP=|\"\r\nphone|name\r\n+14155550100|A", "3=0100:A"),
        ("sep=\t\nphone\tname\n+14155550100\tA", "3=0100:A"),
        ("sep=,\nphone;x,name\n1,2", "NoPhoneColumn"),
        ("sep=;", "Empty"),
        // Quotes.
        ("phone,name\n\"+14155550100\",\"A \"\"the\"\" B\"", "2=0100:A \"the\" B"),
        ("phone,name,note\n+14155550100,A,\"x\ny\r\nz\rw\"\n+14155550101,B,", "2=0100:A 6=0101:B"),
        ("\"phone\",\"name\n(full)\"\n+14155550100,A", "3=0100:"),
        ("phone,name\n+14155550100, \"A, B\" \n", "2=0100:A, B"),
        ("phone,name\n+14155550100,5\" A\n", "2=0100:5\" A"),
        ("phone,name\n+14155550100,\"A\"B\n+14155550101,C", "2=malformed_row 3=0101:C"),
        // A quote that nobody closes costs its own line, not the rest of the file.
        ("phone,name\n+14155550100,\"A\n+14155550101,B\n+14155550102,C", "2=malformed_row 3=0101:B 4=0102:C"),
        ("phone,name\n+14155550100,\"A\n+14155550101,\"B\"\n+14155550102,C", "2=malformed_row 3=0101:B 4=0102:C"),
        ("phone,name\r\n+14155550100,\"A\r\n+14155550101,\"B\"\r\n+14155550102,C", "2=malformed_row 3=0101:B 4=0102:C"),
        ("phone,name\n+14155550100,A\n+14155550101,\"B", "2=0100:A 3=malformed_row"),
        // Ragged rows.
        ("name,phone,city\nA,+14155550100", "2=0100:A"),
        ("name,city,phone\nA,Reno", "2=malformed_row"),
        ("name,city,phone\nA,Reno,", "2=missing_phone"),
        ("phone,name\n+14155550100,A,,\n+14155550101,B,x", "2=0100:A 3=malformed_row"),
        ("phone,name,\n+14155550100,A,\n+14155550101,B,x", "2=0100:A 3=malformed_row"),
        (",phone,name\n0,+14155550100,A\n1,+14155550101,B", "2=0100:A 3=0101:B"),
        // Numbers.
        (
            "phone,name\n,A\nn/a,B\n12,C\n911,D\n+18765550100,E\n900-555-1234,F",
            "2=missing_phone 3=missing_phone 4=invalid_phone 5=not_allowed 6=not_allowed 7=premium",
        ),
        ("phone,name\n4155550100,A\n(415) 555-0100,B\n+14155550101,C", "2=~0100:A 3=duplicate 4=0101:C"),
        (
            "phone,country\n020 7946 0018,UK\n020 7946 0018,US\n55 1234 5678,Narnia",
            "2=~60018: 3=invalid_phone 4=invalid_phone",
        ),
        // Text that is none.
        (
            "phone,name\n+14155550100,A\0B\n+14155550101,\u{1b}[0m\n+14155550102,\u{fffd}",
            "2=bad_encoding 3=bad_encoding 4=bad_encoding",
        ),
        ("PK\u{3}\u{4}phone,name", "Workbook"),
        ("pho\0ne,name\n", "UnreadableHeader"),
    ] {
        assert_eq!(report(file), expected, "{file:?}");
    }
}

#[test]
fn long_things_cost_their_row_only() {
    let cell = "x".repeat(2_000);
    assert_eq!(report(&format!("phone,note\n+14155550100,{cell}\n")), "2=0100:");
    // Characters are counted, not bytes.
    let accents = "é".repeat(2_000);
    assert_eq!(report(&format!("phone,note\n+14155550100,{accents}\n")), "2=0100:");
    assert_eq!(report(&format!("phone,note\n+14155550100,{cell}x\n+14155550101,\n")), "2=too_long 3=0101:");
    let row = "x".repeat(70_000);
    assert_eq!(report(&format!("phone,note\n+14155550100,{row}\n+14155550101,\n")), "2=too_long 3=0101:");
    assert_eq!(report(&format!("phone,note\n+14155550100,\"{row}\"\n+14155550101,\n")), "2=too_long 3=0101:");
    // Over many lines it is a quote that was left open.
    let lines = "+14155550102,\n".repeat(6_000);
    let open = report(&format!("phone,note\n+14155550100,\"x\n{lines}"));
    assert!(open.starts_with("2=malformed_row 3=0102: 4=duplicate"), "{}", &open[..60]);
    assert!(open.ends_with(" 6002=duplicate"));
    // The limit falls between the two halves of a line end, which still is one.
    let cell = "x".repeat(64 * 1024 - "+14155550100,\"".len());
    let split = format!("phone,note\n+14155550100,\"{cell}\r\n+14155550101,\n");
    assert_eq!(report(&split), "2=malformed_row 3=0101:");
    // A line end before the limit is not taken for the one before the second line.
    let cell = "x".repeat(64 * 1024 - "+14155550100,\"\n\n".len());
    let split = format!("phone,note\n+14155550100,\"\n\n{cell}\r\n+14155550101,\n");
    assert_eq!(report(&split), "2=malformed_row 4=too_long 5=0101:");
    let wide = vec!["c"; 201].iter().enumerate().map(|(at, c)| format!("{c}{at}")).collect::<Vec<_>>().join(",");
    assert_eq!(report(&format!("{wide},phone\n")), "TooManyColumns");
    assert_eq!(report(&format!("{row}{row}")), "UnreadableHeader");
}

#[test]
fn known_columns_are_kept_apart_and_the_others_become_variables() {
    let file = "Phone,Gym Name,TimeZone,Country,State,City,Preferred-Language,External ID,Day Pass  Price,Owner\n\
                +14155550100,A,america/los_angeles,usa,CA,Oakland,es,g-1,$15,\n\
                +14155550101,B,EST,,,,,,,Bo\n";
    let rows = rows(file.as_bytes()).unwrap();
    let first = &rows[0].result.as_ref().unwrap().gym;
    let json = serde_json::to_value(first).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "phone": "+14155550100", "name": "A", "country": "US", "state": "CA", "city": "Oakland",
            "timezone": {"name": "America/Los_Angeles", "source": "csv"},
            "preferred_language": "es", "external_id": "g-1", "variables": {"day_pass_price": "$15"},
        })
    );
    assert_eq!(serde_json::from_value::<gymcall_jobs::gym::Gym>(json).unwrap(), *first);
    assert_eq!(first.variable("Day-Pass Price"), Some("$15"));
    assert_eq!(first.variable("gym"), Some("A"));
    assert_eq!(first.variable("owner"), None);
    // An abbreviation is no zone, and the cell stays to be seen. The number tells the zone then.
    let second = &rows[1].result.as_ref().unwrap().gym;
    let json = serde_json::to_value(second).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "phone": "+14155550101", "name": "B", "variables": {"timezone": "EST", "owner": "Bo"},
            "timezone": {"name": "America/Los_Angeles", "source": "number"},
        })
    );
}

#[test]
fn columns_that_the_questions_use_have_to_be_there_and_filled() {
    let read = |file: &str, needs: &[&str]| {
        let mut roster = Roster::new(&PhoneRules::default(), Limits::default()).requiring(needs.iter().copied());
        let mut rows = roster.push(file.as_bytes())?;
        rows.extend(roster.finish()?);
        Ok::<_, RosterError>(
            rows.into_iter().map(|row| row.result.map(|_| ()).map_err(|bad| bad.code.as_str())).collect::<Vec<_>>(),
        )
    };
    let file = "telephone,name,city\n4155550100,A,\n4155550100,A,Reno\n4155550101,,Reno\n";
    assert_eq!(read(file, &["City"]).unwrap(), [Err("missing_variable"), Ok(()), Ok(())]);
    assert_eq!(
        read(file, &["gym_name", "phone_number", "telephone"]).unwrap(),
        [Ok(()), Err("duplicate"), Err("missing_variable")]
    );
    let error = read(file, &["city", "owner"]).unwrap_err();
    assert_eq!(error.to_string(), "the campaign names columns that are not in the file: \"owner\"");
}

#[test]
fn a_refused_file_stays_refused() {
    let mut roster = Roster::new(&PhoneRules::default(), Limits::default());
    let first = roster.push(b"name,city\n").unwrap_err();
    assert_eq!(roster.push(b"phone\n4155550100\n").unwrap_err(), first);
    assert!(first.to_string().contains("phone_number"), "{first}");
    assert!(first.to_string().contains("\"city\""), "{first}");
}

#[test]
fn a_duplicate_names_the_line_it_repeats() {
    let rows = rows(b"phone\n4155550100\n4155550101\n4155550100\n").unwrap();
    assert_eq!(rows[2].result.as_ref().unwrap_err().detail, "the same number as line 2");
}
