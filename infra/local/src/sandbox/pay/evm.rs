//! EVM transactions of EIP-1559: `0x02` and an RLP list.

use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use serde_json::Value;
use sha3::{Digest, Keccak256};

use super::reader::Reader;

/// The type of the transaction, its first byte.
const TYPE: u8 = 2;
/// Members of the list. The last three are the signature.
const MEMBERS: usize = 12;
/// The least gas that a transaction takes.
const LEAST_GAS: u128 = 21_000;

/// A transaction whose signature is well formed, with the address that signed it.
pub(super) struct Transaction {
    sender: String,
    chain_id: u128,
    pub(super) nonce: u128,
    to: String,
    value: u128,
    pub(super) data: Vec<u8>,
    hash: [u8; 32],
}

impl Transaction {
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let mut reader = Reader(bytes);
        if reader.byte()? != TYPE {
            return Err("an EVM transaction must be of type 2 (EIP-1559)".into());
        }
        let list = Item::read(&mut reader)?;
        reader.end()?;
        let members = list.members()?;
        let [chain_id, nonce, priority, fee, gas, to, value, data, access, y_parity, r, s] = &members[..] else {
            return Err(format!("an EIP-1559 transaction has {MEMBERS} members"));
        };
        if priority.number()? > fee.number()? || gas.number()? < LEAST_GAS {
            return Err("the priority fee is greater than the fee, or there is too little gas".into());
        }
        access.members()?;
        let to = to.bytes()?;
        if to.len() != 20 {
            return Err("`to` must be an address".into());
        }
        let unsigned = [&[TYPE], list_header(&members[..MEMBERS - 3]).as_slice()].concat();
        let hash =
            Keccak256::digest([unsigned, members[..MEMBERS - 3].iter().flat_map(|item| item.raw).copied().collect()].concat());
        Ok(Self {
            sender: signer(&hash, y_parity.number()?, r.bytes()?, s.bytes()?)?,
            chain_id: chain_id.number()?,
            nonce: nonce.number()?,
            to: format!("0x{}", hex::encode(to)),
            value: value.number()?,
            data: data.bytes()?.to_vec(),
            hash: Keccak256::digest(bytes).into(),
        })
    }

    pub(super) fn id(&self) -> String {
        format!("0x{}", hex::encode(self.hash))
    }

    /// Whether it is the transaction of a step, sent by its payer.
    ///
    /// # Errors
    /// What differs.
    pub(super) fn carries_out(&self, asked: &Value) -> Result<(), String> {
        let is = |name: &str, text: &str| asked[name].as_str().is_some_and(|asked| asked.eq_ignore_ascii_case(text));
        let data = format!("0x{}", hex::encode(&self.data));
        for (name, matches) in [
            ("chainId", asked["chainId"].as_u64().map(u128::from) == Some(self.chain_id)),
            ("to", is("to", &self.to)),
            ("value", is("value", &self.value.to_string())),
            ("data", is("data", &data)),
            ("from", is("from", &self.sender)),
        ] {
            if !matches {
                return Err(format!("`{name}` differs from {}", asked[name]));
            }
        }
        Ok(())
    }
}

/// The address that signed a hash. The only valid form of a signature has the lower s (EIP-2).
fn signer(hash: &[u8], y_parity: u128, r: &[u8], s: &[u8]) -> Result<String, String> {
    let wrong = || "the signature is wrong".to_owned();
    let word = |number: &[u8]| -> Option<[u8; 32]> {
        let mut word = [0; 32];
        word[32_usize.checked_sub(number.len())?..].copy_from_slice(number);
        Some(word)
    };
    let (r, s) = (word(r).ok_or_else(wrong)?, word(s).ok_or_else(wrong)?);
    let signature = Signature::from_scalars(r, s).map_err(|_| wrong())?;
    if signature.normalize_s() != signature || y_parity > 1 {
        return Err(wrong());
    }
    let key = VerifyingKey::recover_from_prehash(hash, &signature, RecoveryId::new(y_parity == 1, false)).map_err(|_| wrong())?;
    let point = key.to_sec1_point(false);
    // The first byte marks the uncompressed form and is not hashed.
    Ok(format!("0x{}", hex::encode(&Keccak256::digest(&point.as_bytes()[1..])[12..])))
}

/// An RLP item. Only the shortest encoding is valid.
struct Item<'a> {
    /// With its header.
    raw: &'a [u8],
    content: &'a [u8],
    is_list: bool,
}

impl<'a> Item<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, String> {
        let start = reader.0;
        let first = reader.byte()?;
        let (is_list, base) = if first < 0xc0 { (false, 0x80) } else { (true, 0xc0) };
        let content = match first {
            0..0x80 => &start[..1],
            _ if first - base < 56 => reader.take(usize::from(first - base))?,
            _ => {
                let length = reader.take(usize::from(first - base - 55))?;
                let length = usize::try_from(number(length)?).map_err(|_| "a length is too great")?;
                if length < 56 {
                    return Err("a length is not in its shortest form".into());
                }
                reader.take(length)?
            }
        };
        if first == 0x81 && content[0] < 0x80 {
            return Err("a byte is not in its shortest form".into());
        }
        Ok(Self { raw: &start[..start.len() - reader.0.len()], content, is_list })
    }

    fn bytes(&self) -> Result<&'a [u8], String> {
        if self.is_list { Err("a member must be bytes, not a list".into()) } else { Ok(self.content) }
    }

    fn number(&self) -> Result<u128, String> {
        number(self.bytes()?)
    }

    fn members(&self) -> Result<Vec<Self>, String> {
        if !self.is_list {
            return Err("a member must be a list".into());
        }
        let mut reader = Reader(self.content);
        let mut members = Vec::new();
        while !reader.0.is_empty() {
            members.push(Self::read(&mut reader)?);
        }
        Ok(members)
    }
}

fn number(bytes: &[u8]) -> Result<u128, String> {
    if bytes.len() > 16 || bytes.first() == Some(&0) {
        return Err("a number is too great or begins with a zero".into());
    }
    Ok(bytes.iter().fold(0, |number, byte| number << 8 | u128::from(*byte)))
}

/// The header of a list of these items.
fn list_header(items: &[Item<'_>]) -> Vec<u8> {
    let length: usize = items.iter().map(|item| item.raw.len()).sum();
    match u8::try_from(length) {
        Ok(short @ ..56) => vec![0xc0 + short],
        _ => {
            let bytes: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
            let marked = u8::try_from(bytes.len()).unwrap_or(u8::MAX).saturating_add(0xf7);
            [vec![marked], bytes].concat()
        }
    }
}
