//! Tags on domains and repositories (reference 2.11).

use crate::error::Invalid;

/// A key and its value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tag {
    pub key: String,
    pub value: String,
}

impl Tag {
    /// At most this many on one resource (model maximum).
    pub const LIMIT: usize = 200;

    /// Checks lengths and characters.
    ///
    /// # Errors
    /// [`Invalid`] with the rule that was broken.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Result<Self, Invalid> {
        let (key, value) = (key.into(), value.into());
        if !(1..=128).contains(&key.chars().count()) || key.chars().any(char::is_control) {
            return Err(Invalid::new("a tag key has 1 to 128 characters and no control characters"));
        }
        if key.starts_with("aws:") {
            return Err(Invalid::new("tag keys starting with 'aws:' are reserved"));
        }
        if value.chars().count() > 256 || value.chars().any(char::is_control) {
            return Err(Invalid::new("a tag value has at most 256 characters and no control characters"));
        }
        Ok(Self { key, value })
    }
}
