//! `larder serve`.

use std::process::ExitCode;

use super::{Outcome, ServeOptions};
use crate::config::Settings;
use crate::logging;
use crate::serve::serve;

/// Runs the server until it is asked to stop.
pub(super) fn run(options: &ServeOptions) -> Outcome {
    let settings = Settings::load(options)?;
    logging::init(&settings.log, settings.log_format)?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(settings))?;
    Ok(ExitCode::SUCCESS)
}
