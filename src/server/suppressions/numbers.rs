//! A list of numbers that are suppressed together: streamed in, every row accounted for.

use gymcall_jobs::event::Event;
use gymcall_jobs::roster::{BadRow, DoNotCallList, Limits, RosterError, RowCode, Unwanted, UnwantedRow};
use gymcall_jobs::store::Suppression;

use crate::server::Server;
use crate::server::error::Problem;
use crate::server::rows_report::RowsReport;
use crate::server::upload::Taker;

/// How many numbers are suppressed in one write.
const BATCH: usize = 500;

/// A list that is being read. What was read holds already: a list that breaks off keeps its first part.
pub(super) struct List<'a> {
    server: &'a Server,
    reader: Option<DoNotCallList>,
    report: RowsReport,
    batch: Vec<(u64, Unwanted)>,
}

impl<'a> List<'a> {
    pub(super) fn new(server: &'a Server) -> Self {
        let reader = Some(DoNotCallList::new(&server.phones, Limits::default()));
        Self { server, reader, report: RowsReport::default(), batch: Vec::new() }
    }

    /// The report.
    pub(super) async fn finish(mut self) -> Result<RowsReport, Problem> {
        if let Some(reader) = self.reader.take() {
            let last = reader.finish().map_err(refused)?;
            self.rows(last).await?;
        }
        self.flush().await?;
        Ok(self.report.whole())
    }

    async fn rows(&mut self, rows: Vec<UnwantedRow>) -> Result<(), Problem> {
        for UnwantedRow { line, result } in rows {
            match result {
                Err(bad) => self.report.refuse(line, bad),
                Ok(number) => {
                    self.batch.push((line, number));
                    if self.batch.len() == BATCH {
                        self.flush().await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), Problem> {
        let batch = std::mem::take(&mut self.batch);
        let since = self.server.ledger.now();
        let entry = |(_, number): &(u64, Unwanted)| {
            let reason = number.reason.clone().unwrap_or_else(|| "from a list".to_owned());
            Suppression { phone: number.phone.clone(), since, reason }
        };
        let list = batch.iter().map(entry).collect();
        let suppressed = self.server.ledger.store().suppress_all(list).await?;
        for ((line, number), suppressed) in batch.into_iter().zip(suppressed) {
            if suppressed.new {
                self.report.accept(number.corrected);
            } else {
                let detail = "the number is on the list already".to_owned();
                self.report.refuse(line, BadRow { code: RowCode::Duplicate, detail });
            }
            // Also for a number that is known: whoever suppressed it may have died before this.
            if let Some(holder) = suppressed.holder {
                self.server.ledger.tell(&holder, Event::Suppressed).await?;
            }
        }
        Ok(())
    }
}

impl Taker for List<'_> {
    async fn take(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        let Some(reader) = &mut self.reader else { return Ok(()) };
        let rows = reader.push(bytes).map_err(refused)?;
        self.rows(rows).await
    }
}

fn refused(error: RosterError) -> Problem {
    Problem::field("/file", "invalid", error.to_string())
}
