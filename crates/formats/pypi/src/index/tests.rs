use std::time::Instant;

use larder_core::model::{AssetKind, Origin};
use larder_core::services::Layer;

use super::*;
use crate::project::tests::{asset, connection, file, hosted, internal, merged, registry, version};
use crate::wire::{FileMetadata, VersionMetadata, Yanked};

const BASE: &str = "http://larder.test/d/my-domain-123456789012/pypi/my-repo";

fn body(project: &Project, form: Representation) -> String {
    String::from_utf8(render(project, form, BASE).unwrap().body.to_vec()).unwrap()
}

/// A published release with every flag, and one that a registry offers.
fn layers() -> Vec<Layer> {
    let wheel = FileMetadata {
        requires_python: Some(">=3.8, <4".to_owned()),
        upload_time: Some("2026-01-02T03:04:05.678901Z".to_owned()),
        ..FileMetadata::default()
    };
    let name = "foo-1.0+l-py3-none-any.whl";
    let mut published = version(
        "1.0+l",
        &internal(),
        vec![
            asset(name, AssetKind::Asset, 1, &wheel),
            asset(&format!("{name}.metadata"), AssetKind::Sidecar, 2, &FileMetadata::default()),
            asset(&format!("{name}.asc"), AssetKind::Sidecar, 3, &FileMetadata::default()),
            asset(&format!("{name}.provenance"), AssetKind::Sidecar, 4, &FileMetadata::default()),
        ],
    );
    let mut metadata = VersionMetadata::default();
    metadata.yanked.insert(VersionMetadata::ALL_FILES.to_owned(), Yanked::Reason("bad \"quotes\" & <tags>".to_owned()));
    published.metadata = metadata.bytes();
    let status = r#""project-status":{"status":"archived","reason":"no <more>"},"#;
    vec![hosted(1, vec![published]), registry(2, &[("foo-2.0.tar.gz", 9, "false")], status)]
}

#[test]
fn the_json_page_has_every_field() {
    insta::assert_snapshot!(body(&merged(&layers()), Representation::Json));
}

#[test]
fn the_html_page_has_every_attribute_escaped() {
    insta::assert_snapshot!(body(&merged(&layers()), Representation::Html));
}

#[test]
fn a_real_registrys_page_is_rendered_with_our_addresses() {
    let index = crate::external::tests::stored(
        "application/vnd.pypi.simple.v1+json",
        include_str!("../testdata/registry/iniconfig.json"),
    );
    let Layer::Registry { repository, .. } = registry(1, &[], "") else { panic!("a registry") };
    let layer = Layer::Registry { repository, connection: connection(), index: std::sync::Arc::new(index) };
    let key = crate::names::project_key("iniconfig").unwrap();
    let project = Project::of(&key, &[layer]).unwrap();
    insta::assert_snapshot!("registry_json", body(&project, Representation::Json));
    insta::assert_snapshot!("registry_html", body(&project, Representation::TextHtml));
}

#[test]
fn our_own_pages_are_read_back_the_same() {
    let project = merged(&layers());
    for form in [Representation::Json, Representation::Html, Representation::TextHtml] {
        let rendered = render(&project, form, BASE).unwrap();
        let page = crate::registry_page::read_page("foo", rendered.content_type, &rendered.body).unwrap();
        assert_eq!(page.releases.len(), 2);
        let wheel = &page.releases[0].files[0];
        assert_eq!(wheel.requires_python.as_deref(), Some(">=3.8, <4"));
        assert_eq!(wheel.yanked.reason(), Some("bad \"quotes\" & <tags>"));
        assert_eq!((wheel.core_metadata.as_ref(), wheel.gpg_sig), (Some(&hex::encode([2; 32])), Some(true)));
    }
}

#[test]
fn only_pages_without_anything_published_here_may_be_kept_by_clients() {
    let control = |layers: &[Layer]| {
        let rendered = render(&merged(layers), Representation::Json, BASE).unwrap();
        rendered.headers.iter().find(|(name, _)| *name == "cache-control").unwrap().1.clone()
    };
    assert_eq!(control(&layers()), "private, no-cache");
    assert_eq!(control(&layers()[1..]), "private, max-age=600");
    let retained = hosted(1, vec![version("1.0", &Origin::external(connection()), vec![file("foo-1.0.tar.gz", 1)])]);
    assert_eq!(control(&[retained]), "private, max-age=600");
}

#[test]
fn five_thousand_files_render_in_less_than_half_a_second() {
    let names: Vec<String> = (0..5000).map(|n| format!("foo-{}.{}-py3-none-any.whl", n / 10, n % 10)).collect();
    let files: Vec<(&str, u8, &str)> = names.iter().map(|name| (name.as_str(), 1, "false")).collect();
    let stored = names.iter().map(|name| file(name, 1)).collect();
    let layers = [hosted(1, vec![version("0.0", &Origin::external(connection()), stored)]), registry(2, &files, "")];
    let started = Instant::now();
    let page = body(&merged(&layers), Representation::Json);
    let elapsed = started.elapsed();
    assert!(page.len() > 1_000_000);
    // Unoptimized builds are some ten times slower.
    let limit = if cfg!(debug_assertions) { 5000 } else { 500 };
    assert!(elapsed.as_millis() < limit, "took {elapsed:?}");
}
