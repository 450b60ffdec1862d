//! The scripts, and their answers.

use std::sync::LazyLock;

use redis::{Cmd, Script, ToRedisArgs};

use super::error::strange;
use super::keys;
use crate::store::{StoreError, kept};

macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident = $($file:literal)+;)+) => {
        $($(#[$doc])*
        pub(super) static $name: LazyLock<Script> =
            LazyLock::new(|| Script::new(concat!($(include_str!(concat!("lua/", $file, ".lua")), "\n"),+)));)+

        /// All of them, for loading.
        pub(super) fn all() -> Vec<&'static Script> {
            vec![$(&$name),+]
        }
    };
}

scripts! {
    COMMIT = "job" "batch" "campaign" "commit";
    BEGIN_DIAL = "job" "begin_dial";
    OPEN_IMPORT = "job" "batch" "open_import";
    STAGE = "job" "batch" "stage";
    PUBLISH = "job" "batch" "campaign" "publish";
    DROP_IMPORT = "job" "drop_import";
    CLEAR = "job" "clear";
    SUPPRESS = "job" "suppress";
    ARRIVE = "job" "life" "arrive";
    BEAT = "job" "life" "beat";
    DISPEL = "job" "dispel";
    LEAVE = "job" "leave";
}

/// A script with what it is given: arguments one after the other, in the order in which it reads them.
#[derive(Debug)]
pub(super) struct Call(Cmd);

impl Call {
    pub(super) fn of(script: &Script) -> Self {
        let mut command = redis::cmd("EVALSHA");
        command.arg(script.get_hash()).arg(1).arg(keys::PREFIX);
        Self(command)
    }

    pub(super) fn push(&mut self, value: impl ToRedisArgs) -> &mut Self {
        self.0.arg(value);
        self
    }

    /// Nothing, where the script asks for something that may be missing.
    pub(super) fn none(&mut self) -> &mut Self {
        self.push("")
    }

    pub(super) fn maybe(&mut self, value: Option<impl ToRedisArgs>) -> &mut Self {
        match value {
            Some(value) => self.push(value),
            None => self.none(),
        }
    }

    /// The command, as it is sent to a life of the server. Scripts find that life as their last argument.
    pub(super) fn command(&self, run_id: &str) -> Cmd {
        let mut command = self.0.clone();
        command.arg(run_id);
        command
    }
}

/// What a script answered: a word, and what belongs to it.
#[derive(Debug)]
pub(super) struct Answer(Vec<String>);

impl Answer {
    pub(super) fn new(parts: Vec<String>) -> Self {
        Self(parts)
    }

    pub(super) fn word(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    /// A part of the answer, counted from 1.
    pub(super) fn part(&self, number: usize) -> Result<&str, StoreError> {
        self.0.get(number).map(String::as_str).ok_or_else(|| self.strange())
    }

    pub(super) fn number<T: std::str::FromStr>(&self, number: usize) -> Result<T, StoreError> {
        self.part(number)?.parse().map_err(|_| self.strange())
    }

    /// The count of writes, where the script wrote.
    pub(super) fn epoch(&self) -> Option<u64> {
        if matches!(self.word(), "ok" | "go") { self.0.get(1)?.parse().ok() } else { None }
    }

    /// For answers that mean the same whatever was asked.
    pub(super) fn error(&self) -> StoreError {
        match (self.word(), self.0.get(1).map(String::as_str)) {
            ("conflict", _) => StoreError::Conflict,
            ("missing", Some("job")) => StoreError::Missing("job"),
            ("missing", Some("campaign")) => StoreError::Missing("campaign"),
            ("missing", Some("run")) => StoreError::Missing("run"),
            ("missing", Some("webhook")) => StoreError::Missing("webhook"),
            ("missing", Some("import")) => StoreError::Missing("import"),
            ("held", Some(holder)) => StoreError::Busy(format!("the number is held by {holder}")),
            ("taken", Some(reply)) => match kept::decode(reply.as_bytes()) {
                Ok(reply) => StoreError::KeyTaken(Box::new(reply)),
                Err(error) => error,
            },
            _ => self.strange(),
        }
    }

    fn strange(&self) -> StoreError {
        strange(&self.0.join(" "))
    }
}
