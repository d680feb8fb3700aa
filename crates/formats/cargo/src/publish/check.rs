//! The checks of a publish's JSON (protocols 7.3, 7.4, 7.7), and the index line and details that are made of it. Pure.

use larder_core::error::Invalid;
use larder_core::model::{License, PackageKey, VersionDetails, VersionText};
use semver::VersionReq;

use crate::line::{Line, LineDependency};
use crate::names::{self, printable};
use crate::wire::{NewCrate, NewDependency};

/// More keywords than the public registry takes.
const KEYWORDS: usize = 5;

/// A publish that may go on to its file.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) key: PackageKey,
    pub(super) version: VersionText,
    /// Without checksum and time.
    pub(super) line: Line,
    pub(super) details: VersionDetails,
    /// Sentences for the publisher.
    pub(super) warnings: Vec<String>,
}

/// Reads and checks the JSON. `index` is the URL of this registry's index.
///
/// # Errors
/// [`Invalid`] with what is wrong.
pub(super) fn check(json: &[u8], index: &str) -> Result<Checked, Invalid> {
    let new: NewCrate = serde_json::from_slice(json)
        .map_err(|error| Invalid::new(format!("the JSON of the publish cannot be read: {error}")))?;
    let key = names::crate_key(&new.name)?;
    let version = names::version_key(&new.vers)?;
    for (feature, values) in &new.features {
        check_feature(feature)?;
        values.iter().try_for_each(|value| check_feature_value(feature, value))?;
    }
    if let Some(rust_version) = &new.rust_version {
        check_rust_version(rust_version)?;
    }
    let deps = new.deps.iter().map(|dependency| line_dependency(dependency, index)).collect::<Result<_, _>>()?;
    let mut warnings = Vec::new();
    if new.keywords.len() > KEYWORDS {
        warnings.push(format!("{} keywords; the public registry takes {KEYWORDS} at most", new.keywords.len()));
    }
    let mut line = Line {
        name: new.name.clone(),
        vers: new.vers.clone(),
        deps,
        cksum: String::new(),
        features: Default::default(),
        features2: Default::default(),
        yanked: false,
        links: new.links.clone(),
        v: 1,
        rust_version: new.rust_version.clone(),
        pubtime: None,
    };
    line.set_features(new.features.clone());
    let details = details(new, &line);
    Ok(Checked { key, version, line, details, warnings })
}

/// What the line says of a dependency: under the name that the crate calls it (protocols 7.3).
fn line_dependency(dependency: &NewDependency, index: &str) -> Result<LineDependency, Invalid> {
    let named = || printable(&dependency.name);
    names::check_name(&dependency.name)?;
    let requirement = &dependency.version_req;
    VersionReq::parse(requirement).map_err(|error| {
        Invalid::new(format!("dependency '{}' has the requirement '{}': {error}", named(), printable(requirement)))
    })?;
    let (name, package) = match &dependency.explicit_name_in_toml {
        Some(local) if !names::is_dependency_name(local) => {
            return Err(Invalid::new(format!("dependency '{}' cannot be called '{}'", named(), printable(local))));
        }
        Some(local) => (local.clone(), Some(dependency.name.clone())),
        None => (dependency.name.clone(), None),
    };
    dependency.features.iter().try_for_each(|feature| check_feature(feature))?;
    // Any other registry's address is kept as it is: cargo knows it by that text.
    let registry = dependency.registry.clone().filter(|registry| !is_same_index(registry, index));
    Ok(LineDependency {
        name,
        req: requirement.clone(),
        features: dependency.features.clone(),
        optional: dependency.optional,
        default_features: dependency.default_features,
        target: dependency.target.clone(),
        kind: Some(dependency.kind.unwrap_or(crate::line::Kind::Normal)),
        registry,
        package,
    })
}

fn is_same_index(registry: &str, index: &str) -> bool {
    let bare = |url: &str| url.trim_start_matches("sparse+").trim_end_matches('/').to_owned();
    bare(registry) == bare(index)
}

/// A feature's name: letters, digits, `_`, `-`, `+`, `.`, not starting with a sign but `_`.
fn check_feature(name: &str) -> Result<(), Invalid> {
    let starts_well = name.chars().next().is_some_and(|first| first.is_alphanumeric() || first == '_');
    if starts_well && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '+' | '.')) {
        return Ok(());
    }
    Err(Invalid::new(format!("'{}' is no name for a feature", printable(name))))
}

/// What a feature enables: another feature, `dep:NAME`, `NAME/FEATURE` or `NAME?/FEATURE`.
fn check_feature_value(feature: &str, value: &str) -> Result<(), Invalid> {
    let is_right = match (value.strip_prefix("dep:"), value.split_once('/')) {
        (Some(dependency), _) => names::is_dependency_name(dependency),
        (None, Some((dependency, of))) => {
            names::is_dependency_name(dependency.strip_suffix('?').unwrap_or(dependency)) && check_feature(of).is_ok()
        }
        (None, None) => check_feature(value).is_ok(),
    };
    if is_right {
        return Ok(());
    }
    Err(Invalid::new(format!("feature '{}' cannot enable '{}'", printable(feature), printable(value))))
}

/// `1.70` or `1.70.0`: cargo fails on lines with anything else.
fn check_rust_version(text: &str) -> Result<(), Invalid> {
    let numbers: Vec<&str> = text.split('.').collect();
    let is_number = |part: &&str| !part.is_empty() && part.len() <= 9 && part.bytes().all(|byte| byte.is_ascii_digit());
    if (1..=3).contains(&numbers.len()) && numbers.iter().all(is_number) {
        return Ok(());
    }
    Err(Invalid::new(format!("rust_version '{}' is no version of Rust", printable(text))))
}

fn details(new: NewCrate, line: &Line) -> VersionDetails {
    let not_empty = |text: Option<String>| text.filter(|text| !text.is_empty());
    let license = not_empty(new.license).or_else(|| not_empty(new.license_file));
    VersionDetails {
        display_name: Some(new.name),
        summary: not_empty(new.description),
        home_page: not_empty(new.homepage).or(not_empty(new.documentation)),
        source_code_repository: not_empty(new.repository),
        licenses: license.into_iter().map(|name| License { name, url: None }).collect(),
        dependencies: line.dependencies(),
        readme: not_empty(new.readme),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const INDEX: &str = "http://larder.test/d/dom-123456789012/cargo/repo/";

    fn publish(changes: &Value) -> Result<Checked, Invalid> {
        let mut new = json!({"name": "Foo-Bar", "vers": "1.0.0+b", "deps": [], "features": {}});
        for (name, value) in changes.as_object().unwrap() {
            new[name] = value.clone();
        }
        check(new.to_string().as_bytes(), INDEX)
    }

    fn dependency(changes: &Value) -> Result<LineDependency, Invalid> {
        let mut dependency = json!({"name": "rand", "version_req": "^0.6", "features": ["i128"], "optional": true,
            "default_features": false, "target": "cfg(unix)", "kind": "dev", "registry": null});
        for (name, value) in changes.as_object().unwrap() {
            dependency[name] = value.clone();
        }
        publish(&json!({"deps": [dependency]})).map(|checked| checked.line.deps[0].clone())
    }

    #[test]
    fn dependencies_are_translated_for_the_index() {
        let plain = serde_json::to_value(dependency(&json!({})).unwrap()).unwrap();
        assert_eq!(
            plain,
            json!({"name": "rand", "req": "^0.6", "features": ["i128"], "optional": true, "default_features": false,
                "target": "cfg(unix)", "kind": "dev", "registry": null, "package": null})
        );
        let renamed = dependency(&json!({"explicit_name_in_toml": "dice"})).unwrap();
        assert_eq!((&*renamed.name, renamed.package.as_deref(), renamed.crate_name()), ("dice", Some("rand"), "rand"));
        for own in [INDEX.to_owned(), format!("sparse+{INDEX}"), INDEX.trim_end_matches('/').to_owned()] {
            assert_eq!(dependency(&json!({"registry": own})).unwrap().registry, None);
        }
        let other = "sparse+https://other.test/index/";
        assert_eq!(dependency(&json!({"registry": other})).unwrap().registry.as_deref(), Some(other));
        let no_kind = dependency(&json!({"kind": null})).unwrap();
        assert_eq!(no_kind.kind, Some(crate::line::Kind::Normal));
    }

    #[test]
    fn what_cargo_would_fail_on_later_is_refused() {
        for wrong in [
            json!({"name": "-x"}),
            json!({"name": 7}),
            json!({"vers": "1.0"}),
            json!({"vers": "latest"}),
            json!({"features": {"": []}}),
            json!({"features": {"a b": []}}),
            json!({"features": {"a": ["dep:"]}}),
            json!({"features": {"a": ["x/"]}}),
            json!({"features": {"a": ["/x"]}}),
            json!({"rust_version": "nightly"}),
            json!({"rust_version": "1.70.0.1"}),
        ] {
            assert!(publish(&wrong).is_err(), "{wrong}");
        }
        for wrong in [
            json!({"name": "a b"}),
            json!({"version_req": "newest"}),
            json!({"version_req": ""}),
            json!({"kind": "optional"}),
            json!({"explicit_name_in_toml": "a/b"}),
            json!({"features": ["a b"]}),
        ] {
            assert!(dependency(&wrong).is_err(), "{wrong}");
        }
        assert!(check(b"{", INDEX).is_err() && check(b"\xff", INDEX).is_err());
    }

    #[test]
    fn the_coordinate_is_in_lower_case_and_without_build_metadata() {
        let checked = publish(&json!({"features": {"a": ["dep:x", "y?/z", "b"], "b": []}})).unwrap();
        assert_eq!((checked.key.name(), checked.version.as_str()), ("foo-bar", "1.0.0"));
        assert_eq!((&*checked.line.name, &*checked.line.vers, checked.line.v), ("Foo-Bar", "1.0.0+b", 2));
    }

    #[test]
    fn many_keywords_are_a_warning() {
        assert_eq!(publish(&json!({"keywords": ["a", "b", "c", "d", "e", "f"]})).unwrap().warnings.len(), 1);
        assert!(publish(&json!({"keywords": ["a"]})).unwrap().warnings.is_empty());
    }
}
