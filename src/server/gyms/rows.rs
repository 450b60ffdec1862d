//! The rows of an upload on their way into the store.

use std::sync::Arc;

use gymcall_jobs::campaign::Campaign;
use gymcall_jobs::id::{ImportId, JobId, RunId};
use gymcall_jobs::job::CallJob;
use gymcall_jobs::phone::PhoneNumber;
use gymcall_jobs::roster::{BadRow, Limits, Roster, RosterError, Row, RowCode};
use gymcall_jobs::store::{Standing, StoreError};
use tokio_util::task::AbortOnDropHandle;

use super::variables_of;
use crate::server::Server;
use crate::server::error::{FieldError, Problem};
use crate::server::rows_report::RowsReport;
use crate::server::upload::Taker;

/// How many rows are staged in one go; as many are read meanwhile.
const BATCH: usize = 1_000;

/// Where the gyms go.
#[derive(Clone, Copy)]
pub(super) enum Into<'a> {
    /// Into this open import, as members of the campaign's run.
    Import(&'a ImportId),
    /// Nowhere: they are only compared with the numbers of this run, if there is one to be added to.
    Nothing(Option<&'a RunId>),
}

/// A file that is being read.
pub(super) struct Upload<'a> {
    server: &'a Server,
    campaign: &'a Campaign,
    into: Into<'a>,
    roster: Option<Roster>,
    report: RowsReport,
    suppressed: u64,
    /// Of the next row's id. It counts up, so that ids sort as the rows do and each is put behind the last in every index.
    chance: u128,
    batch: Vec<Staging>,
    staged: Option<Staged>,
}

/// How the store knows each number, and whether it has taken the row.
type Answers = (Vec<Standing>, Vec<bool>);

/// Rows on their way into the store, while the next ones are read.
struct Staged {
    /// Their lines, and whether their numbers were corrected.
    rows: Vec<(u64, bool)>,
    /// What the store will answer.
    known: AbortOnDropHandle<Result<Answers, StoreError>>,
}

/// A row that waits to be staged.
struct Staging {
    line: u64,
    job: CallJob,
    corrected: bool,
}

/// A file that was read to its end.
pub(super) struct ReadThrough {
    pub(super) report: RowsReport,
    /// Accepted numbers that may not be called.
    pub(super) suppressed: u64,
}

impl<'a> Upload<'a> {
    pub(super) fn new(server: &'a Server, campaign: &'a Campaign, into: Into<'a>) -> Self {
        Self {
            server,
            campaign,
            into,
            roster: Some(Roster::new(&server.phones, Limits::default()).requiring(variables_of(campaign))),
            report: RowsReport::default(),
            suppressed: 0,
            chance: rand::random(),
            batch: Vec::new(),
            staged: None,
        }
    }

    pub(super) async fn finish(mut self) -> Result<ReadThrough, Problem> {
        if let Some(roster) = self.roster.take() {
            let last = roster.finish().map_err(|error| refused(&error, self.campaign))?;
            self.rows(last).await?;
        }
        self.flush().await?;
        self.settle().await?;
        Ok(ReadThrough { report: self.report.whole(), suppressed: self.suppressed })
    }

    async fn rows(&mut self, rows: Vec<Row>) -> Result<(), Problem> {
        let now = self.server.ledger.now();
        for Row { line, result } in rows {
            match result {
                Err(bad) => self.report.refuse(line, bad),
                Ok(accepted) => {
                    let membership = Some(self.campaign.membership());
                    let id = JobId::new(now, self.chance);
                    self.chance = self.chance.wrapping_add(1);
                    let job = CallJob::new(id, membership, accepted.gym, now, now)
                        .keeping(self.campaign.policy.window.as_ref());
                    self.batch.push(Staging { line, job, corrected: accepted.corrected });
                    if self.batch.len() == BATCH {
                        self.flush().await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Sends the batch on its way, once the one before is stored: rows keep the order of their file.
    async fn flush(&mut self) -> Result<(), Problem> {
        self.settle().await?;
        let batch = std::mem::take(&mut self.batch);
        if batch.is_empty() {
            return Ok(());
        }
        let store = Arc::clone(self.server.ledger.store());
        let rows = batch.iter().map(|staging| (staging.line, staging.corrected)).collect();
        let phones: Vec<PhoneNumber> = batch.iter().map(|staging| staging.job.gym().phone.clone()).collect();
        let known = match self.into {
            Into::Import(import) => {
                let import = import.clone();
                let jobs = batch.into_iter().map(|staging| staging.job).collect();
                tokio::spawn(async move {
                    let taken = store.stage(&import, jobs).await?;
                    Ok((store.standings(None, phones).await?, taken))
                })
            }
            Into::Nothing(run) => {
                let run = run.cloned();
                tokio::spawn(async move {
                    let standings = store.standings(run.as_ref(), phones).await?;
                    let taken = standings.iter().map(|standing| !standing.in_run).collect();
                    Ok((standings, taken))
                })
            }
        };
        self.staged = Some(Staged { rows, known: AbortOnDropHandle::new(known) });
        Ok(())
    }

    /// Waits for the rows that are on their way, and accounts for them.
    async fn settle(&mut self) -> Result<(), Problem> {
        let Some(Staged { rows, known }) = self.staged.take() else { return Ok(()) };
        let known = known.await.map_err(|error| StoreError::Failed(format!("rows were not stored: {error}")))?;
        let (standings, taken) = known?;
        for (((line, corrected), taken), standing) in rows.into_iter().zip(taken).zip(standings) {
            if taken {
                self.report.accept(corrected);
                self.suppressed += u64::from(standing.suppressed);
            } else {
                let detail = "the campaign has this number already".to_owned();
                self.report.refuse(line, BadRow { code: RowCode::Duplicate, detail });
            }
        }
        Ok(())
    }
}

impl Taker for Upload<'_> {
    async fn take(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        let Some(roster) = &mut self.roster else { return Ok(()) };
        let rows = roster.push(bytes).map_err(|error| refused(&error, self.campaign))?;
        gymcall_jobs::failpoint!("C1");
        self.rows(rows).await
    }
}

/// Why the file as a whole is refused. Of a column that is missing it tells every place that names it.
fn refused(error: &RosterError, campaign: &Campaign) -> Problem {
    let RosterError::MissingColumns(missing) = error else {
        return Problem::field("/file", "invalid", error.to_string());
    };
    let places = campaign.placeholders().into_iter().filter(|placeholder| missing.has(&placeholder.column));
    let errors = places.map(|placeholder| FieldError {
        pointer: "/file".to_owned(),
        code: "missing_column".to_owned(),
        detail: format!(
            "{} says {{{{{}}}}}, and the file has no column of that name",
            placeholder.place, placeholder.column
        ),
    });
    Problem::fields(error.to_string(), errors.collect())
}
