//! Classes of characters that the API's patterns speak of.

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory as _};

/// `\p{C}`: control, format, surrogate, private and unassigned characters.
pub(super) fn is_other(character: char) -> bool {
    character.general_category_group() == GeneralCategoryGroup::Other
}

/// What a generic asset's name is made of, beside single inner spaces (reference 6.8).
pub(super) fn is_generic_asset_character(character: char) -> bool {
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
    ) || "~!@^&()-_+[]{};,.`".contains(character)
}
