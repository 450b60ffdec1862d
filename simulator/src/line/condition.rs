//! What is wrong with a line, as data.

use serde::{Deserialize, Serialize};

use crate::fault::is_usual;

/// How bad the line of a call is, and the connection of its media streams. By default nothing is
/// wrong. `docs/simulator.md` has the format. Times are milliseconds; those that name a moment count
/// from a stream's first frame.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Condition {
    /// Share of the 20 ms frames that are lost, each way.
    #[serde(skip_serializing_if = "is_usual")]
    pub loss: f64,
    /// The callee's telephone sends back what it plays, quieter and so much later.
    #[serde(skip_serializing_if = "is_usual")]
    pub echo_ms: u64,
    /// Every frame to the app comes up to so much late; those behind it wait.
    #[serde(skip_serializing_if = "is_usual")]
    pub jitter_ms: u64,
    /// Share of the frames to the app that change places with the next.
    #[serde(skip_serializing_if = "is_usual")]
    pub reorder: f64,
    /// Frames to the app come in heaps, one so often.
    #[serde(skip_serializing_if = "is_usual")]
    pub burst_ms: u64,
    /// Nothing goes through for a while; what was said meanwhile comes all at once.
    #[serde(skip_serializing_if = "is_usual")]
    pub stall: Option<Stall>,
    /// From then on nothing is sent and nothing read, and the connection stays open.
    #[serde(skip_serializing_if = "is_usual")]
    pub half_open_after_ms: Option<u64>,
    /// The connection dies then, without a close.
    #[serde(skip_serializing_if = "is_usual")]
    pub dies_after_ms: Option<u64>,
    /// The connection is closed then, with a code.
    #[serde(skip_serializing_if = "is_usual")]
    pub close: Option<Close>,
    /// No stream can be opened at all.
    #[serde(skip_serializing_if = "is_usual")]
    pub refuse: bool,
}

/// A pause of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stall {
    /// When it begins.
    pub after_ms: u64,
    /// How long it takes.
    pub for_ms: u64,
}

/// An untimely close.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Close {
    /// When.
    pub after_ms: u64,
    /// A close code of RFC 6455, as 1001 or 1011.
    pub code: u16,
}

impl Condition {
    /// Lets another's troubles come on top.
    pub(crate) fn add(&mut self, more: &Condition) {
        self.loss = self.loss.max(more.loss);
        self.echo_ms = self.echo_ms.max(more.echo_ms);
        self.jitter_ms = self.jitter_ms.max(more.jitter_ms);
        self.reorder = self.reorder.max(more.reorder);
        self.burst_ms = self.burst_ms.max(more.burst_ms);
        self.stall = more.stall.or(self.stall);
        self.half_open_after_ms = more.half_open_after_ms.or(self.half_open_after_ms);
        self.dies_after_ms = more.dies_after_ms.or(self.dies_after_ms);
        self.close = more.close.or(self.close);
        self.refuse |= more.refuse;
    }
}
