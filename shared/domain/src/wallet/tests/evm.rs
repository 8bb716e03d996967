//! `personal_sign` signatures: one spelling each, and nothing near it.

use super::super::proof::{MAX_SIGNATURE_CHARS, verify};
use super::*;

const N: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
const HALF_N: &str = "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0";

fn bytes(vector: &Vector) -> Vec<u8> {
    hex::decode(&vector.signature[2..]).expect("hex")
}

/// n - x for big-endian x < n.
pub(super) fn minus(x: &[u8]) -> Vec<u8> {
    let mut out = hex::decode(N).expect("hex");
    let mut borrow = 0_i16;
    for (n, x) in out.iter_mut().zip(x).rev() {
        let digit = i16::from(*n) - i16::from(*x) - borrow;
        borrow = i16::from(digit < 0);
        *n = u8::try_from(digit.rem_euclid(256)).expect("a byte");
    }
    out
}

#[test]
fn known_signatures() {
    for v in evm_vectors() {
        let digits = &v.signature[2..];
        for spelling in [v.signature.clone(), digits.to_owned(), digits.to_uppercase()] {
            assert_eq!(verify(&v.address, &v.message, &spelling), Ok(()), "{}", v.message);
        }
        let mut bytes = bytes(&v);
        bytes[64] -= 27;
        assert_eq!(verify(&v.address, &v.message, &hex::encode(bytes)), Ok(()), "v of 0 or 1");
    }
}

#[test]
fn the_vectors_have_both_values_of_v() {
    let last = evm_vectors().iter().map(|v| bytes(v)[64]).collect::<Vec<_>>();
    assert!(last.contains(&27) && last.contains(&28));
}

#[test]
fn another_message_is_not_what_was_signed() {
    for v in evm_vectors() {
        let with_cr = v.message.replace('\n', "\r\n");
        let mut others = vec![format!("{}\n", v.message), format!(" {}", v.message), v.message.replace("\r\n", "\n")];
        others.extend([with_cr, v.message.trim_end().to_owned(), v.message.to_uppercase(), "other".to_owned()]);
        for other in others.iter().filter(|other| **other != v.message) {
            assert_eq!(verify(&v.address, other, &v.signature), Err(ProofError::WrongSigner), "{other:?}");
        }
    }
}

#[test]
fn another_wallet_did_not_sign() {
    let all = evm_vectors();
    for (i, v) in all.iter().enumerate() {
        let other = &all[(i + 1) % all.len()];
        assert_eq!(verify(&other.address, &v.message, &v.signature), Err(ProofError::WrongSigner));
    }
}

#[test]
fn the_last_byte_is_0_1_27_or_28() {
    for vector in evm_vectors() {
        let original = bytes(&vector);
        for v in 0..=255_u8 {
            let mut bytes = original.clone();
            bytes[64] = v;
            let result = verify(&vector.address, &vector.message, &hex::encode(&bytes));
            match v {
                0 | 1 | 27 | 28 if v % 27 == original[64] % 27 => assert_eq!(result, Ok(())),
                0 | 1 | 27 | 28 => assert_eq!(result, Err(ProofError::WrongSigner), "{v}"),
                _ => assert!(is_malformed(result), "{v}"),
            }
        }
    }
}

#[test]
fn the_twin_with_high_s_is_refused() {
    for vector in evm_vectors() {
        let mut twin = bytes(&vector);
        let high = minus(&twin[32..64]);
        twin[32..64].copy_from_slice(&high);
        for v in [0, 1, 27, 28] {
            twin[64] = v;
            assert!(is_malformed(verify(&vector.address, &vector.message, &hex::encode(&twin))), "{v}");
        }
    }
}

#[test]
fn r_and_s_are_in_range() {
    let vector = &evm_vectors()[2];
    let good = hex::encode(bytes(vector));
    let (r, s, v) = (&good[..64], &good[64..128], &good[128..]);
    let zero = "0".repeat(64);
    let above = N.replace("4141", "4142");
    let most = "f".repeat(64);
    for bad in [zero.as_str(), N, above.as_str(), most.as_str()] {
        for text in [format!("{bad}{s}{v}"), format!("{r}{bad}{v}"), format!("{bad}{bad}{v}")] {
            assert!(is_malformed(verify(&vector.address, &vector.message, &text)), "{text}");
        }
    }
    // The largest s that counts as low is a question of the signer, the next one a question of form.
    let lowest_high = HALF_N.replace("20a0", "20a1");
    let at_the_border = verify(&vector.address, &vector.message, &format!("{r}{HALF_N}{v}"));
    assert_eq!(at_the_border, Err(ProofError::WrongSigner));
    assert!(is_malformed(verify(&vector.address, &vector.message, &format!("{r}{lowest_high}{v}"))));
    // r = 5 is the x of no point.
    let no_point = format!("{:0>64}{s}{v}", 5);
    assert_eq!(verify(&vector.address, &vector.message, &no_point), Err(ProofError::WrongSigner));
}

#[test]
fn other_forms_are_refused() {
    let vector = &evm_vectors()[2];
    let good = vector.signature.as_str();
    // EIP-2098: v is the top bit of s.
    let mut short = bytes(vector)[..64].to_vec();
    short[32] |= (bytes(vector)[64] - 27) << 7;
    let bad = [
        String::new(),
        "0x".to_owned(),
        hex::encode(short),
        good[..130].to_owned(),
        good[..131].to_owned(),
        format!("{good}0"),
        format!("{good}00"),
        format!("0x{good}"),
        good.replace("0x", "0X"),
        format!(" {good}"),
        format!("{good}\n"),
        good.replacen('a', "g", 1),
        good.replacen('a', "é", 1),
        bs58::encode(bytes(vector)).into_string(),
        "a".repeat(MAX_SIGNATURE_CHARS),
    ];
    for text in bad {
        assert!(is_malformed(verify(&vector.address, &vector.message, &text)), "{text:.60}");
    }
}

#[test]
fn no_mutation_is_accepted() {
    let all = evm_vectors();
    let mut dice = Dice(0x5eed);
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
    let vector = &evm_vectors()[2];
    let too_long = "The signature is longer than any signature can be.";
    for length in [MAX_SIGNATURE_CHARS + 1, 1_000_000] {
        let result = verify(&vector.address, &vector.message, &"1".repeat(length));
        assert_eq!(result, Err(ProofError::Malformed(too_long)));
    }
}
