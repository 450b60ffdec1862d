//! gymcall phones a list of gyms through Twilio, asks your questions, and writes down the answers.
//!
//! The way of a call, from the CSV to the result:
//!
//! 1. [`server`] takes the upload (`server/gyms.rs`); `gymcall_jobs::roster` reads it, and every good
//!    row becomes a job in the store.
//! 2. Once its campaign runs, `gymcall_jobs::due` hands the job to the [`worker`], and [`dial`]
//!    places the call: begin, place, sort the reply, tell.
//! 3. [`twilio`] speaks Twilio's language. Its webhooks come in at `server/webhooks.rs`, its sound at
//!    `server/media.rs`, and both end as events that the ledger is told.
//! 4. [`voice`] holds the conversation; each answer is an event of the job as soon as it is heard.
//! 5. `gymcall_jobs::step` decides what becomes of the job, `gymcall_jobs::ledger` writes it down, and
//!    [`reconcile`] asks Twilio about everything that stayed unclear, [`recover`] about what the store forgot, `price.rs` about what calls cost.
//! 6. `server/results.rs` gives out the answers.
//!
//! [`app`] wires all of this; [`cli`] is the command line; [`config`] reads the settings; [`doctor`] looks at what a real
//! call needs.

pub mod app;
pub mod cli;
pub mod config;
pub mod dial;
pub mod doctor;
pub mod notify;
mod price;
pub mod reconcile;
pub mod recover;
pub mod server;
pub mod twilio;
pub mod voice;
pub mod worker;
