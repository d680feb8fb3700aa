//! Wildcards: `*` is any run of characters, `?` is one.

/// One element of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// This character.
    Char(char),
    /// `?`
    One,
    /// `*`
    Many,
}

impl Token {
    /// Reads a character that may be a wildcard.
    pub(super) fn wildcard(character: char) -> Self {
        match character {
            '*' => Self::Many,
            '?' => Self::One,
            other => Self::Char(other),
        }
    }
}

/// Whether the whole text fits the pattern. At most `pattern × text` steps: only the last `*` is ever reconsidered.
pub(super) fn matches(pattern: &[Token], text: &str) -> bool {
    let (mut at, mut position) = (0, 0);
    // Where to go on when what follows the last `*` does not fit: behind that `*`, one character further.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let next = text[position..].chars().next();
        match (pattern.get(at), next) {
            (None, None) => return true,
            (Some(Token::Many), _) => {
                at += 1;
                retry = Some((at, position));
            }
            (Some(Token::One), Some(character)) => {
                at += 1;
                position += character.len_utf8();
            }
            (Some(Token::Char(wanted)), Some(character)) if *wanted == character => {
                at += 1;
                position += character.len_utf8();
            }
            _ => {
                let Some((behind, from)) = retry else { return false };
                let Some(skipped) = text[from..].chars().next() else { return false };
                position = from + skipped.len_utf8();
                at = behind;
                retry = Some((behind, position));
            }
        }
    }
}

/// A pattern for action names, which compare without case.
#[derive(Debug, Clone)]
pub(super) struct ActionPattern {
    /// As the document has it.
    pub(super) source: String,
    tokens: Vec<Token>,
}

impl ActionPattern {
    /// Reads the pattern.
    pub(super) fn new(source: &str) -> Self {
        let tokens = source.to_ascii_lowercase().chars().map(Token::wildcard).collect();
        Self { source: source.to_owned(), tokens }
    }

    /// Whether an action, in lower case, fits.
    pub(super) fn matches(&self, lower_case_action: &str) -> bool {
        matches(&self.tokens, lower_case_action)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use proptest::prelude::*;

    use super::*;

    fn tokens(pattern: &str) -> Vec<Token> {
        pattern.chars().map(Token::wildcard).collect()
    }

    /// Follows the definition, in exponential time.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) => {
                naive(rest, text) || text.split_first().is_some_and(|(_, later)| naive(pattern, later))
            }
            (Some((wanted, rest)), Some((first, later))) => (*wanted == '?' || wanted == first) && naive(rest, later),
            _ => false,
        }
    }

    #[test]
    fn wildcards_fit_what_they_should() {
        for (pattern, text, fits) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("?", "", false),
            ("?", "é", true),
            ("*?", "é", true),
            ("a*c", "abbc", true),
            ("a*c", "abcb", false),
            ("*/npm/*", "package/d/r/npm//react", true),
            ("a?c", "ac", false),
            ("**a**", "a", true),
        ] {
            assert_eq!(matches(&tokens(pattern), text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn actions_compare_without_case() {
        assert!(ActionPattern::new("CodeArtifact:get*").matches("codeartifact:getdomain"));
        assert!(!ActionPattern::new("codeartifact:Get*").matches("codeartifact:listdomains"));
    }

    #[test]
    fn many_wildcards_on_a_long_text_take_no_time() {
        let pattern = tokens(&"a*".repeat(3000));
        let text = format!("{}b", "a".repeat(7000));
        let start = Instant::now();
        assert!(matches(&pattern, &text));
        assert!(!matches(&[pattern, tokens("c")].concat(), &text));
        // An exponential matcher would not end at all; the margin is for a slow machine.
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        #[test]
        fn matching_agrees_with_the_definition(pattern in "[ab?*é]{0,8}", text in "[abé]{0,10}") {
            let expected = naive(&pattern.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>());
            prop_assert_eq!(matches(&tokens(&pattern), &text), expected);
        }
    }
}
