//! The condition keys of one request.

use std::cell::Cell;

use larder_core::ports::Varies;

use super::known;

/// Condition keys and values, and which other requests might answer those that were asked for otherwise.
pub(super) struct Context<'a> {
    values: &'a [(&'a str, Vec<String>)],
    varies: Cell<Varies>,
}

impl<'a> Context<'a> {
    pub(super) fn new(values: &'a [(&'a str, Vec<String>)]) -> Self {
        Self { values, varies: Cell::new(Varies::Never) }
    }

    /// The values of a key; names compare without case, but where several differ in case only, the exact one counts.
    /// `None` when there is none.
    pub(super) fn get(&self, key: &str) -> Option<&'a [String]> {
        if known::is_unsupported_key(key) {
            return None;
        }
        self.varies.set(self.varies.get().max(known::varies(key)));
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

    /// How the keys that were asked for so far vary between requests of one principal to one resource.
    pub(super) fn varies(&self) -> Varies {
        self.varies.get()
    }
}
