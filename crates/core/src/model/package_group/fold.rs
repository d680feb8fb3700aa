//! Variants of a name (reference 4.5): what people would take for one another. Two texts are variants if they fold to
//! the same text.

use unicase::UniCase;
use unicode_normalization::UnicodeNormalization as _;

/// Folding feeds what one pass makes into the next until nothing changes; Unicode's data settles in two or three.
const PASSES: usize = 4;

/// Rises whenever [`fold`] may answer otherwise than before, as with newer Unicode data: what was stored is folded anew.
pub const FOLD_VERSION: i64 = 1;

/// The text that all variants of a text have in common: case is folded as Unicode does in full; each run of `-`, `.`
/// and `_` is one `.`; a character of another alphabet is the one it looks like (technical standard 39). Characters of
/// ASCII are told apart as they are: `1` is no variant of `l`, though both are of the letters of other alphabets that
/// look like them.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return join_separators(&text.to_ascii_lowercase());
    }
    let mut folded = pass(text);
    for _ in 1..PASSES {
        let next = pass(&folded);
        if next == folded {
            break;
        }
        folded = next;
    }
    folded
}

fn pass(text: &str) -> String {
    let mut compatible = String::with_capacity(text.len());
    for character in text.nfd() {
        push_unless_forbidden(&mut compatible, character, &character.nfkd().collect::<String>());
    }
    let cased = UniCase::unicode(compatible).to_folded_case();
    let mut alike = String::with_capacity(cased.len());
    for character in cased.chars() {
        if character.is_ascii() {
            alike.push(character);
            continue;
        }
        // The data write `m` as `rn`, which it is for nobody here: ASCII stays.
        let looks: String = unicode_security::skeleton(character.encode_utf8(&mut [0; 4])).collect();
        push_unless_forbidden(&mut alike, character, &looks.replace("rn", "m"));
    }
    join_separators(&alike.nfd().collect::<String>())
}

/// Appends what stands for a character; the character itself, if that has what no name may have.
fn push_unless_forbidden(out: &mut String, character: char, instead: &str) {
    if instead.chars().any(|c| c == '/' || c == '#' || c.is_whitespace() || c.is_control()) {
        out.push(character);
    } else {
        out.push_str(instead);
    }
}

fn join_separators(text: &str) -> String {
    let mut joined = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '-' | '.' | '_' if joined.ends_with('.') => {}
            '-' | '.' | '_' => joined.push('.'),
            other => joined.push(other),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_documented_variants_are_variants() {
        for variant in ["foo-bar", "foo.bar", "foo..bar", "foo_bar", "Foo-Bar", "foo-._bar"] {
            assert_eq!(fold(variant), "foo.bar", "{variant}");
        }
        assert_ne!(fold("foobar"), "foo.bar");
    }

    #[test]
    fn look_alikes_of_other_alphabets_are_variants() {
        // Cyrillic, Greek, full-width and mathematical letters; hyphens that are none; a dotless i.
        for (variant, folded) in [
            ("re\u{430}ct", "react"),
            ("\u{421}ore", "core"),
            ("\u{39F}pen", "open"),
            ("\u{FF4C}odash", "lodash"),
            ("\u{1D426}odule", "module"),
            ("foo\u{2010}bar", "foo.bar"),
            ("STRASSE", "strasse"),
            ("stra\u{DF}e", "strasse"),
            ("e\u{301}", "e\u{301}"),
            ("\u{E9}", "e\u{301}"),
            ("\u{FF10}", "0"),
        ] {
            assert_eq!(fold(variant), folded, "{variant}");
        }
        assert_ne!(fold("modem"), fold("modern"));
        assert_ne!(fold("l0dash"), fold("lodash"));
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in "\\PC{0,12}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }

        #[test]
        fn folding_makes_nothing_that_a_name_may_not_have(text in "[^#/\\s\\pC]{1,12}") {
            let folded = fold(&text);
            prop_assert!(!folded.is_empty());
            prop_assert!(!folded.chars().any(|c| c == '/' || c == '#' || c.is_whitespace() || c.is_control()));
        }

        #[test]
        fn ascii_folds_as_other_text_does(text in "[!-~]{0,12}") {
            prop_assert_eq!(pass(&text), fold(&text));
        }
    }
}
