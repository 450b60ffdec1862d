//! The planted bugs: each is a patch to the real sources, and names the test that must see it.
//!
//! `tests/planted/run` applies one after the other and demands that its test fails. That takes a while, so
//! here it is only held that every patch still fits the sources, and names a test that could see it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The patches, in the order of their numbers.
fn patches() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/planted");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut patches: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "patch")).collect();
    patches.sort();
    patches
}

fn name(patch: &Path) -> String {
    patch.file_name().unwrap().to_string_lossy().into_owned()
}

#[test]
fn every_planted_bug_still_fits_the_sources() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    for patch in patches() {
        let checked = Command::new("git").arg("apply").arg("--check").arg(&patch).current_dir(root).output();
        let checked = checked.expect("git must be installed: it applies the patches");
        if !checked.status.success() {
            wrong.push(format!("{}: {}", name(&patch), String::from_utf8_lossy(&checked.stderr).trim()));
        }
    }
    assert!(wrong.is_empty(), "plant these bugs anew where the code has gone:\n{}", wrong.join("\n"));
}

#[test]
fn every_planted_bug_says_in_words_what_it_is_and_which_test_sees_it() {
    let mut numbers = BTreeSet::new();
    for patch in patches() {
        let text = std::fs::read_to_string(&patch).unwrap();
        let mut lines = text.lines();
        let bug = lines.next().and_then(|line| line.strip_prefix("Bug: ")).unwrap_or_default();
        assert!(bug.ends_with('.') && bug.len() > 20, "{}: the first line is `Bug: …`", name(&patch));
        let command = lines.next().and_then(|line| line.strip_prefix("Caught by: ")).unwrap_or_default();
        let words: Vec<&str> = command.split_whitespace().collect();
        let [_, _, _, package, _, test, ..] = words[..] else {
            panic!("{}: the second line is `Caught by: cargo test -p PACKAGE --test BINARY …`", name(&patch));
        };
        let expected = ["cargo", "test", "-p", package, "--test", test];
        assert_eq!(words[..6], expected, "{}: the second line", name(&patch));
        let folder = if package == "gymcall" { "tests" } else { package.strip_prefix("gymcall-").unwrap() };
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let folder = if package == "gymcall" { folder } else { folder.join("tests") };
        let there = folder.join(test).join("main.rs").exists() || folder.join(format!("{test}.rs")).exists();
        assert!(there, "{}: there are no tests named {test} in {package}", name(&patch));
        let number = name(&patch).split('-').next().unwrap().to_owned();
        assert!(numbers.insert(number.clone()), "two bugs are number {number}");
    }
    assert!(numbers.len() >= 15, "only {} bugs are planted", numbers.len());
}
