//! What is searched for.

use percent_encoding::percent_decode_str;

use super::SummaryVersion;
use crate::error::NugetError;

const TAKE_DEFAULT: usize = 20;
const TAKE_LIMIT: usize = 1000;
const SKIP_LIMIT: usize = 3000;
const TERMS_LIMIT: usize = 20;

/// The parameters of search and autocomplete.
#[derive(Debug, Default)]
pub(crate) struct Query {
    /// In lower case; all must fit.
    terms: Vec<Term>,
    /// The whole text, in lower case.
    text: String,
    /// Of autocomplete: whose versions.
    pub(crate) id: Option<String>,
    pub(crate) skip: usize,
    pub(crate) take: usize,
    pub(crate) prerelease: bool,
    pub(crate) semver2: bool,
    /// In lower case.
    pub(crate) package_type: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
enum Term {
    /// Anywhere: id, title, description, tags.
    Anywhere(String),
    /// `packageid:x`: the id is this one.
    PackageId(String),
    /// `id:x`, `title:x`, `author:x`, …: part of that field.
    Id(String),
    Tag(String),
    Author(String),
    Title(String),
    Description(String),
}

impl Query {
    /// Reads a query string.
    ///
    /// # Errors
    /// 400 for `skip` and `take` that are no numbers in range.
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, NugetError> {
        let mut read = Self { take: TAKE_DEFAULT, ..Self::default() };
        for pair in query.unwrap_or_default().split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = value.replace('+', " ");
            let value = percent_decode_str(&value).decode_utf8_lossy().trim().to_owned();
            match name.to_ascii_lowercase().as_str() {
                "q" => {
                    read.text = value.to_lowercase();
                    read.terms = terms(&read.text);
                }
                "id" => read.id = Some(value),
                "skip" => read.skip = number("skip", &value, SKIP_LIMIT)?,
                "take" => read.take = number("take", &value, TAKE_LIMIT)?,
                "prerelease" => read.prerelease = value.eq_ignore_ascii_case("true"),
                "semverlevel" => read.semver2 = value.starts_with('2'),
                "packagetype" => read.package_type = Some(value.to_lowercase()).filter(|kind| !kind.is_empty()),
                _ => {}
            }
        }
        Ok(read)
    }

    /// Whether the text is a package's id.
    pub(crate) fn is_exactly(&self, id: &str) -> bool {
        self.text == id.to_lowercase()
    }

    /// Whether a package fits, told by its latest version.
    pub(crate) fn matches(&self, id: &str, latest: &SummaryVersion) -> bool {
        let metadata = &latest.metadata;
        let id = id.to_lowercase();
        let lower = |field: &Option<String>| field.as_deref().unwrap_or_default().to_lowercase();
        let has_tag = |tag: &str| metadata.tags.iter().any(|have| have.to_lowercase() == tag);
        self.terms.iter().all(|term| match term {
            Term::PackageId(wanted) => id == *wanted,
            Term::Id(part) => id.contains(part),
            Term::Tag(tag) => has_tag(tag),
            Term::Author(part) => lower(&metadata.authors).contains(part),
            Term::Title(part) => lower(&metadata.title).contains(part),
            Term::Description(part) => lower(&metadata.description).contains(part),
            Term::Anywhere(part) => {
                id.contains(part)
                    || lower(&metadata.title).contains(part)
                    || lower(&metadata.description).contains(part)
                    || lower(&metadata.summary).contains(part)
                    || has_tag(part)
            }
        })
    }
}

fn terms(text: &str) -> Vec<Term> {
    let words = text.split_whitespace().take(TERMS_LIMIT);
    words
        .map(|word| {
            let (field, value) = word.split_once(':').unwrap_or(("", word));
            let value = value.trim_matches('"').to_owned();
            match field {
                "packageid" => Term::PackageId(value),
                "id" => Term::Id(value),
                "tag" | "tags" => Term::Tag(value),
                "author" | "authors" | "owner" | "owners" => Term::Author(value),
                "title" => Term::Title(value),
                "description" => Term::Description(value),
                _ => Term::Anywhere(word.trim_matches('"').to_owned()),
            }
        })
        .filter(|term| *term != Term::Anywhere(String::new()))
        .collect()
}

fn number(name: &str, value: &str, limit: usize) -> Result<usize, NugetError> {
    if value.is_empty() {
        return Ok(if name == "take" { TAKE_DEFAULT } else { 0 });
    }
    let number: Option<usize> = value.parse().ok().filter(|number| *number <= limit);
    number.ok_or_else(|| NugetError::bad_request(format!("'{name}' is a number from 0 to {limit}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::PackageMetadata;

    fn version(id: &str, description: &str, tags: &[&str]) -> SummaryVersion {
        SummaryVersion {
            metadata: PackageMetadata {
                id: id.to_owned(),
                description: Some(description.to_owned()),
                tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
                ..PackageMetadata::default()
            },
            ..SummaryVersion::default()
        }
    }

    #[test]
    fn every_term_has_to_fit_somewhere() {
        let latest = version("Acme.Json", "reads documents", &["fast", "Parser"]);
        for (text, fits) in [
            ("", true),
            ("acme", true),
            ("ACME+documents", true),
            ("acme%20xml", false),
            ("packageid:acme.json", true),
            ("PackageId:acme", false),
            ("id:json", true),
            ("tags:parser", true),
            ("tag:pars", false),
            ("description:reads", true),
            ("parser", true),
            ("\"json\"", true),
        ] {
            let query = Query::parse(Some(&format!("q={text}"))).unwrap();
            assert_eq!(query.matches("Acme.Json", &latest), fits, "{text}");
        }
    }

    #[test]
    fn parameters_have_defaults_and_limits() {
        let query =
            Query::parse(Some("skip=5&take=7&prerelease=TRUE&semVerLevel=2.0.0&packageType=DotnetTool")).unwrap();
        assert_eq!((query.skip, query.take, query.prerelease, query.semver2), (5, 7, true, true));
        assert_eq!(query.package_type.as_deref(), Some("dotnettool"));
        let query = Query::parse(None).unwrap();
        assert_eq!((query.skip, query.take, query.prerelease, query.semver2), (0, 20, false, false));
        for bad in ["take=1001", "skip=3001", "take=-1", "skip=x"] {
            assert!(Query::parse(Some(bad)).is_err(), "{bad}");
        }
    }
}
