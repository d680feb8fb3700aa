//! `GET api/v1/crates?q=` (protocols 7.3): crates that the repository and its upstreams hold, by name. What only a public
//! registry has is not searched.

use std::collections::BTreeMap;

use http::StatusCode;
use larder_core::Result;
use larder_core::access::{Allowed, RepositoryTarget};
use larder_core::model::{PackageFormat, PackageKey, PageRequest, VersionStatus};
use larder_http::{RepositoryRequest, response};
use percent_encoding::percent_decode_str;

use crate::line::Head;
use crate::names;
use crate::routes::{Answer, Routes};
use crate::wire::{Found, FoundCrate, FoundMeta};

/// Names that are read at once, and at most for one search.
const PAGE: usize = 1000;
const PAGES: usize = 100;
/// Crates of one answer: what cargo asks for, and the most that it may ask for.
const PER_PAGE: usize = 10;
const PER_PAGE_LIMIT: usize = 100;

/// What is searched for.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    /// In lower case, with `_` for `-`.
    text: String,
    per_page: usize,
    /// From 1.
    page: usize,
}

impl Wanted {
    fn read(query: &str) -> Self {
        let mut wanted = Self { text: String::new(), per_page: PER_PAGE, page: 1 };
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = value.replace('+', " ");
            let value = percent_decode_str(&value).decode_utf8_lossy();
            match name {
                "q" => wanted.text = folded(value.trim()),
                "per_page" => wanted.per_page = value.parse().unwrap_or(PER_PAGE).clamp(1, PER_PAGE_LIMIT),
                "page" => wanted.page = value.parse().unwrap_or(1).max(1),
                _ => {}
            }
        }
        wanted
    }
}

fn folded(name: &str) -> String {
    name.to_ascii_lowercase().replace('-', "_")
}

impl Routes {
    /// Answers a search.
    pub(crate) async fn search(&self, request: &RepositoryRequest) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        let wanted = Wanted::read(request.query.as_deref().unwrap_or_default());
        let repositories = self.services.index.visible_repositories(&allowed).await?;
        let ids: Vec<_> = repositories.iter().map(|repository| repository.id).collect();
        // The name itself first, then names that begin with it, then the others, each in order of name.
        let mut matches: BTreeMap<(u8, String), (PackageKey, String)> = BTreeMap::new();
        let mut page = PageRequest::first(PAGE);
        for _ in 0..PAGES {
            let found = self.services.store.list_package_names(&ids, PackageFormat::Cargo, &page).await?;
            for (key, display_name) in found.items {
                let name = folded(key.name());
                let Some(at) = name.find(&wanted.text) else { continue };
                let rank = if name == wanted.text { 0 } else { 1 + u8::from(at > 0) };
                matches.insert((rank, key.name().to_owned()), (key, display_name));
            }
            match found.next {
                Some(next) => page.after = Some(next),
                None => break,
            }
        }
        let skipped = (wanted.page - 1).saturating_mul(wanted.per_page);
        let mut crates = Vec::new();
        for (key, display_name) in matches.values().skip(skipped).take(wanted.per_page) {
            crates.extend(self.describe(&allowed, key, display_name).await?);
        }
        let answer = Found { crates, meta: FoundMeta { total: matches.len() } };
        Ok(response::json(StatusCode::OK, &answer))
    }

    /// The highest version that a repository holds, preferably one that is not yanked; `None` if none is listed.
    async fn describe(
        &self,
        allowed: &Allowed<RepositoryTarget>,
        key: &PackageKey,
        display_name: &str,
    ) -> Result<Option<FoundCrate>> {
        let store = &self.services.store;
        for repository in self.services.index.visible_repositories(allowed).await? {
            let Some(package) = store.load_package(repository.id, key).await? else { continue };
            let published = package.versions.iter().filter(|version| version.status == VersionStatus::Published);
            let best = published.filter_map(|version| Some((version, Head::parse(&version.metadata).ok()?))).max_by(
                |(_, a), (_, b)| {
                    b.is_yanked().cmp(&a.is_yanked()).then_with(|| names::compare_versions(&a.vers, &b.vers))
                },
            );
            let Some((version, head)) = best else { continue };
            let description = store.version_details(version.id).await?.summary;
            let name = display_name.to_owned();
            let max_version = head.vers.into_owned();
            return Ok(Some(FoundCrate { id: name.clone(), name, max_version, description }));
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_as_cargo_writes_it() {
        let wanted = Wanted::read("q=My-Crate+x&per_page=3&page=2&sort=new");
        assert_eq!(wanted, Wanted { text: "my_crate x".to_owned(), per_page: 3, page: 2 });
        assert_eq!(Wanted::read("q=a%2Db").text, "a_b");
        let odd = Wanted::read("per_page=0&page=0&q");
        assert_eq!(odd, Wanted { text: String::new(), per_page: 1, page: 1 });
        assert_eq!(Wanted::read("per_page=100000").per_page, PER_PAGE_LIMIT);
    }
}
