//! A buyer's open quotes, for the limit on their number, and so that parallel requests for one call ask for one quote.
//!
//! A place is reserved before the provider is asked. Nothing more is written when the quote is kept: the reservation already says
//! until when it counts. The list may lag behind the calls; it is corrected when it is full.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::conditional::WriteError;
use super::item::{Item, record, s};
use super::write::{Condition, Put, Update};
use super::{Store, StoreError, keys};
use crochet_domain::call::CallName;
use crochet_domain::currency::OriginCurrency;
use crochet_domain::ids::{CallId, ProfileId, sha256_hex};

/// Time for which a reservation keeps others from asking for the same quote: the provider takes at most 3 seconds, and the store
/// some more.
const QUOTING_MS: i64 = 10_000;

/// A buyer's open quotes. Some of them may not be open any more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenQuotes {
    /// By place: the quotes of one call in one currency.
    #[serde(default)]
    pub open: BTreeMap<String, OpenQuote>,
}

/// An open quote, or a place for one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenQuote {
    /// The call.
    pub call: CallId,
    /// Until when another request may be asking for this quote (Unix milliseconds).
    pub quoting_until_ms: i64,
    /// Until when it counts (Unix milliseconds).
    pub until_ms: i64,
}

/// Why no place was reserved.
#[derive(Debug, thiserror::Error)]
pub enum ReserveError {
    /// A parallel request has reserved the place for this call.
    #[error("a parallel request is asking for this quote")]
    Taken(OpenQuote),
    /// The buyer has the maximum number of open quotes.
    #[error("the buyer has the maximum number of open quotes")]
    Full(OpenQuotes),
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The place of a call's quotes in one currency.
#[must_use]
pub fn place(name: &CallName, currency: OriginCurrency) -> String {
    let mut place = sha256_hex(format!("{name:?} {}", currency.as_str()));
    place.truncate(16);
    place
}

impl Store {
    /// Reserves a place for the quote of `call`, which counts until `until_ms`, unless the buyer already has `max` open quotes.
    /// `over` is a call at this place whose quote is known to be over.
    pub async fn reserve_quote(
        &self,
        buyer: ProfileId,
        place: &str,
        call: CallId,
        over: Option<CallId>,
        (now_ms, until_ms): (i64, i64),
        max: u32,
    ) -> Result<(), ReserveError> {
        let quote = OpenQuote { call, quoting_until_ms: now_ms + QUOTING_MS, until_ms };
        let item: Item = serde_dynamo::to_item(&quote).map_err(StoreError::defect)?;
        let over = over.map_or_else(String::new, |over| over.to_string());
        let update = || {
            Update::new("SET #open.#place = :quote")
                .name("#open", "open")
                .name("#place", place)
                .name("#call", "call")
                .name("#quoting", "quoting_until_ms")
                .value(":quote", AttributeValue::M(item.clone()))
                .value(":over", s(over.clone()))
                .number(":now", now_ms)
                .number(":max", i64::from(max))
                .when(
                    "(attribute_exists(#open) AND attribute_not_exists(#open.#place) AND size(#open) < :max) \
                     OR #open.#place.#quoting < :now OR #open.#place.#call = :over",
                )
        };
        for _ in 0..2 {
            match self.table.update(&keys::open_quotes(buyer), update()).await {
                Ok(_) => return Ok(()),
                Err(WriteError::ConditionFailed(None)) => {
                    let first = Put::new(&keys::open_quotes(buyer), "open_quotes", &OpenQuotes::default())?;
                    match self.table.put(first.when(Condition::absent())).await {
                        Ok(()) | Err(WriteError::ConditionFailed(_)) => {}
                        Err(error) => return Err(StoreError::from(error).into()),
                    }
                }
                Err(WriteError::ConditionFailed(Some(found))) => {
                    let found: OpenQuotes = record(found)?;
                    return match found.open.get(place) {
                        // The reply was lost, and the SDK tried again.
                        Some(mine) if mine.call == call => Ok(()),
                        Some(taken) => Err(ReserveError::Taken(taken.clone())),
                        None => Err(ReserveError::Full(found)),
                    };
                }
                Err(error) => return Err(StoreError::from(error).into()),
            }
        }
        Err(StoreError::Conflict.into())
    }

    /// Gives back a place whose quote was not kept.
    pub async fn release_quote(&self, buyer: ProfileId, place: &str, call: CallId) -> Result<(), StoreError> {
        self.remove_quotes(buyer, &[(place.to_owned(), call)]).await
    }

    /// Removes these quotes from the list, unless other quotes have taken their places.
    pub async fn remove_quotes(&self, buyer: ProfileId, over: &[(String, CallId)]) -> Result<(), StoreError> {
        for (place, call) in over {
            let update = Update::new("REMOVE #open.#place")
                .name("#open", "open")
                .name("#place", place)
                .name("#call", "call")
                .value(":call", s(call.to_string()))
                .when("#open.#place.#call = :call");
            match self.table.update(&keys::open_quotes(buyer), update).await {
                Ok(_) | Err(WriteError::ConditionFailed(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

impl OpenQuotes {
    /// When the first of them stops counting (Unix milliseconds).
    #[must_use]
    pub fn soonest_ms(&self) -> Option<i64> {
        self.open.values().map(|quote| quote.until_ms).min()
    }
}

impl OpenQuote {
    /// Whether a request may be asking for it at this moment.
    #[must_use]
    pub fn is_being_made(&self, now_ms: i64) -> bool {
        now_ms < self.quoting_until_ms
    }
}
