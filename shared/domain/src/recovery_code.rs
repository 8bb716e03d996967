//! Recovery codes let a person log in without a passkey. Each works once. Only hashes are stored.

use secrecy::{ExposeSecret, SecretString};

use super::ids::{random_bytes, sha256_hex};

/// Number of codes issued at a time.
pub const RECOVERY_CODES: usize = 10;

/// Crockford's base 32. It leaves out I, L, O and U, which are easily misread (<https://www.crockford.com/base32.html>).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// 20 characters of 5 bits: 100 random bits cannot be guessed, even from a leaked hash.
const CHARS: usize = 20;
const GROUP: usize = 5;

/// A recovery code.
#[derive(Debug, Clone)]
pub struct RecoveryCode(SecretString);

impl RecoveryCode {
    /// A new random code.
    #[must_use]
    pub fn generate() -> Self {
        // 256 is a multiple of 32, so every character is equally likely.
        let code: String = random_bytes::<CHARS>().iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
        Self(code.into())
    }

    /// Parses a code as people type it: in any case, with or without hyphens and spaces, with O for 0 and with I or L for 1.
    /// `None` if it does not have the form of a code.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // Bounds the work: separators may be dropped, but not this many.
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
        (code.len() == CHARS).then(|| Self(code.into()))
    }

    /// SHA-256 of the code without hyphens, in hex: the key under which it is stored.
    #[must_use]
    pub fn sha256(&self) -> String {
        sha256_hex(self.0.expose_secret())
    }

    /// The code in groups of five characters, for the reply that issues it.
    #[must_use]
    pub fn reveal(&self) -> String {
        let code = self.0.expose_secret();
        let groups: Vec<&str> = (0..CHARS).step_by(GROUP).filter_map(|from| code.get(from..from + GROUP)).collect();
        groups.join("-")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_parsed_as_people_type_them() {
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
        assert!(!format!("{code:?}").contains(code.0.expose_secret()));
        assert_ne!(RecoveryCode::generate().sha256(), code.sha256());
    }
}
