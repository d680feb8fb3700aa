use std::collections::HashMap;
use std::sync::Mutex;

use larder_core::ports::RegistryRequest;
use serde_json::{Value, json};

use super::*;

/// A registry made of documents by address; the service index has the address `index.json`.
#[derive(Default)]
struct Documents {
    documents: HashMap<String, Value>,
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl RegistryDocuments for Documents {
    async fn get(&self, request: &RegistryRequest, _limit_bytes: usize) -> CoreResult<RegistryAnswer> {
        let address = request.reference.clone().unwrap_or_else(|| request.path.clone());
        self.asked.lock().unwrap().push(address.clone());
        let Some(document) = self.documents.get(&address) else { return Ok(RegistryAnswer::NotFound) };
        let body = document.to_string();
        let etag = Some(format!("\"{}\"", body.len()));
        if request.etag == etag {
            return Ok(RegistryAnswer::NotModified);
        }
        Ok(RegistryAnswer::Found { body: body.into(), content_type: String::new(), etag, last_modified: None })
    }
}

impl Documents {
    fn new(resources: &[(&str, &str)]) -> Self {
        let resources: Vec<_> = resources.iter().map(|(kind, id)| json!({"@id": id, "@type": kind})).collect();
        Self::default().with("index.json", json!({"version": "3.0.0", "resources": resources}))
    }

    fn with(mut self, address: &str, document: Value) -> Self {
        self.documents.insert(address.to_owned(), document);
        self
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

const FLAT: &str = "http://g.example/flat";
const HIVE: &str = "http://g.example/hive/";

fn key() -> PackageKey {
    names::package_key("acme").unwrap()
}

fn text(version: &str) -> VersionText {
    VersionText::new(version).unwrap()
}

fn stored(answer: RegistryAnswer) -> StoredIndex {
    let RegistryAnswer::Found { body, content_type, etag, last_modified } = answer else { panic!("{answer:?}") };
    StoredIndex { body: Some(body), content_type, etag, last_modified, checked_at: Timestamp(0), revision: 1 }
}

async fn fetch(registry: &Documents, key: &PackageKey, held: Option<&StoredIndex>) -> CoreResult<RegistryAnswer> {
    NugetFormat.fetch_index(registry, key, held).await
}

/// Both resources, with two versions in the registration and one more in the flat container.
fn gallery() -> Documents {
    let entry =
        |version: &str, listed: bool| json!({"catalogEntry": {"id": "Acme", "version": version, "listed": listed}});
    Documents::new(&[
        ("RegistrationsBaseUrl/3.4.0", "http://g.example/old/"),
        ("RegistrationsBaseUrl/3.6.0", HIVE),
        ("PackageBaseAddress/3.0.0", FLAT),
    ])
    .with("http://g.example/flat/acme/index.json", json!({"versions": ["1.0.0", "2.0.0", "3.0.0"]}))
    .with(
        "http://g.example/hive/acme/index.json",
        json!({"items": [
            {"@id": "http://g.example/hive/acme/index.json#page", "items": [entry("1.0.0", true)]},
            {"@id": "http://g.example/hive/acme/2.json#x"},
        ]}),
    )
    .with("http://g.example/hive/acme/2.json", json!({"items": [entry("2.0.0", false)]}))
}

#[tokio::test]
async fn an_index_is_made_of_the_flat_container_and_the_newest_hive() {
    let index = stored(fetch(&gallery(), &key(), None).await.unwrap());
    NugetFormat.check_index(&key(), &index).unwrap();
    let versions = NugetFormat.index_versions(&key(), &index).unwrap();
    assert_eq!(versions, [text("1.0.0"), text("3.0.0")], "2.0.0 is unlisted");
    let promise = NugetFormat.promise(&key(), &index, &text("2.0.0")).unwrap().unwrap();
    assert_eq!(promise.assets[0].url, "http://g.example/flat/acme/2.0.0/acme.2.0.0.nupkg");
    assert_eq!((promise.assets[0].name.as_str(), promise.display_name.as_str()), ("acme.2.0.0.nupkg", "Acme"));
    assert!(NugetFormat.promise(&key(), &index, &text("4.0.0")).unwrap().is_none());
}

#[tokio::test]
async fn an_index_whose_documents_are_unchanged_is_kept_and_one_change_reads_both() {
    let mut registry = gallery();
    let held = stored(fetch(&registry, &key(), None).await.unwrap());
    registry.asked();
    assert!(matches!(fetch(&registry, &key(), Some(&held)).await.unwrap(), RegistryAnswer::NotModified));
    assert_eq!(registry.asked().len(), 3, "service index, list, registration");
    registry = registry
        .with("http://g.example/flat/acme/index.json", json!({"versions": ["1.0.0", "2.0.0", "3.0.0", "10.0.0"]}));
    let index = stored(fetch(&registry, &key(), Some(&held)).await.unwrap());
    assert!(NugetFormat.promise(&key(), &index, &text("10.0.0")).unwrap().is_some());
    assert!(NugetFormat.promise(&key(), &index, &text("1.0.0")).unwrap().is_some());
    registry.documents.retain(|address, _| address == "index.json");
    assert!(matches!(fetch(&registry, &key(), Some(&held)).await.unwrap(), RegistryAnswer::NotFound));
}

#[tokio::test]
async fn a_registry_may_have_one_of_the_two_resources() {
    let flat = Documents::new(&[("PackageBaseAddress/3.0.0", FLAT)])
        .with("http://g.example/flat/acme/index.json", json!({"versions": ["1.0.0"]}));
    let index = stored(fetch(&flat, &key(), None).await.unwrap());
    assert_eq!(NugetFormat.index_versions(&key(), &index).unwrap().len(), 1);
    let document = NugetFormat.promising_document(&key(), &text("1.0.0"), &AssetName::new("x").unwrap());
    let one = stored(fetch(&flat, &document, None).await.unwrap());
    assert!(!NugetFormat.promise(&key(), &one, &text("1.0.0")).unwrap().unwrap().assets[0].digests.has_digest());

    let leaf =
        json!({"catalogEntry": {"id": "Acme", "version": "1.0.0"}, "packageContent": "http://g.example/a.nupkg"});
    let hive = Documents::new(&[("RegistrationsBaseUrl", HIVE)])
        .with("http://g.example/hive/acme/index.json", json!({"items": [{"items": [leaf]}]}));
    let index = stored(fetch(&hive, &key(), None).await.unwrap());
    let promise = NugetFormat.promise(&key(), &index, &text("1.0.0")).unwrap().unwrap();
    assert_eq!(promise.assets[0].url, "http://g.example/a.nupkg");
    let neither = Documents::new(&[("SearchQueryService", "http://g.example/q")]);
    assert!(matches!(fetch(&neither, &key(), None).await, Err(Error::Upstream { .. })));
    assert!(matches!(fetch(&Documents::default(), &key(), None).await, Err(Error::Upstream { .. })));
}

#[tokio::test]
async fn a_download_is_promised_by_the_catalog_of_the_same_host() {
    let digest = STANDARD.encode([7; 64]);
    let catalog = json!({"id": "Acme", "version": "1.0.0", "packageHash": digest, "packageHashAlgorithm": "SHA512", "packageSize": 9});
    let registry = |address: &str| {
        let leaf = json!({"catalogEntry": address, "packageContent": "http://g.example/a.nupkg", "listed": true});
        gallery()
            .with("http://g.example/hive/acme/1.0.0.json", leaf)
            .with("http://g.example/catalog/1.json", catalog.clone())
    };
    let document = NugetFormat.promising_document(&key(), &text("1.0.0"), &AssetName::new("x").unwrap());
    let index = stored(fetch(&registry("http://g.example/catalog/1.json"), &document, None).await.unwrap());
    let asset = NugetFormat.promise(&key(), &index, &text("1.0.0")).unwrap().unwrap().assets.remove(0);
    assert_eq!((asset.digests.sha512, asset.digests.size_bytes), (Some([7; 64]), Some(9)));
    assert_eq!(asset.url, "http://g.example/flat/acme/1.0.0/acme.1.0.0.nupkg");

    let elsewhere = registry("http://catalog.example/1.json");
    let index = stored(fetch(&elsewhere, &document, None).await.unwrap());
    let asset = NugetFormat.promise(&key(), &index, &text("1.0.0")).unwrap().unwrap().assets.remove(0);
    assert!(!asset.digests.has_digest());
    assert!(elsewhere.asked().iter().all(|asked| !asked.contains("catalog.example")));
    let missing = NugetFormat.promising_document(&key(), &text("9.0.0"), &AssetName::new("x").unwrap());
    assert!(matches!(fetch(&gallery(), &missing, None).await.unwrap(), RegistryAnswer::NotFound));
}

#[tokio::test]
async fn a_document_that_is_something_else_is_a_failure() {
    for (address, document) in [
        ("http://g.example/flat/acme/index.json", json!({"error": "log in"})),
        ("http://g.example/hive/acme/index.json", json!([])),
        ("http://g.example/hive/acme/2.json", json!({"items": "none"})),
    ] {
        let answer = fetch(&gallery().with(address, document), &key(), None).await;
        assert!(matches!(answer, Err(Error::Upstream { .. })), "{address}: {answer:?}");
    }
    let mut lost = gallery();
    lost.documents.remove("http://g.example/hive/acme/2.json");
    assert!(matches!(fetch(&lost, &key(), None).await, Err(Error::Upstream { .. })), "a page is lost");
}
