//! Lines of `info/{gem}`: one version each (protocols 6.2). Lines of public registries are kept and relayed as the bytes
//! that they are; only what is published here is written.

use larder_core::error::Invalid;
use larder_core::model::{Dependency, Timestamp};

use crate::gemspec::Gemspec;
use crate::names;

/// What an info file begins with.
pub(crate) const HEAD: &str = "---\n";

/// A line, taken apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    /// All of it, without its end.
    pub(crate) raw: &'a str,
    /// `NUMBER[-PLATFORM]`
    pub(crate) version: &'a str,
    dependencies: &'a str,
    requirements: &'a str,
}

impl<'a> Line<'a> {
    /// Reads a line.
    ///
    /// # Errors
    /// [`Invalid`] if it is none.
    pub(crate) fn parse(raw: &'a str) -> Result<Self, Invalid> {
        let (version, rest) = raw.split_once(' ').unwrap_or((raw, ""));
        let (dependencies, requirements) = rest.split_once('|').unwrap_or((rest, ""));
        let line = Self { raw, version, dependencies, requirements };
        if names::version_key(version).is_err() || line.requirement("checksum").is_none() {
            return Err(Invalid::new(format!("'{}' is no line of an info file", names::printable(raw))));
        }
        Ok(line)
    }

    fn requirement(&self, name: &str) -> Option<&'a str> {
        self.requirements
            .split(',')
            .find_map(|part| part.split_once(':').filter(|(key, _)| *key == name))
            .map(|(_, v)| v)
    }

    /// SHA-256 of the gem, in hexadecimal.
    pub(crate) fn checksum(&self) -> &'a str {
        self.requirement("checksum").unwrap_or_default()
    }

    pub(crate) fn sha256(&self) -> Result<[u8; 32], Invalid> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(self.checksum(), &mut bytes)
            .map_err(|_| Invalid::new(format!("the checksum of version '{}' is no SHA-256", self.version)))?;
        Ok(bytes)
    }

    pub(crate) fn created_at(&self) -> Option<Timestamp> {
        self.requirement("created_at").and_then(Timestamp::parse_rfc3339)
    }

    /// The gems that it needs to run.
    pub(crate) fn dependencies(&self) -> Vec<Dependency> {
        let parts = self.dependencies.split(',').filter_map(|part| part.split_once(':'));
        parts
            .map(|(name, wanted)| Dependency {
                namespace: None,
                package: name.to_owned(),
                dependency_type: Some("runtime".to_owned()),
                version_requirement: Some(wanted.replace('&', ", ")),
            })
            .collect()
    }
}

/// The lines of an info file.
pub(crate) fn lines(file: &str) -> impl Iterator<Item = &str> {
    file.lines().filter(|line| !line.is_empty() && *line != "---")
}

/// The line of a gem that is published here, without its end.
pub(crate) fn write(spec: &Gemspec, version: &str, sha256: &str, at: Timestamp) -> String {
    let mut dependencies: Vec<String> = spec
        .dependencies
        .iter()
        .filter(|dependency| !dependency.is_development)
        .map(|dependency| format!("{}:{}", dependency.name, dependency.requirement.line()))
        .collect();
    dependencies.sort_unstable();
    let mut line = format!("{version} {}|checksum:{sha256}", dependencies.join(","));
    for (name, wanted) in [("ruby", &spec.required_ruby), ("rubygems", &spec.required_rubygems)] {
        if !wanted.is_any() {
            line.push_str(&format!(",{name}:{}", wanted.line()));
        }
    }
    let at = at.rfc3339();
    line.push_str(&format!(",created_at:{}Z", at.split('.').next().unwrap_or_default().trim_end_matches('Z')));
    line
}
