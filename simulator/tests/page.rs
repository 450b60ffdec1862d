//! The examples of the page: what is shown there can be used as it stands. Its programs are run as
//! doctests, its commands by the tests of the program.

use gymcall_simulator::{Account, Callees, Faults};

/// The blocks of the page in one language.
fn blocks(language: &str) -> Vec<&'static str> {
    let page = include_str!("../../docs/simulator.md");
    let (opening, mut rest) = (format!("```{language}\n"), page);
    let mut found = Vec::new();
    while let Some((_, after)) = rest.split_once(&opening) {
        let (block, after) = after.split_once("\n```").unwrap();
        found.push(block);
        rest = after;
    }
    found
}

#[test]
fn every_example_of_a_file_can_be_read() {
    let (mut accounts, mut callees, mut faults) = (0, 0, 0);
    for example in blocks("toml") {
        if example.contains("[[fault]]") || example.contains("[[request]]") {
            Faults::from_toml(example).unwrap_or_else(|error| panic!("{error}\n{example}"));
            faults += 1;
        } else if example.starts_with("# account") {
            Account::from_toml(example).unwrap_or_else(|error| panic!("{error}\n{example}"));
            accounts += 1;
        } else {
            Callees::from_toml(example).unwrap_or_else(|error| panic!("{error}\n{example}"));
            callees += 1;
        }
    }
    assert!(accounts == 1 && callees >= 1 && faults >= 2, "{callees} of callees, {faults} of faults");
}
