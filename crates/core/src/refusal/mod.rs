//! Refusals by policy: which rule refused, in one sentence that clients print, under a code that stays the same.
//!
//! A sentence says what is refused, by which rule, until when where that is known, and who can lift it. It is made only
//! after the caller was found to have rights to the resource that it names; whoever has none is told nothing but that.

mod advice;
mod code;
mod rules;
mod trace;

use std::fmt;

pub use code::RefusalCode;
pub use rules::GroupRule;
pub use trace::Step;
pub(crate) use trace::Trace;

/// A refusal by policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    code: RefusalCode,
    sentence: String,
    parameters: Vec<(&'static str, String)>,
}

impl Refusal {
    /// A refusal under a code. The sentence has no full stop and no line end.
    #[must_use]
    pub fn new(code: RefusalCode, sentence: impl Into<String>) -> Self {
        Self { code, sentence: sentence.into(), parameters: Vec::new() }
    }

    /// Adds what the sentence was made of, for programs.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.parameters.push((name, value.to_string()));
        self
    }

    /// Which rule.
    #[must_use]
    pub fn code(&self) -> RefusalCode {
        self.code
    }

    /// The sentence without the code.
    #[must_use]
    pub fn sentence(&self) -> &str {
        &self.sentence
    }

    /// What the sentence was made of: names and values.
    #[must_use]
    pub fn parameters(&self) -> &[(&'static str, String)] {
        &self.parameters
    }
}

/// The sentence and the code behind it: what clients print.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.sentence, self.code)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_told_apart_and_found_by_their_text() {
        let texts: HashSet<_> = RefusalCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), RefusalCode::ALL.len());
        for code in RefusalCode::ALL {
            assert_eq!(RefusalCode::parse(code.as_str()), Some(*code));
            assert!(code.as_str().bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{code}");
        }
        assert_eq!(RefusalCode::parse("no-such-code"), None);
    }

    #[test]
    fn a_refusal_prints_its_sentence_and_its_code() {
        let refusal = Refusal::new(RefusalCode::OriginPublish, "publishing is blocked").with("package", "/npm//a");
        assert_eq!(refusal.to_string(), "publishing is blocked [origin-publish]");
        assert_eq!(refusal.parameters(), [("package", "/npm//a".to_owned())]);
    }
}
