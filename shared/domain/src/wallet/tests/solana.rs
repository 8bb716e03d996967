//! ed25519 signatures: strict, and nothing near them.

use ed25519_dalek::{Signature, Verifier, VerifyingKey};

use super::super::proof::{MAX_SIGNATURE_CHARS, verify};
use super::*;

/// The order of the base point, little-endian.
const L: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

fn bytes(vector: &Vector) -> Vec<u8> {
    bs58::decode(&vector.signature).into_vec().expect("base58")
}

#[test]
fn known_signatures() {
    for v in solana_vectors() {
        let digits = v.signature_hex.expect("the hex form");
        for spelling in [v.signature, digits.clone(), format!("0x{digits}"), digits.to_uppercase()] {
            assert_eq!(verify(&v.address, &v.message, &spelling), Ok(()), "{}", v.message);
        }
    }
}

#[test]
fn another_message_is_not_what_was_signed() {
    for v in solana_vectors() {
        let with_cr = v.message.replace('\n', "\r\n");
        let mut others = vec![format!("{}\n", v.message), v.message.replace("\r\n", "\n"), with_cr];
        others.extend([v.message.trim_end().to_owned(), "other".to_owned()]);
        for other in others.iter().filter(|other| **other != v.message) {
            assert_eq!(verify(&v.address, other, &v.signature), Err(ProofError::WrongSigner), "{other:?}");
        }
    }
}

#[test]
fn another_wallet_did_not_sign() {
    let all = solana_vectors();
    for (i, v) in all.iter().enumerate() {
        let other = &all[(i + 1) % all.len()];
        assert_eq!(verify(&other.address, &v.message, &v.signature), Err(ProofError::WrongSigner));
    }
    let evm = &evm_vectors()[0].address;
    assert!(is_malformed(verify(evm, &all[0].message, &all[0].signature)));
    assert!(is_malformed(verify(&all[0].address, "", &evm_vectors()[0].signature)));
}

#[test]
fn s_has_one_spelling() {
    let order = hex::decode(L).expect("hex");
    for v in solana_vectors() {
        let mut bytes = bytes(&v);
        // S + L is the same number modulo L.
        let mut carry = 0_u16;
        for (s, l) in bytes[32..].iter_mut().zip(&order) {
            let sum = u16::from(*s) + u16::from(*l) + carry;
            *s = u8::try_from(sum & 0xff).expect("a byte");
            carry = sum >> 8;
        }
        assert_eq!(carry, 0, "S + L fits 32 bytes");
        let result = verify(&v.address, &v.message, &bs58::encode(&bytes).into_string());
        assert_eq!(result, Err(ProofError::WrongSigner));
        bytes[32..].copy_from_slice(&order);
        assert!(verify(&v.address, &v.message, &hex::encode(&bytes)).is_err(), "S = L");
    }
}

#[test]
fn a_small_order_r_is_refused() {
    for v in solana_vectors() {
        for first in [0, 1, 0xec] {
            let mut bytes = [0_u8; 64];
            if first == 0xec {
                bytes[..32].fill(0xff);
                bytes[31] = 0x7f;
            }
            bytes[0] = first;
            assert_eq!(verify(&v.address, &v.message, &hex::encode(bytes)), Err(ProofError::WrongSigner));
        }
    }
}

/// The holder of a key can make a signature whose R is the identity and for which the plain check's equation holds
/// (S = H(R ‖ A ‖ M) · a; made with PyNaCl's scalar functions over "hello").
#[test]
fn a_valid_equation_is_not_enough() {
    let address = &solana_vectors()[0].address;
    let signature = "0100000000000000000000000000000000000000000000000000000000000000\
                     b8f10d5befd22cd37e24a29ccd7372ba9a827bbd81a07c82dd6edfc76064ca0e";
    let bytes = hex::decode(signature).expect("hex");
    let key = bs58::decode(address.as_str()).into_vec().expect("base58");
    let key = VerifyingKey::try_from(key.as_slice()).expect("a key");
    let plain = Signature::from_slice(&bytes).expect("64 bytes");
    assert!(key.verify("hello".as_bytes(), &plain).is_ok(), "the plain check accepts it");
    assert_eq!(verify(address, "hello", signature), Err(ProofError::WrongSigner));
}

#[test]
fn other_forms_are_refused() {
    let v = &solana_vectors()[2];
    let good = v.signature.as_str();
    let digits = hex::encode(bytes(v));
    let bad = [
        String::new(),
        "0x".to_owned(),
        bs58::encode(&bytes(v)[..63]).into_string(),
        bs58::encode([bytes(v), vec![0]].concat()).into_string(),
        format!("1{good}"),
        format!(" {good}"),
        format!("{good}\n"),
        good.replacen(&good[..1], "0", 1),
        digits[..126].to_owned(),
        format!("{digits}00"),
        format!("{digits}\n"),
        digits.replacen(&digits[..1], "g", 1),
        "1".repeat(MAX_SIGNATURE_CHARS),
    ];
    for text in bad {
        assert!(is_malformed(verify(&v.address, &v.message, &text)), "{text:.60}");
    }
}

#[test]
fn no_mutation_is_accepted() {
    let all = solana_vectors();
    let mut dice = Dice(0x50_1a4a);
    for i in 0..2_000 {
        let vector = &all[i % all.len()];
        let mut signature = bytes(vector);
        let mut message = vector.message.clone().into_bytes();
        let place = dice.below(signature.len() + message.len());
        let bit = 1 << dice.below(8);
        match place.checked_sub(signature.len()) {
            None => signature[place] ^= bit,
            Some(place) => message[place] ^= bit,
        }
        let Ok(message) = String::from_utf8(message) else {
            continue;
        };
        assert!(verify(&vector.address, &message, &hex::encode(signature)).is_err(), "mutation {i} at {place}");
    }
}

#[test]
fn long_texts_are_refused_unread() {
    let vector = &solana_vectors()[2];
    let too_long = "The signature is longer than any signature can be.";
    for length in [MAX_SIGNATURE_CHARS + 1, 1_000_000] {
        let result = verify(&vector.address, &vector.message, &"1".repeat(length));
        assert_eq!(result, Err(ProofError::Malformed(too_long)));
    }
}
