//! How an upload of gyms is meant: the query of its address.

use axum::extract::Query;
use axum::http::Uri;
use gymcall_jobs::ledger::ImportMode;

use crate::server::error::Problem;

/// How an upload is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) mode: ImportMode,
    /// Everything is looked at and nothing is stored.
    pub(super) dry_run: bool,
}

impl Options {
    pub(super) fn of(uri: &Uri) -> Result<Options, Problem> {
        let bad_query = |_| Problem::field("/", "invalid", "the query cannot be read");
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(bad_query)?;
        let mut options = Options { mode: ImportMode::Add, dry_run: false };
        for (name, value) in pairs {
            match (name.as_str(), value.as_str()) {
                ("mode", "add") => options.mode = ImportMode::Add,
                ("mode", "replace") => options.mode = ImportMode::Replace,
                ("mode", _) => return Err(Problem::field("/mode", "invalid", "must be add or replace")),
                ("dry_run", "true") => options.dry_run = true,
                ("dry_run", "false") => options.dry_run = false,
                ("dry_run", _) => return Err(Problem::field("/dry_run", "invalid", "must be true or false")),
                _ => {
                    let known = "there is no such parameter; mode and dry_run are known";
                    return Err(Problem::field(&format!("/{name}"), "unknown", known));
                }
            }
        }
        Ok(options)
    }
}
