use std::collections::HashMap;
use std::sync::Mutex as StdMutex;

use larder_core::model::Timestamp;

use super::*;

const CKSUM: &str = "aa11aa11aa11aa11aa11aa11aa11aa11aa11aa11aa11aa11aa11aa11aa11aa11";

/// The line of a version.
fn line_of(name: &str, version: &str) -> String {
    format!(
        r#"{{"name":"{name}","vers":"{version}","deps":[{{"name":"b","req":"^1","kind":"build"}}],"cksum":"{CKSUM}","features":{{}},"yanked":false,"unknown":[1, 2],"pubtime":"2026-01-02T03:04:05Z"}}"#
    )
}

/// Documents by path; an answer is not modified if the validator is the text's length.
#[derive(Default)]
struct Documents {
    by_path: StdMutex<HashMap<String, String>>,
    asked: StdMutex<Vec<String>>,
}

impl Documents {
    fn put(&self, path: &str, text: &str) {
        self.by_path.lock().unwrap().insert(path.to_owned(), text.to_owned());
    }

    fn asked(&self, path: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == path).count()
    }
}

#[async_trait]
impl RegistryDocuments for Documents {
    async fn get(&self, request: &RegistryRequest, _limit_bytes: usize) -> CoreResult<RegistryAnswer> {
        self.asked.lock().unwrap().push(request.path.clone());
        let Some(text) = self.by_path.lock().unwrap().get(&request.path).cloned() else {
            return Ok(RegistryAnswer::NotFound);
        };
        let etag = Some(text.len().to_string());
        if request.etag == etag {
            return Ok(RegistryAnswer::NotModified);
        }
        let content_type = "text/plain".to_owned();
        Ok(RegistryAnswer::Found { body: text.into(), content_type, etag, last_modified: None })
    }
}

fn key() -> PackageKey {
    names::crate_key("Foo-Bar").unwrap()
}

fn stored(answer: RegistryAnswer) -> StoredIndex {
    let RegistryAnswer::Found { body, content_type, etag, last_modified } = answer else { panic!("{answer:?}") };
    StoredIndex { body: Some(body), content_type, etag, last_modified, checked_at: Timestamp(0), revision: 0 }
}

fn registry() -> Documents {
    let registry = Documents::default();
    registry.put("config.json", r#"{"dl":"https://files.test/crates","api":null}"#);
    registry.put("fo/o-/foo-bar", &format!("{}\n{}\n", line_of("Foo-Bar", "1.0.0"), line_of("Foo-Bar", "1.1.0+b")));
    registry
}

#[test]
fn templates_are_filled_as_cargo_fills_them() {
    let fill = |template| file_url(template, "Foo-Bar", "1.0.0+b", CKSUM);
    assert_eq!(fill("https://x.test/crates"), "https://x.test/crates/Foo-Bar/1.0.0+b/download");
    assert_eq!(fill("https://x.test/crates/"), "https://x.test/crates/Foo-Bar/1.0.0+b/download");
    assert_eq!(fill("https://x.test/{crate}-{version}.crate"), "https://x.test/Foo-Bar-1.0.0+b.crate");
    assert_eq!(fill("https://x.test/{prefix}/{lowerprefix}/{crate}"), "https://x.test/Fo/o-/fo/o-/Foo-Bar");
    assert_eq!(fill("https://x.test/{sha256-checksum}"), format!("https://x.test/{CKSUM}"));
    assert_eq!(fill("https://x.test/{unknown}"), "https://x.test/{unknown}/Foo-Bar/1.0.0+b/download");
}

#[test]
fn a_config_names_an_address() {
    assert_eq!(read_config(br#"{"dl":"http://x.test/a","auth-required":true}"#).unwrap(), "http://x.test/a");
    for bad in [
        &b"<html>"[..],
        b"{}",
        br#"{"dl":null}"#,
        br#"{"dl":"/relative"}"#,
        br#"{"dl":"file:///etc"}"#,
        br#"{"dl":"http://x.test/a b"}"#,
        br#"{"dl":"http://x.test/a\nb"}"#,
    ] {
        assert!(read_config(bad).is_err(), "{}", String::from_utf8_lossy(bad));
    }
}

#[tokio::test]
async fn the_stored_index_is_the_file_byte_for_byte_behind_its_template() {
    let (format, registry) = (CargoFormat::default(), registry());
    let index = stored(format.fetch_index(&registry, &key(), None).await.unwrap());
    format.check_index(&key(), &index).unwrap();
    let body = index.body.clone().unwrap();
    let file = StoredFile::parse(&body).unwrap();
    assert_eq!(file.template, "https://files.test/crates");
    assert_eq!(file.lines, registry.by_path.lock().unwrap()["fo/o-/foo-bar"].as_bytes());
    let versions = format.index_versions(&key(), &index).unwrap();
    assert_eq!(versions.iter().map(VersionText::as_str).collect::<Vec<_>>(), ["1.0.0", "1.1.0"]);

    let promise = format.promise(&key(), &index, &VersionText::new("1.1.0").unwrap()).unwrap().unwrap();
    assert_eq!(promise.metadata, line_of("Foo-Bar", "1.1.0+b"), "the line as it is");
    assert_eq!(promise.display_name, "Foo-Bar");
    assert_eq!(promise.published_at.unwrap().rfc3339(), "2026-01-02T03:04:05.000Z");
    assert_eq!(promise.details.dependencies[0].dependency_type.as_deref(), Some("build"));
    let asset = &promise.assets[0];
    assert_eq!(asset.name.as_str(), "Foo-Bar-1.1.0+b.crate");
    assert_eq!(asset.url, "https://files.test/crates/Foo-Bar/1.1.0+b/download");
    assert_eq!(asset.digests.sha256.map(hex::encode).as_deref(), Some(CKSUM));
    assert!(format.promise(&key(), &index, &VersionText::new("2.0.0").unwrap()).unwrap().is_none());
}

#[tokio::test]
async fn the_config_is_asked_for_once_and_the_file_with_its_validator() {
    let (format, registry) = (CargoFormat::default(), registry());
    let index = stored(format.fetch_index(&registry, &key(), None).await.unwrap());
    let again = format.fetch_index(&registry, &key(), Some(&index)).await.unwrap();
    assert!(matches!(again, RegistryAnswer::NotModified), "{again:?}");
    assert_eq!((registry.asked("config.json"), registry.asked("fo/o-/foo-bar")), (1, 2));
    let other = names::crate_key("other").unwrap();
    assert!(matches!(format.fetch_index(&registry, &other, None).await.unwrap(), RegistryAnswer::NotFound));
}

#[tokio::test]
async fn a_registry_that_moves_its_files_is_followed_though_the_index_stays() {
    let registry = registry();
    let index = stored(CargoFormat::default().fetch_index(&registry, &key(), None).await.unwrap());
    registry.put("config.json", r#"{"dl":"https://elsewhere.test/{crate}"}"#);
    let moved = stored(CargoFormat::default().fetch_index(&registry, &key(), Some(&index)).await.unwrap());
    let body = moved.body.clone().unwrap();
    assert_eq!(StoredFile::parse(&body).unwrap().template, "https://elsewhere.test/{crate}");
    assert_eq!((moved.etag, body.ends_with(b"}\n")), (index.etag, true));
}

#[tokio::test]
async fn without_a_config_there_is_no_registry() {
    let registry = registry();
    for config in ["<html>", "{}"] {
        registry.put("config.json", config);
        let failed = CargoFormat::default().fetch_index(&registry, &key(), None).await;
        assert!(matches!(failed, Err(Error::Upstream { .. })), "{failed:?}");
    }
    registry.by_path.lock().unwrap().remove("config.json");
    let failed = CargoFormat::default().fetch_index(&registry, &key(), None).await.unwrap_err();
    assert!(failed.to_string().contains("root of a sparse index"), "{failed}");
}

#[test]
fn pages_that_are_no_index_of_the_crate_are_refused() {
    let good = line_of("Foo-Bar", "1.0.0");
    for (file, what) in [
        (String::new(), "empty"),
        ("<html><body>log in</body></html>".to_owned(), "a page"),
        (good[..good.len() / 2].to_owned(), "half a line"),
        (format!("{good}\n{}", &good[..20]), "cut in the second line"),
        (line_of("bar", "1.0.0"), "another crate"),
        (format!("{good}\n{{}}"), "no version"),
        ("null".to_owned(), "null"),
    ] {
        assert!(check_file("foo-bar", file.as_bytes()).is_err(), "{what}");
    }
    assert!(check_file("foo-bar", format!("{good}\n\n{good}").as_bytes()).is_ok());
}

#[test]
fn a_checksum_that_is_none_promises_nothing() {
    let format = CargoFormat::default();
    let lines = line_of("Foo-Bar", "1.0.0").replace(CKSUM, "none");
    let body = StoredFile::compose("https://files.test/", lines.as_bytes()).unwrap();
    let index =
        stored(RegistryAnswer::Found { body, content_type: CONTENT_TYPE.to_owned(), etag: None, last_modified: None });
    assert!(format.promise(&key(), &index, &VersionText::new("1.0.0").unwrap()).is_err());
}

#[test]
fn api_callers_may_spell_a_crate_as_they_like() {
    let format = CargoFormat::default();
    assert_eq!(format.package_key(None, "Foo-Bar").unwrap(), key());
    assert!(format.package_key(Some("x"), "foo").is_err());
    assert!(format.package_key(None, "9").is_err());
    assert_eq!(format.version("1.0.0+x").unwrap().as_str(), "1.0.0");
    assert!(format.version("1").is_err());
}
