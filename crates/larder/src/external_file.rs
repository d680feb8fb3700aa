//! `external-connections.toml` in the data directory: the addresses of public registries that were detected or set.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::config::{ConfigError, RegistryEntry};
use crate::data_dir::write_private;

/// The file's content.
#[derive(Debug)]
pub(crate) struct ExternalFile {
    path: PathBuf,
    entries: BTreeMap<String, RegistryEntry>,
}

impl ExternalFile {
    /// Reads it; a missing one is empty.
    pub(crate) fn read(path: &Path) -> Result<Self, ConfigError> {
        let entries = match std::fs::read_to_string(path) {
            Ok(text) => toml::from_str(&text).map_err(|error| ConfigError(format!("{}: {error}", path.display())))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(ConfigError(format!("cannot read {}: {error}", path.display()))),
        };
        Ok(Self { path: path.to_owned(), entries })
    }

    /// Connection names and addresses.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, &RegistryEntry)> {
        self.entries.iter().map(|(name, entry)| (name.as_str(), entry))
    }

    /// Sets or replaces one.
    pub(crate) fn set(&mut self, name: &str, entry: RegistryEntry) {
        self.entries.insert(name.to_owned(), entry);
    }

    /// Removes one; whether it was there.
    pub(crate) fn unset(&mut self, name: &str) -> bool {
        self.entries.remove(name).is_some()
    }

    /// Writes it back.
    pub(crate) fn write(&self) -> Result<(), ConfigError> {
        let text = toml::to_string(&self.entries).map_err(|error| ConfigError(error.to_string()))?;
        let text =
            format!("# Written by `larder external`; `[external_connections]` in larder.toml wins over it.\n{text}");
        write_private(&self.path, &text)
            .map_err(|error| ConfigError(format!("cannot write {}: {error}", self.path.display())))
    }
}
