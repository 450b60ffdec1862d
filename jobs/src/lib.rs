//! What a call job is, and how it is kept. No HTTP, no Twilio, no audio, no environment.
//!
//! The way of a job through this crate:
//!
//! 1. A [`roster`] is read into [`gym`]s, each with a [`phone`] number that may be called and a [`zone`], and
//!    each becomes a waiting [`job`] in a run of its [`campaign`], which says what is asked ([`question`]), by which
//!    [`rules`], and in which hours ([`window`]).
//! 2. [`due`] shows a worker which jobs may be dialled now. `Ledger::begin_dial` lets one begin, through the gate
//!    of the [`store`]: the intent is stored before anything is sent.
//! 3. Whatever happens then is an [`event`]. The [`ledger`] is told, [`step`] decides what becomes of the job
//!    and its open [`attempt`], and the store keeps it by compare-and-set. A missed try may come again ([`retry`]).
//! 4. [`sweep`] tells every job whose deadline has passed that time has passed, so that none is forgotten.
//!    A campaign's [`schedule`] says when its [`run`]s begin, and the [`scheduler`] begins them.
//! 5. What its calls cost, or may cost ([`spend`]), is kept in the [`tally`] of its run.
//! 6. A job ends in an [`outcome`], with the [`answer`]s that were heard, in a
//!    spoken call in [`turn`]s.
//!
//! What others are to hear of it is an [`announcement`], stored in the same write, and delivered to each [`endpoint`].
//!
//! [`id`] names all of them.
#![forbid(unsafe_code)]

pub mod announcement;
pub mod answer;
pub mod attempt;
pub mod breaker;
pub mod calling_day;
pub mod campaign;
pub mod due;
pub mod endpoint;
pub mod event;
pub mod failpoint;
pub mod forecast;
pub mod gym;
pub mod id;
pub mod job;
pub mod ledger;
pub mod outcome;
pub mod phone;
pub mod placeholder;
pub mod question;
pub mod retry;
pub mod roster;
mod row_code;
pub mod rules;
pub mod run;
pub mod schedule;
pub mod scheduler;
pub mod spend;
mod spread;
pub mod step;
pub mod store;
pub mod sweep;
pub mod tally;
pub mod turn;
pub mod window;
pub mod zone;
