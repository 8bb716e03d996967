//! Which texts are addresses, and their forms.

use std::collections::HashSet;

use super::super::{AddressError, Chain, WalletAddress};
use super::solana_vectors;

/// From the test cases of ERC-55.
const EIP55: [&str; 8] = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
];

#[test]
fn evm_spellings() {
    for text in EIP55 {
        let address = WalletAddress::parse(text).expect("the right checksum");
        assert_eq!(address.chain(), Chain::Evm);
        assert_eq!(address.as_str(), text);
        assert_eq!(address.key(), text.to_lowercase());
        let upper = format!("0x{}", text[2..].to_uppercase());
        for spelling in [text.to_lowercase(), upper] {
            assert_eq!(WalletAddress::parse(&spelling).as_ref(), Ok(&address), "{spelling}");
        }
    }
}

#[test]
fn a_wrong_checksum_is_refused() {
    for text in &EIP55[4..] {
        for at in 2..text.len() {
            let flip = |c: char| {
                if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
            };
            let wrong = text.char_indices().map(|(i, c)| if i == at { flip(c) } else { c }).collect::<String>();
            if wrong != *text {
                assert_eq!(WalletAddress::parse(&wrong), Err(AddressError::Checksum), "{wrong}");
            }
        }
    }
}

#[test]
fn solana_spelling() {
    for vector in solana_vectors() {
        let address = vector.address;
        assert_eq!(address.chain(), Chain::Solana);
        assert_eq!(address.key(), address.as_str());
        assert_eq!(WalletAddress::parse(address.as_str()), Ok(address));
    }
}

#[test]
fn other_texts_are_no_addresses() {
    let evm = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
    let solana = "9hSR6S7WPtxmTojgo6GG3k4yDPecgJY292j7xrsUGWBu";
    assert!(WalletAddress::parse(solana).is_ok());
    let mut bad = vec![
        String::new(),
        "0x".to_owned(),
        evm[2..].to_owned(),
        evm[..41].to_owned(),
        format!("{evm}0"),
        evm.replace("0x", "0X"),
        evm.replace('F', "G"),
        evm.replace('F', "é"),
        "1".repeat(31),
        "1".repeat(33),
        "z".repeat(44),
        "1".repeat(1_000_000),
        solana.replace('9', "0"),
        solana.replace('9', "l"),
        solana[2..].to_owned(),
        format!("1{solana}"),
        "vitalik.eth".to_owned(),
    ];
    for good in [evm, solana] {
        bad.extend([format!(" {good}"), format!("{good} "), format!("{good}\n"), format!("{good}\0")]);
    }
    for text in bad {
        assert_eq!(WalletAddress::parse(&text), Err(AddressError::Malformed), "{text:.60?}");
    }
    assert_eq!(WalletAddress::parse(&format!("0x{}", "0".repeat(40))), Err(AddressError::ZeroAddress));
}

/// The eight points of small order and every other spelling that decompresses to one of them (libsodium's block list,
/// with the sign bit both ways). A constant signature is valid for such a key where the check is not strict.
#[test]
fn weak_solana_keys_are_refused() {
    let y = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    for hex_y in y {
        for sign in [0, 0x80] {
            let mut bytes = hex::decode(hex_y).expect("hex");
            bytes[31] |= sign;
            let text = bs58::encode(&bytes).into_string();
            assert_eq!(WalletAddress::parse(&text), Err(AddressError::NotASigningKey), "{}", hex::encode(bytes));
        }
    }
    let system_program = "11111111111111111111111111111111";
    assert_eq!(WalletAddress::parse(system_program), Err(AddressError::NotASigningKey));
}

#[test]
fn solana_keys_that_are_no_points_or_spelt_otherwise_are_refused() {
    // y from p to 2^255 - 1, which is y from 0 to 18 modulo p: some are points, none is canonical.
    for low in 0xed..=0xff_u8 {
        for sign in [0x7f, 0xff] {
            let mut bytes = [0xff; 32];
            (bytes[0], bytes[31]) = (low, sign);
            let text = bs58::encode(bytes).into_string();
            assert_eq!(WalletAddress::parse(&text), Err(AddressError::NotASigningKey));
        }
    }
    // About half of all y belong to no point; y = 2 is one of them.
    let mut off_curve = [0; 32];
    off_curve[0] = 2;
    assert_eq!(WalletAddress::parse(&bs58::encode(off_curve).into_string()), Err(AddressError::NotASigningKey));
}

#[test]
fn spellings_in_json_and_print_are_canonical() {
    let shown = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
    let address: WalletAddress = serde_json::from_value(shown.to_lowercase().into()).expect("an address");
    assert_eq!(serde_json::to_value(&address).expect("JSON"), shown);
    assert_eq!((address.to_string(), format!("{address:?}")), (shown.to_owned(), shown.to_owned()));
    assert!(serde_json::from_value::<WalletAddress>("0x00".into()).is_err());
    for chain in [Chain::Evm, Chain::Solana] {
        assert_eq!(serde_json::to_value(chain).expect("JSON"), chain.as_str());
    }
}

#[test]
fn one_wallet_is_one_member_of_a_set() {
    let spellings = [EIP55[4].to_owned(), EIP55[4].to_lowercase(), EIP55[5].to_owned()];
    let set: HashSet<_> = spellings.iter().filter_map(|text| WalletAddress::parse(text).ok()).collect();
    assert_eq!(set.len(), 2);
}
