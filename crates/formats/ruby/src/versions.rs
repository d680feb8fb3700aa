//! `versions` and `names` (protocols 6.2, 6.7): what a registry lists, then an event for each version that a repository
//! holds. A gem that a repository has anything of is listed by what is served of it, not by what the registry says.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use larder_core::access::{Allowed, RepositoryTarget};
use larder_core::error::Error;
use larder_core::model::{PackageFormat, PackageKey, PageRequest, Timestamp};
use larder_core::services::{Document, Layer, Rendered, View};
use larder_http::{RepositoryRequest, answer_document};

use crate::error::RubyError;
use crate::routes::{Answer, Routes};
use crate::{index, marshal};

/// Names that are read at once.
const PAGE: usize = 1000;
/// The document of a public registry.
pub(crate) const VERSIONS: &str = "versions";

/// A document of the whole repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Whole {
    Versions,
    Names,
    /// `specs.4.8`: releases.
    Specs,
    /// `latest_specs.4.8`: the newest release of each platform.
    Latest,
    /// `prerelease_specs.4.8`
    Prereleases,
}

/// A document as it was made, and of what.
pub(crate) struct Made {
    /// What was committed before is in it.
    epoch: u64,
    /// A public registry had a say in what repositories say: it is asked again then.
    fresh_until: Option<Timestamp>,
    /// The registry's list and what repositories add to it.
    registry: Option<Arc<Document>>,
    own: Arc<Own>,
    document: Arc<Document>,
}

/// What repositories say.
#[derive(PartialEq)]
struct Own {
    /// Names that the registry's list is not believed about.
    names: HashSet<String>,
    /// Lines of `versions`.
    events: String,
    created_at: String,
}

impl Routes {
    /// Answers such a document.
    pub(crate) async fn whole(&self, request: &RepositoryRequest, which: Whole) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        let document = self.document(&allowed, which).await?;
        Ok(answer_document(&allowed, &request.method, &request.headers, &document))
    }

    /// Such a document, which says when a public registry that had a say in it is asked again.
    pub(crate) async fn document(
        &self,
        allowed: &Allowed<RepositoryTarget>,
        which: Whole,
    ) -> Result<Arc<Document>, RubyError> {
        // Read first: what is committed meanwhile makes the document old, not wrong.
        let epoch = self.services.store.epoch().await?;
        let key = PackageKey::document(PackageFormat::Ruby, VERSIONS);
        let registry = match self.services.index.document(allowed, &key, "registry", relay).await {
            Ok(document) => Some(document),
            Err(Error::ResourceNotFound { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let name = (allowed.target().repository.id, which);
        let made = self.made.get(&name);
        let same_registry = |made: &Made| match (&made.registry, &registry) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        let now = self.services.clock.now();
        let is_fresh = |made: &Made| made.fresh_until.is_none_or(|until| now < until);
        if let Some(made) = made.as_ref().filter(|made| made.epoch == epoch && is_fresh(made) && same_registry(made)) {
            return Ok(Arc::clone(&made.document));
        }
        let (own, fresh_until) = self.own(allowed).await?;
        let own = Arc::new(own);
        let mut document = match made.as_ref().filter(|made| same_registry(made) && made.own == own) {
            Some(made) => Arc::clone(&made.document),
            None => {
                let (registry, own) = (registry.clone(), Arc::clone(&own));
                let build =
                    move || Ok::<_, Error>(Arc::new(Document::build(render(which, registry.as_deref(), &own)?)));
                tokio::task::spawn_blocking(build).await.map_err(Error::internal)??
            }
        };
        // It is answered again without asking for as long as nobody it was made of has to be asked again.
        let registry_until = registry.as_ref().and_then(|registry| registry.fresh_until);
        let until = sooner(fresh_until, registry_until);
        if document.fresh_until != until {
            document = Arc::new(Document { fresh_until: until, ..Document::clone(&document) });
        }
        let made = Made { epoch, fresh_until, registry, own, document: Arc::clone(&document) };
        self.made.insert(name, Arc::new(made));
        Ok(document)
    }

    /// The events of every gem that a visible repository has, in order of time, and when a public registry that had a say
    /// is asked again.
    async fn own(&self, allowed: &Allowed<RepositoryTarget>) -> Result<(Own, Option<Timestamp>), RubyError> {
        let services = &self.services;
        let repositories: Vec<_> =
            services.index.visible_repositories(allowed).await?.iter().map(|repository| repository.id).collect();
        let (mut names, mut fresh_until) = (HashSet::new(), None);
        let mut events: BTreeMap<(i64, String, usize), String> = BTreeMap::new();
        let mut page = PageRequest::first(PAGE);
        loop {
            let found = services.store.list_package_names(&repositories, PackageFormat::Ruby, &page).await?;
            for (key, _) in found.items {
                names.insert(key.name().to_owned());
                match services.index.document(allowed, &key, "events", index::render_events).await {
                    Ok(document) => {
                        fresh_until = sooner(fresh_until, document.fresh_until);
                        for (number, event) in String::from_utf8_lossy(&document.body).lines().enumerate() {
                            let Some((at, rest)) = event.split_once(' ') else { continue };
                            let at = at.parse().unwrap_or(0);
                            events.insert((at, key.name().to_owned(), number), format!("{} {rest}\n", key.name()));
                        }
                    }
                    Err(Error::ResourceNotFound { .. }) => {}
                    // One gem whose registry is away does not take the others with it.
                    Err(Error::Upstream { .. }) => fresh_until = sooner(fresh_until, Some(services.clock.now())),
                    Err(error) => return Err(error.into()),
                }
            }
            match found.next {
                Some(next) => page.after = Some(next),
                None => break,
            }
        }
        let created_at = allowed.target().repository.created_at.rfc3339();
        Ok((Own { names, events: events.into_values().collect(), created_at }, fresh_until))
    }
}

/// The first of two ends, if there is one.
fn sooner(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

/// The registry's list as it is.
fn relay(view: &View) -> larder_core::Result<Rendered> {
    let body = view.layers.iter().find_map(|layer| match layer {
        Layer::Registry { index, .. } => index.body.clone(),
        Layer::Hosted { .. } => None,
    });
    let body = body.unwrap_or_default();
    Ok(Rendered { content_type: "text/plain", body, last_modified: None, headers: Vec::new() })
}

fn render(which: Whole, registry: Option<&Document>, own: &Own) -> larder_core::Result<Rendered> {
    let listed = versions(registry, own);
    match which {
        Whole::Versions => Ok(index::rendered(listed)),
        Whole::Names => {
            let names: BTreeSet<&str> =
                by_name(&listed).into_iter().filter(|(_, has)| !has.is_empty()).map(|(n, _)| n).collect();
            let mut body = "---\n".to_owned();
            names.into_iter().for_each(|name| {
                body.push_str(name);
                body.push('\n');
            });
            Ok(index::rendered(body))
        }
        Whole::Specs | Whole::Latest | Whole::Prereleases => {
            let body = marshal::specs(which, &by_name(&listed));
            let body = gzip(&body)?;
            Ok(Rendered { content_type: "application/gzip", body, last_modified: None, headers: Vec::new() })
        }
    }
}

fn gzip(body: &[u8]) -> larder_core::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(body).and_then(|()| encoder.finish()).map(Bytes::from).map_err(Error::internal)
}

fn versions(registry: Option<&Document>, own: &Own) -> String {
    let registry = registry.map(|document| String::from_utf8_lossy(&document.body)).unwrap_or_default();
    let (head, lines) = match registry.split_once("---\n") {
        Some((head, lines)) if !head.is_empty() => (head.to_owned(), lines),
        Some((_, lines)) => (format!("created_at: {}\n", own.created_at), lines),
        None => (format!("created_at: {}\n", own.created_at), ""),
    };
    let mut body = format!("{head}---\n");
    body.reserve(lines.len() + own.events.len());
    for line in lines.lines() {
        let name = line.split(' ').next().unwrap_or_default();
        if !name.is_empty() && !own.names.contains(name) {
            body.push_str(line);
            body.push('\n');
        }
    }
    body.push_str(&own.events);
    body
}

/// Gems with their versions, as the events leave them.
pub(crate) fn by_name(listed: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut gems: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in listed.lines().skip_while(|line| *line != "---").skip(1) {
        let mut parts = line.split(' ');
        let (Some(name), Some(versions)) = (parts.next(), parts.next()) else { continue };
        let known = gems.entry(name).or_default();
        for version in versions.split(',') {
            match version.strip_prefix('-') {
                Some(yanked) => known.retain(|version| *version != yanked),
                None => known.push(version),
            }
        }
    }
    gems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_add_and_take_away() {
        let gems = by_name("created_at: x\n---\na 1,2-java md5\nb 1 md5\na -1 md5\na 3 md5\nb -1 md5\n");
        assert_eq!(gems["a"], ["2-java", "3"]);
        assert!(gems["b"].is_empty());
    }
}
