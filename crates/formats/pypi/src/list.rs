//! The project list: names of everything stored in the repository and in what it can see. What only a public registry
//! has is not listed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use larder_core::access::{Allowed, RepositoryTarget};
use larder_core::model::{PackageFormat, PageRequest};
use larder_core::ports::PackageFilter;
use larder_core::services::{Rendered, Services};
use larder_core::{Error, Result};

use crate::index::{Escaped, html_head};
use crate::negotiate::Representation;
use crate::urls;
use crate::wire::{API_VERSION, ListedProject, Meta, ProjectList};

const PAGE: usize = 1000;

/// A project as the list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    display_name: String,
    /// Never larger than the serial of the project's own page, which may have seen more sources.
    serial: i64,
}

/// Projects by normalized name. The nearest repository's spelling is shown.
pub(crate) async fn projects(
    services: &Services,
    allowed: &Allowed<RepositoryTarget>,
) -> Result<BTreeMap<String, Listed>> {
    let filter = PackageFilter { format: Some(PackageFormat::Pypi), ..PackageFilter::default() };
    let mut projects = BTreeMap::new();
    for repository in services.index.visible_repositories(allowed).await? {
        let mut page = PageRequest::first(PAGE);
        loop {
            let found = services.store.list_packages(repository.id, &filter, &page).await?;
            for package in found.items {
                let listed = Listed { display_name: package.display_name, serial: package.updated_at.0 };
                projects.entry(package.key.name().to_owned()).or_insert(listed);
            }
            match found.next {
                Some(next) => page.after = Some(next),
                None => break,
            }
        }
    }
    Ok(projects)
}

/// Renders the list.
pub(crate) fn render(projects: &BTreeMap<String, Listed>, form: Representation) -> Result<Rendered> {
    let body = match form {
        Representation::Json => {
            let projects = projects
                .values()
                .map(|listed| ListedProject { name: &listed.display_name, last_serial: listed.serial })
                .collect();
            let meta = Meta { api_version: API_VERSION.to_owned() };
            serde_json::to_vec(&ProjectList { meta, projects }).map_err(Error::internal)?
        }
        Representation::Html | Representation::TextHtml => {
            let mut page = html_head("Simple index", None);
            for (name, Listed { display_name, .. }) in projects {
                let _ = writeln!(page, "<a href=\"{}/\">{}</a><br />", urls::segment(name), Escaped(display_name));
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
        let listed = |name: &str| Listed { display_name: name.to_owned(), serial: 7 };
        let names = BTreeMap::from([("foo-bar".to_owned(), listed("Foo.Bar")), ("six".to_owned(), listed("six"))]);
        let json = render(&names, Representation::Json).unwrap();
        let projects = r#"[{"name":"Foo.Bar","_last-serial":7},{"name":"six","_last-serial":7}]"#;
        assert_eq!(json.body, format!(r#"{{"meta":{{"api-version":"1.4"}},"projects":{projects}}}"#));
        let html = String::from_utf8(render(&names, Representation::TextHtml).unwrap().body.to_vec()).unwrap();
        assert!(html.contains("<a href=\"foo-bar/\">Foo.Bar</a>"), "{html}");
    }
}
