//! From a CSV to gyms: every row accounted for.

mod chunks;
mod encoding;
mod messy;
mod phone;
mod table;
