//! A Twilio on this machine, over the real protocol.
//!
//! It is the counterpart that gymcall is tested against and demonstrated with, and shares no code
//! with it. How a call flows through the modules:
//!
//! - [`Simulator`] is started with [`Settings`] and listens. A request to `rest` is let in or not;
//!   `rest/create` checks the order, draws its fate from the [`Faults`], writes the [`Log`], and
//!   only then puts the call into the `exchange` and into the queue of `account/pace`, which dials at
//!   the account's pace. A reply may be withheld, or break off with its connection, the `wire`.
//! - A dialled call lives in `call/life`: it rings as its callee's data says ([`Callees`]), and ends
//!   there, or is picked up. Every new [`Status`] goes through `exchange` into the log and, as a
//!   `callback`, to the app: a `webhook`, signed and tried again as its URL asks, over `http`.
//! - A picked-up call gets a `line`, which is sound on the `clock` of all lines (20 ms) with the callee's
//!   `callee/conversation` at its end, and a `call/script`, which fetches `twiml` and carries it out
//!   verb by verb.
//! - `<Connect><Stream>` is `stream`: a WebSocket to the app. What the app sends waits in
//!   `stream/playback` until the line plays it to the callee, who hears it by decoding `tones`, thinks,
//!   and answers in tones.
//!
//! Statuses and events are enums inside; Twilio's words are made and read at the edges only.

mod account;
mod address;
mod call;
mod callback;
mod callee;
mod clock;
mod date;
mod detection;
mod exchange;
mod fault;
mod http;
mod line;
mod log;
mod mulaw;
mod notification;
mod overrides;
mod recording;
mod rest;
mod settings;
mod sid;
mod signature;
mod simulator;
mod speech;
mod status;
mod stream;
mod tasks;
mod tones;
mod twiml;
mod watch;
mod webhook;
mod wire;

pub use account::{Account, AccountError, ApiKey, Application, Standing, TestCredentials, Trial};
pub use callee::{Callees, CalleesError};
pub use fault::{Callbacks, Fate, Faults, FaultsError, Forgery, Kind, RequestFate};
pub use line::{Close, Condition, Stall};
pub use log::{Asked, Created, Entry, Event, Feed, Log, Tally};
pub use settings::Settings;
pub use signature::Signing;
pub use simulator::{PostError, Simulator, StartError};
pub use speech::{NoSpeech, Speech, SpeechError};
pub use status::Status;

/// The programs of the page, as tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/simulator.md")]
struct Page;
