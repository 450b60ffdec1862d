//! gymcall.
