//! A stand-in for the public gallery, laid out like it.

use larder_testkit::Registry;
use serde_json::{Value, json};

use super::Nupkg;

/// A stand-in for the public gallery: a static tree in its layout.
#[derive(Debug)]
pub struct Gallery {
    pub registry: Registry,
    packages: Vec<(Nupkg, Value)>,
}

impl Gallery {
    /// An empty one.
    #[must_use]
    pub fn start() -> Self {
        let gallery = Self { registry: Registry::start(), packages: Vec::new() };
        let resource = |kind: &str, path: &str| json!({"@id": gallery.url(path), "@type": kind});
        let index = json!({"version": "3.0.0", "resources": [
            resource("PackageBaseAddress/3.0.0", "v3-flatcontainer/"),
            resource("RegistrationsBaseUrl", "v3/registration-old/"),
            resource("RegistrationsBaseUrl/3.6.0", "v3/registration/"),
            resource("SearchQueryService", "query"),
        ]});
        gallery.put("v3/index.json", &index);
        gallery
    }

    /// The address for `public:nuget-org`.
    #[must_use]
    pub fn index_url(&self) -> String {
        self.url("v3/index.json")
    }

    fn url(&self, path: &str) -> String {
        format!("{}/gallery/{path}", self.registry.url())
    }

    /// Puts a document at a path.
    pub fn put(&self, path: &str, document: &Value) {
        self.registry.replace(&format!("/gallery/{path}"), document.to_string().into_bytes());
    }

    /// Publishes a package.
    pub fn add(&mut self, package: &Nupkg) {
        self.add_with(package, &json!({}));
    }

    /// Publishes a package whose catalog entry has these members, too.
    pub fn add_with(&mut self, package: &Nupkg, members: &Value) {
        let (id, version) = package.lower();
        let mut entry = json!({
            "id": package.id, "version": package.version, "authors": "somebody", "description": "public",
            "listed": true, "published": "2020-05-06T07:08:09.123+00:00",
        });
        for (name, value) in members.as_object().into_iter().flatten() {
            entry[name] = value.clone();
        }
        let bytes = package.bytes();
        self.registry.replace(&format!("/gallery/v3-flatcontainer/{id}/{version}/{id}.{version}.nupkg"), bytes);
        self.packages.retain(|(known, _)| known.lower() != package.lower());
        self.packages.push((package.clone(), entry));
        self.lay_out(&id);
    }

    /// Takes a version away.
    pub fn remove(&mut self, id: &str, version: &str) {
        self.packages.retain(|(known, _)| known.lower() != (id.to_lowercase(), version.to_lowercase()));
        self.lay_out(&id.to_lowercase());
    }

    /// Writes the documents of one package: its registration as one page of its own, as the gallery has it.
    fn lay_out(&self, id: &str) {
        let mut leaves = Vec::new();
        let mut versions = Vec::new();
        for (package, entry) in self.packages.iter().filter(|(package, _)| package.lower().0 == id) {
            let version = package.lower().1;
            let catalog = self.url(&format!("v3/catalog0/data/{id}.{version}.json"));
            let content = self.url(&format!("v3-flatcontainer/{id}/{version}/{id}.{version}.nupkg"));
            let registration = self.url(&format!("v3/registration/{id}/index.json"));
            let mut in_catalog = entry.clone();
            in_catalog["packageHash"] = json!(package.content_hash());
            in_catalog["packageHashAlgorithm"] = json!("SHA512");
            in_catalog["packageSize"] = json!(package.bytes().len());
            self.put(&format!("v3/catalog0/data/{id}.{version}.json"), &in_catalog);
            let at = self.url(&format!("v3/registration/{id}/{version}.json"));
            self.put(
                &format!("v3/registration/{id}/{version}.json"),
                &json!({"@id": at, "catalogEntry": catalog, "listed": entry["listed"], "packageContent": content,
                    "published": entry["published"], "registration": registration}),
            );
            let mut in_page = entry.clone();
            in_page["@id"] = json!(catalog);
            leaves.push(json!({"@id": at, "@type": "Package", "catalogEntry": in_page, "packageContent": content,
                "registration": registration}));
            versions.push(version);
        }
        let page = self.url(&format!("v3/registration/{id}/page/all.json"));
        let count = leaves.len();
        self.put(
            &format!("v3/registration/{id}/page/all.json"),
            &json!({"@id": page, "count": count, "items": leaves}),
        );
        let bounds = (versions.first().cloned().unwrap_or_default(), versions.last().cloned().unwrap_or_default());
        self.put(
            &format!("v3/registration/{id}/index.json"),
            &json!({"count": 1, "items": [{"@id": page, "count": count, "lower": bounds.0, "upper": bounds.1}]}),
        );
        self.put(&format!("v3-flatcontainer/{id}/index.json"), &json!({"versions": versions}));
    }
}
