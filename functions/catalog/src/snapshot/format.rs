//! The binary format of a snapshot: the listings in one stream of bytes, the files of their text index in another.
//!
//! A stream is a sequence of frames, each preceded by its length (u64, little-endian). The listings are three frames: attributes,
//! [`ATTRIBUTES_BYTES`] per listing; the length of each listing's details (u32 each); and the details. The index is two frames per
//! file: its name and its content.

use bytes::Bytes;
use crochet_domain::ids::{ListingId, ProfileId};
use crochet_domain::listing::{DeliveryType, PricingModel};
use crochet_domain::money::Micros;

use crate::search::SearchError;
use crate::search::entry::{Attributes, Entry};
use crate::search::index::TextIndex;
use crate::search::segment::Segment;

/// Version of the format. Increment it when this encoding, the terms of [`crate::search::tokenizer`] or tantivy's own format change.
pub const FORMAT: u32 = 3;
/// Encoded length of one listing's attributes, in bytes.
const ATTRIBUTES_BYTES: usize = 16 + 16 + 5 * 8 + 4 + 2 + 3;

/// The bytes are not a snapshot of this format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a snapshot of this format")]
pub(crate) struct DecodeError;

/// Encodes a segment whose entries are all live, as the streams of listings and index.
pub(crate) fn encode(segment: &Segment) -> Result<(Vec<u8>, Vec<u8>), SearchError> {
    let entries = segment.entries();
    let mut attributes = Vec::with_capacity(entries.len() * ATTRIBUTES_BYTES);
    let mut lengths = Vec::with_capacity(entries.len() * 4);
    let mut details = Vec::new();
    for entry in entries {
        encode_attributes(&entry.attributes, &mut attributes);
        let length = u32::try_from(entry.details().len()).map_err(|_| SearchError::Inconsistent("details longer than 4 GiB"))?;
        lengths.extend(length.to_le_bytes());
        details.extend_from_slice(entry.details());
    }
    let mut listings = Vec::with_capacity(attributes.len() + lengths.len() + details.len() + 24);
    for frame in [&attributes, &lengths, &details] {
        push(&mut listings, frame);
    }
    let mut index = Vec::new();
    for (name, content) in segment.index().files()? {
        push(&mut index, name.as_bytes());
        push(&mut index, &content);
    }
    Ok((listings, index))
}

/// Decodes both streams.
pub(crate) fn decode(listings: Bytes, mut index: Bytes) -> Result<Segment, DecodeError> {
    let mut rest = listings;
    let (attributes, lengths, mut details) = (frame(&mut rest)?, frame(&mut rest)?, frame(&mut rest)?);
    let (attributes, lengths) = (attributes.chunks_exact(ATTRIBUTES_BYTES), lengths.chunks_exact(4));
    if attributes.len() != lengths.len() || !attributes.remainder().is_empty() || !lengths.remainder().is_empty() {
        return Err(DecodeError);
    }
    let mut entries = Vec::with_capacity(attributes.len());
    for (attributes, length) in attributes.zip(lengths) {
        let length = length.try_into().map(u32::from_le_bytes).map_err(|_| DecodeError)? as usize;
        if length > details.len() {
            return Err(DecodeError);
        }
        entries.push(Entry::from_parts(decode_attributes(attributes)?, details.split_to(length)));
    }
    let mut files = Vec::new();
    while !index.is_empty() {
        let name = String::from_utf8(frame(&mut index)?.to_vec()).map_err(|_| DecodeError)?;
        files.push((name, frame(&mut index)?));
    }
    let index = TextIndex::open(&files, entries.len()).map_err(|_| DecodeError)?;
    Ok(Segment::from_parts(entries, index))
}

fn push(stream: &mut Vec<u8>, frame: &[u8]) {
    stream.extend((frame.len() as u64).to_le_bytes());
    stream.extend_from_slice(frame);
}

fn frame(stream: &mut Bytes) -> Result<Bytes, DecodeError> {
    let length = stream.first_chunk::<8>().map(|bytes| u64::from_le_bytes(*bytes)).ok_or(DecodeError)?;
    let _ = stream.split_to(8);
    match usize::try_from(length) {
        Ok(length) if length <= stream.len() => Ok(stream.split_to(length)),
        _ => Err(DecodeError),
    }
}

fn encode_attributes(attributes: &Attributes, to: &mut Vec<u8>) {
    to.extend(attributes.id.to_bytes());
    to.extend(attributes.seller.to_bytes());
    let Attributes { created_ms, position_ms, version, price, volume, .. } = *attributes;
    for number in [created_ms, position_ms, version.cast_signed(), price.0, volume] {
        to.extend(number.to_le_bytes());
    }
    to.extend(attributes.rank.to_le_bytes());
    to.extend(attributes.score.to_le_bytes());
    let byte = |position: Option<usize>| position.and_then(|position| u8::try_from(position).ok()).unwrap_or(u8::MAX);
    to.push(attributes.category);
    to.push(byte(PricingModel::ALL.iter().position(|model| *model == attributes.pricing_model)));
    to.push(byte(DeliveryType::ALL.iter().position(|delivery| *delivery == attributes.delivery_type)));
}

fn decode_attributes(mut from: &[u8]) -> Result<Attributes, DecodeError> {
    let from = &mut from;
    let (id, seller) = (take(from)?, take(from)?);
    let [created_ms, position_ms, version] = [number(from)?, number(from)?, number(from)?];
    let [price, volume] = [number(from)?, number(from)?];
    let rank = u32::from_le_bytes(take(from)?);
    let score = u16::from_le_bytes(take(from)?);
    let [category, pricing, delivery] = take(from)?;
    Ok(Attributes {
        id: ListingId::from_bytes(id),
        seller: ProfileId::from_bytes(seller),
        created_ms,
        position_ms,
        volume,
        rank,
        version: version.cast_unsigned(),
        price: Micros(price),
        score,
        category,
        pricing_model: *PricingModel::ALL.get(usize::from(pricing)).ok_or(DecodeError)?,
        delivery_type: *DeliveryType::ALL.get(usize::from(delivery)).ok_or(DecodeError)?,
    })
}

fn number(from: &mut &[u8]) -> Result<i64, DecodeError> {
    take(from).map(i64::from_le_bytes)
}

fn take<const N: usize>(from: &mut &[u8]) -> Result<[u8; N], DecodeError> {
    let (taken, rest) = from.split_first_chunk::<N>().ok_or(DecodeError)?;
    *from = rest;
    Ok(*taken)
}

#[cfg(test)]
mod tests;
