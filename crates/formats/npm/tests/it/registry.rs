//! What the public registry offers.

use larder_formatkit::Registry;
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

use crate::samples::{integrity, tarball};

/// Offers a document at a path.
pub(crate) fn offer(registry: &Registry, path: &str, document: &Value) {
    registry.put_typed(path, "application/json", document.to_string());
}

/// Offers a package of one version, and its tarball under any file name.
pub(crate) fn offer_package(registry: &Registry, name: &str, version: &str, file: &str) -> Vec<u8> {
    let tarball = tarball(name, version);
    let url = format!("http://registry.test/{name}/-/{file}");
    let document = json!({
        "_id": name, "name": name, "dist-tags": {"latest": version, "next": version},
        "versions": {version: {"name": name, "version": version, "dist": {
            "tarball": url, "integrity": integrity(&tarball), "shasum": hex::encode(Sha1::digest(&tarball)),
        }}},
        "time": {"created": "2020-01-01T00:00:00.000Z", version: "2020-01-02T03:04:05.678Z"},
    });
    offer(registry, &name.replace('/', "%2f"), &document);
    registry.put(&url, tarball.clone());
    tarball
}
