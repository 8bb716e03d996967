//! Proof of work: a little computing per registration, recovery or listing, so that making them by the million costs something.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ids::random_bytes;

/// The name of the hash, as replies give it.
pub const POW_ALGORITHM: &str = "sha256";

/// The rule in one sentence, as replies give it.
pub const POW_RULE: &str = "Find a pow_nonce (1 to 64 printable ASCII characters) such that the lowercase hex SHA-256 of the \
                            text challenge + pow_nonce starts with `difficulty` zeros.";

const MAX_NONCE_CHARS: usize = 64;

/// A riddle: `challenge` and how many leading zeros (hex digits) the answer's hash must have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofOfWork {
    /// 128 random bits as 32 lower-case hex digits.
    pub challenge: String,
    /// How many hex digits of the hash must be zero. Each one makes the work 16 times as long; above 64 nothing fits.
    pub difficulty: u8,
}

impl ProofOfWork {
    /// Makes a fresh riddle.
    #[must_use]
    pub fn issue(difficulty: u8) -> Self {
        Self { challenge: hex::encode(random_bytes::<16>()), difficulty }
    }

    /// Whether `pow_nonce` is well-formed ([`PowNonce`]) and solves this riddle.
    #[must_use]
    pub fn accepts(&self, pow_nonce: &str) -> bool {
        PowNonce::parse(pow_nonce).is_ok() && self.fits(Sha256::new_with_prefix(&self.challenge), pow_nonce)
    }

    /// Finds an answer by trying numbers. Takes `16^difficulty` hashes on average: for demonstrations and tests.
    ///
    /// # Panics
    /// If no number below 2^64 is an answer, which only a difficulty of 16 or more makes likely.
    #[must_use]
    pub fn solve(&self) -> String {
        let start = Sha256::new_with_prefix(&self.challenge);
        (0_u64..)
            .map(|n| n.to_string())
            .find(|nonce| self.fits(start.clone(), nonce))
            .expect("a number below 2^64 solves any difficulty in use")
    }

    fn fits(&self, challenge: Sha256, pow_nonce: &str) -> bool {
        let hash = challenge.chain_update(pow_nonce).finalize();
        let zeros = hash.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]).take_while(|digit| *digit == 0).count();
        zeros >= usize::from(self.difficulty)
    }
}

/// The answer to a riddle as callers may send it: 1 to 64 printable ASCII characters (space to `~`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PowNonce(String);

impl PowNonce {
    /// Reads an answer; whether it solves anything is another question.
    ///
    /// # Errors
    /// [`InvalidPowNonce`] where it is empty, too long or holds other characters.
    pub fn parse(text: &str) -> Result<Self, InvalidPowNonce> {
        let printable = text.bytes().all(|b| matches!(b, b' '..=b'~'));
        if text.is_empty() || text.len() > MAX_NONCE_CHARS || !printable {
            return Err(InvalidPowNonce);
        }
        Ok(Self(text.to_owned()))
    }

    /// The text as it was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text cannot be the answer to a proof of work. Its `Display` is a sentence for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidPowNonce;

impl fmt::Display for InvalidPowNonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("pow_nonce is a string of 1 to 64 printable ASCII characters.")
    }
}

impl std::error::Error for InvalidPowNonce {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_answer() {
        // printf 'crochet42043' | sha256sum
        let riddle = ProofOfWork { challenge: "crochet".to_owned(), difficulty: 4 };
        assert_eq!(riddle.solve(), "42043");
        assert!(riddle.accepts("42043"));
        assert!(!riddle.accepts("420430"));
        assert!(!riddle.accepts(" 42043"));
    }

    #[test]
    fn difficulty_counts_hex_digits() {
        for difficulty in 0..4 {
            let riddle = ProofOfWork::issue(difficulty);
            let answer = riddle.solve();
            assert!(riddle.accepts(&answer));
            let hash = hex::encode(Sha256::digest(format!("{}{answer}", riddle.challenge)));
            let zeros = hash.bytes().take_while(|b| *b == b'0').count();
            let exact = u8::try_from(zeros).expect("at most 64 zeros");
            assert!(ProofOfWork { difficulty: exact, ..riddle.clone() }.accepts(&answer));
            assert!(!ProofOfWork { difficulty: exact + 1, ..riddle.clone() }.accepts(&answer));
        }
        assert!(!ProofOfWork::issue(65).accepts("1"));
    }

    #[test]
    fn an_answer_for_one_challenge_is_none_for_another() {
        let (one, other) = (ProofOfWork::issue(4), ProofOfWork::issue(4));
        assert_ne!(one.challenge, other.challenge);
        let answers = (0..100_000_u32).map(|n| n.to_string()).filter(|n| one.accepts(n)).collect::<Vec<_>>();
        assert!(answers.iter().filter(|answer| other.accepts(answer)).count() <= 1, "only by chance");
    }

    #[test]
    fn answers_have_a_form() {
        let easy = ProofOfWork::issue(0);
        let longest = "~".repeat(64);
        for good in ["0", "a b", longest.as_str()] {
            assert_eq!(PowNonce::parse(good).map(|n| n.as_str().to_owned()), Ok(good.to_owned()));
            assert!(easy.accepts(good));
        }
        let too_long = "0".repeat(65);
        for bad in ["", "é", "1\n", "\u{7f}", "\0", too_long.as_str()] {
            assert_eq!(PowNonce::parse(bad), Err(InvalidPowNonce), "{bad:?}");
            assert!(!easy.accepts(bad), "{bad:?}");
        }
    }
}
