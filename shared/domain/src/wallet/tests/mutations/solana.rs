//! How an ed25519 proof is encoded, and corrupted.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer, SigningKey};
use sha2::{Digest, Sha256};

use super::{Chain, Dice, Mutation, Proof, TEXTS, WALLETS, broken_text, flip, other_message, text};

type Signed = super::Signed<32, 64>;

/// The order of the base point, little-endian.
const L: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0x10,
];

/// The eight points of small order, and their spellings that are not canonical: as R, or as the key.
const SMALL: [&str; 14] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

pub(super) fn chain() -> Chain<32, 64> {
    let mut signed = Vec::new();
    for wallet in 0..WALLETS {
        let secret: [u8; 32] = Sha256::digest(format!("mutated Solana wallet {wallet}")).into();
        let key = SigningKey::from_bytes(&secret);
        for number in 0..TEXTS {
            let message = text(wallet, number);
            let signature = key.sign(message.as_bytes()).to_bytes();
            let address = key.verifying_key().to_bytes();
            signed.push(Signed { wallet, text: number, address, spelt: spelt(&address), message, signature });
        }
    }
    Chain { signed, right, wrong: WRONG }
}

fn spelt(address: &[u8; 32]) -> String {
    bs58::encode(address).into_string()
}

/// One of the spellings that are one signature: base58, or hex in any case with or without `0x`.
fn right(signed: &Signed, dice: &mut Dice) -> Proof {
    let digits = hex::encode(signed.signature);
    let signature = match dice.below(4) {
        0 => digits,
        1 => digits.to_uppercase(),
        2 => format!("0x{digits}"),
        _ => bs58::encode(signed.signature).into_string(),
    };
    with_text(signed, signature)
}

/// In base58 or in hex.
fn with_signature(signed: &Signed, bytes: &[u8], dice: &mut Dice) -> Proof {
    let signature = if dice.below(8) == 0 { bs58::encode(bytes).into_string() } else { hex::encode(bytes) };
    with_text(signed, signature)
}

fn with_text(signed: &Signed, signature: String) -> Proof {
    Proof { address: signed.spelt.clone(), message: signed.message.clone(), signature }
}

fn small(dice: &mut Dice) -> [u8; 32] {
    hex::decode(SMALL[dice.below(SMALL.len())]).expect("hex").try_into().expect("32 bytes")
}

/// x + L, and L - x where asked, modulo 2^256.
fn beside_l(x: &[u8], negated: bool) -> [u8; 32] {
    let (mut out, mut carry) = ([0; 32], 0_i16);
    for ((out, x), l) in out.iter_mut().zip(x).zip(L) {
        let x = i16::from(*x);
        let sum = i16::from(l) + if negated { -x } else { x } + carry;
        *out = u8::try_from(sum.rem_euclid(256)).expect("a byte");
        carry = sum.div_euclid(256);
    }
    out
}

const WRONG: &[Mutation<32, 64>] = &[
    ("bits of R and S", |_, signed, dice| {
        let mut bytes = signed.signature;
        flip(&mut bytes, dice);
        with_signature(signed, &bytes, dice)
    }),
    ("bits of S", |_, signed, dice| {
        let mut bytes = signed.signature;
        let (_, s) = bytes.split_last_chunk_mut::<32>().expect("64 bytes");
        flip(s, dice);
        with_signature(signed, &bytes, dice)
    }),
    ("S plus the order", |_, signed, dice| {
        let mut bytes = signed.signature;
        bytes[32..].copy_from_slice(&beside_l(&signed.signature[32..], false));
        with_signature(signed, &bytes, dice)
    }),
    ("S negated, R too or not", |_, signed, dice| {
        let mut bytes = signed.signature;
        bytes[32..].copy_from_slice(&beside_l(&signed.signature[32..], true));
        bytes[31] ^= [0, 0x80][dice.below(2)];
        with_signature(signed, &bytes, dice)
    }),
    ("S at an edge", |_, signed, dice| {
        let mut bytes = signed.signature;
        let mut edge = [[0; 32], [0xff; 32], L][dice.below(3)];
        // 0, 1; 2^256-1, 2^256-2; L, L-1
        edge[0] ^= u8::try_from(dice.below(2)).expect("a bit");
        bytes[32..].copy_from_slice(&edge);
        with_signature(signed, &bytes, dice)
    }),
    ("R of small order", |_, signed, dice| {
        let mut bytes = signed.signature;
        bytes[..32].copy_from_slice(&small(dice));
        if dice.below(2) == 0 {
            bytes[32..].fill(0);
        }
        with_signature(signed, &bytes, dice)
    }),
    ("a key of small order, a constant signature", |_, signed, dice| {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&small(dice));
        let address = small(dice);
        with_signature(&Signed { address, spelt: spelt(&address), ..signed.clone() }, &bytes, dice)
    }),
    ("R and S swapped", |_, signed, dice| {
        let mut bytes = signed.signature;
        bytes.rotate_left(32);
        with_signature(signed, &bytes, dice)
    }),
    ("cut short or made longer", |_, signed, dice| {
        let mut bytes = signed.signature.to_vec();
        match dice.below(3) {
            0 => bytes.truncate(dice.below(64)),
            1 => bytes.extend_from_within(..1 + dice.below(32)),
            _ => drop(bytes.remove(dice.below(64))),
        }
        with_signature(signed, &bytes, dice)
    }),
    ("another encoding", |_, signed, dice| {
        let bytes = &signed.signature;
        let signature = match dice.below(4) {
            0 => STANDARD.encode(bytes),
            1 => format!("0X{}", hex::encode(bytes)),
            2 => format!("{}{}", bs58::encode(&bytes[..32]).into_string(), bs58::encode(&bytes[32..]).into_string()),
            _ => bs58::encode(bytes).with_alphabet(bs58::Alphabet::RIPPLE).into_string(),
        };
        with_text(signed, signature)
    }),
    ("a broken text", |_, signed, dice| {
        let digits = hex::encode(signed.signature);
        let (text, is_hex) =
            if dice.below(2) == 0 { (digits.clone(), true) } else { (bs58::encode(signed.signature).into_string(), false) };
        let broken = broken_text(&text, dice);
        let broken = if is_hex && broken == format!("0x{digits}") { format!("0x{broken}") } else { broken };
        with_text(signed, broken)
    }),
    ("another message", |_, signed, dice| Proof {
        message: other_message(&signed.message, dice),
        ..with_signature(signed, &signed.signature, dice)
    }),
    ("another address", |_, signed, dice| {
        let mut address = signed.address;
        flip(&mut address, dice);
        with_signature(&Signed { address, spelt: spelt(&address), ..signed.clone() }, &signed.signature, dice)
    }),
    ("the signature of another message", |all, signed, dice| {
        let other = &all[signed.wallet * TEXTS + (signed.text + 1 + dice.below(TEXTS - 1)) % TEXTS];
        with_signature(signed, &other.signature, dice)
    }),
    ("the signature of another key", |all, signed, dice| {
        let wallet = (signed.wallet + 1 + dice.below(WALLETS - 1)) % WALLETS;
        let other = &all[wallet * TEXTS + signed.text];
        let message = if dice.below(2) == 0 { &signed.message } else { &other.message };
        Proof { message: message.clone(), ..with_signature(signed, &other.signature, dice) }
    }),
    ("R of one and S of another", |all, signed, dice| {
        let other = &all[signed.wallet * TEXTS + (signed.text + 1 + dice.below(TEXTS - 1)) % TEXTS];
        let mut bytes = signed.signature;
        bytes[32..].copy_from_slice(&other.signature[32..]);
        with_signature(signed, &bytes, dice)
    }),
];
