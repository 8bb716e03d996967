//! What a score was computed from, as strangers see it: rows of payers without their names, and reviews.

use std::io::{Read, Write};

use crochet::store::StoreError;
use crochet_domain::ids::ProfileId;
use crochet_domain::score::Said;
use crochet_domain::score::fade::WEEKS;
use crochet_domain::score::window::Window;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use utoipa::ToSchema;

/// Rows of a part: far less than an item may hold.
const ROWS_OF_PART: usize = 2_000;
/// Longest part that is read, unpacked: 4 MB.
const MAX_PART: u64 = 4 * 1024 * 1024;

/// What counts of one payer, in thousandths of a counted call. All profiles of one operator are one payer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct PayerRow {
    /// Names the payer for this seller only: other sellers have another name for it.
    pub(crate) payer: String,
    /// Delivered, faded.
    pub(crate) kept: i64,
    /// Failed, without what is owed; faded.
    pub(crate) lost: i64,
    /// Undelivered for three days or longer and not paid back; faded.
    pub(crate) owed: i64,
    /// How much the payer was let down, 0 to 1000.
    pub(crate) grief: i64,
    /// The same by week of age, the current one first; not faded. Only with `by=week`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) weeks: Option<Weeks>,
}

/// Thirteen weeks of a payer, the current one first; not faded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Weeks {
    /// Delivered.
    kept: [i64; WEEKS],
    /// Failed.
    lost: [i64; WEEKS],
    /// Owed.
    owed: [i64; WEEKS],
}

/// What a review counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct ReviewRow {
    /// Its voice, faded, in thousandths of a counted call.
    pub(crate) voice: i64,
    /// Its rating of accuracy, 1 to 5.
    pub(crate) accuracy_rating: u8,
}

/// All rows of a score.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rows {
    pub(crate) payers: Vec<PayerRow>,
    pub(crate) reviews: Vec<ReviewRow>,
}

impl Rows {
    /// The rows of this window. `salt` makes the payers' names.
    pub(crate) fn of(window: &Window, said: &[Said], salt: &str) -> Self {
        let mut payers: Vec<PayerRow> = window
            .rows
            .iter()
            .map(|(cluster, row)| {
                let payer = row.payer();
                PayerRow {
                    payer: public_name(salt, *cluster),
                    kept: payer.kept,
                    lost: payer.lost,
                    owed: payer.owed,
                    grief: payer.grief,
                    weeks: Some(Weeks { kept: row.kept, lost: row.lost, owed: row.owed }),
                }
            })
            .collect();
        // In the order of the names: that of the ids would show who joined first.
        payers.sort_by(|a, b| a.payer.cmp(&b.payer));
        let reviews = said.iter().map(|said| ReviewRow { voice: said.voice, accuracy_rating: said.accuracy_rating }).collect();
        Self { payers, reviews }
    }

    /// The rows in parts that fit into items.
    pub(crate) fn packed(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        let all = self.payers.len().max(self.reviews.len()).div_ceil(ROWS_OF_PART).max(1);
        (0..all)
            .map(|part| {
                let rows = Self { payers: of_part(&self.payers, part), reviews: of_part(&self.reviews, part) };
                let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(&serde_json::to_vec(&rows).map_err(defect)?).map_err(defect)?;
                encoder.finish().map_err(defect)
            })
            .collect()
    }

    /// The rows in these parts.
    pub(crate) fn unpacked(parts: &[Vec<u8>]) -> Result<Self, StoreError> {
        let mut all = Self::default();
        for part in parts {
            let mut text = Vec::new();
            GzDecoder::new(part.as_slice()).take(MAX_PART).read_to_end(&mut text).map_err(defect)?;
            let rows: Self = serde_json::from_slice(&text).map_err(defect)?;
            all.payers.extend(rows.payers);
            all.reviews.extend(rows.reviews);
        }
        Ok(all)
    }
}

fn defect(error: impl std::fmt::Display) -> StoreError {
    StoreError::Defect(error.to_string())
}

fn of_part<T: Clone>(rows: &[T], part: usize) -> Vec<T> {
    rows.iter().skip(part * ROWS_OF_PART).take(ROWS_OF_PART).cloned().collect()
}

/// What strangers call a payer of this seller.
fn public_name(salt: &str, payer: ProfileId) -> String {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(salt.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(&payer.to_bytes());
    hex::encode(&mac.finalize().into_bytes()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_as_they_were_written() {
        let row = |n: i64| PayerRow {
            payer: public_name("salt", ProfileId::from_bytes([u8::try_from(n % 251).unwrap_or(0); 16])),
            kept: n,
            lost: 1,
            owed: 0,
            grief: 841,
            weeks: Some(Weeks { kept: [n; WEEKS], lost: [0; WEEKS], owed: [0; WEEKS] }),
        };
        for number in [0, 1, 4_001] {
            let rows = Rows { payers: (0..number).map(row).collect(), reviews: vec![ReviewRow { voice: 1, accuracy_rating: 5 }] };
            let packed = rows.packed().expect("parts");
            assert_eq!(packed.len(), usize::try_from(number).expect("small") / ROWS_OF_PART + 1);
            assert!(packed.iter().all(|part| part.len() < 300 * 1024));
            assert_eq!(Rows::unpacked(&packed).expect("rows"), rows);
        }
    }

    #[test]
    fn two_sellers_name_a_payer_differently() {
        let payer = ProfileId::from_bytes([7; 16]);
        assert_ne!(public_name("one", payer), public_name("two", payer));
        assert_eq!(public_name("one", payer).len(), 32);
    }
}
