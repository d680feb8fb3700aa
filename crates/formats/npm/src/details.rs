//! What the API tells of a version, read from its manifest (reference 1.5, 6.9).

use larder_core::model::{Dependency, License, VersionDetails};
use serde_json::value::RawValue;

use crate::json::{Members, text};
use crate::names;

/// Kinds of dependencies: the member of the manifest and the API's word.
const DEPENDENCIES: [(&str, &str); 4] = [
    ("dependencies", "regular"),
    ("devDependencies", "dev"),
    ("peerDependencies", "peer"),
    ("optionalDependencies", "optional"),
];

/// Reads a manifest; what has an unexpected form is left out.
pub(crate) fn details(manifest: &Members<'_>, display_name: String) -> VersionDetails {
    VersionDetails {
        display_name: Some(display_name),
        summary: manifest.text("description").map(Into::into),
        home_page: manifest.text("homepage").map(Into::into),
        source_code_repository: manifest.get("repository").and_then(|value| text_or(value, "url")),
        licenses: licenses(manifest),
        dependencies: dependencies(manifest),
        readme: None,
    }
}

/// A string, or this member of an object.
fn text_or(value: &RawValue, member: &str) -> Option<String> {
    text(value).or_else(|| Members::of(value)?.text(member)).map(Into::into)
}

/// `"MIT"`, `{"type":"MIT","url":"…"}`, or a list of these under the old name.
fn licenses(manifest: &Members<'_>) -> Vec<License> {
    let list = |value: &RawValue| -> Option<Vec<License>> {
        let values: Vec<&RawValue> = serde_json::from_str(value.get()).ok()?;
        Some(values.into_iter().filter_map(license).collect())
    };
    ["license", "licenses"]
        .iter()
        .filter_map(|name| manifest.get(name))
        .find_map(|value| list(value).or_else(|| license(value).map(|license| vec![license])))
        .unwrap_or_default()
}

fn license(value: &RawValue) -> Option<License> {
    let url = Members::of(value).and_then(|members| members.text("url")).map(Into::into);
    let name = text_or(value, "type").or_else(|| text_or(value, "name"))?;
    Some(License { name, url })
}

fn dependencies(manifest: &Members<'_>) -> Vec<Dependency> {
    let optional = manifest.get("optionalDependencies").and_then(Members::of).unwrap_or_default();
    let mut all = Vec::new();
    for (member, kind) in DEPENDENCIES {
        let Some(members) = manifest.get(member).and_then(Members::of) else { continue };
        for (name, requirement) in members.iter() {
            // Registries repeat optional dependencies among the regular ones.
            if kind == "regular" && optional.get(name).is_some() {
                continue;
            }
            let Ok(key) = names::package_key(name) else { continue };
            all.push(Dependency {
                namespace: key.namespace().map(str::to_owned),
                package: key.name().to_owned(),
                dependency_type: Some(kind.to_owned()),
                version_requirement: text(requirement).map(Into::into),
            });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> VersionDetails {
        details(&Members::parse(json.as_bytes()).expect("an object"), "n".to_owned())
    }

    #[test]
    fn every_kind_of_dependency_is_listed_once() {
        let details = of(r#"{"dependencies":{"@s/a":"^1","o":"1"},"optionalDependencies":{"o":"1"},
            "devDependencies":{"d":"*"},"peerDependencies":{"p":">=1"},"bundleDependencies":["a"]}"#);
        let listed: Vec<_> = details
            .dependencies
            .iter()
            .map(|d| {
                (d.namespace.as_deref(), &*d.package, d.dependency_type.as_deref(), d.version_requirement.as_deref())
            })
            .collect();
        assert_eq!(
            listed,
            [
                (Some("s"), "a", Some("regular"), Some("^1")),
                (None, "d", Some("dev"), Some("*")),
                (None, "p", Some("peer"), Some(">=1")),
                (None, "o", Some("optional"), Some("1")),
            ]
        );
    }

    #[test]
    fn licences_are_read_in_all_their_forms() {
        let name = |json: &str| of(json).licenses.into_iter().map(|license| license.name).collect::<Vec<_>>();
        assert_eq!(name(r#"{"license":"MIT"}"#), ["MIT"]);
        assert_eq!(name(r#"{"license":{"type":"MIT","url":"x"}}"#), ["MIT"]);
        assert_eq!(name(r#"{"licenses":[{"type":"MIT"},"BSD"]}"#), ["MIT", "BSD"]);
        assert_eq!(name(r#"{"license":7}"#), [""; 0]);
    }

    #[test]
    fn the_repository_may_be_a_text_or_an_object() {
        for json in [r#"{"repository":"git+x"}"#, r#"{"repository":{"type":"git","url":"git+x"}}"#] {
            assert_eq!(of(json).source_code_repository.as_deref(), Some("git+x"));
        }
    }
}
