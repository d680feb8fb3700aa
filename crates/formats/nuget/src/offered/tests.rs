use serde_json::json;

use super::*;

fn key() -> PackageKey {
    names::package_key("acme.lib").unwrap()
}

#[test]
fn a_leaf_is_read_in_every_form_that_servers_write() {
    let leaf = json!({
        "catalogEntry": {
            "@id": "http://gallery.example/catalog/1", "id": "Acme.Lib", "version": "1.0.0.0-Beta+x", "authors": ["a", "b"],
            "tags": "one two", "listed": true, "published": "2020-01-02T03:04:05Z", "iconUrl": "javascript:x",
            "requireLicenseAcceptance": true, "packageHash": "aGFzaA==", "packageHashAlgorithm": "SHA512", "packageSize": 7,
            "packageTypes": {"name": "DotnetTool"}, "readmeUrl": "http://gallery.example/readme",
            "dependencyGroups": [{"targetFramework": "net6.0", "dependencies": [{"id": "Dep", "range": "1.0"}, {"id": "../x"}]}],
            "deprecation": {"reasons": "Legacy", "alternatePackage": {"id": "New", "range": "*", "@id": "http://gallery.example"}},
            "vulnerabilities": [{"advisoryUrl": "https://a.example", "severity": 2}, {"severity": "1"}],
        },
        "packageContent": "http://gallery.example/acme.nupkg",
    });
    let read = OfferedVersion::from_leaf(&key(), &leaf).unwrap();
    assert_eq!((read.key.as_str(), read.metadata.version.as_str()), ("1.0.0-beta", "1.0.0-Beta+x"));
    assert_eq!((read.sha512.as_deref(), read.size_bytes, read.is_unlisted), (Some("aGFzaA=="), Some(7), false));
    assert_eq!((read.metadata.authors.as_deref(), read.metadata.icon_url.as_deref()), (Some("a, b"), None));
    assert_eq!(read.metadata.tags, ["one", "two"]);
    assert_eq!(read.metadata.package_types[0].name, "DotnetTool");
    let dependencies = &read.metadata.dependency_groups[0].dependencies;
    assert_eq!(
        dependencies.iter().map(|d| (d.id.as_str(), d.range.as_str())).collect::<Vec<_>>(),
        [("Dep", "[1.0.0, )")]
    );
    assert_eq!(read.metadata.deprecation.as_ref().unwrap().reasons, ["Legacy"]);
    assert_eq!(read.metadata.vulnerabilities.len(), 1, "one without an advisory is none");
    assert!(!serde_json::to_string(&read.metadata).unwrap().contains("gallery.example"));
    // A leaf of its own, whose catalog entry is elsewhere.
    let alone =
        json!({"id": "acme.lib", "version": "2.0", "listed": false, "packageContent": "http://gallery.example/x"});
    let read = OfferedVersion::from_leaf(&key(), &alone).unwrap();
    assert_eq!((read.key.as_str(), read.is_unlisted, read.url.as_str()), ("2.0.0", true, "http://gallery.example/x"));
}

#[test]
fn a_registry_speaks_for_the_package_that_was_asked_for_only() {
    for leaf in [
        json!({"catalogEntry": {"id": "Other", "version": "1.0.0"}}),
        json!({"catalogEntry": {"id": "Acme.Lib"}}),
        json!({"catalogEntry": {"id": "Acme.Lib", "version": "latest"}}),
        json!({"catalogEntry": "http://gallery.example/catalog/1"}),
        json!([]),
    ] {
        assert_eq!(OfferedVersion::from_leaf(&key(), &leaf), None, "{leaf}");
    }
}

#[test]
fn an_old_registry_says_unlisted_with_the_year() {
    let leaf =
        json!({"catalogEntry": {"id": "Acme.Lib", "version": "1.0.0", "published": "1900-01-01T00:00:00+00:00"}});
    let read = OfferedVersion::from_leaf(&key(), &leaf).unwrap();
    assert_eq!((read.is_unlisted, read.published), (true, None));
}

#[test]
fn versions_are_sorted_as_nuget_does_and_each_is_there_once() {
    let bare = |text: &str| OfferedVersion::bare(&key(), &Version::parse(text).unwrap(), text.to_owned());
    let mut offered =
        Offered { versions: ["1.10", "1.9", "1.9.0-a", "1.9.0"].map(bare).to_vec(), ..Offered::default() };
    offered.sort();
    let keys: Vec<_> = offered.versions.iter().map(|version| version.key.as_str()).collect();
    assert_eq!(keys, ["1.9.0-a", "1.9.0", "1.10.0"]);
}
