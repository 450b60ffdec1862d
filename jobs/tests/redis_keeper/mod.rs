//! What the shared keeper promises alone.
