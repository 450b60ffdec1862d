//! What the embedded keeper promises alone.

mod folder;
mod imports;
mod unreadable;
mod writer;
