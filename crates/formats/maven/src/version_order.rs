//! Maven's version order (protocol reference 3.5): split at `.`, `-`, `_` and between digits and letters; numbers by
//! value; known qualifiers before, unknown ones after the release, numbers after those; what means nothing at the end of
//! a version or before a qualifier (`.0`, `-ga`) does not count. Resolver's generic version scheme has the same rules.
//!
//! A version becomes a list of tokens that is compared token by token, the shorter one filled up with [`Token::NOTHING`].
//! That is a total order whatever the text, which sorting needs. Versions that are equal in it (`1`, `1.0`) are ordered
//! by text.

use std::cmp::Ordering;

/// A version, ready to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OrderKey {
    tokens: Vec<Token>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Token {
    /// Distance to the release: `alpha` -5 … `snapshot` -1, the release itself 0, `sp` 1.
    Qualifier(i8),
    /// In lower case.
    Text(Box<str>),
    /// Digits without leading zeros, the longer ones greater.
    Number(usize, Box<str>),
}

impl Token {
    const NOTHING: Self = Self::Qualifier(0);

    fn number(digits: &str) -> Self {
        let digits = digits.trim_start_matches('0');
        Self::Number(digits.len(), digits.into())
    }

    fn word(word: &str, before_digit: bool) -> Self {
        let word = word.to_lowercase();
        Self::Qualifier(match word.as_str() {
            "alpha" => -5,
            "beta" => -4,
            "milestone" => -3,
            "rc" | "cr" => -2,
            "snapshot" => -1,
            "ga" | "final" | "release" => 0,
            "sp" => 1,
            // Short forms count only where a number follows: `1.0-a1`, not `1.0-a`.
            "a" if before_digit => -5,
            "b" if before_digit => -4,
            "m" if before_digit => -3,
            _ => return Self::Text(word.into()),
        })
    }

    fn is_number(&self) -> bool {
        matches!(self, Self::Number(..))
    }

    /// Whether it is as good as not being there.
    fn is_padding(&self) -> bool {
        matches!(self, Self::Number(0, _) | Self::Qualifier(0))
    }
}

impl OrderKey {
    pub(crate) fn of(version: &str) -> Self {
        let mut tokens = split(version);
        trim(&mut tokens);
        Self { tokens }
    }
}

impl Ord for OrderKey {
    fn cmp(&self, other: &Self) -> Ordering {
        let length = self.tokens.len().max(other.tokens.len());
        let at = |tokens: &'_ [Token], index: usize| tokens.get(index).cloned().unwrap_or(Token::NOTHING);
        (0..length)
            .map(|index| at(&self.tokens, index).cmp(&at(&other.tokens, index)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

impl PartialOrd for OrderKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Compares two versions; those that Maven takes for equal by their text.
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    OrderKey::of(a).cmp(&OrderKey::of(b)).then_with(|| a.cmp(b))
}

/// Sorts versions, oldest first.
pub(crate) fn sort(versions: &mut [String]) {
    versions.sort_by_cached_key(|version| (OrderKey::of(version), version.clone()));
}

fn split(version: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for part in version.split(['.', '-', '_']) {
        let mut rest = part;
        if rest.is_empty() {
            // `1..2` is `1.0.2`.
            tokens.push(Token::number("0"));
        }
        while let Some(first) = rest.chars().next() {
            let digits = first.is_ascii_digit();
            let end = rest.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(rest.len());
            let (piece, after) = rest.split_at(end);
            tokens.push(if digits { Token::number(piece) } else { Token::word(piece, !after.is_empty()) });
            rest = after;
        }
    }
    tokens
}

/// Takes away what counts as nothing at the end and before a token of the other kind, but never the first token.
fn trim(tokens: &mut Vec<Token>) {
    let mut kept: Vec<Token> = Vec::with_capacity(tokens.len());
    for token in tokens.drain(..) {
        if kept.last().is_some_and(|last| last.is_number() != token.is_number()) {
            drop_padding(&mut kept);
        }
        kept.push(token);
    }
    drop_padding(&mut kept);
    *tokens = kept;
}

fn drop_padding(tokens: &mut Vec<Token>) {
    while tokens.len() > 1 && tokens.last().is_some_and(Token::is_padding) {
        tokens.pop();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn same(a: &str, b: &str) -> bool {
        OrderKey::of(a) == OrderKey::of(b) && OrderKey::of(a).cmp(&OrderKey::of(b)).is_eq()
    }

    #[test]
    fn the_order_is_that_of_the_reference() {
        let ordered = [
            "1-alpha",
            "1-beta",
            "1-milestone",
            "1-rc",
            "1-SNAPSHOT",
            "1",
            "1-sp",
            "1-abc",
            "1-xyz",
            "1.0.1",
            "1.1-rc1",
            "1.1",
            "1.1.1",
            "1.9",
            "1.10",
            "2.0-alpha-2",
            "2.0-alpha-10",
            "2.0-SNAPSHOT",
            "2.0",
            "10",
            "20261122.192108",
            "99999999999999999999999",
            "100000000000000000000000",
        ];
        for (index, older) in ordered.iter().enumerate() {
            for newer in &ordered[index + 1..] {
                assert_eq!(compare(older, newer), Ordering::Less, "{older} {newer}");
                assert_eq!(compare(newer, older), Ordering::Greater, "{newer} {older}");
            }
        }
    }

    #[test]
    fn what_means_nothing_does_not_count() {
        for (a, b) in [
            ("1", "1.0"),
            ("1", "1.0.0"),
            ("1", "1-ga"),
            ("1", "1.0-final"),
            ("1", "1-RELEASE"),
            ("1.0-alpha", "1-ALPHA"),
            ("1-a1", "1-alpha-1"),
            ("1-b2", "1.beta.2"),
            ("1-m3", "1-milestone3"),
            ("1-cr1", "1-rc1"),
            ("01", "1"),
            ("1_2", "1.2"),
            ("1.0.0-rc", "1-rc"),
        ] {
            assert!(same(a, b), "{a} {b}");
        }
        assert!(!same("1-a", "1-alpha"), "a letter alone is a word");
    }

    fn versions() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            "[0-9]{1,3}",
            "0",
            "alpha",
            "a",
            "beta",
            "rc",
            "SNAPSHOT",
            "ga",
            "final",
            "sp",
            "[a-c]{1,2}",
            "",
            "[0-9]{20,25}",
            "[xé]"
        ];
        proptest::collection::vec((part, prop_oneof![".", "-", "_", ""]), 1..6)
            .prop_map(|parts| parts.into_iter().map(|(part, separator)| part + &separator).collect())
    }

    proptest! {
        #[test]
        fn any_three_versions_are_in_one_order(a in versions(), b in versions(), c in versions()) {
            let (ab, bc, ac) = (compare(&a, &b), compare(&b, &c), compare(&a, &c));
            prop_assert_eq!(ab, compare(&b, &a).reverse());
            if ab == bc {
                prop_assert_eq!(ab, ac);
            }
            prop_assert_eq!(compare(&a, &a), Ordering::Equal);
            prop_assert_eq!(ab.is_eq(), a == b);
        }

        #[test]
        fn a_trailing_zero_changes_nothing(number in "[1-9][0-9]{0,3}(\\.[0-9]{1,3}){0,3}") {
            let with_zero = format!("{number}.0");
            prop_assert!(same(&number, &with_zero));
        }

        #[test]
        fn a_greater_number_is_a_later_version(base in "[a-z0-9.-]{0,8}", a in any::<u64>(), b in any::<u64>()) {
            prop_assert_eq!(compare(&format!("{base}.{a}"), &format!("{base}.{b}")), a.cmp(&b));
        }

        #[test]
        fn sorting_any_text_ends(mut versions in proptest::collection::vec("\\PC{0,12}", 0..40)) {
            sort(&mut versions);
            prop_assert!(versions.windows(2).all(|pair| compare(&pair[0], &pair[1]).is_le()));
        }
    }
}
