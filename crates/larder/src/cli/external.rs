//! `larder external`: where the public registries are.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use larder_core::model::ExternalConnection;

use super::{DataOptions, Failure, Outcome, ServeOptions};
use crate::config::{RegistryEntry, RegistryTable, Settings};
use crate::detect::{Outcome as Detected, detect};
use crate::external_file::ExternalFile;

/// Manage the addresses of public registries.
#[derive(Debug, Subcommand)]
pub(super) enum ExternalCommand {
    /// Ask the package managers on this machine which registries they use, and write that down.
    Detect {
        /// Only print.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        data: DataOptions,
    },
    /// Print every external connection with its address.
    List {
        #[command(flatten)]
        data: DataOptions,
    },
    /// Set an address.
    Set(SetOptions),
    /// Forget an address.
    Unset {
        /// Such as public:npmjs.
        name: String,
        #[command(flatten)]
        data: DataOptions,
    },
}

/// What `set` takes.
#[derive(Debug, Args)]
pub(super) struct SetOptions {
    /// Such as public:npmjs.
    name: String,
    /// Such as https://mirror.example.com/npm/.
    url: String,
    /// A user name, sent to this address only; the password is read from LARDER_EXTERNAL_PASSWORD.
    #[arg(long)]
    username: Option<String>,
    #[arg(long, env = "LARDER_EXTERNAL_PASSWORD", hide = true, hide_env_values = true)]
    password: Option<String>,
    /// Another origin that its documents may name files on, such as https://files.example.com. Repeatable.
    #[arg(long)]
    allow_host: Vec<String>,
    #[command(flatten)]
    data: DataOptions,
}

pub(super) fn run(command: ExternalCommand) -> Outcome {
    match command {
        ExternalCommand::Detect { dry_run, data } => run_detect(dry_run, &data)?,
        ExternalCommand::List { data } => {
            let file = ExternalFile::read(&data.data_dir().external_file())?;
            let registries = Settings::load(&ServeOptions::from(data))?.all_registries(&file)?;
            for connection in ExternalConnection::all() {
                let address = registries.get(&connection).map_or("-", |table| &table.url);
                println!("{connection}\t{address}");
            }
        }
        ExternalCommand::Set(options) => {
            let connection = ExternalConnection::parse(&options.name)?;
            let mut file = ExternalFile::read(&options.data.data_dir().external_file())?;
            let entry = RegistryEntry::Table(RegistryTable {
                url: options.url,
                username: options.username,
                password: options.password,
                token: None,
                allow_hosts: options.allow_host,
            });
            file.set(connection.name(), entry);
            // Refuses an address that the server would refuse, before it is written.
            Settings::load(&ServeOptions::from(options.data))?.all_registries(&file)?;
            file.write()?;
        }
        ExternalCommand::Unset { name, data } => {
            let mut file = ExternalFile::read(&data.data_dir().external_file())?;
            if !file.unset(&name) {
                return Err(Failure::new(format!(
                    "no address of '{name}' is set here; `larder external list` shows those that are"
                )));
            }
            file.write()?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn run_detect(dry_run: bool, data: &DataOptions) -> Outcome<()> {
    let path = data.data_dir().external_file();
    let mut file = ExternalFile::read(&path)?;
    let mut found_any = false;
    for Detected { client, result } in detect() {
        match result {
            Ok(found) => {
                for found in found {
                    found_any = true;
                    println!("{}\t{}\t({})", found.connection, found.entry.table().url, found.source);
                    file.set(found.connection.name(), found.entry);
                }
            }
            Err(why) => println!("{client}\tnothing found: {why}"),
        }
    }
    if found_any && !dry_run {
        file.write()?;
        println!("written to {}", path.display());
    }
    Ok(())
}
