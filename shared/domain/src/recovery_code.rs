//! Recovery codes: what lets a person back in who has lost every passkey. Each counts once; only hashes are kept.

use std::fmt;

use super::ids::{random_bytes, sha256_hex};

/// How many codes a person gets at a time.
pub const RECOVERY_CODES: usize = 10;

/// Crockford's base 32: no I, L, O and U, which are mistaken for other characters (<https://www.crockford.com/base32.html>).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// 20 characters of 5 bits: 100 random bits, far beyond guessing even where the hashes leak.
const CHARS: usize = 20;
const GROUP: usize = 5;

/// A recovery code. It does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCode(String);

impl RecoveryCode {
    /// A fresh code of the operating system's randomness.
    #[must_use]
    pub fn generate() -> Self {
        // 256 is a multiple of 32: every character is as likely as any other.
        Self(random_bytes::<CHARS>().iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect())
    }

    /// Reads a code as people type it: in any case, with or without the hyphens, O for 0, I and L for 1. `None` where it cannot
    /// be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // Longer texts cannot be one, whatever is left out of them.
        if text.len() > 4 * CHARS {
            return None;
        }
        let mut code = String::with_capacity(CHARS);
        for typed in text.chars().filter(|c| !matches!(c, '-' | ' ')) {
            let meant = match typed.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            if !u8::try_from(meant).is_ok_and(|byte| ALPHABET.contains(&byte)) {
                return None;
            }
            code.push(meant);
        }
        (code.len() == CHARS).then_some(Self(code))
    }

    /// What the code is found by: the SHA-256 of its characters without hyphens, in hex.
    #[must_use]
    pub fn sha256(&self) -> String {
        sha256_hex(&self.0)
    }

    /// The code in groups of five characters. For the one reply that hands it over.
    #[must_use]
    pub fn reveal(&self) -> String {
        let groups: Vec<&str> = (0..CHARS).step_by(GROUP).filter_map(|from| self.0.get(from..from + GROUP)).collect();
        groups.join("-")
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_people_type_them() {
        let code = RecoveryCode::generate();
        let shown = code.reveal();
        assert_eq!((shown.len(), shown.matches('-').count()), (23, 3));
        for typed in [shown.clone(), shown.to_lowercase(), shown.replace('-', ""), shown.replace('-', " "), shown.replace('0', "o")]
        {
            assert_eq!(RecoveryCode::parse(&typed).expect("a code").sha256(), code.sha256(), "as typed");
        }
        for bad in ["", "x", &shown[1..], &format!("{shown}A"), &"U".repeat(20), &"é".repeat(20), &"-".repeat(100)] {
            assert!(RecoveryCode::parse(bad).is_none(), "{bad}");
        }
        assert_eq!(format!("{code:?}"), "RecoveryCode(…)");
        assert_ne!(RecoveryCode::generate().sha256(), code.sha256());
    }
}
