//! Connecting package managers to a repository: what `larder connect` prints, writes and undoes.
//!
//! A client's file says which files it reads and how they change ([`Plan`]). [`Record`] keeps what was there, so that
//! `--undo` puts back the very bytes. Tokens end after twelve hours: a client that can run a helper gets one
//! (`larder credential`), the others are connected again.

mod account;
mod cargo;
mod edit;
mod gradle;
mod maven;
mod npm;
mod nuget;
mod python;
mod record;
mod ruby;
mod settings_xml;

use std::path::PathBuf;

use larder_core::model::PackageFormat;
use url::Url;

pub(crate) use account::{Account, Token};
pub(crate) use record::Record;

use crate::cli::Failure;

/// A client that can be connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Client {
    Maven,
    Gradle,
    Cargo,
    Bundler,
    Gem,
    Npm,
    Pnpm,
    /// Yarn 2 and later; yarn 1 reads what npm reads.
    Yarn,
    Pip,
    Uv,
    Poetry,
    Nuget,
}

impl Client {
    /// The clients of a format, or the one of that name.
    pub(crate) fn named(name: &str) -> Result<Vec<Self>, Failure> {
        use clap::ValueEnum as _;
        let clients = match name {
            "ruby" => vec![Self::Bundler, Self::Gem],
            "pypi" => vec![Self::Pip],
            "swift" | "twine" | "dotnet" => {
                return Err(Failure::new(format!(
                    "{name} is connected by the AWS CLI: aws codeartifact login --tool {name} --domain … --repository …"
                )));
            }
            "generic" => {
                return Err(Failure::new(
                    "curl and its kin need no configuration: put 'machine HOST login aws password TOKEN' into ~/.netrc, \
                     with the token that `larder credential token --domain …` prints",
                ));
            }
            other => match Self::from_str(other, false) {
                Ok(client) => vec![client],
                Err(_) => {
                    let known = Self::value_variants().iter().map(|client| client.name()).collect::<Vec<_>>();
                    return Err(Failure::new(format!("'{other}' is none of ruby, pypi, {}", known.join(", "))));
                }
            },
        };
        Ok(clients)
    }

    /// As on the command line, and the name of its record.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Maven => "maven",
            Self::Gradle => "gradle",
            Self::Cargo => "cargo",
            Self::Bundler => "bundler",
            Self::Gem => "gem",
            Self::Npm => "npm",
            Self::Pnpm => "pnpm",
            Self::Yarn => "yarn",
            Self::Pip => "pip",
            Self::Uv => "uv",
            Self::Poetry => "poetry",
            Self::Nuget => "nuget",
        }
    }

    /// Whose packages it takes.
    pub(crate) fn format(self) -> PackageFormat {
        match self {
            Self::Maven | Self::Gradle => PackageFormat::Maven,
            Self::Cargo => PackageFormat::Cargo,
            Self::Bundler | Self::Gem => PackageFormat::Ruby,
            Self::Npm | Self::Pnpm | Self::Yarn => PackageFormat::Npm,
            Self::Pip | Self::Uv | Self::Poetry => PackageFormat::Pypi,
            Self::Nuget => PackageFormat::Nuget,
        }
    }

    /// What is to be written for it.
    pub(crate) fn plan(self, repository: &Repository, home: &Home) -> Plan {
        match self {
            Self::Maven => maven::plan(repository, home),
            Self::Gradle => gradle::plan(repository, home),
            Self::Cargo => cargo::plan(repository, home),
            Self::Bundler => ruby::bundler(repository, home),
            Self::Gem => ruby::gem(repository, home),
            Self::Npm => npm::npm(repository, home),
            Self::Pnpm => npm::pnpm(repository, home),
            Self::Yarn => npm::yarn(repository, home),
            Self::Pip => python::pip(repository, home),
            Self::Uv => python::uv(repository, home),
            Self::Poetry => python::poetry(repository, home),
            Self::Nuget => nuget::plan(repository, home),
        }
    }
}

/// What clients are told.
#[derive(Debug, Clone)]
pub(crate) struct Repository {
    pub(crate) domain: String,
    pub(crate) name: String,
    /// Of the client's format, with a slash at its end.
    pub(crate) endpoint: Url,
    pub(crate) token: String,
    /// The command that prints a new token, without the word that says in which form.
    pub(crate) helper: Helper,
    /// The client's own public registry stays beside the repository, instead of being replaced by it.
    pub(crate) keep_public: bool,
}

/// `larder credential FORM --domain …`
#[derive(Debug, Clone)]
pub(crate) struct Helper {
    pub(crate) program: String,
    pub(crate) arguments: Vec<String>,
}

impl Helper {
    /// All words of the command.
    pub(crate) fn command(&self, form: &str) -> Vec<String> {
        let words = [self.program.clone(), "credential".to_owned(), form.to_owned()];
        words.into_iter().chain(self.arguments.iter().cloned()).collect()
    }
}

impl Repository {
    /// The endpoint with the token in it, for clients that take credentials nowhere else.
    fn endpoint_with_token(&self, more: &str) -> String {
        let mut url = self.endpoint.join(more).unwrap_or_else(|_| self.endpoint.clone());
        // Refused only for addresses that have no host.
        let _ = url.set_username("aws");
        let _ = url.set_password(Some(&self.token));
        url.to_string()
    }

    /// What the repository is called in files that want letters, digits and hyphens.
    fn id(&self) -> String {
        format!("{}-{}", self.domain, self.name).replace('.', "-")
    }

    /// `//host:port/path/`, how npm and its kin bind credentials.
    fn npm_scope(&self) -> String {
        let text = self.endpoint.as_str();
        text.split_once(':').map_or(text, |(_, rest)| rest).to_owned()
    }
}

/// Where clients look.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    /// The user's.
    pub(crate) path: PathBuf,
    /// Where `connect` was called: the project, for clients that keep sources there.
    pub(crate) project: PathBuf,
    variables: fn(&str) -> Option<String>,
}

impl Home {
    /// That of the environment.
    pub(crate) fn find() -> Result<Self, Failure> {
        let variables = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let path = variables("HOME").ok_or_else(|| Failure::new("HOME is not set"))?;
        Ok(Self { path: path.into(), project: std::env::current_dir()?, variables })
    }

    /// The folder that a variable names, else one below the home.
    fn folder(&self, variable: &str, below: &str) -> PathBuf {
        (self.variables)(variable).map_or_else(|| self.path.join(below), PathBuf::from)
    }

    /// Where programs keep their configuration.
    fn config(&self, below: &str) -> PathBuf {
        self.folder("XDG_CONFIG_HOME", ".config").join(below)
    }

    /// Where programs keep what they made themselves.
    fn data(&self, below: &str) -> PathBuf {
        self.folder("XDG_DATA_HOME", ".local/share").join(below)
    }

    /// Where records are.
    fn records(&self) -> PathBuf {
        self.folder("XDG_STATE_HOME", ".local/state").join("larder/connect")
    }
}

/// A file's text before to what it becomes; a refusal says why it stays.
type Edit = Box<dyn Fn(&str) -> Result<String, String>>;

/// One file.
pub(crate) struct Step {
    pub(crate) path: PathBuf,
    pub(crate) edit: Edit,
    /// A helper that the client runs.
    pub(crate) executable: bool,
}

/// All of a client's files, and what it cannot be told by them.
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    pub(crate) notes: Vec<String>,
}

impl Plan {
    fn new() -> Self {
        Self { steps: Vec::new(), notes: Vec::new() }
    }

    fn file(mut self, path: PathBuf, edit: impl Fn(&str) -> Result<String, String> + 'static) -> Self {
        self.steps.push(Step { path, edit: Box::new(edit), executable: false });
        self
    }

    fn helper(mut self, path: PathBuf, text: String) -> Self {
        self.steps.push(Step { path, edit: Box::new(move |_| Ok(text.clone())), executable: true });
        self
    }

    fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Says that nothing renews the token.
    fn token_ends(self) -> Self {
        self.note("The token in it ends after 12 hours; run this again with --write then.")
    }
}

/// A word of a POSIX shell.
fn shell_word(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod testing;
