//! Solana's transactions, legacy and version 0.

use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::Value;

use super::super::steps::SVM_DEPOSITORY;
use super::reader::Reader;

/// Maximum length of a transaction in a network packet.
const MAX_BYTES: usize = 1_232;
/// In the first byte of a message, marks a version.
const VERSIONED: u8 = 0x80;

/// A transaction whose signatures are valid.
pub(super) struct Transaction {
    signature: [u8; 64],
    signers: Vec<[u8; 32]>,
    instructions: Vec<Instruction>,
}

pub(super) struct Instruction {
    program: [u8; 32],
    accounts: Vec<Account>,
    pub(super) data: Vec<u8>,
}

#[derive(Clone, Copy)]
struct Account {
    key: [u8; 32],
    signs: bool,
    writable: bool,
}

/// The first three numbers of a message.
struct Header {
    signers: usize,
    read_only_signers: usize,
    read_only_others: usize,
}

impl Header {
    /// The account at `place`, with the rights that its place gives.
    fn account(&self, place: usize, key: [u8; 32], count: usize) -> Account {
        let signs = place < self.signers;
        let writable = if signs { place < self.signers - self.read_only_signers } else { place < count - self.read_only_others };
        Account { key, signs, writable }
    }
}

impl Transaction {
    /// # Errors
    /// What is wrong with it, or with a signature.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > MAX_BYTES {
            return Err(format!("a Solana transaction has at most {MAX_BYTES} bytes"));
        }
        let mut reader = Reader(bytes);
        let signatures = list(&mut reader, Reader::array::<64>)?;
        let message = reader.0;
        let is_versioned = message.first().is_some_and(|first| first & VERSIONED != 0);
        if is_versioned && reader.byte()? != VERSIONED {
            return Err("only version 0 and legacy messages are known".into());
        }
        let header = Header {
            signers: reader.byte()?.into(),
            read_only_signers: reader.byte()?.into(),
            read_only_others: reader.byte()?.into(),
        };
        let keys = list(&mut reader, Reader::array::<32>)?;
        let is_sound = header.signers > header.read_only_signers && header.signers + header.read_only_others <= keys.len();
        if !is_sound || signatures.len() != header.signers {
            return Err("the message's header does not fit its accounts and signatures".into());
        }
        if keys.iter().enumerate().any(|(place, key)| keys[..place].contains(key)) {
            return Err("an account is listed twice".into());
        }
        if reader.array::<32>()? == [0; 32] {
            return Err("the recent blockhash is missing".into());
        }
        let accounts: Vec<Account> = keys.iter().enumerate().map(|(place, key)| header.account(place, *key, keys.len())).collect();
        let instructions = list(&mut reader, |reader| instruction(reader, &accounts))?;
        if is_versioned && !list(&mut reader, table)?.is_empty() {
            return Err("there are no address lookup tables here".into());
        }
        reader.end()?;
        for (key, signature) in keys.iter().zip(&signatures) {
            let key = VerifyingKey::from_bytes(key).map_err(|_| "a signer is not a key")?;
            key.verify_strict(message, &Signature::from_bytes(signature)).map_err(|_| "a signature is wrong or missing")?;
        }
        let signature = *signatures.first().ok_or("the transaction has no signature")?;
        Ok(Self { signature, signers: keys[..header.signers].to_vec(), instructions })
    }

    /// The first signature, in base58.
    pub(super) fn id(&self) -> String {
        bs58::encode(self.signature).into_string()
    }

    /// The instruction to the provider's program.
    pub(super) fn deposit(&self) -> Option<&Instruction> {
        self.instructions.iter().find(|instruction| bs58::encode(instruction.program).into_string() == SVM_DEPOSITORY)
    }

    /// Whether it has the instruction of a step and `payer` signed it. There may be others, for the priority for example.
    ///
    /// # Errors
    /// What differs.
    pub(super) fn carries_out(&self, asked: &Value, payer: &str) -> Result<(), String> {
        let text = |key: &[u8; 32]| bs58::encode(key).into_string();
        if !self.signers.iter().any(|signer| text(signer) == payer) {
            return Err(format!("{payer} must sign it"));
        }
        let mut deposits = self.instructions.iter().filter(|one| Some(text(&one.program).as_str()) == asked["programId"].as_str());
        let deposit = deposits.next().ok_or("it has no instruction to the provider's program")?;
        if deposits.next().is_some() {
            return Err("it has two instructions to the provider's program".into());
        }
        if Some(hex::encode(&deposit.data).as_str()) != asked["data"].as_str() {
            return Err("the data of the instruction differs: function, amount or order".into());
        }
        let keys = asked["keys"].as_array().map(Vec::as_slice).unwrap_or_default();
        if keys.len() != deposit.accounts.len() {
            return Err(format!("the instruction must have {} accounts", keys.len()));
        }
        for (asked, account) in keys.iter().zip(&deposit.accounts) {
            let name = asked["pubkey"].as_str().unwrap_or_default();
            if text(&account.key) != name {
                return Err(format!("the instruction's account {} must be {name}", text(&account.key)));
            }
            let lacks = |right: &str, has: bool| asked[right] == true && !has;
            if lacks("isSigner", account.signs) || lacks("isWritable", account.writable) {
                return Err(format!("the account {name} lacks a right: isSigner or isWritable"));
            }
        }
        Ok(())
    }
}

fn instruction(reader: &mut Reader<'_>, accounts: &[Account]) -> Result<Instruction, String> {
    let account = |place: u8| accounts.get(usize::from(place)).copied().ok_or("an instruction names an account that is not listed");
    let program = account(reader.byte()?)?.key;
    let places = list(reader, Reader::byte)?;
    let named = places.into_iter().map(account).collect::<Result<_, _>>()?;
    Ok(Instruction { program, accounts: named, data: list(reader, Reader::byte)? })
}

/// An address lookup table: its key, and the places that are used.
fn table(reader: &mut Reader<'_>) -> Result<(), String> {
    reader.array::<32>()?;
    list(reader, Reader::byte)?;
    list(reader, Reader::byte).map(drop)
}

/// A list after its length, which takes one to three bytes of seven bits each.
fn list<'a, T>(reader: &mut Reader<'a>, item: impl Fn(&mut Reader<'a>) -> Result<T, String>) -> Result<Vec<T>, String> {
    let mut length = 0;
    for shift in [0, 7, 14] {
        let byte = reader.byte()?;
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return (0..length).map(|_| item(reader)).collect();
        }
    }
    Err("a length has more than three bytes".into())
}
