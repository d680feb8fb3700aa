//! Crates, as `cargo publish` sends them.

use larder_testkit::packages::tarball_of;
use serde_json::json;

use super::noise;

/// The crate with five versions, the last of them with a file of 20 KB.
pub(crate) const CRATE: &str = "bench-crate";
/// The version of [`CRATE`] with the file.
pub(crate) const CRATE_VERSION: &str = "1.4.0";
/// The crate with five hundred versions.
pub(crate) const LARGE_CRATE: &str = "bench-large";

/// The bodies of all publishes.
pub(crate) fn publishes() -> Vec<Vec<u8>> {
    let small = (0..5).map(|minor| publish(CRATE, &format!("1.{minor}.0"), if minor == 4 { 19_500 } else { 100 }));
    let large = (0..500).map(|minor| publish(LARGE_CRATE, &format!("1.{minor}.0"), 100));
    small.chain(large).collect()
}

/// The body of a publish: a description and a file, each after its length.
pub(crate) fn publish(name: &str, version: &str, length: usize) -> Vec<u8> {
    let dependencies: Vec<_> = (0..8)
        .map(|number| {
            json!({"name": format!("some-dependency-{number}"), "version_req": format!("^{number}.1"), "features": [],
                "optional": number == 7, "default_features": true, "target": null, "kind": "normal",
                "registry": null, "explicit_name_in_toml": null})
        })
        .collect();
    let description = json!({"name": name, "vers": version, "deps": dependencies,
        "features": {"default": ["std"], "std": []}, "authors": [], "description": "measured", "documentation": null,
        "homepage": null, "readme": null, "readme_file": null, "keywords": [], "categories": [], "license": "MIT",
        "license_file": null, "repository": null, "badges": {}, "links": null, "rust_version": "1.70"});
    let manifest = format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2021\"\n");
    let file = tarball_of(&[
        (format!("{name}-{version}/Cargo.toml"), manifest.into_bytes()),
        (format!("{name}-{version}/src/lib.rs"), Vec::new()),
        (format!("{name}-{version}/data.bin"), noise(length as u64, length)),
    ]);
    let part = |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes()[..], bytes].concat();
    [part(description.to_string().as_bytes()), part(&file)].concat()
}

/// Where the index has a crate; its name has at least four letters.
pub(crate) fn index_path(name: &str) -> String {
    format!("{}/{}/{name}", &name[..2], &name[2..4])
}
