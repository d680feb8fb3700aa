//! The publisher's metadata of a release (SE-0391), checked for its types and kept as it was sent.

use larder_core::error::Invalid;
use larder_core::model::{License, VersionDetails};
use serde::Deserialize;
use serde_json::value::RawValue;

/// It lies beside its version in the database and is read with it.
pub(crate) const LIMIT_BYTES: usize = 256 << 10;
const DEPTH_LIMIT: usize = 64;
/// Addresses of one package's source repositories.
const REPOSITORIES_LIMIT: usize = 100;

/// What is used of it; the other members are checked by having a type here.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "members that are only checked")]
pub(crate) struct PackageMetadata {
    author: Option<Author>,
    description: Option<String>,
    #[serde(rename = "licenseURL")]
    license_url: Option<String>,
    original_publication_time: Option<String>,
    #[serde(rename = "readmeURL")]
    readme_url: Option<String>,
    #[serde(rename = "repositoryURLs")]
    repository_urls: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "members that are only checked")]
struct Author {
    name: String,
    email: Option<String>,
    description: Option<String>,
    organization: Option<Organization>,
    url: Option<String>,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "members that are only checked")]
struct Organization {
    name: String,
    email: Option<String>,
    description: Option<String>,
    url: Option<String>,
}

impl PackageMetadata {
    /// Reads it and answers it beside its text.
    ///
    /// # Errors
    /// [`Invalid`] if it is not JSON, nested too deeply, or a member has another type than the protocol gives it.
    pub(crate) fn parse(bytes: &[u8]) -> Result<(Self, Box<RawValue>), Invalid> {
        let not_json =
            |error: serde_json::Error| Invalid::new(format!("the metadata is not what it should be: {error}"));
        if depth(bytes) > DEPTH_LIMIT {
            return Err(Invalid::new(format!("the metadata is nested more than {DEPTH_LIMIT} levels deep")));
        }
        let raw: Box<RawValue> = serde_json::from_slice(bytes).map_err(not_json)?;
        if !raw.get().starts_with('{') {
            return Err(Invalid::new("the metadata is not a JSON object"));
        }
        let parsed: Self = serde_json::from_str(raw.get()).map_err(not_json)?;
        if parsed.repository_urls().len() > REPOSITORIES_LIMIT {
            return Err(Invalid::new(format!("the metadata names more than {REPOSITORIES_LIMIT} source repositories")));
        }
        Ok((parsed, raw))
    }

    /// Where the package's source is, the most important place first.
    pub(crate) fn repository_urls(&self) -> &[String] {
        self.repository_urls.as_deref().unwrap_or_default()
    }

    /// What the API tells of the version.
    pub(crate) fn details(&self, display_name: &str, readme: Option<String>) -> VersionDetails {
        let license = self.license_url.as_ref().map(|url| License { name: url.clone(), url: Some(url.clone()) });
        VersionDetails {
            display_name: Some(display_name.to_owned()),
            summary: self.description.clone(),
            source_code_repository: self.repository_urls().first().cloned(),
            licenses: license.into_iter().collect(),
            readme,
            ..VersionDetails::default()
        }
    }
}

/// How deeply arrays and objects are nested, at most, whatever else is wrong with the text.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_kept_as_sent_with_members_nobody_knows() {
        let text = r#"{ "description" : "a\u0020b", "x": [1.50], "licenseURL":"https://example.test/l",
            "author": {"name": "A", "organization": {"name": "O"}},
            "repositoryURLs": ["https://example.test/a/b.git"] }"#;
        let (metadata, raw) = PackageMetadata::parse(text.as_bytes()).unwrap();
        assert_eq!(raw.get(), text);
        let details = metadata.details("acme.Lib", None);
        assert_eq!(details.summary.as_deref(), Some("a b"));
        assert_eq!(details.source_code_repository.as_deref(), Some("https://example.test/a/b.git"));
        assert_eq!(details.licenses.len(), 1);
        assert!(PackageMetadata::parse(b" {} ").is_ok());
    }

    #[test]
    fn anything_else_is_refused() {
        let deep = format!("{{\"x\":{}{}}}", "[".repeat(64), "]".repeat(64));
        let many = format!("{{\"repositoryURLs\":[{}]}}", vec!["\"u\""; 101].join(","));
        for text in [
            "",
            "[]",
            "null",
            "\"x\"",
            "{",
            "{\"description\": 1}",
            "{\"repositoryURLs\": \"u\"}",
            "{\"repositoryURLs\": [1]}",
            "{\"author\": \"A\"}",
            "{\"author\": {}}",
            "{\"author\": {\"name\": \"A\", \"organization\": []}}",
            "{} {}",
            &deep,
            &many,
        ] {
            assert!(PackageMetadata::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(PackageMetadata::parse(b"{\"x\":\"\xff\"}").is_err());
    }
}
