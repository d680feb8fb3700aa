//! A registry's document of a package, as far as Larder looks into it.

use std::borrow::Cow;
use std::fmt;

use larder_core::error::Invalid;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::json::{self, Members, Name};
use crate::names;

/// A packument. Everything borrows from its text.
#[derive(Debug, Default)]
pub(crate) struct Packument<'a> {
    /// What is not a member below.
    pub(crate) root: Members<'a>,
    pub(crate) tags: Members<'a>,
    /// In the order of publication.
    pub(crate) versions: Members<'a>,
    pub(crate) time: Members<'a>,
}

impl<'a> Packument<'a> {
    /// Reads it in one pass.
    ///
    /// # Errors
    /// [`Invalid`] when it is not a JSON object whose `versions`, `time` and `dist-tags` are objects.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Invalid> {
        serde_json::from_slice(body).map_err(|error| Invalid::new(format!("not a package document: {error}")))
    }

    /// The package's name as the document has it.
    pub(crate) fn name(&self) -> Option<Cow<'a, str>> {
        self.root.text("name").or_else(|| self.root.text("_id"))
    }

    /// The version's key in the document and its manifest. `version` is a coordinate: build metadata does not count.
    pub(crate) fn find(&self, version: &str) -> Option<(&str, &'a RawValue)> {
        self.versions.iter().find(|(key, _)| names::without_build(key) == version)
    }

    /// The dist-tags whose values are strings.
    pub(crate) fn tags(&self) -> impl Iterator<Item = (&str, Cow<'a, str>)> {
        self.tags.iter().filter_map(|(tag, version)| Some((tag, json::text(version)?)))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Packument<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Packument<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a package document")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Packument<'de>, A::Error> {
                let mut packument = Packument::default();
                while let Some(Name(name)) = map.next_key()? {
                    match &*name {
                        "versions" => packument.versions = map.next_value::<Option<_>>()?.unwrap_or_default(),
                        "time" => packument.time = map.next_value::<Option<_>>()?.unwrap_or_default(),
                        "dist-tags" => packument.tags = map.next_value::<Option<_>>()?.unwrap_or_default(),
                        _ => packument.root.0.push((name, map.next_value()?)),
                    }
                }
                Ok(packument)
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

/// Whether npm has to run something when it installs the version: `preinstall`, `install`, `postinstall`, or a
/// `binding.gyp` that npm compiles because there is no script (protocols 1.2).
pub(crate) fn has_install_script(manifest: &Members<'_>) -> bool {
    if let Some(known) = manifest.get("hasInstallScript") {
        return known.get() == "true";
    }
    let is_gyp = manifest.get("gypfile").is_some_and(|value| value.get() == "true");
    is_gyp
        || manifest.get("scripts").and_then(Members::of).is_some_and(|scripts| {
            ["preinstall", "install", "postinstall"]
                .iter()
                .any(|name| scripts.text(name).is_some_and(|script| !script.is_empty()))
        })
}
