//! Names of assets, and which spelling of a name is the one (reference 6.8, protocol reference 0.5, 8.1).

use larder_core::error::Invalid;
use larder_core::model::AssetName;
use unicode_normalization::is_nfc;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

/// The namespace that packages without one have in the API, which cannot name them otherwise.
pub(crate) const NO_NAMESPACE: &str = "_";

/// The version that redirects to the newest one.
pub(crate) const LATEST: &str = "latest";

/// The asset that every version has: its other assets' digests.
pub(crate) const CHECKSUMS: &str = "SHA256SUMS";

/// Marks that an asset's name may have beside letters and digits. The API reference has the back-quote, the user guide
/// has not.
const MARKS: &str = "~!@^&()-_+[]{};,.`";

/// Reads an asset's name, which is narrower than other formats'.
pub(crate) fn asset_name(text: &str) -> Result<AssetName, Invalid> {
    check_composed(text)?;
    let words = text.split(' ').all(|word| !word.is_empty() && word.chars().all(is_asset_character));
    if !words || text == "." || text == ".." {
        return Err(Invalid::new(
            "the name of a generic asset has letters, digits, ~!@^&()-_+[]{};,.` and single blanks between them, and is \
             not '.' or '..'",
        ));
    }
    AssetName::new(text)
}

/// Refuses a name that is not in form NFC: two spellings that look the same would be two names.
pub(crate) fn check_composed(text: &str) -> Result<(), Invalid> {
    if is_nfc(text) {
        return Ok(());
    }
    Err(Invalid::new("a name must be in Unicode's composed form (NFC), and this one is not"))
}

fn is_asset_character(character: char) -> bool {
    use GeneralCategory::{
        DecimalNumber, LetterNumber, LowercaseLetter, ModifierLetter, OtherLetter, TitlecaseLetter, UppercaseLetter,
    };
    matches!(
        character.general_category(),
        LowercaseLetter
            | ModifierLetter
            | OtherLetter
            | TitlecaseLetter
            | UppercaseLetter
            | LetterNumber
            | DecimalNumber
    ) || MARKS.contains(character)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization as _;

    use super::*;

    #[test]
    fn asset_names_have_letters_digits_some_marks_and_single_blanks() {
        for good in ["a", "a b.txt", "übung-1_2.tar.gz", "~!@^&()-_+[]{};,.`", "数据", "한글"] {
            assert!(asset_name(good).is_ok(), "{good}");
        }
        for bad in
            ["", " ", ".", "..", " a", "a ", "a  b", "a/b", "a\\b", "a:b", "a\tb", "a\u{200b}b", "½", "a*", "a\u{301}"]
        {
            assert!(asset_name(bad).is_err(), "{bad:?}");
        }
        assert!(asset_name(&"a".repeat(255)).is_ok());
        assert!(asset_name(&"a".repeat(256)).is_err());
    }

    #[test]
    fn a_name_has_one_spelling() {
        assert!(check_composed("caf\u{e9}").is_ok());
        // A combining accent, the ångström sign, and letters of a syllable one by one.
        for bad in ["cafe\u{301}", "\u{212b}", "\u{1112}\u{1161}\u{11ab}"] {
            assert!(asset_name(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_its_own_normal_form(text in "\\PC{0,12}") {
            if let Ok(name) = asset_name(&text) {
                prop_assert_eq!(name.as_str().nfc().collect::<String>(), text);
            }
        }
    }
}
