//! Which store a trial runs on.

/// A keeper of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeper {
    /// SQLite, in one `gymcall serve`.
    Embedded,
    /// One redis-server, shared by `gymcall serve --no-worker` and `gymcall worker`.
    Redis,
}

impl Keeper {
    pub fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Redis => "redis",
        }
    }
}
