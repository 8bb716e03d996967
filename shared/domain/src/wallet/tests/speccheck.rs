//! The cases of ed25519-speccheck, in which libraries disagree: decided as `verify_strict` and canonical addresses decide.

use super::super::proof::verify_solana_bytes;
use super::*;

#[derive(Deserialize)]
struct Cases {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    case: usize,
    expected: String,
    reason: String,
    message: String,
    pub_key: String,
    signature: String,
}

fn bytes<const N: usize>(digits: &str) -> [u8; N] {
    hex::decode(digits).expect("hex").try_into().expect("the right length")
}

#[test]
fn every_case_is_decided_as_expected() {
    let cases = serde_json::from_str::<Cases>(include_str!("../vectors/speccheck_ed25519.json")).expect("well-formed").cases;
    assert_eq!(cases.len(), 12);
    for Case { case, expected, reason, message, pub_key, signature } in cases {
        let key: [u8; 32] = bytes(&pub_key);
        let message = hex::decode(message).expect("hex");
        let signed = verify_solana_bytes(&key, &message, &bytes(&signature)).is_ok();
        assert_eq!(signed, expected == "accepted", "case {case}: {reason}");
        // A key of small order is not even an address.
        let of_the_key = ["A and R have small order", "A has small order", "A is spelt non-canonically"];
        let address = WalletAddress::parse(&bs58::encode(key).into_string());
        assert_eq!(address.is_err(), of_the_key.iter().any(|start| reason.contains(start)), "case {case}: {reason}");
    }
}
