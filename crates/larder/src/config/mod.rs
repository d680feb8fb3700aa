//! Configuration: flag before `LARDER_…` variable before `larder.toml` before default. Flags and variables are read by
//! the command line (`cli::options`); this reads the file and settles the rest.

mod audit;
mod file;
mod rates;
mod settings;
mod tls;
mod webhooks;

pub(crate) use audit::AuditSettings;
pub(crate) use file::{ConfigFile, RegistryEntry, RegistryTable};
pub(crate) use settings::{LogFormat, Settings};
pub(crate) use tls::{CertificateFiles, TlsOptions, TlsSettings};
pub(crate) use webhooks::WebhookSettings;

/// A configuration that cannot be used, in a sentence that names the key and its source.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ConfigError(pub(crate) String);
