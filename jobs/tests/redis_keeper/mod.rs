//! What the shared keeper promises alone.

mod check;
mod era;
mod feed;
mod imports;
mod lost_answers;
mod memory;
mod proxy;
mod unreadable;
