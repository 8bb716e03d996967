//! Proof of work makes mass registrations, recoveries and listings expensive.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ids::random_bytes;

/// The hash algorithm's name in replies.
pub const POW_ALGORITHM: &str = "sha256";

/// The rule in one sentence, for replies.
pub const POW_RULE: &str = "Find a pow_nonce (1 to 64 printable ASCII characters) such that the lowercase hex SHA-256 of the \
                            text challenge + pow_nonce starts with `difficulty` zeros.";

const MAX_NONCE_CHARS: usize = 64;

/// A puzzle: a challenge, and the number of leading zeros (hex digits) that the hash of a solution must have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofOfWork {
    /// 128 random bits as 32 lower-case hex digits.
    pub challenge: String,
    /// The required number of leading zero hex digits. Each one multiplies the work by 16. Above 64 there is no solution.
    pub difficulty: u8,
}

impl ProofOfWork {
    /// A new random puzzle.
    #[must_use]
    pub fn issue(difficulty: u8) -> Self {
        Self { challenge: hex::encode(random_bytes::<16>()), difficulty }
    }

    /// Whether `pow_nonce` is well-formed ([`PowNonce`]) and solves this puzzle.
    #[must_use]
    pub fn accepts(&self, pow_nonce: &str) -> bool {
        PowNonce::parse(pow_nonce).is_ok() && self.fits(Sha256::new_with_prefix(&self.challenge), pow_nonce)
    }

    /// Finds a solution by trying numbers, in `16^difficulty` hashes on average. For demonstrations and tests.
    ///
    /// # Panics
    /// If no number below 2^64 is a solution, which is likely only at a difficulty of 16 or more.
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

/// A well-formed solution: 1 to 64 printable ASCII characters (space to `~`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PowNonce(String);

impl PowNonce {
    /// Parses a solution without checking that it solves anything.
    ///
    /// # Errors
    /// [`InvalidPowNonce`] if it is empty, too long or contains other characters.
    pub fn parse(text: &str) -> Result<Self, InvalidPowNonce> {
        let printable = text.bytes().all(|b| matches!(b, b' '..=b'~'));
        if text.is_empty() || text.len() > MAX_NONCE_CHARS || !printable {
            return Err(InvalidPowNonce);
        }
        Ok(Self(text.to_owned()))
    }

    /// The text as the caller sent it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text does not have the form of a proof-of-work solution. The message is meant for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("pow_nonce is a string of 1 to 64 printable ASCII characters.")]
pub struct InvalidPowNonce;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_answer() {
        // printf 'crochet42043' | sha256sum
        let puzzle = ProofOfWork { challenge: "crochet".to_owned(), difficulty: 4 };
        assert_eq!(puzzle.solve(), "42043");
        assert!(puzzle.accepts("42043"));
        assert!(!puzzle.accepts("420430"));
        assert!(!puzzle.accepts(" 42043"));
    }

    #[test]
    fn difficulty_counts_hex_digits() {
        for difficulty in 0..4 {
            let puzzle = ProofOfWork::issue(difficulty);
            let answer = puzzle.solve();
            assert!(puzzle.accepts(&answer));
            let hash = hex::encode(Sha256::digest(format!("{}{answer}", puzzle.challenge)));
            let zeros = hash.bytes().take_while(|b| *b == b'0').count();
            let exact = u8::try_from(zeros).expect("at most 64 zeros");
            assert!(ProofOfWork { difficulty: exact, ..puzzle.clone() }.accepts(&answer));
            assert!(!ProofOfWork { difficulty: exact + 1, ..puzzle.clone() }.accepts(&answer));
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
