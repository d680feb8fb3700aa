//! The settled configuration of a server.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use larder_core::model::ExternalConnection;
use larder_core::services::Limits;
use larder_store::DatabaseUrl;
use url::Url;

use super::file::{LimitsSection, RegistryTable, UpstreamsSection};
use super::rates::rates;
use super::{ConfigError, ConfigFile, RegistryEntry, TlsOptions, TlsSettings};
use crate::cli::ServeOptions;
use crate::data_dir::DataDir;
use crate::external_file::ExternalFile;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Auto,
    Human,
    Json,
}

/// Everything `serve` needs to know.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) data_dir: DataDir,
    pub(crate) listen: SocketAddr,
    /// Without trailing slash.
    pub(crate) base_url: Option<String>,
    pub(crate) region: String,
    pub(crate) database: DatabaseUrl,
    pub(crate) storage_url: String,
    pub(crate) log: String,
    pub(crate) log_format: LogFormat,
    pub(crate) trusted_proxies: Vec<String>,
    pub(crate) endpoint_host: Option<String>,
    pub(crate) tls: TlsSettings,
    /// Addresses given on the command line or in the configuration file: they win over detected ones.
    pub(crate) registries: BTreeMap<ExternalConnection, RegistryTable>,
    pub(crate) limits: Limits,
    /// Of npm dist-tags, the one farthest from the client counts.
    pub(crate) npm_tags_win: bool,
    /// An upload to the tree of generic packages finishes its version.
    pub(crate) generic_uploads_final: bool,
    /// Of Swift packages, only signed releases are taken.
    pub(crate) swift_signatures_required: bool,
    /// Identity providers that may lead into the operator's own network.
    pub(crate) internal_issuers: Vec<String>,
    /// Tokens of identity providers may be exchanged more than once.
    pub(crate) reusable_identity_tokens: bool,
    pub(crate) bootstrap: bool,
    pub(crate) ready_file: Option<PathBuf>,
}

impl Settings {
    /// Settles flags and variables (`options`), the file and the defaults.
    pub(crate) fn load(options: &ServeOptions) -> Result<Self, ConfigError> {
        let data_dir = options.data.data_dir();
        let (path, required) = match &options.data.config {
            Some(path) => (path.clone(), true),
            None => (data_dir.config_file(), false),
        };
        let file = ConfigFile::read(&path, required)?;
        let listen = options.listen.clone().or(file.listen).unwrap_or_else(|| "127.0.0.1:5273".to_owned());
        let base_url = options.base_url.clone().or(file.base_url).map(|url| parse_base_url(&url)).transpose()?;
        let tls = TlsOptions {
            mode: options.tls.clone(),
            certificate: options.tls_cert.clone(),
            key: options.tls_key.clone(),
        };
        let tls = tls.settle(TlsOptions { mode: file.tls, certificate: file.tls_cert, key: file.tls_key })?;
        if let Some(url) = base_url.as_deref().filter(|url| tls != TlsSettings::Off && url.starts_with("http:")) {
            return Err(ConfigError(format!("base-url: '{url}' is http:// while the server speaks TLS; use https://")));
        }
        let region = options.data.region.clone().or(file.region).unwrap_or_else(|| "us-east-1".to_owned());
        check_region(&region)?;
        let mut registries = BTreeMap::new();
        for (name, entry) in &file.external_connections {
            registries.insert(parse_connection(name)?, check_registry(name, entry.table())?);
        }
        for argument in &options.external {
            let (name, url) = argument
                .split_once('=')
                .ok_or_else(|| ConfigError(format!("--external takes NAME=URL, not '{argument}'")))?;
            let entry = RegistryEntry::Url(url.to_owned());
            registries.insert(parse_connection(name)?, check_registry(name, entry.table())?);
        }
        Ok(Self {
            listen: listen.parse().map_err(|_| {
                ConfigError(format!("listen: '{listen}' is not an ADDRESS:PORT such as 127.0.0.1:5273"))
            })?,
            base_url,
            region,
            database: parse_database(options.data.database_url.as_deref().or(file.database_url.as_deref()), &data_dir)?,
            storage_url: options
                .data
                .storage_url
                .clone()
                .or(file.storage_url)
                .map_or_else(|| default_storage(&data_dir), Ok)?,
            log: options.log.clone().or(file.log).unwrap_or_else(|| "info".to_owned()),
            log_format: parse_log_format(options.log_format.as_deref().or(file.log_format.as_deref()))?,
            trusted_proxies: if options.trusted_proxy.is_empty() {
                file.trusted_proxies.unwrap_or_default()
            } else {
                options.trusted_proxy.clone()
            },
            endpoint_host: options.endpoint_host.clone().or(file.endpoint_host),
            tls,
            registries,
            limits: Limits { rates: rates(&file.rates)?, ..limits(&file.limits, &file.upstreams) },
            npm_tags_win: file.upstreams.npm_tags_win,
            generic_uploads_final: file.generic.final_uploads,
            swift_signatures_required: file.swift.require_signatures,
            internal_issuers: file.web_identity.internal_issuers,
            reusable_identity_tokens: file.web_identity.reusable_tokens,
            bootstrap: !options.no_bootstrap,
            ready_file: options.ready_file.clone(),
            data_dir,
        })
    }

    /// All registries' addresses: those of this configuration over those detected or set in the data directory.
    pub(crate) fn all_registries(
        &self,
        external: &ExternalFile,
    ) -> Result<BTreeMap<ExternalConnection, RegistryTable>, ConfigError> {
        let mut all = BTreeMap::new();
        for (name, entry) in external.entries() {
            all.insert(parse_connection(name)?, check_registry(name, entry.table())?);
        }
        all.extend(self.registries.clone());
        Ok(all)
    }
}

/// The database that commands on a data directory use.
fn parse_database(url: Option<&str>, data_dir: &DataDir) -> Result<DatabaseUrl, ConfigError> {
    match url {
        None => Ok(DatabaseUrl::Sqlite(data_dir.database())),
        Some(url) => DatabaseUrl::parse(url).map_err(|error| ConfigError(format!("database-url: {error}"))),
    }
}

/// Files in the data directory.
fn default_storage(data_dir: &DataDir) -> Result<String, ConfigError> {
    let folder = std::path::absolute(data_dir.storage()).map_err(|error| ConfigError(error.to_string()))?;
    Url::from_directory_path(&folder)
        .map(String::from)
        .map_err(|()| ConfigError(format!("{} cannot be written as a URL", folder.display())))
}

fn parse_base_url(text: &str) -> Result<String, ConfigError> {
    let url = Url::parse(text).map_err(|error| ConfigError(format!("base-url: '{text}' is not a URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || url.query().is_some() || url.fragment().is_some() {
        return Err(ConfigError(format!("base-url: '{text}' must be http:// or https:// without query or fragment")));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn check_region(region: &str) -> Result<(), ConfigError> {
    let valid = (1..=32).contains(&region.len())
        && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if valid { Ok(()) } else { Err(ConfigError(format!("region: '{region}' is not a region such as us-east-1"))) }
}

fn parse_connection(name: &str) -> Result<ExternalConnection, ConfigError> {
    ExternalConnection::parse(name).map_err(|error| ConfigError(error.to_string()))
}

fn check_registry(name: &str, mut table: RegistryTable) -> Result<RegistryTable, ConfigError> {
    let url = Url::parse(&table.url)
        .map_err(|error| ConfigError(format!("external connection {name}: '{}' is not a URL: {error}", table.url)))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(ConfigError(format!("external connection {name}: '{}' must be http:// or https://", table.url)));
    }
    if !table.url.ends_with('/') {
        table.url.push('/');
    }
    Ok(table)
}

fn parse_log_format(text: Option<&str>) -> Result<LogFormat, ConfigError> {
    match text {
        None | Some("auto") => Ok(LogFormat::Auto),
        Some("human") => Ok(LogFormat::Human),
        Some("json") => Ok(LogFormat::Json),
        Some(other) => Err(ConfigError(format!("log-format: '{other}' is none of auto, human, json"))),
    }
}

fn limits(section: &LimitsSection, upstreams: &UpstreamsSection) -> Limits {
    let default = Limits::default();
    Limits {
        asset_size_bytes: section.asset_size_bytes.unwrap_or(default.asset_size_bytes),
        assets_per_version: section.assets_per_version.unwrap_or(default.assets_per_version),
        domains_per_account: section.domains_per_account.unwrap_or(default.domains_per_account),
        repositories_per_domain: section.repositories_per_domain.unwrap_or(default.repositories_per_domain),
        package_groups_per_domain: section.package_groups_per_domain.unwrap_or(default.package_groups_per_domain),
        upstreams_per_repository: section.upstreams_per_repository.unwrap_or(default.upstreams_per_repository),
        searched_repositories: section.searched_repositories.unwrap_or(default.searched_repositories),
        index_fresh_for: section.index_fresh_seconds.map_or(default.index_fresh_for, Duration::from_secs),
        document_cache_bytes: section.document_cache_bytes.unwrap_or(default.document_cache_bytes),
        fetches_whole_versions: upstreams.whole_versions,
        ..default
    }
}
