//! Proof of work: find a nonce for which the hash of challenge and nonce starts with zeros.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::error::UnexpectedReply;

/// A proof-of-work task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pow {
    /// The text before the nonce.
    pub challenge: String,
    /// Required number of leading zero hex digits.
    pub difficulty: usize,
}

impl Pow {
    /// Reads `pow` of a reply.
    ///
    /// # Errors
    /// If the reply contains no task.
    pub fn read(pow: &Value) -> Result<Self, UnexpectedReply> {
        let challenge = pow["challenge"].as_str();
        let difficulty = pow["difficulty"].as_u64().and_then(|digits| usize::try_from(digits).ok());
        match (challenge, difficulty) {
            (Some(challenge), Some(difficulty)) if difficulty <= 10 => Ok(Self { challenge: challenge.to_owned(), difficulty }),
            _ => Err(UnexpectedReply(format!("not a feasible proof-of-work task: {pow}"))),
        }
    }

    /// Finds the nonce.
    #[must_use]
    pub fn solve(&self) -> String {
        solve(&self.challenge, self.difficulty)
    }
}

/// The smallest number `n` for which lowercase hex `sha256(challenge + n)` begins with `difficulty` zeros.
///
/// Takes 16^difficulty tries on average.
#[must_use]
pub fn solve(challenge: &str, difficulty: usize) -> String {
    let start = Sha256::new_with_prefix(challenge.as_bytes());
    let mut number: u64 = 0;
    loop {
        let nonce = number.to_string();
        let hash = start.clone().chain_update(nonce.as_bytes()).finalize();
        let zeros = hash.iter().flat_map(|byte| [byte >> 4, byte & 15]).take_while(|digit| *digit == 0).count();
        if zeros >= difficulty {
            return nonce;
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_solution_solves() {
        for difficulty in 0..=4 {
            let nonce = solve("challenge", difficulty);
            let hash = hex::encode(Sha256::digest(format!("challenge{nonce}")));
            assert!(hash.starts_with(&"0".repeat(difficulty)), "{hash}");
        }
    }
}
