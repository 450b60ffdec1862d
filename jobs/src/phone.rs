//! Placeholder.
use serde::{Deserialize, Serialize};
/// A phone number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PhoneNumber(String);
impl PhoneNumber {
    /// E.164.
    pub fn as_str(&self) -> &str { &self.0 }
}
