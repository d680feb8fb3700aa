//! The formats that are wired in.

use std::collections::HashMap;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::model::PackageFormat;
use crate::ports::Format;

/// Format by its name.
#[derive(Clone, Default)]
pub struct Formats(HashMap<PackageFormat, Arc<dyn Format>>);

impl Formats {
    /// Registers them.
    #[must_use]
    pub fn new(formats: impl IntoIterator<Item = Arc<dyn Format>>) -> Self {
        Self(formats.into_iter().map(|format| (format.format(), format)).collect())
    }

    /// The rules of a format.
    ///
    /// # Errors
    /// [`Error::Validation`] if this build has no such format.
    pub fn get(&self, format: PackageFormat) -> Result<&Arc<dyn Format>> {
        self.0
            .get(&format)
            .ok_or_else(|| Error::validation("format", format!("packages of format {format} are not served yet")))
    }
}
