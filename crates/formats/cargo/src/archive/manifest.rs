//! `Cargo.toml` inside a crate: cargo has written it, so everything that is inherited or left out stands in it.

use larder_core::error::Invalid;
use larder_core::model::{License, VersionDetails};
use serde::Deserialize;

use crate::names::printable;

/// What is read of it.
#[derive(Debug, Deserialize)]
pub(super) struct Manifest {
    /// Very old ones call it `project`.
    #[serde(alias = "project")]
    package: Package,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Package {
    name: String,
    version: String,
    description: Option<String>,
    homepage: Option<String>,
    documentation: Option<String>,
    repository: Option<String>,
    license: Option<String>,
    license_file: Option<String>,
    readme: Option<ReadmeField>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum ReadmeField {
    /// `false`: none; `true`: the usual one.
    Flag(bool),
    Path(String),
}

/// Where the README is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Readme<'a> {
    None,
    Usual,
    At(&'a str),
}

impl Manifest {
    /// # Errors
    /// [`Invalid`] if it is no manifest with a name and a version.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Invalid> {
        let text = std::str::from_utf8(bytes).map_err(|_| Invalid::new("Cargo.toml in the crate is not UTF-8"))?;
        toml::from_str(text)
            .map_err(|error| Invalid::new(format!("Cargo.toml in the crate cannot be read: {}", error.message())))
    }

    /// # Errors
    /// [`Invalid`] if it is of another crate or version.
    pub(super) fn check(&self, name: &str, version: &str) -> Result<(), Invalid> {
        let Package { name: found_name, version: found_version, .. } = &self.package;
        if found_name == name && found_version == version {
            return Ok(());
        }
        Err(Invalid::new(format!(
            "Cargo.toml in the crate is of '{}' version '{}', not of '{name}' version '{version}'",
            printable(found_name),
            printable(found_version)
        )))
    }

    pub(super) fn readme(&self) -> Readme<'_> {
        match &self.package.readme {
            None | Some(ReadmeField::Flag(true)) => Readme::Usual,
            Some(ReadmeField::Flag(false)) => Readme::None,
            Some(ReadmeField::Path(path)) => Readme::At(path.trim_start_matches("./")),
        }
    }

    /// As the API shows it. Dependencies come from the index line.
    pub(super) fn details(self, readme: Option<String>) -> VersionDetails {
        let Package { name, description, homepage, documentation, repository, license, license_file, .. } =
            self.package;
        let license = license.or(license_file).filter(|license| !license.is_empty());
        VersionDetails {
            display_name: Some(name),
            summary: description,
            home_page: homepage.or(documentation),
            source_code_repository: repository,
            licenses: license.into_iter().map(|name| License { name, url: None }).collect(),
            dependencies: Vec::new(),
            readme,
        }
    }
}
