//! `larder.toml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::ConfigError;

/// The file's content. Every key is optional; an unknown one is an error.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct ConfigFile {
    /// Address and port to listen on: `127.0.0.1:5273`. Port 0 takes a free one.
    pub(crate) listen: Option<String>,
    /// The address that clients use, when it is not the listener's: `https://larder.example.com`.
    pub(crate) base_url: Option<String>,
    /// The AWS region in ARNs and signatures.
    pub(crate) region: Option<String>,
    /// `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`.
    pub(crate) database_url: Option<String>,
    /// `file:PATH` or `s3://BUCKET/PREFIX`.
    pub(crate) storage_url: Option<String>,
    /// What to log: `info`, `debug`, or directives such as `larder_http=debug`.
    pub(crate) log: Option<String>,
    /// `human`, `json`, or `auto`: human on a terminal, JSON otherwise.
    pub(crate) log_format: Option<String>,
    /// Proxies whose `Forwarded` and `X-Forwarded-*` headers are believed, as CIDR ranges.
    pub(crate) trusted_proxies: Option<Vec<String>>,
    /// Serve package managers by host name, as AWS does: `{domain}-{owner}.d.example.com`.
    pub(crate) endpoint_host: Option<String>,
    /// `self-signed`: encrypt with a certificate of a local authority in the data directory; `off`.
    pub(crate) tls: Option<String>,
    /// Encrypt with this certificate, a PEM file with those that lead to its authority.
    pub(crate) tls_cert: Option<PathBuf>,
    /// Its key, a PEM file.
    pub(crate) tls_key: Option<PathBuf>,
    /// Addresses of the public registries, by the name of the external connection.
    #[serde(default, rename = "external_connections")]
    pub(crate) external_connections: BTreeMap<String, RegistryEntry>,
    #[serde(default)]
    pub(crate) limits: LimitsSection,
    #[serde(default)]
    pub(crate) rates: RatesSection,
    #[serde(default)]
    pub(crate) upstreams: UpstreamsSection,
    #[serde(default)]
    pub(crate) generic: GenericSection,
    #[serde(default)]
    pub(crate) swift: SwiftSection,
    #[serde(default)]
    pub(crate) web_identity: WebIdentitySection,
}

/// A public registry's address, alone or with what goes with it.
#[derive(Debug, Clone, Deserialize, serde::Serialize, PartialEq, Eq)]
#[serde(untagged)]
pub(crate) enum RegistryEntry {
    Url(String),
    Table(RegistryTable),
}

/// A public registry with credentials or further hosts.
#[derive(Debug, Clone, Default, Deserialize, serde::Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct RegistryTable {
    pub(crate) url: String,
    /// Sent only to the address's own origin and path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) password: Option<String>,
    /// Sent as `Authorization: Bearer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<String>,
    /// Other origins (`https://files.example.com`) that its documents may name files on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) allow_hosts: Vec<String>,
}

impl RegistryEntry {
    /// The full form.
    pub(crate) fn table(&self) -> RegistryTable {
        match self {
            Self::Url(url) => RegistryTable { url: url.clone(), ..RegistryTable::default() },
            Self::Table(table) => table.clone(),
        }
    }
}

/// Quotas (reference 7.4) and times (protocols 0.8).
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct LimitsSection {
    pub(crate) asset_size_bytes: Option<u64>,
    pub(crate) assets_per_version: Option<usize>,
    pub(crate) domains_per_account: Option<u32>,
    pub(crate) repositories_per_domain: Option<u32>,
    pub(crate) package_groups_per_domain: Option<u32>,
    /// Direct upstreams of a repository.
    pub(crate) upstreams_per_repository: Option<usize>,
    /// Repositories searched for one request.
    pub(crate) searched_repositories: Option<usize>,
    /// Seconds for which a public registry's index counts as fresh.
    pub(crate) index_fresh_seconds: Option<u64>,
    /// Memory for rendered documents.
    pub(crate) document_cache_bytes: Option<u64>,
}

/// Requests a second (reference 7.4); what is not named is not limited.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct RatesSection {
    /// Start from CodeArtifact's rates instead of none.
    #[serde(default)]
    pub(crate) codeartifact: bool,
    /// With one authorization token.
    pub(crate) per_token: Option<u32>,
    /// Without known credentials, from one address.
    pub(crate) per_address: Option<u32>,
    /// Reads of one account.
    pub(crate) account_reads: Option<u32>,
    /// Writes of one account.
    pub(crate) account_writes: Option<u32>,
    /// Operations of the API by one account: `GetAuthorizationToken = 40`.
    #[serde(default)]
    pub(crate) operations: BTreeMap<String, u32>,
}

/// Where CodeArtifact's way with upstream repositories and public registries can be chosen over Larder's.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct UpstreamsSection {
    /// Fetch all files of a version when one is asked for (reference 6.2), instead of that one only.
    #[serde(default)]
    pub(crate) whole_versions: bool,
    /// Where repositories disagree about an npm dist-tag, the one farthest from the client counts (reference 6.1),
    /// instead of the nearest.
    #[serde(default)]
    pub(crate) npm_tags_win: bool,
}

/// The tree of generic packages.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct GenericSection {
    /// An upload finishes its version unless it says `?unfinished=true`, as PublishPackageVersion does; else a version
    /// takes assets until it is finished.
    #[serde(default)]
    pub(crate) final_uploads: bool,
}

/// Rules for Swift packages.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct SwiftSection {
    /// Refuse releases that are not signed.
    #[serde(default)]
    pub(crate) require_signatures: bool,
}

/// Tokens of identity providers (AssumeRoleWithWebIdentity).
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct WebIdentitySection {
    /// URLs of issuers that may have addresses that are not public, and `http` if they are on this machine.
    #[serde(default)]
    pub(crate) internal_issuers: Vec<String>,
    /// A token may be exchanged more than once before it ends, as with AWS.
    #[serde(default)]
    pub(crate) reusable_tokens: bool,
}

impl ConfigFile {
    /// Reads a file; a missing one is empty unless it was asked for by name.
    pub(crate) fn read(path: &Path, required: bool) -> Result<Self, ConfigError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !required => return Ok(Self::default()),
            Err(error) => return Err(ConfigError(format!("cannot read {}: {error}", path.display()))),
        };
        toml::from_str(&text).map_err(|error| ConfigError(format!("{}: {}", path.display(), explain(&error))))
    }
}

/// The parser's message with the nearest known key, which names the unknown key and lists the known ones.
fn explain(error: &toml::de::Error) -> String {
    let message = error.message();
    let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let nearest = message
        .starts_with("unknown field")
        .then(|| names.split_first())
        .flatten()
        .and_then(|(unknown, known)| known.iter().min_by_key(|name| distance(unknown, name)));
    match nearest {
        Some(nearest) => format!("{error}did you mean `{nearest}`?"),
        None => error.to_string().trim_end().to_owned(),
    }
}

/// Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let cost = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ConfigFile, String> {
        toml::from_str(text).map_err(|error| explain(&error))
    }

    #[test]
    fn an_unknown_key_is_named_with_the_nearest_known_one() {
        let error = read("lisen = \"127.0.0.1:1\"").expect_err("unknown");
        assert!(error.contains("`lisen`") && error.contains("did you mean `listen`?"), "{error}");
        let error = read("[limits]\nasset-size = 3").expect_err("unknown");
        assert!(error.contains("did you mean `asset-size-bytes`?"), "{error}");
    }

    #[test]
    fn a_registry_is_an_address_or_a_table() {
        let file = read(
            "[external_connections]\n\"public:npmjs\" = \"http://a.test/\"\n\
             \"public:pypi\" = { url = \"http://b.test/\", username = \"u\", password = \"p\" }",
        )
        .expect("valid");
        assert_eq!(file.external_connections["public:npmjs"].table().url, "http://a.test/");
        assert_eq!(file.external_connections["public:pypi"].table().username.as_deref(), Some("u"));
    }
}
