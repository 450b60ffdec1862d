//! Files as people send them. Beside each stands the report that a person would expect.
#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::path::{Path, PathBuf};

use gymcall_jobs::phone::{PhoneRules, Region};
use gymcall_jobs::roster::{Limits, Roster, RosterError, Row, RowCode};
use serde::Deserialize;

/// The report of a file.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Expected {
    /// What is messy about it, for whoever reads it.
    about: String,
    /// The regions that may be called; without them, the United States.
    regions: Vec<String>,
    /// How the refusal of the whole file begins.
    refused: String,
    accepted: usize,
    corrected: usize,
    duplicates: usize,
    rejected: usize,
    /// The rows that were not taken.
    rows: Vec<BadLine>,
    /// The numbers and names of those that were.
    gyms: Vec<String>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct BadLine {
    line: u64,
    code: String,
}

fn read(file: &[u8], rules: &PhoneRules) -> Result<Vec<Row>, RosterError> {
    let mut roster = Roster::new(rules, Limits::default());
    let mut rows = Vec::new();
    // Pieces of an odd size, so that every kind of thing is cut somewhere.
    for piece in file.chunks(7) {
        rows.extend(roster.push(piece)?);
    }
    rows.extend(roster.finish()?);
    Ok(rows)
}

/// The report in the form of what is expected of it.
fn report(file: &[u8], expected: &Expected) -> Expected {
    let regions = expected.regions.iter().map(|region| region.parse().unwrap());
    let rules = if expected.regions.is_empty() { PhoneRules::default() } else { PhoneRules::new(regions, Region::US) };
    let told = || Expected { about: expected.about.clone(), regions: expected.regions.clone(), ..Expected::default() };
    let rows = match read(file, &rules) {
        Ok(rows) => rows,
        Err(error) => {
            let refused: String = error.to_string().chars().take(expected.refused.chars().count().max(20)).collect();
            return Expected { refused, ..told() };
        }
    };
    let mut report = told();
    for Row { line, result } in rows {
        match result {
            Ok(row) => {
                report.accepted += 1;
                report.corrected += usize::from(row.corrected);
                report.gyms.push(format!("{} {}", row.gym.phone, row.gym.name).trim_end().to_owned());
            }
            Err(bad) => {
                match bad.code {
                    RowCode::Duplicate => report.duplicates += 1,
                    _ => report.rejected += 1,
                }
                report.rows.push(BadLine { line, code: bad.code.to_string() });
            }
        }
    }
    report
}

#[test]
fn each_messy_file_gives_the_report_that_a_person_would_expect() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/roster/messy");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "csv"));
    files.sort();
    assert!(files.len() >= 25, "{files:?}");
    let mut wrong = Vec::new();
    for file in files {
        let expected = std::fs::read_to_string(file.with_extension("toml")).unwrap();
        let expected: Expected = toml::from_str(&expected).unwrap();
        let found = report(&std::fs::read(&file).unwrap(), &expected);
        if found != expected {
            wrong.push(format!("{}:\nfound    {found:?}\nexpected {expected:?}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
