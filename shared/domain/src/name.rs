//! Names that people read: of profiles and listings.

use unicode_general_category::{GeneralCategory as Category, get_general_category};

/// Why a text is no name. The message continues after the field's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// A line break, a tab or another control character.
    #[error("must be one line")]
    NotOneLine,
    /// A character that changes the direction of the text around it, so that a name could be read as another.
    #[error("must not contain characters that control the direction of text, such as U+202E")]
    DirectionControl,
    /// Nothing of it can be seen.
    #[error("must have at least one visible character")]
    Invisible,
}

/// Checks that a text can be a name.
///
/// # Errors
/// [`NameError`].
pub fn check_name(text: &str) -> Result<(), NameError> {
    if text.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
        Err(NameError::NotOneLine)
    } else if text.contains(is_direction_control) {
        Err(NameError::DirectionControl)
    } else if text.contains(is_visible) {
        Ok(())
    } else {
        Err(NameError::Invisible)
    }
}

fn is_direction_control(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a character is seen by itself. A mark needs another one; some letters are fillers without a shape.
fn is_visible(c: char) -> bool {
    let has_shape = !matches!(
        get_general_category(c),
        Category::Control
            | Category::Format
            | Category::Surrogate
            | Category::Unassigned
            | Category::PrivateUse
            | Category::SpaceSeparator
            | Category::LineSeparator
            | Category::ParagraphSeparator
            | Category::NonspacingMark
            | Category::EnclosingMark
            | Category::SpacingMark
    );
    has_shape && !matches!(c, '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_visible_and_keep_their_direction() {
        for good in ["Ada", "שלום", "हिन्दी", "🦀", "👩\u{200d}🔬 lab", "e\u{301}", "…"] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for invisible in
            ["", "\u{200b}\u{200d}", "\u{2060}\u{feff}", "\u{3164}\u{3164}", "\u{2800}", "\u{301}", "\u{a0} \u{3000}", "\u{e000}"]
        {
            assert_eq!(check_name(invisible), Err(NameError::Invisible), "{invisible:?}");
        }
        for control in ["a\u{202e}b", "\u{200f}a", "a\u{2066}b\u{2069}", "\u{61c}a"] {
            assert_eq!(check_name(control), Err(NameError::DirectionControl), "{control:?}");
        }
        for lines in ["a\nb", "a\u{2028}b", "a\tb"] {
            assert_eq!(check_name(lines), Err(NameError::NotOneLine), "{lines:?}");
        }
    }
}
