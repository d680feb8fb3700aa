//! The condition keys of one request.

use std::cell::Cell;

use super::known;

/// Condition keys and values, and whether one was asked for that another request might answer otherwise.
pub(super) struct Context<'a> {
    values: &'a [(&'a str, Vec<String>)],
    depends_on_request: Cell<bool>,
}

impl<'a> Context<'a> {
    pub(super) fn new(values: &'a [(&'a str, Vec<String>)]) -> Self {
        Self { values, depends_on_request: Cell::new(false) }
    }

    /// The values of a key; names compare without case, but where several differ in case only, the exact one counts.
    /// `None` when there is none.
    pub(super) fn get(&self, key: &str) -> Option<&'a [String]> {
        if known::is_unsupported_key(key) {
            return None;
        }
        if !known::is_stable_key(key) {
            self.depends_on_request.set(true);
        }
        let exact = self.values.iter().find(|(name, _)| *name == key);
        let found = exact.or_else(|| self.values.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)))?;
        Some(found.1.as_slice()).filter(|values| !values.is_empty())
    }

    /// The value of a key that has just one, as variables need it.
    pub(super) fn single(&self, key: &str) -> Option<&'a String> {
        match self.get(key)? {
            [value] => Some(value),
            _ => None,
        }
    }

    /// Whether any key asked for so far varies between requests of one principal to one resource.
    pub(super) fn depends_on_request(&self) -> bool {
        self.depends_on_request.get()
    }
}
