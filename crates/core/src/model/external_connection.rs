//! The external connections that AWS offers (reference 3.6). Their addresses are configuration.

use std::fmt;

use super::PackageFormat;
use crate::error::Invalid;

/// One of the named public registries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExternalConnection(&'static Row);

#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Row {
    name: &'static str,
    format: PackageFormat,
    store: &'static str,
}

const fn row(name: &'static str, format: PackageFormat, store: &'static str) -> Row {
    Row { name, format, store }
}

static ROWS: [Row; 10] = [
    row("public:npmjs", PackageFormat::Npm, "npm-store"),
    row("public:pypi", PackageFormat::Pypi, "pypi-store"),
    row("public:maven-central", PackageFormat::Maven, "maven-central-store"),
    row("public:maven-googleandroid", PackageFormat::Maven, "google-android-store"),
    row("public:maven-gradleplugins", PackageFormat::Maven, "gradle-plugins-store"),
    row("public:maven-commonsware", PackageFormat::Maven, "commonsware-store"),
    row("public:maven-clojars", PackageFormat::Maven, "clojars-store"),
    row("public:nuget-org", PackageFormat::Nuget, "nuget-store"),
    row("public:ruby-gems-org", PackageFormat::Ruby, "rubygems-store"),
    row("public:crates-io", PackageFormat::Cargo, "cargo-store"),
];

impl ExternalConnection {
    /// All of them, in the reference's order.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(Self)
    }

    /// Finds one by its name, such as `public:npmjs`.
    ///
    /// # Errors
    /// [`Invalid`] listing the known names.
    pub fn parse(name: &str) -> Result<Self, Invalid> {
        Self::all().find(|connection| connection.name() == name).ok_or_else(|| {
            let known: Vec<_> = Self::all().map(Self::name).collect();
            Invalid::new(format!("external connection '{name}' is not known; known are {}", known.join(", ")))
        })
    }

    /// The API name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// What its packages are.
    #[must_use]
    pub fn format(self) -> PackageFormat {
        self.0.format
    }

    /// The name of the repository that the AWS console creates for it.
    #[must_use]
    pub fn store_repository(self) -> &'static str {
        self.0.store
    }
}

impl fmt::Display for ExternalConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
