//! Solana's off-chain message envelope: what a hardware wallet signs instead of a plain text.
//!
//! The caller sends the signature only. The envelope is built again from the wallet and the message, so it names no other signer and
//! no other text. Its first byte can begin no transaction.

/// The prefix of every envelope.
const SIGNING_DOMAIN: &[u8; 16] = b"\xffsolana offchain";
/// Message formats of version 0 for texts that a hardware wallet takes: printable ASCII and UTF-8. Wallets differ in which one they
/// declare.
const SHORT_FORMATS: [u8; 2] = [0, 1];
/// The format of version 0 for all other texts.
const LONG_FORMAT: [u8; 1] = [2];
/// Maximum length of a text in a short format, in bytes.
const MAX_SHORT_BYTES: usize = 1_212;
const APPLICATION_DOMAIN_BYTES: usize = 32;

/// Every envelope of a message with this key as its only signer; none for a message that is too long for one.
///
/// - Version 0 of the specification, with the application's domain or zeros in its place.
/// - Version 0 as the `solana` command and its SDK write it, without application domain and signers.
/// - Version 1.
pub(super) fn envelopes(key: &[u8; 32], message: &str) -> Vec<Vec<u8>> {
    let Ok(length) = u16::try_from(message.len()) else { return Vec::new() };
    let length = length.to_le_bytes();
    let text = message.as_bytes();
    let build = |parts: &[&[u8]]| [&[SIGNING_DOMAIN.as_slice()], parts].concat().concat();
    let mut envelopes = Vec::new();
    let formats = if message.len() > MAX_SHORT_BYTES { LONG_FORMAT.as_slice() } else { &SHORT_FORMATS };
    for &format in formats {
        for domain in [[0; APPLICATION_DOMAIN_BYTES], application_domain(message)] {
            envelopes.push(build(&[&[0], &domain, &[format, 1], key, &length, text]));
        }
        envelopes.push(build(&[&[0, format], &length, text]));
    }
    envelopes.push(build(&[&[1, 1], key, text]));
    envelopes
}

/// The domain that the message names first, as 32 bytes: cut, or filled with zeros.
fn application_domain(message: &str) -> [u8; APPLICATION_DOMAIN_BYTES] {
    let mut domain = [0; APPLICATION_DOMAIN_BYTES];
    let name = message.split_ascii_whitespace().next().unwrap_or_default();
    domain.iter_mut().zip(name.bytes()).for_each(|(to, byte)| *to = byte);
    domain
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};

    use super::super::WalletAddress;
    use super::super::proof::{ProofError, check_encoding, verify};
    use super::*;

    const MESSAGE: &str = "market.example wants you to sign in:\n\nNonce: 1";

    #[test]
    fn each_envelope_counts_for_its_signer_and_message_only() {
        let (key, other) = (SigningKey::from_bytes(&[7; 32]), SigningKey::from_bytes(&[8; 32]));
        let address = WalletAddress::of_solana_key(&key.verifying_key()).expect("a wallet");
        let sign = |key: &SigningKey, bytes: &[u8]| bs58::encode(key.sign(bytes).to_bytes()).into_string();
        let all = envelopes(key.verifying_key().as_bytes(), MESSAGE);
        assert_eq!(all.len(), 7);
        for envelope in &all {
            assert_eq!(verify(&address, MESSAGE, &sign(&key, envelope)), Ok(()));
            assert_eq!(verify(&address, "Another text.", &sign(&key, envelope)), Err(ProofError::WrongSigner));
            assert_eq!(verify(&address, MESSAGE, &sign(&other, envelope)), Err(ProofError::WrongSigner));
        }
        for envelope in envelopes(other.verifying_key().as_bytes(), MESSAGE).iter().filter(|envelope| !all.contains(envelope)) {
            assert_eq!(verify(&address, MESSAGE, &sign(&key, envelope)), Err(ProofError::WrongSigner), "it names another signer");
        }
        assert!(envelopes(&[7; 32], &"x".repeat(65_536)).is_empty());
    }

    #[test]
    fn the_envelope_of_the_specification() {
        let envelope = &envelopes(&[9; 32], "hi")[0];
        let expected = format!("ff{}00{}0001{}02006869", hex::encode("solana offchain"), "00".repeat(32), "09".repeat(32));
        assert_eq!(hex::encode(envelope), expected);
    }

    #[test]
    fn base64_is_no_encoding_of_a_signature() {
        let address = WalletAddress::of_solana_key(&SigningKey::from_bytes(&[7; 32]).verifying_key()).expect("a wallet");
        let base64 = format!("{}==", "Ab+/".repeat(22).trim_end_matches('/'));
        assert!(matches!(check_encoding(&address, &base64, true), Err(ProofError::Malformed(_))));
        assert!(check_encoding(&address, &"ab".repeat(64), false).is_ok());
    }
}
