//! A buyer's open quotes, for the limit on their number. The list may lag behind the calls; it is corrected when it is full.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::item::{n, record};
use super::write::Update;
use super::{Store, StoreError, keys};
use crochet_domain::call::CallKey;
use crochet_domain::ids::ProfileId;

/// A buyer's open quotes. Some of them may not be open any more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenQuotes {
    /// Key of each call, and until when the provider may fill its quote (Unix milliseconds).
    #[serde(default)]
    pub quotes: Vec<(CallKey, i64)>,
}

/// Why an open quote was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum NoteQuoteError {
    /// The buyer has the maximum number of open quotes.
    #[error("the buyer has the maximum number of open quotes")]
    LimitReached(OpenQuotes),
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Records an open quote, unless the buyer already has `max` of them.
    pub async fn note_open_quote(&self, buyer: ProfileId, call: &CallKey, until_ms: i64, max: u32) -> Result<(), NoteQuoteError> {
        let quote = AttributeValue::L(vec![AttributeValue::S(call.to_string()), n(until_ms)]);
        let update = Update::new("SET quotes = list_append(if_not_exists(quotes, :none), :new)")
            .value(":none", AttributeValue::L(Vec::new()))
            .value(":new", AttributeValue::L(vec![quote]))
            .number(":max", i64::from(max))
            .when("attribute_not_exists(quotes) OR size(quotes) < :max");
        match self.table.update(&keys::open_quotes(buyer), update).await {
            Ok(_) => Ok(()),
            Err(error) => {
                let found = error.found()?.map(record).transpose()?;
                Err(NoteQuoteError::LimitReached(found.unwrap_or_default()))
            }
        }
    }

    /// Replaces the list by the quotes that are still open, unless another request has changed it meanwhile.
    pub async fn prune_open_quotes(&self, buyer: ProfileId, seen: &OpenQuotes, open: &OpenQuotes) -> Result<(), StoreError> {
        let list = |quotes: &OpenQuotes| {
            AttributeValue::L(
                quotes
                    .quotes
                    .iter()
                    .map(|(call, until)| AttributeValue::L(vec![AttributeValue::S(call.to_string()), n(until)]))
                    .collect(),
            )
        };
        let update = Update::new("SET quotes = :open").value(":open", list(open)).value(":seen", list(seen)).when("quotes = :seen");
        match self.table.update(&keys::open_quotes(buyer), update).await {
            Ok(_) => Ok(()),
            Err(error) => error.found().map(drop),
        }
    }
}
