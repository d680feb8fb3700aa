//! `GET v3/index.json`: where everything is (protocol reference 4.1). Each alias has an entry of its own, because a
//! client takes the newest that it knows.

use std::sync::Arc;

use larder_core::Error;
use larder_core::services::{Document, Rendered};
use larder_http::{RepositoryRequest, answer_document};

use crate::routes::{Answer, Routes};
use crate::urls::Urls;
use crate::vulnerabilities::{ABSENT_FOR, FRESH_FOR};
use crate::wire::{Resource, ServiceIndex};

/// Type, path below `v3/` (a hive's ends with `/`) and what it is.
const RESOURCES: [(&str, &str, &str); 18] = [
    ("PackageBaseAddress/3.0.0", "flatcontainer/", "packages and their manifests"),
    ("SearchQueryService", "search", "search"),
    ("SearchQueryService/3.0.0-beta", "search", "search"),
    ("SearchQueryService/3.0.0-rc", "search", "search"),
    ("SearchQueryService/3.5.0", "search", "search by package type"),
    ("SearchAutocompleteService", "autocomplete", "ids and versions"),
    ("SearchAutocompleteService/3.0.0-beta", "autocomplete", "ids and versions"),
    ("SearchAutocompleteService/3.0.0-rc", "autocomplete", "ids and versions"),
    ("SearchAutocompleteService/3.5.0", "autocomplete", "ids and versions by package type"),
    ("PackagePublish/2.0.0", "publish", "push, unlist and relist"),
    ("SymbolPackagePublish/4.9.0", "symbolpackage", "push of symbol packages"),
    ("RegistrationsBaseUrl", "registration/", "registrations without SemVer 2"),
    ("RegistrationsBaseUrl/3.0.0-beta", "registration/", "registrations without SemVer 2"),
    ("RegistrationsBaseUrl/3.0.0-rc", "registration/", "registrations without SemVer 2"),
    ("RegistrationsBaseUrl/3.4.0", "registration-gz/", "registrations without SemVer 2, in gzip"),
    ("RegistrationsBaseUrl/3.6.0", "registration-gz-semver2/", "registrations, in gzip"),
    ("RegistrationsBaseUrl/Versioned", "registration-gz-semver2/", "registrations, in gzip"),
    ("ReadmeUriTemplate/6.13.0", "flatcontainer/{lower_id}/{lower_version}/readme", "READMEs"),
];

/// Named only where there is a public registry that has it.
const VULNERABILITIES: [(&str, &str, &str); 1] =
    [("VulnerabilityInfo/6.7.0", "vulnerabilities/index.json", "the public registry's pages of vulnerabilities")];

impl Routes {
    /// Answers the service index.
    pub(crate) async fn get_service_index(&self, request: &RepositoryRequest) -> Answer {
        let allowed = request.may_read(&self.services.access).await?;
        let gallery = self.gallery(&allowed).await?;
        let has_vulnerabilities = match gallery {
            Some(gallery) => self.has_vulnerabilities(gallery).await,
            None => false,
        };
        let name = format!("{has_vulnerabilities} {}", request.base);
        let now = self.services.clock.now();
        let held = self.service_indexes.get(&name);
        let document = match held.filter(|held| held.fresh_until.is_none_or(|until| now < until)) {
            Some(document) => document,
            None => {
                let mut document = Document::build(render(Urls { base: &request.base }, has_vulnerabilities)?);
                let span = if has_vulnerabilities { FRESH_FOR } else { ABSENT_FOR };
                document.fresh_until = gallery.map(|_| now.plus(span));
                let document = Arc::new(document);
                self.service_indexes.insert(name, Arc::clone(&document));
                document
            }
        };
        Ok(answer_document(&allowed, &request.method, &request.headers, &document))
    }
}

fn render(urls: Urls<'_>, has_vulnerabilities: bool) -> Result<Rendered, Error> {
    let resource = |&(kind, path, comment): &(&'static str, &str, &'static str)| Resource {
        id: urls.resource(path),
        kind,
        comment,
        client_version: (kind == "RegistrationsBaseUrl/Versioned").then_some("4.3.0-alpha"),
    };
    let resources = RESOURCES.iter().chain(VULNERABILITIES.iter().filter(|_| has_vulnerabilities)).map(resource);
    let index = ServiceIndex { version: "3.0.0", resources: resources.collect() };
    let body = serde_json::to_vec(&index).map_err(Error::internal)?.into();
    Ok(Rendered { content_type: "application/json", body, last_modified: None, headers: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::urls::Hive;

    #[test]
    fn every_resource_lies_below_the_folder_of_the_index_and_hives_are_those_that_are_served() {
        let base = "https://larder.test/d/dom-123456789012/nuget/repo";
        let body = render(Urls { base }, true).unwrap().body;
        let index: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let resources = index["resources"].as_array().unwrap();
        for resource in resources {
            assert!(resource["@id"].as_str().unwrap().starts_with(&format!("{base}/v3/")), "{resource}");
        }
        let hives =
            resources.iter().filter(|resource| resource["@type"].as_str().unwrap().starts_with("Registrations"));
        for hive in hives {
            let folder = hive["@id"].as_str().unwrap().trim_end_matches('/').rsplit('/').next().unwrap();
            assert!(Hive::of(folder).is_some(), "{folder}");
        }
    }
}
