//! `larder config`.

use std::process::ExitCode;

use clap::Subcommand;

use super::{Outcome, ServeOptions};
use crate::config::{Settings, TlsSettings};
use crate::external_file::ExternalFile;

/// Check the configuration.
#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Read flags, variables and files as `serve` would, and say what is wrong or what results.
    Check(Box<ServeOptions>),
}

pub(super) fn run(command: ConfigCommand) -> Outcome {
    let ConfigCommand::Check(options) = command;
    let settings = Settings::load(&options)?;
    let registries = settings.all_registries(&ExternalFile::read(&settings.data_dir.external_file())?)?;
    println!("data-dir       {}", settings.data_dir.path().display());
    println!("listen         {}", settings.listen);
    println!("base-url       {}", settings.base_url.as_deref().unwrap_or("(the listener's address)"));
    println!("tls            {}", shown_tls(&settings.tls));
    println!("region         {}", settings.region);
    println!("database       {}", settings.database);
    println!("storage        {}", settings.storage_url);
    println!("log            {}", settings.log);
    for (connection, table) in registries {
        println!("{:<14} {}", connection.name(), table.url);
    }
    println!("the configuration is good");
    Ok(ExitCode::SUCCESS)
}

fn shown_tls(tls: &TlsSettings) -> String {
    match tls {
        TlsSettings::Off => "off".to_owned(),
        TlsSettings::SelfSigned => "self-signed".to_owned(),
        TlsSettings::Files(files) => format!("{} with {}", files.certificate.display(), files.key.display()),
    }
}
