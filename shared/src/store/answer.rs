//! Stored answers: compressed, cut into parts, and known again by their hash.

use std::io::{Read, Write};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use super::keys::Key;
use super::write::Putting;
use super::{Store, StoreError, keys};
use crochet_domain::call::StoredAnswer;
use crochet_domain::ids::{CallId, sha256_hex};

/// Parts of stored answers are at most this long: below DynamoDB's 400 KB an item.
const PART_BYTES: usize = 300 * 1024;
/// Answers up to this length are written in the transaction that ends the call, which doubles their price but saves a
/// round trip.
const TRANSACTION_BYTES: usize = 16 * 1024;

/// An answer, compressed and cut into parts.
#[derive(Debug)]
pub struct PackedAnswer {
    parts: Vec<Vec<u8>>,
    attempt: u32,
    stored: StoredAnswer,
}

impl PackedAnswer {
    /// Packs the reply body of an attempt, to be kept until `kept_until_ms`.
    ///
    /// # Errors
    /// None in practice: compression in memory does not fail.
    pub fn pack(body: &[u8], attempt: u32, kept_until_ms: i64) -> Result<Self, StoreError> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(body).map_err(StoreError::defect)?;
        let packed = encoder.finish().map_err(StoreError::defect)?;
        let parts: Vec<Vec<u8>> = packed.chunks(PART_BYTES).map(<[u8]>::to_vec).collect();
        let stored = StoredAnswer { attempt, parts: parts.len(), sha256: sha256_hex(body), kept_until_ms };
        Ok(Self { parts, attempt, stored })
    }

    /// What the call keeps of it.
    #[must_use]
    pub fn stored(&self) -> StoredAnswer {
        self.stored.clone()
    }

    pub(super) fn fits_in_transaction(&self) -> bool {
        self.parts.iter().map(Vec::len).sum::<usize>() <= TRANSACTION_BYTES
    }

    pub(super) fn puttings(&self, call: CallId) -> Result<Vec<Putting>, StoreError> {
        let expires = self.stored.kept_until_ms / 1_000;
        self.parts
            .iter()
            .enumerate()
            .map(|(part, bytes)| {
                let empty = serde_json::Map::new();
                Ok(Putting::new(&keys::answer(call, self.attempt, part), "answer", &empty)?
                    .with("bytes", AttributeValue::B(Blob::new(bytes.clone())))
                    .expiring(expires))
            })
            .collect()
    }
}

impl Store {
    /// Stores the parts of an answer that is too long for one transaction.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn store_answer(&self, call: CallId, answer: &PackedAnswer) -> Result<(), StoreError> {
        if answer.fits_in_transaction() {
            return Ok(());
        }
        let puts = answer.puttings(call)?.into_iter().map(|putting| self.table.put(putting));
        futures::future::try_join_all(puts).await.map(drop)
    }

    /// Reads a stored answer. `None` where it is kept no more.
    ///
    /// # Errors
    /// Where DynamoDB does not answer, or the parts are not what the call says.
    pub async fn answer(&self, call: CallId, stored: &StoredAnswer) -> Result<Option<Vec<u8>>, StoreError> {
        let wanted: Vec<Key> = (0..stored.parts).map(|part| keys::answer(call, stored.attempt, part)).collect();
        let mut found = self.table.get_all(&wanted).await?;
        let mut packed = Vec::new();
        for key in &wanted {
            match found.take_item(key).as_ref().and_then(|item| item.get("bytes")).map(AttributeValue::as_b) {
                Some(Ok(part)) => packed.extend_from_slice(part.as_ref()),
                _ => return Ok(None),
            }
        }
        let mut body = Vec::new();
        GzDecoder::new(packed.as_slice()).read_to_end(&mut body).map_err(StoreError::defect)?;
        if sha256_hex(&body) == stored.sha256 {
            Ok(Some(body))
        } else {
            Err(StoreError::Defect("a stored answer is not the one that was delivered".into()))
        }
    }
}
