//! Small contracts for tests in EVM bytecode, and their calldata.
//!
//! There is no compiler here. Each contract is a few commented instructions.

/// Concatenates instructions. Arguments are pushed before the instruction, last to first.
macro_rules! code {
    ($($part:expr),* $(,)?) => { [$(Vec::<u8>::from($part)),*].concat() };
}

/// `0x1626ba7e` at the left of a word, on the stack.
const MAGIC_WORD: [u8; 8] = [0x63, 0x16, 0x26, 0xba, 0x7e, 0x60, 0xe0, 0x1b];
/// Returns the word on the stack: MSTORE at 0, RETURN(0, 32).
const RETURN_WORD: [u8; 8] = [0x60, 0x00, 0x52, 0x60, 0x20, 0x60, 0x00, 0xf3];

/// Creation code that deploys `code`: CODECOPY(0, 12, length), RETURN(0, length).
#[must_use]
pub fn deployment(code: &[u8]) -> Vec<u8> {
    let [.., high, low] = code.len().to_be_bytes();
    let mut creation = vec![0x61, high, low, 0x80, 0x60, 0x0c, 0x60, 0x00, 0x39, 0x60, 0x00, 0xf3];
    creation.extend_from_slice(code);
    creation
}

/// A wallet that accepts its owner's signature of the hash: `ecrecover(hash, v, r, s) == owner`, 65 bytes.
#[must_use]
pub fn owned_by(owner: &str) -> Vec<u8> {
    code![
        [0x60, 0x04, 0x35, 0x60, 0x00, 0x52], // memory[0x00] = hash, the call's first argument
        [0x60, 0xa4, 0x35, 0x60, 0x00, 0x1a, 0x60, 0x20, 0x52], // memory[0x20] = v, the 65th byte of the signature
        [0x60, 0x64, 0x35, 0x60, 0x40, 0x52], // memory[0x40] = r
        [0x60, 0x84, 0x35, 0x60, 0x60, 0x52], // memory[0x60] = s
        [0x60, 0x20, 0x60, 0x80, 0x60, 0x80, 0x60, 0x00, 0x60, 0x01, 0x5a, 0xfa, 0x50], // ecrecover into memory[0x80]
        [0x60, 0x80, 0x51, 0x73],             // recovered == owner
        address(owner),
        [0x14],
        [0x60, 0x44, 0x35, 0x60, 0x41, 0x14, 0x16], // and the signature has 65 bytes
        MAGIC_WORD,
        [0x02], // magic or zero
        RETURN_WORD,
    ]
}

/// Accepts every signature.
#[must_use]
pub fn always_yes() -> Vec<u8> {
    code![MAGIC_WORD, RETURN_WORD]
}

/// Returns `0xffffffff`, as the standard's example does to reject.
#[must_use]
pub fn always_no() -> Vec<u8> {
    code![[0x63, 0xff, 0xff, 0xff, 0xff, 0x60, 0xe0, 0x1b], RETURN_WORD]
}

/// Reverts.
#[must_use]
pub fn reverts() -> Vec<u8> {
    vec![0x60, 0x00, 0x60, 0x00, 0xfd]
}

/// Uses all the gas that it is given: an invalid instruction.
#[must_use]
pub fn burns_gas() -> Vec<u8> {
    vec![0xfe]
}

/// Loops until the gas is used up: JUMPDEST, JUMP(0).
#[must_use]
pub fn loops() -> Vec<u8> {
    vec![0x5b, 0x60, 0x00, 0x56]
}

/// Returns `length` bytes that start with the magic value.
#[must_use]
pub fn yes_in(length: u32) -> Vec<u8> {
    code![MAGIC_WORD, [0x60, 0x00, 0x52, 0x63], length.to_be_bytes(), [0x60, 0x00, 0xf3]]
}

/// Reverts with the magic value.
#[must_use]
pub fn reverts_with_yes() -> Vec<u8> {
    code![MAGIC_WORD, [0x60, 0x00, 0x52, 0x60, 0x20, 0x60, 0x00, 0xfd]]
}

/// The magic value with the last bit of the word set.
#[must_use]
pub fn yes_with_dirt() -> Vec<u8> {
    code![MAGIC_WORD, [0x60, 0x01, 0x17], RETURN_WORD]
}

/// The magic value on the right of its word, as a number.
#[must_use]
pub fn yes_as_a_number() -> Vec<u8> {
    code![[0x63, 0x16, 0x26, 0xba, 0x7e], RETURN_WORD]
}

/// Returns 32 bytes of the signature itself.
#[must_use]
pub fn echoes() -> Vec<u8> {
    code![[0x60, 0x64, 0x35], RETURN_WORD]
}

/// Accepts if the transaction has no sender, as in a careless simulation: ORIGIN, ISZERO.
#[must_use]
pub fn trusts_simulations() -> Vec<u8> {
    code![[0x32, 0x15], MAGIC_WORD, [0x02], RETURN_WORD]
}

/// Writes to its storage before it accepts: SSTORE(0, 1).
#[must_use]
pub fn writes() -> Vec<u8> {
    code![[0x60, 0x01, 0x60, 0x00, 0x55], MAGIC_WORD, RETURN_WORD]
}

/// A factory: creates the code that it receives, with CREATE2 and salt 0. Returns the address, or 0 if it exists.
#[must_use]
pub fn factory() -> Vec<u8> {
    code![
        [0x36, 0x60, 0x00, 0x60, 0x00, 0x37],             // the calldata to memory
        [0x60, 0x00, 0x36, 0x60, 0x00, 0x60, 0x00, 0xf5], // CREATE2(value 0, memory 0, its length, salt 0)
        RETURN_WORD,
    ]
}

/// A signature by a wallet that may not be deployed yet (ERC-6492).
#[must_use]
pub fn wrap(factory: &str, calldata: &[u8], signature: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 12];
    bytes.extend(address(factory));
    bytes.extend(word(96));
    bytes.extend(word(96 + 32 + calldata.len().next_multiple_of(32)));
    for part in [calldata, signature] {
        bytes.extend(word(part.len()));
        bytes.extend(part);
        bytes.resize(bytes.len().next_multiple_of(32), 0);
    }
    bytes.extend([0x64, 0x92].repeat(16));
    bytes
}

fn word(number: usize) -> Vec<u8> {
    let mut word = vec![0; 24];
    word.extend((number as u64).to_be_bytes());
    word
}

fn address(text: &str) -> Vec<u8> {
    hex::decode(text.trim_start_matches("0x")).expect("an address of the chain")
}
