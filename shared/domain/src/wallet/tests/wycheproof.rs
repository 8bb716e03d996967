//! Wycheproof's secp256k1 signatures with the low-s rule, through the step below the hash: no invalid one is accepted.

use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use sha2::{Digest, Sha256};

use super::super::address::evm_address;
use super::super::proof::verify_evm_hash;
use super::*;

#[derive(Deserialize)]
struct Groups {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    /// The uncompressed point.
    key: String,
    tests: Vec<Test>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Test {
    tc_id: u32,
    comment: String,
    msg: String,
    sig: String,
    result: String,
}

/// An integer of strict DER, as 32 bytes; and what follows it. `None` where it is negative, padded or longer.
fn integer(der: &[u8]) -> Option<([u8; 32], &[u8])> {
    let (&[2, length], rest) = der.split_first_chunk::<2>()? else { return None };
    let (digits, rest) = rest.split_at_checked(usize::from(length))?;
    let digits = match digits {
        [0, next, ..] if *next >= 0x80 => &digits[1..],
        [0] => digits,
        [first, ..] if (1..0x80).contains(first) => digits,
        _ => return None,
    };
    let mut number = [0; 32];
    number.get_mut(32_usize.checked_sub(digits.len())?..)?.copy_from_slice(digits);
    Some((number, rest))
}

/// `r ‖ s` of a signature in strict DER: a sequence of two integers and nothing else.
fn r_and_s(der: &[u8]) -> Option<[u8; 64]> {
    let (&[0x30, length], rest) = der.split_first_chunk::<2>()? else { return None };
    if usize::from(length) != rest.len() {
        return None;
    }
    let (r, rest) = integer(rest)?;
    let (s, rest) = integer(rest)?;
    let mut both = [0; 64];
    both[..32].copy_from_slice(&r);
    both[32..].copy_from_slice(&s);
    rest.is_empty().then_some(both)
}

/// Whether the signature is right but its point has an x at or above the order. Recovery would need a v of 2 or 3, which EVM
/// chains do not know either: nobody's wallet can make one on purpose.
fn needs_a_third_v(key: &VerifyingKey, hash: &[u8; 32], both: &[u8; 64]) -> bool {
    let Ok(signature) = Signature::from_slice(both) else { return false };
    [false, true].into_iter().any(|y_is_odd| {
        VerifyingKey::recover_from_prehash(hash, &signature, RecoveryId::new(y_is_odd, true)).is_ok_and(|found| found == *key)
    })
}

#[test]
fn every_valid_signature_is_accepted_with_one_v_and_no_invalid_one_with_any() {
    let groups = serde_json::from_str::<Groups>(include_str!("../vectors/wycheproof_secp256k1.json")).expect("well-formed").groups;
    let (mut accepted, mut refused, mut third) = (0, 0, 0);
    for Group { key, tests } in groups {
        let key = VerifyingKey::from_sec1_bytes(&hex::decode(key).expect("hex")).expect("a point of the curve");
        let address = evm_address(&key);
        for Test { tc_id, comment, msg, sig, result } in tests {
            let hash: [u8; 32] = Sha256::digest(hex::decode(msg).expect("hex")).into();
            let both = r_and_s(&hex::decode(sig).expect("hex"));
            let good_v: Vec<u8> = both.map_or(Vec::new(), |both| {
                let mut signature = [0; 65];
                signature[..64].copy_from_slice(&both);
                let verifies = |v: &u8| {
                    signature[64] = *v;
                    verify_evm_hash(&address, &hash, &signature).is_ok()
                };
                (0..=255).filter(verifies).collect()
            });
            let what = format!("{tc_id}: {comment}");
            if result == "valid" && !good_v.is_empty() {
                assert!(good_v == [0, 27] || good_v == [1, 28], "{what}: {good_v:?}");
                accepted += 1;
            } else if result == "valid" {
                let both = both.expect("valid signatures are strict DER");
                assert!(needs_a_third_v(&key, &hash, &both), "{what}: a valid signature is refused");
                third += 1;
            } else {
                assert!(good_v.is_empty(), "{what}: accepted with {good_v:?}");
                refused += 1;
            }
        }
    }
    assert_eq!((accepted + third, refused), (162, 301));
    assert!(third <= 2, "{third} valid signatures need a third v");
}
