//! What cargo sends and reads (protocols 7.3). Members that are not known are ignored: newer versions of cargo add some.

use serde::{Deserialize, Serialize};

use crate::line::{Features, Kind};

/// The JSON of a publish.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct NewCrate {
    pub(crate) name: String,
    pub(crate) vers: String,
    #[serde(default)]
    pub(crate) deps: Vec<NewDependency>,
    #[serde(default)]
    pub(crate) features: Features,
    #[serde(default)]
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) documentation: Option<String>,
    #[serde(default)]
    pub(crate) homepage: Option<String>,
    /// The text itself.
    #[serde(default)]
    pub(crate) readme: Option<String>,
    #[serde(default)]
    pub(crate) keywords: Vec<String>,
    #[serde(default)]
    pub(crate) license: Option<String>,
    #[serde(default)]
    pub(crate) license_file: Option<String>,
    #[serde(default)]
    pub(crate) repository: Option<String>,
    #[serde(default)]
    pub(crate) links: Option<String>,
    #[serde(default)]
    pub(crate) rust_version: Option<String>,
}

/// A dependency of a publish.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct NewDependency {
    /// What it is called, whatever the crate calls it.
    pub(crate) name: String,
    pub(crate) version_req: String,
    #[serde(default)]
    pub(crate) features: Vec<String>,
    #[serde(default)]
    pub(crate) optional: bool,
    #[serde(default)]
    pub(crate) default_features: bool,
    #[serde(default)]
    pub(crate) target: Option<String>,
    #[serde(default)]
    pub(crate) kind: Option<Kind>,
    /// The index of another registry.
    #[serde(default)]
    pub(crate) registry: Option<String>,
    /// What the crate calls it, if that is another name.
    #[serde(default)]
    pub(crate) explicit_name_in_toml: Option<String>,
}

/// `config.json` of a registry.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Config {
    /// Where crates are: a template.
    pub(crate) dl: String,
    /// Where the web API is, without a slash at the end; a registry without one cannot be published to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) api: Option<String>,
    #[serde(rename = "auth-required", default, skip_serializing_if = "is_false")]
    pub(crate) auth_required: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(value: &bool) -> bool {
    !*value
}

/// The answer to a publish.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Published {
    pub(crate) warnings: Warnings,
}

/// Sentences that cargo prints after a publish.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Warnings {
    pub(crate) invalid_categories: Vec<String>,
    pub(crate) invalid_badges: Vec<String>,
    pub(crate) other: Vec<String>,
}

/// The answer to a change. `msg` is printed, and must be there for owners.
#[derive(Debug, Serialize)]
pub(crate) struct Done {
    pub(crate) ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) msg: Option<String>,
}

/// The logins of a change of owners; cargo says `users`, very old ones said `owners`.
#[derive(Debug, Deserialize)]
pub(crate) struct OwnerChange {
    #[serde(alias = "owners")]
    pub(crate) users: Vec<String>,
}

/// Who may publish.
#[derive(Debug, Serialize)]
pub(crate) struct Owners {
    pub(crate) users: Vec<Owner>,
}

/// One of them.
#[derive(Debug, Serialize)]
pub(crate) struct Owner {
    pub(crate) id: u32,
    pub(crate) login: String,
    pub(crate) name: Option<String>,
}

/// The answer to a search.
#[derive(Debug, Serialize)]
pub(crate) struct Found {
    pub(crate) crates: Vec<FoundCrate>,
    pub(crate) meta: FoundMeta,
}

/// A crate that was found.
#[derive(Debug, Serialize)]
pub(crate) struct FoundCrate {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) max_version: String,
    pub(crate) description: Option<String>,
}

/// How many were found.
#[derive(Debug, Serialize)]
pub(crate) struct FoundMeta {
    pub(crate) total: usize,
}

/// A version, as the public registry's web API describes it.
#[derive(Debug, Serialize)]
pub(crate) struct VersionEntry {
    #[serde(rename = "crate")]
    pub(crate) crate_name: String,
    pub(crate) num: String,
    pub(crate) dl_path: String,
    pub(crate) readme_path: String,
    /// When its source says it was published; `None` if that says nothing.
    pub(crate) created_at: Option<String>,
    pub(crate) updated_at: Option<String>,
    pub(crate) checksum: String,
    pub(crate) crate_size: Option<u64>,
    pub(crate) yanked: bool,
    pub(crate) features: Features,
    pub(crate) links: Option<String>,
    pub(crate) rust_version: Option<String>,
    pub(crate) license: Option<String>,
}

/// `GET crates/{crate}/versions`
#[derive(Debug, Serialize)]
pub(crate) struct Versions {
    pub(crate) versions: Vec<VersionEntry>,
    pub(crate) meta: FoundMeta,
}

/// `GET crates/{crate}/{version}`
#[derive(Debug, Serialize)]
pub(crate) struct OneVersion {
    pub(crate) version: VersionEntry,
}

/// `GET crates/{crate}`
#[derive(Debug, Serialize)]
pub(crate) struct CrateAnswer {
    #[serde(rename = "crate")]
    pub(crate) summary: CrateEntry,
    pub(crate) versions: Vec<VersionEntry>,
    pub(crate) keywords: Vec<String>,
    pub(crate) categories: Vec<String>,
}

/// A crate, as the public registry's web API describes it.
#[derive(Debug, Serialize)]
pub(crate) struct CrateEntry {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) homepage: Option<String>,
    pub(crate) repository: Option<String>,
    pub(crate) max_version: String,
    pub(crate) max_stable_version: Option<String>,
    pub(crate) newest_version: String,
    pub(crate) created_at: Option<String>,
    pub(crate) updated_at: Option<String>,
}

/// `GET crates/{crate}/{version}/dependencies`
#[derive(Debug, Serialize)]
pub(crate) struct Dependencies {
    pub(crate) dependencies: Vec<DependencyEntry>,
}

/// A dependency, as the public registry's web API describes it.
#[derive(Debug, Serialize)]
pub(crate) struct DependencyEntry {
    pub(crate) crate_id: String,
    pub(crate) req: String,
    pub(crate) optional: bool,
    pub(crate) default_features: bool,
    pub(crate) features: Vec<String>,
    pub(crate) target: Option<String>,
    pub(crate) kind: &'static str,
}
