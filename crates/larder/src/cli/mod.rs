//! The command line. Each command is a file; this one parses and dispatches.

mod account;
mod config;
mod connect;
mod credential;
mod env;
mod external;
mod maintenance;
mod options;
mod role;
mod routes;
mod serve;
mod user;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub(crate) use options::{DataOptions, ServeOptions};

use crate::config::ConfigError;

/// AWS CodeArtifact without AWS: an artifact repository for npm, PyPI and more.
#[derive(Debug, Parser)]
#[command(name = "larder", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeOptions,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server (also what `larder` without a command does).
    Serve(Box<ServeOptions>),
    /// Print the variables that point AWS tools at this Larder: eval "$(larder env)".
    Env(DataOptions),
    /// Manage accounts.
    #[command(subcommand)]
    Account(account::AccountCommand),
    /// Manage IAM users, their access keys and policies.
    #[command(subcommand)]
    User(user::UserCommand),
    /// Manage roles.
    #[command(subcommand)]
    Role(role::RoleCommand),
    /// Manage the OpenID Connect providers (GitHub Actions, GitLab, …) that roles may trust.
    #[command(subcommand)]
    OidcProvider(role::ProviderCommand),
    /// Manage the addresses of public registries.
    #[command(subcommand)]
    External(external::ExternalCommand),
    /// Print, write or undo the configuration of a package manager for a repository.
    Connect(Box<connect::ConnectOptions>),
    /// Print an authorization token for a package manager that runs a helper.
    #[command(subcommand)]
    Credential(credential::CredentialCommand),
    /// Check the configuration.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Hash every stored asset again and check that nothing is missing; exits with 1 if something is.
    Verify(maintenance::VerifyOptions),
    /// Remove stored bytes that no package refers to any more.
    Gc(maintenance::GcOptions),
    /// Print every address that the server answers, for firewalls, proxies and reviews.
    Routes(routes::RoutesOptions),
    /// Print the version.
    Version,
}

/// What a command failed with: a sentence for standard error.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    /// A sentence.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self(error.to_string())
    }
}

impl From<larder_core::Error> for Failure {
    fn from(error: larder_core::Error) -> Self {
        // On the machine itself, unlike over the network, the cause is for the reader.
        match std::error::Error::source(&error) {
            Some(source) => Self(format!("{error}: {source}")),
            None => Self(error.to_string()),
        }
    }
}

impl From<larder_core::error::Invalid> for Failure {
    fn from(error: larder_core::error::Invalid) -> Self {
        Self(error.to_string())
    }
}

impl From<rustls::Error> for Failure {
    fn from(error: rustls::Error) -> Self {
        Self(format!("TLS: {error}"))
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

/// What commands return.
pub(crate) type Outcome<T = ExitCode> = Result<T, Failure>;

/// Runs the program: 0 on success, 1 on failure, 2 for a wrong command line.
#[must_use]
pub fn run() -> ExitCode {
    let outcome = match asked_by_cargo() {
        true => credential::serve_cargo(cargo_options),
        false => dispatch(Cli::parse()),
    };
    outcome.unwrap_or_else(|Failure(message)| {
        eprintln!("larder: {message}");
        ExitCode::FAILURE
    })
}

/// Whether cargo runs this as its credential provider. It says nothing else on the command line: the words of its
/// configuration come with each request.
fn asked_by_cargo() -> bool {
    let mut arguments = std::env::args_os().skip(1);
    arguments.next().is_some_and(|first| first == "--cargo-plugin") && arguments.next().is_none()
}

/// Reads the words of cargo's configuration, `credential cargo …`, as those of a command line.
fn cargo_options(words: &[String]) -> Result<credential::CargoOptions, String> {
    let words = std::iter::once("larder").chain(words.iter().map(String::as_str));
    match Cli::try_parse_from(words).map_err(|error| error.to_string())?.command {
        Some(Command::Credential(credential::CredentialCommand::Cargo(options))) => Ok(options),
        _ => Err("the credential provider in cargo's configuration is not `larder credential cargo …`".to_owned()),
    }
}

fn dispatch(cli: Cli) -> Outcome {
    match cli.command {
        None => serve::run(&cli.serve),
        Some(Command::Serve(options)) => serve::run(&options),
        Some(Command::Env(options)) => env::run(&options),
        Some(Command::Account(command)) => account::run(command),
        Some(Command::User(command)) => user::run(command),
        Some(Command::Role(command)) => role::run(command),
        Some(Command::OidcProvider(command)) => role::run_provider(command),
        Some(Command::External(command)) => external::run(command),
        Some(Command::Connect(options)) => connect::run(&options),
        Some(Command::Credential(command)) => credential::run(&command),
        Some(Command::Config(command)) => config::run(command),
        Some(Command::Verify(options)) => maintenance::verify(&options),
        Some(Command::Gc(options)) => maintenance::gc(&options),
        Some(Command::Routes(options)) => routes::run(&options),
        Some(Command::Version) => {
            println!("larder {}", env!("CARGO_PKG_VERSION"));
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Runs a command's asynchronous part.
pub(crate) fn block_on<T>(work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(work)
}
