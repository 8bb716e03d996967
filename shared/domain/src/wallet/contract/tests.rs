//! Queries are parsed strictly, programs are assembled right, and results mean what they say.

use super::program::MAGIC;
use super::*;

const ACCOUNT: &str = "0x52908400098527886E0F7030069857D2E4169EE7";

fn account() -> WalletAddress {
    WalletAddress::parse(ACCOUNT).expect("an address")
}

fn word(number: usize) -> [u8; 32] {
    let mut word = [0; 32];
    word[24..].copy_from_slice(&(number as u64).to_be_bytes());
    word
}

/// `abi.encode(factory, calldata, signature)` and the mark.
fn wrapped(calldata: &[u8], signature: &[u8]) -> Vec<u8> {
    let mut bytes = word(0).to_vec();
    bytes[12..].fill(0xfa);
    bytes.extend(word(96));
    bytes.extend(word(96 + 32 + calldata.len().next_multiple_of(32)));
    for part in [calldata, signature] {
        bytes.extend(word(part.len()));
        bytes.extend(part);
        bytes.resize(bytes.len().next_multiple_of(32), 0);
    }
    bytes.extend(WRAPPED);
    bytes
}

fn query(signature: &[u8]) -> Result<Option<SignatureQuery>, ProofError> {
    SignatureQuery::new(&account(), "hello", &hex::encode(signature))
}

#[test]
fn a_signature_is_hex_of_any_length_up_to_the_limit() {
    for length in [0, 1, 65, 8_191] {
        let query = query(&vec![7; length]).expect("well-formed").expect("an EVM wallet");
        assert_eq!((query.0.signature.len(), query.0.deployment), (length, None));
    }
    let prefixed = SignatureQuery::new(&account(), "hello", "0x07").expect("well-formed");
    assert_eq!(prefixed.expect("an EVM wallet").0.signature, [7]);
    for bad in ["0", "zz", " 07", "0x0x07", "é", &"00".repeat(8_193)] {
        assert!(matches!(SignatureQuery::new(&account(), "hello", bad), Err(ProofError::Malformed(_))), "{bad:.20}");
    }
    let solana = WalletAddress::parse("4zvwRjXUKGfvwnParsHAS3HuSVzV5cA4McphgmoCtajS").expect("an address");
    assert_eq!(SignatureQuery::new(&solana, "hello", "not hex"), Ok(None));
}

#[test]
fn a_wrapper_is_taken_apart() {
    for (calldata, signature) in [(&[][..], &[][..]), (&[1; 32], &[2; 65]), (&[1; 33], &[2; 1]), (&[1; 4_000], &[2; 3_900])] {
        let query = query(&wrapped(calldata, signature)).expect("well-formed").expect("an EVM wallet");
        assert_eq!(query.0.signature, signature);
        assert_eq!(query.0.deployment, Some(Deployment { factory: [0xfa; 20], calldata: calldata.to_vec() }));
    }
    // One wrapper is taken off: what is in it is the account's to read.
    let inner = wrapped(&[3], &[4; 65]);
    assert_eq!(query(&wrapped(&[1], &inner)).expect("well-formed").expect("an EVM wallet").0.signature, inner);
}

#[test]
fn a_wrapper_has_one_spelling() {
    let good = wrapped(&[1; 33], &[2; 65]);
    let body = good.len() - 32;
    // Every byte but those that are the contents: a change is no wrapper any more.
    let free = |at: usize| (12..32).contains(&at) || (128..161).contains(&at) || (224..289).contains(&at);
    for at in (0..body).filter(|at| !free(*at)) {
        for bit in 0..8 {
            let mut bad = good.clone();
            bad[at] ^= 1 << bit;
            // A little more length turns padding into contents: another wrapper.
            let longer = [127, 223].contains(&at) && query(&bad).is_ok_and(|read| Ok(read) != query(&good));
            assert!(longer || matches!(query(&bad), Err(ProofError::Malformed(_))), "byte {at}, bit {bit}");
        }
    }
    // Cut or stretched anywhere before the mark.
    for cut in 1..=body {
        let bad = [&good[..body - cut], &WRAPPED].concat();
        assert!(matches!(query(&bad), Err(ProofError::Malformed(_))), "{cut} bytes less");
    }
    for more in [1, 31, 32, 64] {
        let bad = [&good[..body], &vec![0; more][..], &WRAPPED].concat();
        assert!(matches!(query(&bad), Err(ProofError::Malformed(_))), "{more} bytes more");
    }
    // Lengths that wrap around when they are added to.
    for at in [32, 64, 96, 192] {
        let mut bad = good.clone();
        bad[at..at + 32].fill(0xff);
        assert!(matches!(query(&bad), Err(ProofError::Malformed(_))), "the word at {at}");
    }
}

#[test]
fn the_longest_question_fits_its_program() {
    // 8,192 bytes of signature leave every place below 65,536, which is as far as two bytes count.
    let longest = query(&vec![7; MAX_CONTRACT_SIGNATURE_CHARS / 2]).expect("well-formed").expect("an EVM wallet");
    let program = longest.program();
    // EIP-3860: 49,152 bytes.
    assert!(program.len() < 49_152, "{}", program.len());
    assert!(program.windows(20).any(|window| window == hex::decode(&ACCOUNT[2..]).expect("hex")));
}

#[test]
fn only_one_word_of_magic_from_a_contract_confirms() {
    let plain = query(&[7; 65]).expect("well-formed").expect("an EVM wallet");
    let wrapped = query(&wrapped(&[1], &[7; 65])).expect("well-formed").expect("an EVM wallet");
    let answer = |before: usize, after: usize, head: &[u8], success: usize, returned_bytes: usize, returned: &[u8]| {
        let mut words = [word(before), word(after), word(0), word(success), word(returned_bytes), word(0)];
        words[2][..head.len()].copy_from_slice(head);
        words[5][..returned.len()].copy_from_slice(returned);
        words.concat()
    };
    let dirty = [&MAGIC[..], &[0, 1]].concat();
    for (is, answer) in [
        (Verdict::Confirmed, answer(9, 9, &[0x60], 1, 32, &MAGIC)),
        (Verdict::Denied, answer(9, 9, &[0x60], 0, 32, &MAGIC)),
        (Verdict::Denied, answer(9, 9, &[0x60], 1, 4, &MAGIC)),
        (Verdict::Denied, answer(9, 9, &[0x60], 1, 64, &MAGIC)),
        (Verdict::Denied, answer(9, 9, &[0x60], 1, 0, &[])),
        (Verdict::Denied, answer(9, 9, &[0x60], 1, 32, &dirty)),
        (Verdict::Denied, answer(9, 9, &[0x60], 1, 32, &[0xff; 4])),
        // 23 bytes of a contract are no delegation.
        (Verdict::Denied, answer(23, 23, &[0x60], 1, 32, &[])),
    ] {
        assert_eq!(plain.verdict(&answer), Some(is));
        assert_eq!(wrapped.verdict(&answer), Some(is));
    }
    for nobody in [answer(0, 0, &[], 1, 0, &[]), answer(0, 0, &[], 1, 32, &MAGIC)] {
        assert_eq!(plain.verdict(&nobody), Some(Verdict::KeyDecides));
        assert_eq!(wrapped.verdict(&nobody), Some(Verdict::Denied), "the wallet did not come");
    }
    let delegated = answer(23, 23, &DELEGATED, 1, 32, &MAGIC);
    assert_eq!(plain.verdict(&delegated), Some(Verdict::KeyDecides));
    assert_eq!(wrapped.verdict(&answer(0, 9, &[0x60], 1, 32, &MAGIC)), Some(Verdict::Confirmed), "it came");
    // What the program never returns is no answer.
    let good = answer(9, 9, &[0x60], 1, 32, &MAGIC);
    for bad in [&good[..191], &[&good[..], &[0]].concat(), &[], &answer(9, 8, &[], 1, 0, &[]), &answer(9, 9, &[], 2, 0, &[])] {
        assert_eq!(plain.verdict(bad), None);
    }
    let mut huge = good;
    huge[0] = 1;
    assert_eq!(plain.verdict(&huge), None);
}
