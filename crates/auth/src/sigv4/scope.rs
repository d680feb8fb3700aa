//! The credential scope: `AKIDEXAMPLE/20150830/us-east-1/codeartifact/aws4_request`.

use super::{SignatureError, TERMINATOR};

/// Whose key, and what a signature is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scope {
    pub(super) access_key_id: String,
    /// `20150830`
    pub(super) date: String,
    pub(super) region: String,
    pub(super) service: String,
    pub(super) terminator: String,
}

impl Scope {
    /// The scope of a signature to be made.
    pub(super) fn new(access_key_id: &str, date: String, region: &str, service: &str) -> Self {
        Self {
            access_key_id: access_key_id.to_owned(),
            date,
            region: region.to_owned(),
            service: service.to_owned(),
            terminator: TERMINATOR.to_owned(),
        }
    }

    /// Reads the value of `Credential=` or `X-Amz-Credential`.
    ///
    /// # Errors
    /// [`SignatureError::Incomplete`] unless it has five elements, none of them empty.
    pub(super) fn parse(text: &str) -> Result<Self, SignatureError> {
        let elements: Vec<&str> = text.split('/').collect();
        match elements.as_slice() {
            [key, date, region, service, terminator] if elements.iter().all(|element| !element.is_empty()) => {
                Ok(Self {
                    access_key_id: (*key).to_owned(),
                    date: (*date).to_owned(),
                    region: (*region).to_owned(),
                    service: (*service).to_owned(),
                    terminator: (*terminator).to_owned(),
                })
            }
            _ => Err(SignatureError::Incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{text}'"
            ))),
        }
    }

    /// Without the key: what stands in the string to sign.
    pub(super) fn without_key(&self) -> String {
        format!("{}/{}/{}/{}", self.date, self.region, self.service, self.terminator)
    }

    /// With the key: what stands in the request.
    pub(super) fn credential(&self) -> String {
        format!("{}/{}", self.access_key_id, self.without_key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_round_trips() {
        let text = "AKIDEXAMPLE/20150830/us-east-1/codeartifact/aws4_request";
        assert_eq!(Scope::parse(text).map(|scope| scope.credential()).as_deref(), Ok(text));
    }

    #[test]
    fn a_credential_has_exactly_five_elements() {
        for text in [
            "",
            "AKID",
            "AKID/20150830/us-east-1/codeartifact",
            "a/b/c/d/e/f",
            "AKID//us-east-1/codeartifact/aws4_request",
        ] {
            assert!(matches!(Scope::parse(text), Err(SignatureError::Incomplete(_))), "{text}");
        }
    }
}
