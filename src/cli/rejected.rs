//! The rows of a file that were refused, written beside it to be mended.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use gymcall_jobs::roster::{Limits, Sheet, SheetRow};
use serde_json::Value;

use super::CliError;
use crate::server::sheet::safe;

/// How much of the file is read at a time, in bytes.
const PIECE: usize = 64 * 1024;

/// What the report says of a row.
struct Verdict {
    code: String,
    detail: String,
}

/// Writes the rows that the report refuses to `FILE.rejected.csv`: their cells under the file's own header, then
/// line, code and detail. Duplicates are not among them: there is nothing to mend. Answers the path, or none if
/// there were no such rows.
///
/// The report has the lines and the file has the rows, so the file is read again by the same reader, row by row.
pub(super) fn write_beside(file: &Path, report: &Value) -> Result<Option<PathBuf>, CliError> {
    let rows = report["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
    let verdict = |row: &Value| {
        let verdict = Verdict { code: row["code"].as_str()?.to_owned(), detail: row["detail"].as_str()?.to_owned() };
        (verdict.code != "duplicate").then_some((row["line"].as_u64()?, verdict))
    };
    let verdicts: BTreeMap<u64, Verdict> = rows.iter().filter_map(verdict).collect();
    // What is no plain file, a pipe or a device, cannot be read twice.
    if verdicts.is_empty() || !std::fs::metadata(file).is_ok_and(|found| found.is_file()) {
        return Ok(None);
    }
    let beside = file.with_added_extension("rejected.csv");
    let broken = |path: &Path| {
        let path = path.to_owned();
        move |error| CliError::File { path, error }
    };
    let mut source = File::open(file).map_err(broken(file))?;
    let target = File::create(&beside).map_err(broken(&beside))?;
    let mut rejected = Rejected { verdicts, target: Some(target), sheet: None, columns: 0, delimiter: b',' };
    let mut reader = Sheet::new(Limits::default());
    let mut piece = vec![0; PIECE];
    let unreadable = |error: gymcall_jobs::roster::RosterError| CliError::Other(format!("{}: {error}", file.display()));
    loop {
        let read = source.read(&mut piece).map_err(broken(file))?;
        if read == 0 {
            break;
        }
        let rows = reader.push(&piece[..read]).map_err(unreadable)?;
        rejected.delimiter = reader.delimiter().unwrap_or(b',');
        rejected.take(rows).map_err(|error| broken(&beside)(error.into()))?;
    }
    let last = reader.finish().map_err(unreadable)?;
    rejected.take(last).map_err(|error| broken(&beside)(error.into()))?;
    rejected.finish().map_err(broken(&beside))?;
    Ok(Some(beside))
}

/// The file that is written.
struct Rejected {
    verdicts: BTreeMap<u64, Verdict>,
    /// Until the header was written.
    target: Option<File>,
    sheet: Option<csv::Writer<File>>,
    columns: usize,
    delimiter: u8,
}

impl Rejected {
    fn take(&mut self, rows: Vec<SheetRow>) -> csv::Result<()> {
        for row in rows {
            if let Some(target) = self.target.take() {
                self.begin(target, row)?;
            } else if let Some(verdict) = self.verdicts.remove(&row.line)
                && let Some(sheet) = &mut self.sheet
            {
                let cells = fitted(row.cells.map_err(|unread| unread.text), self.columns, self.delimiter);
                let told = [row.line.to_string(), verdict.code, verdict.detail];
                sheet.write_record(cells.iter().chain(&told).map(|cell| safe(cell)))?;
            }
        }
        Ok(())
    }

    /// Writes the header: the file's own, and three columns that are called as none of it is.
    fn begin(&mut self, target: File, header: SheetRow) -> csv::Result<()> {
        let header = header.cells.unwrap_or_default();
        self.columns = header.len();
        let free = |name: &'static str| match header.iter().any(|column| column.eq_ignore_ascii_case(name)) {
            true => format!("rejected_{name}"),
            false => name.to_owned(),
        };
        let told = ["line", "code", "detail"].map(free);
        let mut sheet = csv::WriterBuilder::new().delimiter(self.delimiter).from_writer(target);
        sheet.write_record(header.iter().chain(&told).map(|cell| safe(cell)))?;
        self.sheet = Some(sheet);
        Ok(())
    }

    fn finish(self) -> std::io::Result<()> {
        match self.sheet {
            Some(mut sheet) => sheet.flush(),
            None => Ok(()),
        }
    }
}

/// The cells of a row, as many as there are columns. A row that does not fit under the header stands as it was read
/// in the first of them.
fn fitted(cells: Result<Vec<String>, String>, columns: usize, delimiter: u8) -> Vec<String> {
    let mut cells = match cells {
        Ok(cells) if cells.iter().skip(columns).all(String::is_empty) => cells,
        Ok(cells) => vec![cells.join(&char::from(delimiter).to_string())],
        Err(text) => vec![text],
    };
    cells.resize(columns, String::new());
    cells
}
