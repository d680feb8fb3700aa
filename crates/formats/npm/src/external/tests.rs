use super::*;

fn index(body: &[u8]) -> StoredIndex {
    StoredIndex {
        body: Some(Bytes::copy_from_slice(body)),
        content_type: "application/json".to_owned(),
        etag: None,
        last_modified: None,
        checked_at: Timestamp(0),
        revision: 1,
    }
}

fn key(name: &str) -> PackageKey {
    names::package_key(name).expect(name)
}

const WRAPPY: &[u8] = include_bytes!("../testdata/wrappy.json");
const SCOPED: &[u8] = include_bytes!("../testdata/sindresorhus-df.json");

#[test]
fn a_scoped_name_is_asked_for_as_npm_does() {
    assert_eq!(Npm.index_request(&key("@s/n")).expect("a request").path, "@s%2fn");
    assert_eq!(Npm.index_request(&key("left-pad")).expect("a request").path, "left-pad");
}

#[test]
fn only_a_document_of_the_package_is_taken() {
    assert_eq!(Npm.check_index(&key("wrappy"), &index(WRAPPY)), Ok(()));
    assert_eq!(Npm.check_index(&key("@sindresorhus/df"), &index(SCOPED)), Ok(()));
    let gone = br#"{"_id":"n","name":"n","time":{"unpublished":{"versions":["1.0.0"]}}}"#;
    assert_eq!(Npm.check_index(&key("n"), &index(gone)), Ok(()));
    assert_eq!(Npm.index_versions(&key("n"), &index(gone)), Ok(vec![]));
    for bad in [
        &b"<html>log in</html>"[..],
        b"[]",
        b"{}",
        br#"{"error":"not_found"}"#,
        br#"{"name":"wrappy","versions":[]}"#,
        br#"{"name":"Wrappy","versions":{}}"#,
        &WRAPPY[..WRAPPY.len() / 2],
    ] {
        assert!(Npm.check_index(&key("wrappy"), &index(bad)).is_err(), "{}", String::from_utf8_lossy(bad));
    }
}

#[test]
fn a_promise_has_what_the_document_says_of_the_version() {
    let version = VersionText::new("1.0.2").expect("a version");
    let promise = Npm.promise(&key("wrappy"), &index(WRAPPY), &version).expect("readable").expect("there");
    assert_eq!(promise.display_name, "wrappy");
    assert_eq!(promise.details.licenses[0].name, "ISC");
    assert!(promise.published_at.is_some());
    assert!(promise.tags.is_empty());
    let asset = &promise.assets[0];
    assert_eq!(asset.name.as_str(), "package.tgz");
    assert_eq!(asset.url, "http://registry.test/wrappy/-/wrappy-1.0.2.tgz");
    assert_eq!(asset.digests.sha1.map(hex::encode).as_deref(), Some("b5243d8f3ec1aa35f1364605bc0d1036e30ab69f"));
    assert!(asset.digests.sha512.is_some());
    let manifest: serde_json::Value = serde_json::from_slice(&promise.metadata).expect("JSON");
    assert_eq!(manifest["version"], "1.0.2");
    let missing = VersionText::new("9.9.9").expect("a version");
    assert!(Npm.promise(&key("wrappy"), &index(WRAPPY), &missing).expect("readable").is_none());
}

#[test]
fn a_promise_that_cannot_be_checked_is_an_error() {
    let version = VersionText::new("1.0.0").expect("a version");
    for dist in [
        r#"{"tarball":"t","shasum":"xyz"}"#,
        r#"{"tarball":"t","integrity":"sha512"}"#,
        r#"{"tarball":"t","integrity":"sha512-QQ=="}"#,
        r#"{"tarball":"t","integrity":"sha512-***"}"#,
    ] {
        let body = format!(r#"{{"name":"n","versions":{{"1.0.0":{{"dist":{dist}}}}}}}"#);
        assert!(Npm.promise(&key("n"), &index(body.as_bytes()), &version).is_err(), "{dist}");
    }
    for dist in ["null", "{}", r#"{"tarball":7}"#] {
        let body = format!(r#"{{"name":"n","versions":{{"1.0.0":{{"dist":{dist}}}}}}}"#);
        assert!(Npm.promise(&key("n"), &index(body.as_bytes()), &version).expect("readable").is_none(), "{dist}");
    }
}

#[test]
fn of_several_hashes_each_kind_is_promised() {
    let sha1 = STANDARD.encode([1; 20]);
    let sha512 = STANDARD.encode([2; 64]);
    let json = format!(r#"{{"integrity":"sha1-{sha1} sha512-{sha512}?foo sha384-QQ=="}}"#);
    let digests = promised_digests(&Members::parse(json.as_bytes()).expect("an object")).expect("readable");
    assert_eq!((digests.sha1, digests.sha512), (Some([1; 20]), Some([2; 64])));
}

#[test]
fn build_metadata_does_not_count_when_a_version_is_looked_up() {
    let body = br#"{"name":"n","versions":{"1.0.0+b":{"dist":{"tarball":"t"}}}}"#;
    let version = Npm.version("1.0.0+a").expect("a version");
    assert_eq!(version.as_str(), "1.0.0");
    assert!(Npm.promise(&key("n"), &index(body), &version).expect("readable").is_some());
    assert_eq!(Npm.index_versions(&key("n"), &index(body)), Ok(vec![version]));
}
