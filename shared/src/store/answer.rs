//! Stored responses: compressed, split into parts, and verified by their hash.

use std::io::{Read, Write};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use super::keys::Key;
use super::write::Put;
use super::{Store, StoreError, keys};
use crochet_domain::call::StoredResponse;
use crochet_domain::ids::{CallId, sha256_hex};

/// Maximum length of a part of a stored response. DynamoDB allows 400 KB per item.
const PART_BYTES: usize = 300 * 1024;
/// Maximum length of a response that is written in the transaction that ends the call. That doubles the price of the write, but
/// saves a round trip.
const TRANSACTION_BYTES: usize = 16 * 1024;

/// A response, compressed and split into parts.
#[derive(Debug)]
pub struct CompressedResponse {
    parts: Vec<Vec<u8>>,
    attempt: u32,
    stored: StoredResponse,
}

impl CompressedResponse {
    /// Compresses the reply body of an attempt. It is kept until `kept_until_ms`.
    pub fn compress(body: &[u8], attempt: u32, kept_until_ms: i64) -> Result<Self, StoreError> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(body).map_err(StoreError::defect)?;
        let packed = encoder.finish().map_err(StoreError::defect)?;
        let parts: Vec<Vec<u8>> = packed.chunks(PART_BYTES).map(<[u8]>::to_vec).collect();
        let stored = StoredResponse { attempt, parts: parts.len(), sha256: sha256_hex(body), kept_until_ms };
        Ok(Self { parts, attempt, stored })
    }

    /// What the call's record keeps about it.
    #[must_use]
    pub fn stored(&self) -> StoredResponse {
        self.stored.clone()
    }

    pub(super) fn fits_in_transaction(&self) -> bool {
        self.parts.iter().map(Vec::len).sum::<usize>() <= TRANSACTION_BYTES
    }

    pub(super) fn puts(&self, call: CallId) -> Result<Vec<Put>, StoreError> {
        let expires = self.stored.kept_until_ms / 1_000;
        self.parts
            .iter()
            .enumerate()
            .map(|(part, bytes)| {
                let empty = serde_json::Map::new();
                Ok(Put::new(&keys::answer(call, self.attempt, part), "answer", &empty)?
                    .with("bytes", AttributeValue::B(Blob::new(bytes.clone())))
                    .expiring(expires))
            })
            .collect()
    }
}

impl Store {
    /// Stores the parts of a response that is too long for one transaction.
    pub async fn store_response(&self, call: CallId, answer: &CompressedResponse) -> Result<(), StoreError> {
        if answer.fits_in_transaction() {
            return Ok(());
        }
        let puts = answer.puts(call)?.into_iter().map(|put| async { Ok::<_, StoreError>(self.table.put(put).await?) });
        futures::future::try_join_all(puts).await.map(drop)
    }

    /// Reads a stored response. `None` if it has expired.
    ///
    /// # Errors
    /// The parts do not match the hash in the call's record.
    pub async fn stored_response(&self, call: CallId, stored: &StoredResponse) -> Result<Option<Vec<u8>>, StoreError> {
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
