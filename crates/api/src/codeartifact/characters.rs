//! Classes of characters that the API's patterns speak of.

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory as _};

/// `\p{C}`: control, format, surrogate, private and unassigned characters.
pub(super) fn is_other(character: char) -> bool {
    character.general_category_group() == GeneralCategoryGroup::Other
}
