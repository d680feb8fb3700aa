//! Core metadata: the `METADATA` of a wheel and the `PKG-INFO` of a source distribution. Header lines as in a mail, then
//! the description.

use larder_core::error::Invalid;
use larder_core::model::{Dependency, License, VersionDetails};

/// Core metadata larger than this is refused (protocol reference 0.6).
pub(crate) const METADATA_LIMIT_BYTES: u64 = 10 * 1024 * 1024;

/// Headers in file order, and the description after them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CoreMetadata {
    fields: Vec<(String, String)>,
    description: Option<String>,
}

impl CoreMetadata {
    /// Reads the document. Lines that are neither `Name: value` nor a continuation end the headers, as in Python's mail
    /// parser.
    ///
    /// # Errors
    /// [`Invalid`] when it is not UTF-8 or larger than allowed.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Invalid> {
        if bytes.len() as u64 > METADATA_LIMIT_BYTES {
            return Err(Invalid::new("core metadata is larger than 10 MiB"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Invalid::new("core metadata is not UTF-8"))?;
        let mut fields: Vec<(String, String)> = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
            let line = line.strip_suffix('\r').unwrap_or(line);
            if line.is_empty() {
                rest = after;
                break;
            }
            if line.starts_with([' ', '\t'])
                && let Some((_, value)) = fields.last_mut()
            {
                // A folded description carries a margin of seven spaces and a bar, or of eight spaces.
                let body = line.strip_prefix("       |").or_else(|| line.strip_prefix("        "));
                value.push('\n');
                value.push_str(body.unwrap_or_else(|| line.trim_start()));
            } else if let Some((name, value)) = line.split_once(':').filter(|(name, _)| is_field_name(name)) {
                fields.push((name.to_owned(), value.trim().to_owned()));
            } else {
                break;
            }
            rest = after;
        }
        let description = Some(rest).filter(|rest| !rest.trim().is_empty()).map(str::to_owned);
        Ok(Self { fields, description })
    }

    /// The first value of a field, unless it is missing or `UNKNOWN`.
    #[must_use]
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// All values of a field, in order.
    pub(crate) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.fields
            .iter()
            .filter(move |(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty() && *value != "UNKNOWN")
    }

    /// The long description, wherever this metadata version keeps it.
    #[must_use]
    pub(crate) fn description(&self) -> Option<&str> {
        self.description.as_deref().or_else(|| self.get("Description"))
    }

    /// `(major, minor)` of `Metadata-Version`; `(1, 0)` where it is missing.
    #[must_use]
    pub(crate) fn metadata_version(&self) -> (u32, u32) {
        let parsed = self.get("Metadata-Version").and_then(|version| {
            let (major, minor) = version.split_once('.')?;
            Some((major.parse().ok()?, minor.parse().ok()?))
        });
        parsed.unwrap_or((1, 0))
    }

    /// `Label, URL` pairs.
    pub(crate) fn project_urls(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all("Project-URL").filter_map(|value| value.split_once(',')).map(|(label, url)| (label.trim(), url.trim()))
    }

    /// What the API tells of the version.
    #[must_use]
    pub(crate) fn details(&self) -> VersionDetails {
        let home_page = self.get("Home-page").map(str::to_owned).or_else(|| self.url_labelled(&["homepage"]));
        let source = self.url_labelled(&["source", "sourcecode", "repository", "code", "github", "gitlab"]);
        let bounded = |text: &str| (text.len() <= VersionDetails::FIELD_LIMIT_BYTES).then(|| text.to_owned());
        VersionDetails {
            display_name: self.get("Name").map(str::to_owned),
            summary: self.get("Summary").and_then(bounded),
            home_page: home_page.filter(|page| is_web_address(page)),
            source_code_repository: source.filter(|source| is_web_address(source)),
            licenses: self.licenses(),
            dependencies: self.all("Requires-Dist").filter_map(dependency).collect(),
            readme: self.description().and_then(bounded),
        }
    }

    /// The licence expression (PEP 639), else the free text if it is a name and not the licence itself, else the
    /// classifiers.
    fn licenses(&self) -> Vec<License> {
        let named = |name: &str| License { name: name.to_owned(), url: None };
        if let Some(expression) = self.get("License-Expression") {
            return vec![named(expression)];
        }
        if let Some(text) = self.get("License").filter(|text| text.len() <= 100 && !text.contains('\n')) {
            return vec![named(text)];
        }
        self.all("Classifier")
            .filter_map(|classifier| classifier.strip_prefix("License :: "))
            .filter_map(|classifier| classifier.rsplit(" :: ").next())
            .map(named)
            .collect()
    }

    /// The address of the first project URL whose label, folded as PEP 753 says, is one of these.
    fn url_labelled(&self, labels: &[&str]) -> Option<String> {
        let fold = |label: &str| label.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
        self.project_urls().find(|(label, _)| labels.contains(&fold(label).as_str())).map(|(_, url)| url.to_owned())
    }
}

fn is_field_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn is_web_address(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

/// `requests[socks] (>=2.8) ; python_version < "3"` → package `requests`, requirement everything after it.
fn dependency(requirement: &str) -> Option<Dependency> {
    let end = requirement
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')))
        .unwrap_or(requirement.len());
    let (name, rest) = requirement.split_at(end);
    let rest = rest.trim();
    (!name.is_empty()).then(|| Dependency {
        namespace: None,
        package: super::names::normalize(name),
        dependency_type: Some("Requires-Dist".to_owned()),
        version_requirement: (!rest.is_empty()).then(|| rest.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "Metadata-Version: 2.1\r\nName: Foo.Bar\nVersion: 1.0\nSummary: does\n  things\nHome-page: UNKNOWN\n\
        License: UNKNOWN\nClassifier: License :: OSI Approved :: MIT License\nClassifier: Topic :: Utilities\n\
        Project-URL: Source Code, https://code.test/foo\nProject-URL: Homepage, https://foo.test\n\
        Requires-Dist: Requests[socks] (>=2.8) ; python_version < \"3\"\nrequires-dist: six\nProvides-Extra: x\n\n# Foo\n\nText: more\n";

    #[test]
    fn fields_and_description_are_read() {
        let metadata = CoreMetadata::parse(DOCUMENT.as_bytes()).unwrap();
        assert_eq!(metadata.get("name"), Some("Foo.Bar"));
        assert_eq!(metadata.get("Summary"), Some("does\nthings"));
        assert_eq!(metadata.get("Home-page"), None);
        assert_eq!(metadata.metadata_version(), (2, 1));
        assert_eq!(metadata.description(), Some("# Foo\n\nText: more\n"));
    }

    #[test]
    fn the_details_of_the_api_come_from_the_fields() {
        let details = CoreMetadata::parse(DOCUMENT.as_bytes()).unwrap().details();
        assert_eq!(details.home_page.as_deref(), Some("https://foo.test"));
        assert_eq!(details.source_code_repository.as_deref(), Some("https://code.test/foo"));
        assert_eq!(details.licenses, [License { name: "MIT License".to_owned(), url: None }]);
        let dependencies: Vec<_> =
            details.dependencies.iter().map(|d| (d.package.as_str(), d.version_requirement.as_deref())).collect();
        assert_eq!(dependencies, [("requests", Some("[socks] (>=2.8) ; python_version < \"3\"")), ("six", None)]);
        assert_eq!(details.dependencies[0].dependency_type.as_deref(), Some("Requires-Dist"));
    }

    #[test]
    fn old_metadata_keeps_its_description_in_a_folded_field() {
        let text = "Name: a\nDescription: First\n        second\n       |third\nLicense: MIT\n";
        let metadata = CoreMetadata::parse(text.as_bytes()).unwrap();
        assert_eq!(metadata.description(), Some("First\nsecond\nthird"));
        assert_eq!(metadata.details().licenses[0].name, "MIT");
    }

    #[test]
    fn what_is_not_metadata_is_refused_or_empty() {
        assert!(CoreMetadata::parse(b"Name: \xff").is_err());
        let html = CoreMetadata::parse(b"<html>\nName: x\n").unwrap();
        assert_eq!(html.get("Name"), None);
    }
}
