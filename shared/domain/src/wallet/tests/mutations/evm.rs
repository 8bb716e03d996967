//! How a `personal_sign` proof is encoded, and corrupted.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use k256::ecdsa::SigningKey;
use sha2::{Digest, Sha256};

use super::super::super::address::evm_address;
use super::super::super::proof::personal_sign_hash;
use super::super::evm::minus;
use super::{Chain, Dice, Mutation, Proof, TEXTS, WALLETS, broken_text, flip, other_message, text};

type Signed = super::Signed<20, 65>;

/// Around the order of the curve and of its field, and the ends of the range.
const EDGES: [&str; 11] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000001",
    "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140",
    "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
    "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364142",
    "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0",
    "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1",
    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2e",
    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f",
    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc30",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

pub(super) fn chain() -> Chain<20, 65> {
    let mut signed = Vec::new();
    for wallet in 0..WALLETS {
        let secret = Sha256::digest(format!("mutated EVM wallet {wallet}"));
        let key = SigningKey::from_slice(&secret).expect("a secret");
        for number in 0..TEXTS {
            let message = text(wallet, number);
            let (rs, recovery) = key.sign_prehash_recoverable(&personal_sign_hash(&message));
            let mut signature = [0; 65];
            signature[..64].copy_from_slice(&rs.to_bytes());
            signature[64] = 27 + recovery.to_byte();
            let address = evm_address(key.verifying_key());
            signed.push(Signed { wallet, text: number, address, spelt: spelt(&address), message, signature });
        }
    }
    Chain { signed, right, wrong: WRONG }
}

fn spelt(address: &[u8; 20]) -> String {
    format!("0x{}", hex::encode(address))
}

/// One of the spellings that are one signature: case, `0x`, v from 0 or from 27.
fn right(signed: &Signed, dice: &mut Dice) -> Proof {
    let mut bytes = signed.signature;
    if dice.below(2) == 0 {
        bytes[64] -= 27;
    }
    let mut signature = hex::encode(bytes);
    if dice.below(3) == 0 {
        signature = signature.to_uppercase();
    }
    if dice.below(2) == 0 {
        signature = format!("0x{signature}");
    }
    Proof { address: signed.spelt.clone(), message: signed.message.clone(), signature }
}

fn with_signature(signed: &Signed, bytes: &[u8]) -> Proof {
    with_text(signed, format!("0x{}", hex::encode(bytes)))
}

fn with_text(signed: &Signed, signature: String) -> Proof {
    Proof { address: signed.spelt.clone(), message: signed.message.clone(), signature }
}

const WRONG: &[Mutation<20, 65>] = &[
    ("bits of r and s", |_, signed, dice| {
        let mut bytes = signed.signature;
        let (rs, _) = bytes.split_first_chunk_mut::<64>().expect("65 bytes");
        flip(rs, dice);
        with_signature(signed, &bytes)
    }),
    ("the other v", |_, signed, dice| {
        let mut bytes = signed.signature;
        bytes[64] = 55 - bytes[64] - if dice.below(2) == 0 { 27 } else { 0 };
        with_signature(signed, &bytes)
    }),
    ("a v that is none", |_, signed, dice| {
        let mut bytes = signed.signature;
        let v = u8::try_from(dice.below(252)).expect("below 252") + 2;
        // 2…26, 29…255
        bytes[64] = if v > 26 { v + 2 } else { v };
        with_signature(signed, &bytes)
    }),
    ("the twin with high s", |_, signed, dice| {
        let mut bytes = signed.signature;
        let high = minus(&bytes[32..64]);
        bytes[32..64].copy_from_slice(&high);
        bytes[64] = [0, 1, 27, 28][dice.below(4)];
        with_signature(signed, &bytes)
    }),
    ("r negated", |_, signed, dice| {
        let mut bytes = signed.signature;
        let negated = minus(&bytes[..32]);
        bytes[..32].copy_from_slice(&negated);
        bytes[64] = [0, 1, 27, 28][dice.below(4)];
        with_signature(signed, &bytes)
    }),
    ("r and s swapped", |_, signed, dice| {
        let mut bytes = signed.signature;
        bytes[..64].rotate_left(32);
        bytes[64] = [0, 1, 27, 28][dice.below(4)];
        with_signature(signed, &bytes)
    }),
    ("r or s at an edge", |_, signed, dice| {
        let mut bytes = signed.signature;
        let edge = hex::decode(EDGES[dice.below(EDGES.len())]).expect("hex");
        let other = hex::decode(EDGES[dice.below(EDGES.len())]).expect("hex");
        match dice.below(3) {
            0 => bytes[..32].copy_from_slice(&edge),
            1 => bytes[32..64].copy_from_slice(&edge),
            _ => {
                bytes[..32].copy_from_slice(&edge);
                bytes[32..64].copy_from_slice(&other);
            }
        }
        bytes[64] = [0, 1, 27, 28][dice.below(4)];
        with_signature(signed, &bytes)
    }),
    ("cut short or made longer", |_, signed, dice| {
        let mut bytes = signed.signature.to_vec();
        match dice.below(3) {
            0 => bytes.truncate(dice.below(65)),
            1 => bytes.extend_from_within(..1 + dice.below(64)),
            _ => drop(bytes.remove(dice.below(65))),
        }
        with_signature(signed, &bytes)
    }),
    ("another encoding", |_, signed, dice| {
        let bytes = &signed.signature;
        let mut short = bytes[..64].to_vec();
        short[32] |= (bytes[64] - 27) << 7;
        let der = k256::ecdsa::Signature::from_slice(&bytes[..64]).expect("r and s").to_der();
        let signature = match dice.below(6) {
            0 => hex::encode(short),
            1 => hex::encode(der.as_bytes()),
            2 => bs58::encode(bytes).into_string(),
            3 => STANDARD.encode(bytes),
            4 => format!("0X{}", hex::encode(bytes)),
            _ => {
                // v ‖ r ‖ s, as some tools print it.
                let mut rotated = *bytes;
                rotated.rotate_right(1);
                // Its last byte is one of s: made no v at all.
                rotated[64] |= 0x40;
                hex::encode(rotated)
            }
        };
        with_text(signed, signature)
    }),
    ("a broken text", |_, signed, dice| {
        let digits = hex::encode(signed.signature);
        let broken = broken_text(&digits, dice);
        // `0x` in front is no break.
        let broken = if broken == format!("0x{digits}") { format!("0x{broken}") } else { broken };
        with_text(signed, broken)
    }),
    ("another message", |_, signed, dice| Proof {
        message: other_message(&signed.message, dice),
        ..with_signature(signed, &signed.signature)
    }),
    ("another address", |_, signed, dice| {
        let mut address = signed.address;
        flip(&mut address, dice);
        with_signature(&Signed { address, spelt: spelt(&address), ..signed.clone() }, &signed.signature)
    }),
    ("the signature of another message", |all, signed, dice| {
        let other = &all[signed.wallet * TEXTS + (signed.text + 1 + dice.below(TEXTS - 1)) % TEXTS];
        with_signature(signed, &other.signature)
    }),
    ("the signature of another key", |all, signed, dice| {
        let wallet = (signed.wallet + 1 + dice.below(WALLETS - 1)) % WALLETS;
        let other = &all[wallet * TEXTS + signed.text];
        let message = if dice.below(2) == 0 { &signed.message } else { &other.message };
        Proof { message: message.clone(), ..with_signature(signed, &other.signature) }
    }),
    ("r of one and s of another", |all, signed, dice| {
        let other = &all[signed.wallet * TEXTS + (signed.text + 1 + dice.below(TEXTS - 1)) % TEXTS];
        let mut bytes = signed.signature;
        bytes[32..64].copy_from_slice(&other.signature[32..64]);
        with_signature(signed, &bytes)
    }),
];
