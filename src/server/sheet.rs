//! Tables that people open in a spreadsheet: streamed, and without formulas.

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::Stream;

/// Rows on their way into a piece of a CSV. Every cell is made safe.
pub(super) struct Sheet(csv::Writer<Vec<u8>>);

impl Sheet {
    /// An empty piece.
    pub(super) fn new() -> Self {
        Self(csv::Writer::from_writer(Vec::new()))
    }

    /// Adds a row.
    pub(super) fn row<C: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = C>) -> Result<(), csv::Error> {
        self.0.write_record(cells.into_iter().map(|cell| safe(cell.as_ref())))
    }

    /// The piece as bytes.
    pub(super) fn into_bytes(self) -> Result<Bytes, std::io::Error> {
        let bytes = self.0.into_inner().map_err(|error| std::io::Error::other(error.to_string()))?;
        Ok(bytes.into())
    }
}

/// A CSV that is sent piece by piece, as a file of this name.
pub(super) fn download(
    file: &'static str,
    pieces: impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static,
) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{file}\"")),
    ];
    (headers, Body::from_stream(pieces)).into_response()
}

/// A cell that no spreadsheet takes for a formula: those that could be get a `'` in front.
pub(crate) fn safe(cell: &str) -> String {
    match cell.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n') => format!("'{cell}"),
        _ => cell.to_owned(),
    }
}
