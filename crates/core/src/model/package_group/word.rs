//! Words and their boundaries (reference 4.4): a word is `[\p{L}\p{N}][\p{L}\p{N}\p{M}]*`.

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory as _};

fn starts_word(character: char) -> bool {
    matches!(character.general_category_group(), GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number)
}

fn goes_on(character: char) -> bool {
    starts_word(character) || is_mark(character)
}

fn is_mark(character: char) -> bool {
    character.general_category_group() == GeneralCategoryGroup::Mark
}

/// Whether a text ends inside a word or at its end: with a letter or number, and marks on it.
pub(super) fn ends_in_word(text: &str) -> bool {
    text.chars().rev().find(|character| !is_mark(*character)).is_some_and(starts_word)
}

/// Whether `text` starts with `prefix` and, if the prefix ends with a word, that word ends there too.
pub(super) fn begins(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|rest| !ends_in_word(prefix) || !rest.chars().next().is_some_and(goes_on))
}

/// Every prefix of a text that [`begins`] it, the shortest first.
pub(super) fn prefixes(text: &str) -> impl Iterator<Item = &str> {
    let ends = text.char_indices().skip(1).map(|(index, _)| index).chain([text.len()]);
    ends.map(|end| &text[..end]).filter(move |prefix| !prefix.is_empty() && begins(text, prefix))
}

/// `\p{C}`: control, format, surrogate, private and unassigned characters.
pub(super) fn is_other(character: char) -> bool {
    character.general_category_group() == GeneralCategoryGroup::Other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_prefix_matches_at_the_end_of_a_word() {
        for name in ["foo", "foo-bar", "foo.x", "foo+"] {
            assert!(begins(name, "foo"), "{name}");
        }
        for name in ["food", "foo1", "foo\u{301}", "fo", "barfoo", "fooBar"] {
            assert!(!begins(name, "foo"), "{name}");
        }
        assert!(begins("foo-bar", "foo-") && begins("foo-", "foo-") && !begins("foo", "foo-"));
    }

    #[test]
    fn marks_belong_to_the_word_before_them() {
        assert!(ends_in_word("e\u{301}"));
        assert!(!ends_in_word("-\u{301}") && !ends_in_word("") && !ends_in_word("a-"));
    }

    #[test]
    fn the_prefixes_of_a_name_are_its_words_and_marks_of_punctuation() {
        let all = |text| prefixes(text).collect::<Vec<_>>();
        assert_eq!(all("foo-bar1.x"), ["foo", "foo-", "foo-bar1", "foo-bar1.", "foo-bar1.x"]);
        assert_eq!(all("\u{e4}b"), ["\u{e4}b"]);
        assert!(all("").is_empty());
    }
}
