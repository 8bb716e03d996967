//! Counters as bytes: about 60 for a listing with one payer, and eight for each other payer.
//!
//! Numbers are varints of seven bits a byte, the lowest first.

use super::{Book, Counters};
use crate::ids::ListingId;
use crate::money::Micros;

/// The bytes are no counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are no counters")]
pub struct NotCounters;

impl Book {
    /// The counters of the listings as bytes. Facts by payer have bytes of their own.
    #[must_use]
    pub fn listings_to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (listing, counters) in &self.listings {
            bytes.extend(listing.to_bytes());
            counters.pack(&mut bytes);
        }
        bytes
    }

    /// Adds the counters in these bytes.
    ///
    /// # Errors
    /// [`NotCounters`] if they were not made by [`Book::listings_to_bytes`].
    pub fn add_listings(&mut self, mut bytes: &[u8]) -> Result<(), NotCounters> {
        while !bytes.is_empty() {
            let listing = ListingId::from_bytes(take_bytes(&mut bytes)?);
            let counters = Counters::unpack(&mut bytes)?;
            self.listings.entry(listing).or_default().merge(&counters);
        }
        Ok(())
    }
}

impl Counters {
    fn pack(&self, bytes: &mut Vec<u8>) {
        let last = u64::try_from(self.last_ms).unwrap_or(0);
        for count in [self.delivered, self.first_try, self.late, self.about_request, self.undelivered, last] {
            put(bytes, count);
        }
        put(bytes, self.prices.len() as u64);
        for (price, count) in &self.prices {
            put(bytes, u64::try_from(price.0).unwrap_or(0));
            put(bytes, *count);
        }
        put(bytes, self.payers.len() as u64);
        for payer in &self.payers {
            bytes.extend(payer);
        }
        put(bytes, self.times.counts().count() as u64);
        for (class, count) in self.times.counts() {
            put(bytes, class as u64);
            put(bytes, count);
        }
    }

    fn unpack(bytes: &mut &[u8]) -> Result<Self, NotCounters> {
        let mut counters = Self {
            delivered: take(bytes)?,
            first_try: take(bytes)?,
            late: take(bytes)?,
            about_request: take(bytes)?,
            undelivered: take(bytes)?,
            last_ms: i64::try_from(take(bytes)?).map_err(|_| NotCounters)?,
            ..Self::default()
        };
        for _ in 0..take(bytes)? {
            let price = i64::try_from(take(bytes)?).map_err(|_| NotCounters)?;
            counters.prices.insert(Micros(price), take(bytes)?);
        }
        for _ in 0..take(bytes)? {
            counters.payers.insert(take_bytes(bytes)?);
        }
        for _ in 0..take(bytes)? {
            let class = usize::try_from(take(bytes)?).map_err(|_| NotCounters)?;
            counters.times.set(class, take(bytes)?).ok_or(NotCounters)?;
        }
        Ok(counters)
    }
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push((number & 0x7f) as u8);
}

fn take(bytes: &mut &[u8]) -> Result<u64, NotCounters> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first().ok_or(NotCounters)?;
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(NotCounters)
}

fn take_bytes<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], NotCounters> {
    let (taken, rest) = bytes.split_first_chunk::<N>().ok_or(NotCounters)?;
    *bytes = rest;
    Ok(*taken)
}
