//! The table in `docs/callees.md`, which is what the demonstration promises.

use std::path::Path;

/// One row of the sample CSV, and what becomes of it.
#[derive(Debug)]
pub struct Callee {
    pub gym: String,
    pub number: String,
    pub status: String,
    pub outcome: String,
    pub disposition: String,
    pub ended_reason: String,
    pub tries: String,
    /// Why the import refuses it; empty if it does not.
    pub import: String,
}

impl Callee {
    pub fn is_accepted(&self) -> bool {
        self.import.is_empty()
    }
}

const COLUMNS: [&str; 9] =
    ["Gym", "Number", "What happens", "status", "outcome", "disposition", "ended_reason", "tries", "Import"];

/// Reads the table.
pub fn read() -> Vec<Callee> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/callees.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mut rows = page.lines().map(cells).skip_while(|cells| *cells != COLUMNS);
    assert_eq!(rows.next().expect("docs/callees.md has the table"), COLUMNS);
    let ruler = rows.next().unwrap();
    assert!(ruler.iter().all(|cell| cell.starts_with("--")), "{ruler:?}");
    rows.take_while(|cells| cells.len() == COLUMNS.len()).map(callee).collect()
}

fn cells(line: &str) -> Vec<String> {
    let inner = line.trim().strip_prefix('|').and_then(|line| line.strip_suffix('|'));
    inner.map(|inner| inner.split('|').map(|cell| cell.trim().replace('`', "")).collect()).unwrap_or_default()
}

fn callee(cells: Vec<String>) -> Callee {
    let [gym, number, _, status, outcome, disposition, ended_reason, tries, import] = cells.try_into().unwrap();
    Callee { gym, number, status, outcome, disposition, ended_reason, tries, import }
}
