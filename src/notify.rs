//! Telling others what happens: what an announcement looks like outside, and its delivery to their endpoints.
//!
//! - [`message`]: an announcement as the stream of events and outgoing webhooks show it.
//! - [`signature`]: how a delivery proves where it comes from, by the Standard Webhooks.
//! - [`target`]: which URLs and addresses may be delivered to.
//! - [`sender`]: one delivery.
//! - [`deliver`]: the task that delivers to all endpoints, in order, and again what was not taken.

pub mod deliver;
pub mod message;
pub mod sender;
pub mod signature;
pub mod target;
