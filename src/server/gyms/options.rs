//! How an upload of gyms is meant: the query of its address.

use gymcall_jobs::ledger::ImportMode;
use serde::Deserialize;
use utoipa::IntoParams;

/// How an upload is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(in crate::server) struct Options {
    /// Whether the gyms are added to the list, or are the list from now on; usually `add`.
    #[serde(default = "add")]
    #[param(value_type = Option<ImportMode>)]
    pub(super) mode: ImportMode,
    /// Whether everything is looked at and nothing is stored.
    #[serde(default)]
    #[param(value_type = Option<bool>)]
    pub(super) dry_run: bool,
}

const fn add() -> ImportMode {
    ImportMode::Add
}
