use std::sync::Arc;

use insta::assert_snapshot;
use larder_core::model::{
    AccountId, DomainId, DomainName, ExternalConnection, Origin, OriginRestrictions, PackageId, PackageVersion,
    Repository, RepositoryName, Revision, VersionStatus,
};
use serde_json::{Value, json};

use super::*;

const BASE: &str = "http://larder.test/d/dom-123456789012/npm/repo";

fn key(name: &str) -> PackageKey {
    names::package_key(name).expect(name)
}

fn repository(id: i64) -> Arc<Repository> {
    Arc::new(Repository {
        id: RepositoryId(id),
        domain: DomainId(1),
        domain_owner: AccountId::new("123456789012").expect("an account"),
        domain_name: DomainName::new("dom").expect("a name"),
        name: RepositoryName::new(format!("repo-{id}")).expect("a name"),
        administrator: AccountId::new("123456789012").expect("an account"),
        description: None,
        created_at: Timestamp(0),
        upstreams: vec![],
        external_connection: None,
        policy: None,
    })
}

fn version(number: &str, status: VersionStatus, at: i64, manifest: Value) -> PackageVersion {
    let manifest = if manifest.is_null() { json!({"name": "n", "version": number, "dist": {}}) } else { manifest };
    PackageVersion {
        id: VersionId(at),
        version: names::coordinate(number).expect("a version"),
        status,
        revision: Revision("r".to_owned()),
        origin: Origin::internal(RepositoryName::new("repo").expect("a name")),
        source_published_at: None,
        first_seen_at: Timestamp(at),
        published_at: Timestamp(at),
        metadata: manifest.to_string().into(),
        assets: vec![],
    }
}

fn hosted(id: i64, name: &str, tags: &[(&str, &str)], versions: Vec<PackageVersion>) -> Layer {
    let package = Package {
        id: PackageId(id),
        key: key(name),
        display_name: name.to_owned(),
        restrictions: OriginRestrictions::PUBLISHED,
        tags: tags.iter().map(|(tag, version)| ((*tag).to_owned(), (*version).to_owned())).collect(),
        created_at: Timestamp(0),
        updated_at: Timestamp(86_400_000),
        revision: 3,
    };
    Layer::Hosted { repository: repository(id), package: HostedPackage { package, versions } }
}

fn registry(body: &[u8]) -> Layer {
    let index = StoredIndex {
        body: Some(Bytes::copy_from_slice(body)),
        content_type: "application/json".to_owned(),
        etag: None,
        last_modified: None,
        checked_at: Timestamp(0),
        revision: 1,
    };
    let connection = ExternalConnection::parse("public:npmjs").expect("known");
    Layer::Registry { repository: repository(9), connection, index: Arc::new(index) }
}

fn render_text(name: &str, layers: &[Layer], form: &Form, upstream_tags_win: bool) -> Result<String> {
    let sources = Sources { repository: RepositoryId(1), key: &key(name), layers, upstream_tags_win };
    let rendered = render(&sources, form, BASE, &|id| (id.0 == 2).then(|| "# Read \"me\"".to_owned()))?;
    Ok(String::from_utf8(rendered.body.to_vec()).expect("text"))
}

fn document(name: &str, layers: &[Layer], form: &Form) -> Value {
    serde_json::from_str(&render_text(name, layers, form, false).expect("rendered")).expect("JSON")
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("a value")
}

#[test]
fn a_registry_document_is_passed_on_but_for_its_addresses() {
    for (name, body) in [
        ("wrappy", &include_bytes!("../testdata/wrappy.json")[..]),
        ("@sindresorhus/df", include_bytes!("../testdata/sindresorhus-df.json")),
        ("left-pad", include_bytes!("../testdata/left-pad.json")),
        ("cpu-features", include_bytes!("../testdata/cpu-features.json")),
    ] {
        let mut ours = document(name, &[registry(body)], &Form::Full);
        let theirs: Value = serde_json::from_slice(body).expect("JSON");
        for (number, manifest) in ours["versions"].as_object_mut().expect("an object") {
            let tarball = manifest["dist"]["tarball"].as_str().expect("an address").to_owned();
            let file = format!("{}-{number}.tgz", name.rsplit('/').next().expect("a name"));
            assert_eq!(tarball, format!("{BASE}/{name}/-/{file}"));
            manifest["dist"]["tarball"] = theirs["versions"][number]["dist"]["tarball"].clone();
        }
        for (member, value) in theirs.as_object().expect("an object") {
            if member == "time" {
                for (version, time) in value.as_object().expect("an object") {
                    assert_eq!(ours["time"][version], *time, "{name} {version}");
                }
            } else {
                assert_eq!(ours[member], *value, "{name} {member}");
            }
        }
    }
}

#[test]
fn the_short_form_of_a_real_package() {
    let layers = [registry(include_bytes!("../testdata/cpu-features.json"))];
    assert_snapshot!(pretty(&document("cpu-features", &layers, &Form::Abbreviated)));
}

#[test]
fn the_full_form_of_a_published_package() {
    let manifest = json!({
        "name": "@s/n", "version": "1.1.0", "description": "text", "license": "MIT", "keywords": ["k"],
        "deprecated": "", "maintainers": [{"name": "alice"}], "readmeFilename": "README.md",
        "dependencies": {"left-pad": "^1"},
        "dist": {
            "integrity": "sha512-x", "shasum": "y", "fileCount": 2, "unpackedSize": 10, "tarball": "http://elsewhere/x.tgz",
            "attestations": {"url": "", "provenance": {"predicateType": "p"}},
        },
    });
    let layers = [hosted(
        1,
        "@s/n",
        &[("latest", "1.1.0"), ("gone", "0.9.0")],
        vec![
            version("1.0.0", VersionStatus::Published, 1, json!({"name": "@s/n", "version": "1.0.0", "dist": {}})),
            version("1.1.0", VersionStatus::Published, 2, manifest),
            version("1.2.0", VersionStatus::Unlisted, 3, Value::Null),
            version("1.3.0", VersionStatus::Archived, 4, Value::Null),
            version("1.4.0", VersionStatus::Disposed, 5, Value::Null),
        ],
    )];
    assert_snapshot!(pretty(&document("@s/n", &layers, &Form::Full)));
}

#[test]
fn the_first_source_that_knows_a_version_supplies_or_hides_it() {
    let upstream = json!({"name": "n", "dist-tags": {"latest": "3.0.0", "old": "1.0.0"}, "versions": {
        "1.0.0": {"name": "n", "version": "1.0.0", "from": "registry"},
        "2.0.0": {"name": "n", "version": "2.0.0", "from": "registry"},
        "3.0.0": {"name": "n", "version": "3.0.0", "from": "registry"},
    }, "time": {"0.1.0": "2000-01-01T00:00:00.000Z", "3.0.0": "2000-01-02T00:00:00.000Z"}});
    let layers = [
        hosted(
            1,
            "n",
            &[("latest", "2.0.0")],
            vec![
                version("2.0.0", VersionStatus::Published, 2, json!({"name": "n", "version": "2.0.0", "from": "own"})),
                version("3.0.0", VersionStatus::Archived, 3, Value::Null),
            ],
        ),
        registry(upstream.to_string().as_bytes()),
    ];
    let merged = document("n", &layers, &Form::Full);
    let versions = merged["versions"].as_object().expect("an object");
    let from: Vec<_> = versions.iter().map(|(number, manifest)| (number.as_str(), manifest["from"].as_str())).collect();
    assert_eq!(from, [("1.0.0", Some("registry")), ("2.0.0", Some("own"))]);
    assert_eq!(merged["dist-tags"], json!({"latest": "2.0.0", "old": "1.0.0"}));
    // What the registry took back keeps its time; what is hidden here does not.
    assert_eq!(merged["time"]["0.1.0"], "2000-01-01T00:00:00.000Z");
    assert_eq!(merged["time"].get("3.0.0"), None);
}

#[test]
fn the_nearer_tag_counts_unless_the_operator_wants_it_as_codeartifact_has_it() {
    let upstream = json!({"name": "n", "dist-tags": {"latest": "1.0.0", "beta": "1.0.0"},
        "versions": {"1.0.0": {"name": "n", "version": "1.0.0"}}});
    let layers = [
        hosted(1, "n", &[("latest", "2.0.0")], vec![version("2.0.0", VersionStatus::Published, 2, Value::Null)]),
        registry(upstream.to_string().as_bytes()),
    ];
    let tags = |upstream_wins| render_text("n", &layers, &Form::DistTags, upstream_wins).expect("rendered");
    assert_eq!(tags(false), r#"{"latest":"2.0.0","beta":"1.0.0"}"#);
    assert_eq!(tags(true), r#"{"latest":"1.0.0","beta":"1.0.0"}"#);
}

#[test]
fn latest_is_always_there_and_points_to_something_listed() {
    let layers = [hosted(
        1,
        "n",
        &[("latest", "3.0.0")],
        vec![
            version("1.0.0", VersionStatus::Published, 1, Value::Null),
            version("2.0.0-rc.1", VersionStatus::Published, 2, Value::Null),
            version("3.0.0", VersionStatus::Unlisted, 3, Value::Null),
        ],
    )];
    assert_eq!(render_text("n", &layers, &Form::DistTags, false).expect("rendered"), r#"{"latest":"1.0.0"}"#);
}

#[test]
fn a_package_without_listed_versions_is_not_there() {
    let gone = registry(br#"{"name":"n","time":{"unpublished":{"versions":["1.0.0"]}}}"#);
    let disposed = hosted(1, "n", &[], vec![version("1.0.0", VersionStatus::Disposed, 1, Value::Null)]);
    for layer in [gone, disposed] {
        assert!(render_text("n", &[layer], &Form::Full, false).expect_err("nothing to show").is_not_found());
    }
}

#[test]
fn one_manifest_is_found_by_number_tag_or_number_with_build() {
    let layers = [hosted(
        1,
        "n",
        &[("latest", "1.0.0")],
        vec![version("1.0.0+b", VersionStatus::Published, 1, json!({"name": "n", "version": "1.0.0+b", "dist": {}}))],
    )];
    for wanted in ["latest", "1.0.0", "1.0.0+a", "1.0.0+b"] {
        let manifest = document("n", &layers, &Form::Manifest(wanted.to_owned()));
        assert_eq!(manifest["version"], "1.0.0+b");
        assert_eq!(manifest["dist"]["tarball"], format!("{BASE}/n/-/n-1.0.0.tgz"));
    }
    let missing = Form::Manifest("2.0.0".to_owned());
    assert!(render_text("n", &layers, &missing, false).expect_err("not there").is_not_found());
    assert_eq!(document("n", &layers, &Form::Full)["dist-tags"], json!({"latest": "1.0.0+b"}));
}

#[test]
fn install_scripts_are_computed() {
    let cases = [
        (json!({"scripts": {"postinstall": "x"}}), true),
        (json!({"scripts": {"install": "x"}}), true),
        (json!({"scripts": {"preinstall": "x"}}), true),
        (json!({"scripts": {"test": "x", "prepare": "y"}}), false),
        (json!({"gypfile": true}), true),
        (json!({"hasInstallScript": true}), true),
        (json!({"scripts": {"install": ""}}), false),
        (json!({}), false),
    ];
    for (mut manifest, expected) in cases {
        manifest["version"] = json!("1.0.0");
        let layers = [hosted(1, "n", &[], vec![version("1.0.0", VersionStatus::Published, 1, manifest.clone())])];
        let short = document("n", &layers, &Form::Abbreviated);
        assert_eq!(short["versions"]["1.0.0"].get("hasInstallScript").is_some(), expected, "{manifest}");
    }
}

#[test]
fn a_retained_copy_does_not_make_the_package_look_changed() {
    let mut retained = version("1.0.0", VersionStatus::Published, 86_400_000, Value::Null);
    retained.origin = Origin::external(ExternalConnection::parse("public:npmjs").expect("known"));
    retained.source_published_at = Some(Timestamp(1000));
    let upstream = json!({"name": "n", "versions": {"1.0.0": {"name": "n", "version": "1.0.0"}},
        "time": {"created": "1970-01-01T00:00:01.000Z", "modified": "1970-01-01T00:00:05.000Z", "1.0.0": "1970-01-01T00:00:01.000Z"}});
    let layers = [hosted(1, "n", &[], vec![retained]), registry(upstream.to_string().as_bytes())];
    let time = &document("n", &layers, &Form::Full)["time"];
    assert_eq!(time["modified"], "1970-01-01T00:00:05.000Z");
    assert_eq!(time["1.0.0"], "1970-01-01T00:00:01.000Z");
}

#[test]
fn what_a_registry_says_oddly_is_left_as_it_is_or_left_out() {
    let odd = br#"{"name":"n","readme":"\ud83d","dist-tags":{"latest":"1.0.0","odd":7},"versions":{
        "1.0.0":{"name":"n","version":"1.0.0","x":1e400,"dist":"none","deprecated":false},"2.0.0":null}}"#;
    let text = render_text("n", &[registry(odd)], &Form::Full, false).expect("rendered");
    assert!(text.contains(r#""readme":"\ud83d""#) && text.contains(r#""x":1e400"#), "{text}");
    assert!(!text.contains("2.0.0") && !text.contains("odd") && !text.contains("deprecated"), "{text}");
    let broken = render_text("n", &[registry(b"{\"versions\":[]}")], &Form::Full, false);
    assert!(matches!(broken, Err(Error::Upstream { .. })));
}

#[test]
fn the_revision_changes_with_every_write_and_only_then() {
    let Layer::Hosted { package: HostedPackage { mut package, .. }, .. } = hosted(1, "n", &[], vec![]) else {
        unreachable!("a hosted layer")
    };
    let before = document_revision(Some(&package));
    assert_eq!(document_revision(Some(&package)), before);
    package.revision += 1;
    assert_ne!(document_revision(Some(&package)), before);
}

#[test]
fn a_file_whose_name_does_not_follow_from_its_version_is_found() {
    let layers = [registry(
        br#"{"name":"n","versions":{"1.0.0-beta":{"dist":{"tarball":"http://registry.test/n/-/n-1.0.0beta.tgz"}}}}"#,
    )];
    assert_eq!(version_with_file(&layers, "n-1.0.0beta.tgz").as_deref(), Some("1.0.0-beta"));
    assert_eq!(version_with_file(&layers, "n-1.0.0.tgz"), None);
}

/// Not a benchmark: a bound that a quadratic step would break by far, in an unoptimized build, too.
#[test]
fn five_thousand_versions_render_in_time() {
    let mut versions = serde_json::Map::new();
    let mut time = serde_json::Map::new();
    for n in 0..5000 {
        let number = format!("1.0.{n}");
        versions.insert(
            number.clone(),
            json!({"name": "n", "version": number, "description": "d".repeat(1500), "scripts": {"test": "x"},
                "dependencies": {"a": "^1", "b": "^2"}, "dist": {"shasum": "s", "tarball": "t", "integrity": "i"}}),
        );
        time.insert(number, json!("2020-01-01T00:00:00.000Z"));
    }
    let body =
        json!({"name": "n", "dist-tags": {"latest": "1.0.4999"}, "versions": versions, "time": time}).to_string();
    let own = (0..5000).map(|n| version(&format!("2.0.{n}"), VersionStatus::Published, n, Value::Null)).collect();
    let layers = [hosted(1, "n", &[], own), registry(body.as_bytes())];
    let start = std::time::Instant::now();
    let text = render_text("n", &layers, &Form::Full, false).expect("rendered");
    assert!(text.len() > 8_000_000);
    assert!(start.elapsed() < std::time::Duration::from_secs(10), "{:?}", start.elapsed());
}
