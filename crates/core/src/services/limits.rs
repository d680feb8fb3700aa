//! Quotas and times (reference 7.4, protocols 0.8). All are configuration.

use std::time::Duration;

use super::Rates;

/// What is bounded and by how much.
#[derive(Debug, Clone)]
pub struct Limits {
    /// One asset; 5 GiB by default.
    pub asset_size_bytes: u64,
    /// Assets of one version.
    pub assets_per_version: usize,
    /// Direct upstreams of a repository.
    pub upstreams_per_repository: usize,
    /// Repositories searched for one request; those beyond are ignored.
    pub searched_repositories: usize,
    /// Domains of an account.
    pub domains_per_account: u32,
    /// Repositories of a domain.
    pub repositories_per_domain: u32,
    /// Package groups of a domain.
    pub package_groups_per_domain: u32,
    /// How long a public registry's index counts as fresh.
    pub index_fresh_for: Duration,
    /// How long a public registry's "no such package" is believed.
    pub absence_fresh_for: Duration,
    /// How long a public registry that failed is left alone.
    pub failure_pause: Duration,
    /// Memory for rendered documents.
    pub document_cache_bytes: u64,
    /// Fetch all files of a version from its public registry when one is asked for (reference 6.2).
    pub fetches_whole_versions: bool,
    /// How often may be asked.
    pub rates: Rates,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            asset_size_bytes: 5 << 30,
            assets_per_version: 350,
            upstreams_per_repository: 10,
            searched_repositories: 25,
            domains_per_account: 10,
            repositories_per_domain: 1000,
            package_groups_per_domain: 20_000,
            index_fresh_for: Duration::from_secs(600),
            absence_fresh_for: Duration::from_secs(300),
            failure_pause: Duration::from_secs(15),
            document_cache_bytes: 48 << 20,
            fetches_whole_versions: false,
            rates: Rates::default(),
        }
    }
}
