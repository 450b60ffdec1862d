//! The page says what works. This holds it to that.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Of all documented features, so many of a hundred must work.
const LEAST_PERCENT: usize = 90;

struct Row {
    feature: String,
    state: String,
    test: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The rows of the tables below `## What works`.
fn rows() -> Vec<Row> {
    let page = fs::read_to_string(root().join("docs/simulator.md")).unwrap();
    let (_, section) = page.split_once("\n## What works\n").expect("the section is there");
    let section = section.split("\n## ").next().unwrap();
    let cells = |line: &str| -> Vec<String> {
        // A bar inside code is written as `\|`.
        let line = line.trim().trim_matches('|').replace("\\|", "\u{1}");
        line.split('|').map(|cell| cell.trim().replace('\u{1}', "|")).collect()
    };
    section
        .lines()
        .filter(|line| line.starts_with('|') && !line.starts_with("|---") && !line.ends_with("| Shown by |"))
        .map(|line| match <[String; 3]>::try_from(cells(line)) {
            Ok([feature, state, test]) => Row { feature, state, test: test.trim_matches('`').to_owned() },
            Err(cells) => panic!("a row has three cells: {cells:?}"),
        })
        .collect()
}

#[test]
fn what_is_said_to_work_has_a_test_and_most_works() {
    let mut sources: HashMap<String, String> = HashMap::new();
    let rows = rows();
    let mut works = 0;
    for Row { feature, state, test } in &rows {
        match state.as_str() {
            "works" => works += 1,
            "not" => {
                assert!(test.is_empty(), "{feature}: does not work, and yet {test} shows it");
                continue;
            }
            other => panic!("{feature}: {other:?} is neither `works` nor `not`"),
        }
        let (file, name) = test.split_once("::").unwrap_or_else(|| panic!("{feature}: {test:?} is no file::test"));
        let source = sources.entry(file.to_owned()).or_insert_with(|| {
            fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{feature}: {file}: {error}"))
        });
        let is_there = source.contains(&format!("fn {name}(")) || source.contains(&format!("\"{name}\""));
        assert!(is_there, "{feature}: there is no {name} in {file}");
    }
    assert!(rows.len() >= 100, "{} features are too few to be all of them", rows.len());
    let percent = works * 100 / rows.len();
    assert!(percent >= LEAST_PERCENT, "{works} of {} work: {percent} %", rows.len());
}
