use larder_core::model::License;

use super::*;
use crate::archive::tests as archives;

fn key() -> PackageKey {
    names::project_key("iniconfig").unwrap()
}

/// Pages of a registry as stored, in both forms.
pub(crate) fn stored(content_type: &str, body: &'static str) -> StoredIndex {
    StoredIndex {
        body: Some(Bytes::from_static(body.as_bytes())),
        content_type: content_type.to_owned(),
        etag: None,
        last_modified: None,
        checked_at: Timestamp(0),
        revision: 7,
    }
}

const JSON: &str = include_str!("../testdata/registry/iniconfig.json");
const HTML: &str = include_str!("../testdata/registry/iniconfig.html");

#[test]
fn both_forms_of_a_page_promise_the_same_files() {
    let json = stored("application/vnd.pypi.simple.v1+json", JSON);
    let html = stored("text/html; charset=UTF-8", HTML);
    let versions = PypiFormat.index_versions(&key(), &json).unwrap();
    assert_eq!(versions.iter().map(VersionText::as_str).collect::<Vec<_>>(), ["1.1.1", "2.0.0"]);
    assert_eq!(PypiFormat.index_versions(&key(), &html).unwrap(), versions);
    for version in &versions {
        let from_json = PypiFormat.promise(&key(), &json, version).unwrap().unwrap();
        let from_html = PypiFormat.promise(&key(), &html, version).unwrap().unwrap();
        assert_eq!(from_json.metadata, from_html.metadata);
        for (a, b) in from_json.assets.iter().zip(&from_html.assets) {
            assert_eq!((&a.name, &a.url, a.digests.sha256), (&b.name, &b.url, b.digests.sha256));
            assert_eq!(b.digests.size_bytes, None, "HTML has no sizes");
        }
    }
}

#[test]
fn a_promise_has_hashes_times_and_yanks() {
    let json = stored("application/vnd.pypi.simple.v1+json", JSON);
    let promise = PypiFormat.promise(&key(), &json, &VersionText::new("2.0").unwrap()).unwrap().unwrap();
    assert_eq!(promise.version.as_str(), "2.0.0");
    assert_eq!(promise.published_at.unwrap().rfc3339(), "2023-01-07T11:08:09.864Z");
    let [wheel, sdist] = &promise.assets[..] else { panic!("two files") };
    assert_eq!(wheel.digests.size_bytes, Some(5892));
    assert_eq!(
        hex::encode(wheel.digests.sha256.unwrap()),
        "b6a85871a79d2e3b22d2d1b94ac2824226a63c6b741c88f7ae975f18b6778374"
    );
    assert_eq!(FileMetadata::read(&wheel.metadata).requires_python.as_deref(), Some(">=3.7"));
    assert!(sdist.url.starts_with("http://registry.test/packages/"));
    let old = PypiFormat.promise(&key(), &json, &VersionText::new("1.1.1").unwrap()).unwrap().unwrap();
    let yanked = VersionMetadata::read(&old.metadata);
    assert_eq!(yanked.yanked("iniconfig-1.1.1.tar.gz").reason(), Some("superseded"));
    assert!(PypiFormat.promise(&key(), &json, &VersionText::new("3").unwrap()).unwrap().is_none());
}

#[test]
fn the_page_of_another_project_is_refused() {
    let json = stored("application/vnd.pypi.simple.v1+json", JSON);
    assert!(PypiFormat.check_index(&names::project_key("six").unwrap(), &json).is_err());
    assert!(PypiFormat.check_index(&key(), &json).is_ok());
}

#[test]
fn a_wheel_is_inspected_for_details_and_its_metadata_sibling() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), include_bytes!("../testdata/iniconfig-2.0.0-py3-none-any.whl")).unwrap();
    let name = AssetName::new("iniconfig-2.0.0-py3-none-any.whl").unwrap();
    let inspected = PypiFormat.inspect(&name, file.path());
    assert_eq!(inspected.details.summary.as_deref(), Some("brain-dead simple config-ini parsing"));
    assert_eq!(inspected.details.licenses, [License { name: "MIT".to_owned(), url: None }]);
    let (name, kind, bytes) = &inspected.sidecars[0];
    assert_eq!((name.as_str(), *kind), ("iniconfig-2.0.0-py3-none-any.whl.metadata", AssetKind::Sidecar));
    assert!(bytes.starts_with(b"Metadata-Version"));
}

#[test]
fn an_sdist_is_inspected_for_details_only_and_rubbish_for_nothing() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), archives::sdist("foo", "1.0")).unwrap();
    let inspected = PypiFormat.inspect(&AssetName::new("foo-1.0.tar.gz").unwrap(), file.path());
    assert_eq!((inspected.details.summary.as_deref(), inspected.sidecars.len()), (Some("a test"), 0));
    std::fs::write(file.path(), b"rubbish").unwrap();
    for name in ["foo-1.0.tar.gz", "foo-1.0-py3-none-any.whl", "foo-1.0.zip", "foo-1.0.egg"] {
        let inspected = PypiFormat.inspect(&AssetName::new(name).unwrap(), file.path());
        assert_eq!(inspected.details, VersionDetails::default());
    }
}

#[test]
fn names_and_versions_of_the_api_are_normalized() {
    assert_eq!(PypiFormat.package_key(None, "Foo.Bar").unwrap().name(), "foo-bar");
    assert!(PypiFormat.package_key(Some("ns"), "foo").is_err());
    assert_eq!(PypiFormat.version("v1.0RC1").unwrap().as_str(), "1.0rc1");
    assert_eq!(PypiFormat.version("2004d-final").unwrap().as_str(), "2004d-final");
}
