//! Facts as bytes: about 24 for each payer of a day.
//!
//! A list of listings, then a row for each payer: the place of its listing in the list, its id, and the sums. Numbers are varints of
//! seven bits a byte, the lowest first; a sum is written as twice its value, or twice its magnitude less one if it is negative.

use super::{Facts, PayerFacts};
use crate::ids::{ListingId, ProfileId};

/// The bytes are no facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are no facts")]
pub struct NotFacts;

impl PayerFacts {
    /// The facts as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut listings: Vec<ListingId> = self.0.keys().map(|(listing, _)| *listing).collect();
        listings.dedup();
        let mut bytes = Vec::with_capacity(16 * listings.len() + 28 * self.0.len() + 2);
        put(&mut bytes, listings.len() as u64);
        for listing in &listings {
            bytes.extend(listing.to_bytes());
        }
        let mut at = 0;
        for ((listing, payer), facts) in &self.0 {
            while listings[at] != *listing {
                at += 1;
            }
            put(&mut bytes, at as u64);
            bytes.extend(payer.to_bytes());
            for sum in facts.array() {
                put(&mut bytes, ((sum << 1) ^ (sum >> 63)).cast_unsigned());
            }
        }
        bytes
    }

    /// The facts in these bytes.
    ///
    /// # Errors
    /// [`NotFacts`] if they were not made by [`PayerFacts::to_bytes`].
    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self, NotFacts> {
        let mut listings = Vec::new();
        for _ in 0..take(&mut bytes)? {
            listings.push(ListingId::from_bytes(take_id(&mut bytes)?));
        }
        let mut facts = Self::default();
        while !bytes.is_empty() {
            let at = usize::try_from(take(&mut bytes)?).map_err(|_| NotFacts)?;
            let listing = *listings.get(at).ok_or(NotFacts)?;
            let payer = ProfileId::from_bytes(take_id(&mut bytes)?);
            let mut sums = [0; 7];
            for sum in &mut sums {
                let folded = take(&mut bytes)?;
                *sum = (folded >> 1).cast_signed() ^ -(folded & 1).cast_signed();
            }
            facts.add_to((listing, payer), Facts::from_array(sums));
        }
        Ok(facts)
    }
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push((number & 0x7f) as u8);
}

fn take(bytes: &mut &[u8]) -> Result<u64, NotFacts> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first().ok_or(NotFacts)?;
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(NotFacts)
}

fn take_id(bytes: &mut &[u8]) -> Result<[u8; 16], NotFacts> {
    let (id, rest) = bytes.split_at_checked(16).ok_or(NotFacts)?;
    *bytes = rest;
    id.try_into().map_err(|_| NotFacts)
}
