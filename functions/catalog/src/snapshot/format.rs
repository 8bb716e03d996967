//! How a snapshot is spelled: facts and cards of the listings in one stream of bytes, the files of their text index in another.
//!
//! A stream is a sequence of frames, each after its length (u64, little-endian). Listings: the facts, [`FACTS_BYTES`] each; the
//! length of each card (u32 each); the cards. Index: for each file its name, then its content.

use bytes::Bytes;
use crochet_domain::ids::{ListingId, ProfileId};
use crochet_domain::listing::{DeliveryType, PricingModel};
use crochet_domain::money::Micros;

use crate::model::entry::{Entry, Facts};
use crate::model::index::TextIndex;
use crate::model::segment::Segment;

/// Changes with everything that is spelled here, with the words of [`crate::model::text`], and with tantivy's own format.
pub const FORMAT: u32 = 1;
/// Bytes of the facts of one listing.
const FACTS_BYTES: usize = 16 + 16 + 4 * 8 + 2 + 3;

/// The bytes are no snapshot of this format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unreadable;

/// Both streams of a segment whose listings all count.
///
/// # Errors
/// None in practice.
pub(crate) fn spell(segment: &Segment) -> Result<(Vec<u8>, Vec<u8>), Unreadable> {
    let entries = segment.entries();
    let mut facts = Vec::with_capacity(entries.len() * FACTS_BYTES);
    let mut lengths = Vec::with_capacity(entries.len() * 4);
    let mut cards = Vec::new();
    for entry in entries {
        spell_facts(&entry.facts, &mut facts);
        lengths.extend(u32::try_from(entry.card().len()).map_err(|_| Unreadable)?.to_le_bytes());
        cards.extend_from_slice(entry.card());
    }
    let mut listings = Vec::with_capacity(facts.len() + lengths.len() + cards.len() + 24);
    for frame in [&facts, &lengths, &cards] {
        push(&mut listings, frame);
    }
    let mut index = Vec::new();
    for (name, content) in segment.index().files().map_err(|_| Unreadable)? {
        push(&mut index, name.as_bytes());
        push(&mut index, &content);
    }
    Ok((listings, index))
}

/// The segment of both streams.
///
/// # Errors
/// [`Unreadable`], whatever is wrong with them.
pub(crate) fn read(listings: Bytes, mut index: Bytes) -> Result<Segment, Unreadable> {
    let mut rest = listings;
    let (facts, lengths, mut cards) = (frame(&mut rest)?, frame(&mut rest)?, frame(&mut rest)?);
    let (facts, lengths) = (facts.chunks_exact(FACTS_BYTES), lengths.chunks_exact(4));
    if facts.len() != lengths.len() || !facts.remainder().is_empty() || !lengths.remainder().is_empty() {
        return Err(Unreadable);
    }
    let mut entries = Vec::with_capacity(facts.len());
    for (facts, length) in facts.zip(lengths) {
        let length = length.try_into().map(u32::from_le_bytes).map_err(|_| Unreadable)? as usize;
        if length > cards.len() {
            return Err(Unreadable);
        }
        entries.push(Entry::restored(read_facts(facts)?, cards.split_to(length)));
    }
    let mut files = Vec::new();
    while !index.is_empty() {
        let name = String::from_utf8(frame(&mut index)?.to_vec()).map_err(|_| Unreadable)?;
        files.push((name, frame(&mut index)?));
    }
    let index = TextIndex::open(&files, entries.len()).map_err(|_| Unreadable)?;
    Ok(Segment::of(entries, index))
}

fn push(stream: &mut Vec<u8>, frame: &[u8]) {
    stream.extend((frame.len() as u64).to_le_bytes());
    stream.extend_from_slice(frame);
}

fn frame(stream: &mut Bytes) -> Result<Bytes, Unreadable> {
    let length = stream.first_chunk::<8>().map(|bytes| u64::from_le_bytes(*bytes)).ok_or(Unreadable)?;
    let _ = stream.split_to(8);
    match usize::try_from(length) {
        Ok(length) if length <= stream.len() => Ok(stream.split_to(length)),
        _ => Err(Unreadable),
    }
}

fn spell_facts(facts: &Facts, to: &mut Vec<u8>) {
    to.extend(facts.id.to_bytes());
    to.extend(facts.seller.to_bytes());
    for number in [facts.created_ms, facts.updated_ms, facts.version.cast_signed(), facts.price.0] {
        to.extend(number.to_le_bytes());
    }
    to.extend(facts.score.to_le_bytes());
    let place = |found: Option<usize>| found.and_then(|place| u8::try_from(place).ok()).unwrap_or(u8::MAX);
    to.push(facts.category);
    to.push(place(PricingModel::ALL.iter().position(|model| *model == facts.pricing_model)));
    to.push(place(DeliveryType::ALL.iter().position(|delivery| *delivery == facts.delivery_type)));
}

fn read_facts(mut from: &[u8]) -> Result<Facts, Unreadable> {
    let from = &mut from;
    let (id, seller) = (take(from)?, take(from)?);
    let [created_ms, updated_ms, version, price] = [number(from)?, number(from)?, number(from)?, number(from)?];
    let score = u16::from_le_bytes(take(from)?);
    let [category, pricing, delivery] = take(from)?;
    Ok(Facts {
        id: ListingId::from_bytes(id),
        seller: ProfileId::from_bytes(seller),
        created_ms,
        updated_ms,
        version: version.cast_unsigned(),
        price: Micros(price),
        score,
        category,
        pricing_model: *PricingModel::ALL.get(usize::from(pricing)).ok_or(Unreadable)?,
        delivery_type: *DeliveryType::ALL.get(usize::from(delivery)).ok_or(Unreadable)?,
    })
}

fn number(from: &mut &[u8]) -> Result<i64, Unreadable> {
    take(from).map(i64::from_le_bytes)
}

fn take<const N: usize>(from: &mut &[u8]) -> Result<[u8; N], Unreadable> {
    let (taken, rest) = from.split_first_chunk::<N>().ok_or(Unreadable)?;
    *from = rest;
    Ok(*taken)
}

#[cfg(test)]
mod tests;
