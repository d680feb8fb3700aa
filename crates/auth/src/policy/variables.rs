//! Policy variables: `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`, and `${*}`, `${?}`, `${$}` for the
//! characters themselves. They exist from version 2012-10-17 on.

use std::borrow::Cow;

use super::context::Context;
use super::pattern::{Token, matches};

/// The version of the policy language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// 2008-10-17, the default: no variables.
    V2008,
    /// 2012-10-17
    V2012,
}

/// Whether `*` and `?` are wildcards where a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wildcards {
    Yes,
    No,
}

/// A text with wildcards and variables.
#[derive(Debug, Clone)]
pub(super) enum Template {
    /// Without variables.
    Fixed(Vec<Token>),
    Variable(Vec<Part>),
}

/// A piece of a template.
#[derive(Debug, Clone)]
pub(super) enum Part {
    Token(Token),
    Variable { key: String, default: Option<String> },
}

impl Template {
    /// Reads a text.
    ///
    /// # Errors
    /// What is wrong with a variable in it.
    pub(super) fn parse(text: &str, version: Version, wildcards: Wildcards) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            if version == Version::V2012 && rest.starts_with("${") {
                let (part, after) = variable(&rest[2..])?;
                parts.push(part);
                rest = after;
                continue;
            }
            parts.push(Part::Token(match wildcards {
                Wildcards::Yes => Token::wildcard(character),
                Wildcards::No => Token::Char(character),
            }));
            rest = &rest[character.len_utf8()..];
        }
        let fixed: Option<Vec<Token>> = parts
            .iter()
            .map(|part| match part {
                Part::Token(token) => Some(*token),
                Part::Variable { .. } => None,
            })
            .collect();
        Ok(fixed.map_or(Self::Variable(parts), Self::Fixed))
    }

    /// Whether a text fits. A variable without value and default fits nothing.
    pub(super) fn matches(&self, text: &str, context: &Context<'_>) -> bool {
        self.resolve(context).is_some_and(|tokens| matches(&tokens, text))
    }

    /// Whether a text is the same but for case.
    pub(super) fn equals_ignoring_case(&self, text: &str, context: &Context<'_>) -> bool {
        self.resolve(context).is_some_and(|tokens| {
            let lower = tokens.iter().flat_map(|token| match token {
                Token::Char(character) => character.to_lowercase(),
                Token::One => '?'.to_lowercase(),
                Token::Many => '*'.to_lowercase(),
            });
            lower.eq(text.chars().flat_map(char::to_lowercase))
        })
    }

    fn resolve(&self, context: &Context<'_>) -> Option<Cow<'_, [Token]>> {
        let parts = match self {
            Self::Fixed(tokens) => return Some(Cow::Borrowed(tokens)),
            Self::Variable(parts) => parts,
        };
        let mut tokens = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Part::Token(token) => tokens.push(*token),
                Part::Variable { key, default } => {
                    let value = match (context.single(key), default) {
                        (Some(value), _) => value,
                        (None, Some(default)) => default,
                        (None, None) => return None,
                    };
                    tokens.extend(value.chars().map(Token::Char));
                }
            }
        }
        Some(Cow::Owned(tokens))
    }
}

/// Reads what follows `${`; gives the part and what follows its `}`.
fn variable(text: &str) -> Result<(Part, &str), String> {
    let unclosed = || "a variable is not closed with '}'".to_owned();
    let end = text.find(['}', ',']).ok_or_else(unclosed)?;
    let name = text[..end].trim();
    let (default, after) = if text[end..].starts_with('}') {
        (None, &text[end + 1..])
    } else {
        let quoted = text[end + 1..].trim_start();
        let quoted = quoted.strip_prefix('\'').ok_or_else(|| {
            format!("the default of the variable '{name}' must stand in single quotes, as in ${{{name}, 'value'}}")
        })?;
        let (default, rest) = quoted
            .split_once('\'')
            .ok_or_else(|| format!("the default of the variable '{name}' lacks its closing quote"))?;
        let after = rest.trim_start().strip_prefix('}').ok_or_else(unclosed)?;
        (Some(default.to_owned()), after)
    };
    let part = match (name, &default) {
        ("*" | "?" | "$", None) => Part::Token(Token::Char(name.chars().next().unwrap_or('$'))),
        _ if name.contains(':') && !name.contains(['$', '{', '*', '?']) => {
            Part::Variable { key: name.to_owned(), default }
        }
        _ => {
            return Err(format!(
                "'${{{name}}}' is no variable; one is named by a condition key, as in ${{aws:username}}"
            ));
        }
    };
    Ok((part, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(template: &str, version: Version, text: &str) -> bool {
        let values = [
            ("aws:username", vec!["alice".to_owned()]),
            ("aws:PrincipalTag/star", vec!["*".to_owned()]),
            ("aws:TagKeys", vec!["a".to_owned(), "b".to_owned()]),
        ];
        Template::parse(template, version, Wildcards::Yes).unwrap().matches(text, &Context::new(&values))
    }

    #[test]
    fn variables_stand_for_the_values_of_context_keys() {
        for (template, text, expected) in [
            ("home/${aws:username}/*", "home/alice/x", true),
            ("home/${aws:username}/*", "home/bob/x", false),
            ("home/${AWS:UserName}", "home/alice", true),
            ("home/${aws:nothing}", "home/", false),
            ("home/${aws:nothing, 'every one'}", "home/every one", true),
            ("home/${aws:username,'x'}", "home/alice", true),
            ("home/${aws:nothing, ''}", "home/", true),
            ("home/${aws:TagKeys}", "home/a", false),
            // A value's wildcard is a character.
            ("home/${aws:PrincipalTag/star}", "home/x", false),
            ("home/${aws:PrincipalTag/star}", "home/*", true),
            ("${*}${?}${$}{x}", "*?${x}", true),
            ("${*}", "x", false),
        ] {
            assert_eq!(fits(template, Version::V2012, text), expected, "{template} {text}");
        }
    }

    #[test]
    fn the_old_version_knows_no_variables() {
        assert!(fits("home/${aws:username}", Version::V2008, "home/${aws:username}"));
        assert!(!fits("home/${aws:username}", Version::V2008, "home/alice"));
        assert!(fits("${unclosed", Version::V2008, "${unclosed"));
    }

    #[test]
    fn malformed_variables_are_refused() {
        for text in [
            "${",
            "${aws:username",
            "${}",
            "${username}",
            "${aws:a, x}",
            "${aws:a, 'x}",
            "${aws:a, 'x' y}",
            "${*, 'x'}",
        ] {
            assert!(Template::parse(text, Version::V2012, Wildcards::Yes).is_err(), "{text}");
        }
    }

    #[test]
    fn equality_without_case_goes_beyond_ascii() {
        let template = Template::parse("GRÖSSE*", Version::V2012, Wildcards::No).unwrap();
        assert!(template.equals_ignoring_case("grösse*", &Context::new(&[])));
        assert!(!template.equals_ignoring_case("grösse+", &Context::new(&[])));
    }
}
