//! The project list: names of everything stored in the repository and in what it can see. What only a public registry
//! has is not listed.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use larder_core::access::{Allowed, RepositoryTarget};
use larder_core::model::{PackageFormat, PageRequest, RepositoryId};
use larder_core::services::{Rendered, Services};
use larder_core::{Error, Result};

use crate::index::{Escaped, html_head};
use crate::negotiate::Representation;
use crate::urls;
use crate::wire::{API_VERSION, ListedProject, Meta, ProjectList};

const PAGE: usize = 1000;

/// Normalized and displayed names, in order.
pub(crate) async fn names(
    services: &Services,
    allowed: &Allowed<RepositoryTarget>,
) -> Result<BTreeMap<String, String>> {
    let repositories = visible(services, allowed).await?;
    let mut names = BTreeMap::new();
    let mut page = PageRequest::first(PAGE);
    loop {
        let found = services.store.list_package_names(&repositories, PackageFormat::Pypi, &page).await?;
        names.extend(found.items.into_iter().map(|(key, display)| (key.name().to_owned(), display)));
        match found.next {
            Some(next) => page.after = Some(next),
            None => return Ok(names),
        }
    }
}

/// The repository and its upstreams, each once, as many as are searched for one request.
async fn visible(services: &Services, allowed: &Allowed<RepositoryTarget>) -> Result<Vec<RepositoryId>> {
    let start = &allowed.target().repository;
    let mut seen = HashSet::from([start.id]);
    let mut found = vec![start.id];
    let mut next: Vec<RepositoryId> = start.upstreams.iter().rev().map(|upstream| upstream.id).collect();
    while let Some(id) = next.pop() {
        if found.len() >= services.limits.searched_repositories {
            break;
        }
        if !seen.insert(id) {
            continue;
        }
        // A link to a deleted repository fails requests for packages; the list just goes without it.
        let Some(repository) = services.store.find_repository_by_id(id).await? else { continue };
        found.push(id);
        next.extend(repository.upstreams.iter().rev().map(|upstream| upstream.id));
    }
    Ok(found)
}

/// Renders the list.
pub(crate) fn render(names: &BTreeMap<String, String>, form: Representation) -> Result<Rendered> {
    let body = match form {
        Representation::Json => {
            let projects = names.values().map(|name| ListedProject { name }).collect();
            let meta = Meta { api_version: API_VERSION.to_owned(), last_serial: None };
            serde_json::to_vec(&ProjectList { meta, projects }).map_err(Error::internal)?
        }
        Representation::Html | Representation::TextHtml => {
            let mut page = html_head("Simple index", None);
            for (name, display) in names {
                let _ = writeln!(page, "<a href=\"{}/\">{}</a><br />", urls::segment(name), Escaped(display));
            }
            page.push_str("</body>\n</html>\n");
            page.into_bytes()
        }
    };
    Ok(Rendered { content_type: form.content_type(), body: body.into(), last_modified: None, headers: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_shows_display_names_and_links_normalized_ones() {
        let names =
            BTreeMap::from([("foo-bar".to_owned(), "Foo.Bar".to_owned()), ("six".to_owned(), "six".to_owned())]);
        let json = render(&names, Representation::Json).unwrap();
        assert_eq!(
            json.body,
            r#"{"meta":{"api-version":"1.4"},"projects":[{"name":"Foo.Bar"},{"name":"six"}]}"#.as_bytes()
        );
        let html = String::from_utf8(render(&names, Representation::TextHtml).unwrap().body.to_vec()).unwrap();
        assert!(html.contains("<a href=\"foo-bar/\">Foo.Bar</a>"), "{html}");
    }
}
