//! Placeholder.
use serde::{Deserialize, Serialize};
use crate::phone::PhoneNumber;
/// A gym.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gym {
    /// Phone.
    pub phone: PhoneNumber,
    /// Name.
    pub name: String,
}
