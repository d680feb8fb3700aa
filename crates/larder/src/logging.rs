//! Log lines: human on a terminal, JSON otherwise; always on standard error, so that standard output stays for results.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::{ConfigError, LogFormat};

/// Starts logging.
pub(crate) fn init(directives: &str, format: LogFormat) -> Result<(), ConfigError> {
    let filter = EnvFilter::try_new(directives)
        .map_err(|error| ConfigError(format!("log: '{directives}' is not a log level or filter: {error}")))?;
    let human = match format {
        LogFormat::Human => true,
        LogFormat::Json => false,
        LogFormat::Auto => std::io::stderr().is_terminal(),
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let outcome = if human { builder.try_init() } else { builder.json().flatten_event(true).try_init() };
    outcome.map_err(|error| ConfigError(format!("cannot start logging: {error}")))
}
