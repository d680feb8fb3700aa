//! What the policy operations take.

use larder_core::error::{Invalid, Result};
use larder_core::model::Revision;
use serde::Deserialize;

use super::body;
use super::characters::is_other;

/// The members of a body that puts a policy.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PolicyMembers {
    policy_document: Option<String>,
    policy_revision: Option<String>,
}

/// A policy to put, whose text is still to be checked.
#[derive(Debug)]
pub(super) struct PolicyInput {
    pub(super) document: String,
    /// The revision that must be current.
    pub(super) expected: Option<Revision>,
}

impl PolicyMembers {
    /// Checks the members' general rules.
    pub(super) fn parse(self) -> Result<PolicyInput> {
        Ok(PolicyInput {
            document: body::get("policyDocument", self.policy_document.as_deref(), parse_document)?,
            expected: body::get_optional("policyRevision", self.policy_revision.as_deref(), parse_policy_revision)?,
        })
    }
}

fn parse_document(text: &str) -> Result<String, Invalid> {
    let allowed = |character: char| !is_other(character) || character.is_whitespace();
    if (1..=7168).contains(&text.chars().count()) && text.chars().all(allowed) {
        return Ok(text.to_owned());
    }
    Err(Invalid::new("Member must have 1 to 7168 characters and no control characters"))
}

/// Reads a policy's revision.
///
/// # Errors
/// [`Invalid`] unless it has 1 to 100 characters and no white space.
pub(super) fn parse_policy_revision(text: &str) -> Result<Revision, Invalid> {
    if (1..=100).contains(&text.chars().count()) && !text.contains(char::is_whitespace) {
        return Ok(Revision(text.to_owned()));
    }
    Err(Invalid::new("Member must have 1 to 100 characters and no white space"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(document: &str, revision: Option<&str>) -> Result<PolicyInput> {
        let members =
            PolicyMembers { policy_document: Some(document.to_owned()), policy_revision: revision.map(str::to_owned) };
        members.parse()
    }

    #[test]
    fn documents_may_be_indented_and_have_7168_characters() {
        assert!(parse("{\n\t\"Version\": \"2012-10-17\"\r\n}", None).is_ok());
        assert!(parse(&" ".repeat(7168), None).is_ok());
        for bad in ["", "a\u{0}", &" ".repeat(7169)] {
            assert!(parse(bad, None).is_err(), "{}", bad.len());
        }
    }

    #[test]
    fn revisions_have_no_white_space() {
        assert!(parse("{}", Some("Ciqe5/9yicvkJT13b5/LdLpCyE6fqA7poa9qp+FilPs=")).is_ok());
        for bad in ["", "a b", &"a".repeat(101)] {
            assert!(parse("{}", Some(bad)).is_err(), "{bad}");
        }
    }
}
