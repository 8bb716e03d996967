//! The open quotes of a buyer, for the limit on them. The list may lag behind the calls; it is put right where it is full.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::counter::n;
use super::table::record;
use super::write::Updating;
use super::{Store, StoreError, keys};
use crochet_domain::ids::ProfileId;

/// The open quotes of a buyer. May name some that are open no more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenQuotes {
    /// Where the call is stored, and until when the quote may be filled (Unix milliseconds).
    #[serde(default)]
    pub quotes: Vec<(String, i64)>,
}

impl Store {
    /// Notes an open quote. `None` where the buyer has `max` of them already, with what is noted.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn note_open_quote(
        &self,
        buyer: ProfileId,
        home: &str,
        until_ms: i64,
        max: u32,
    ) -> Result<Result<(), OpenQuotes>, StoreError> {
        let quote = AttributeValue::L(vec![AttributeValue::S(home.into()), n(until_ms)]);
        let updating = Updating::new("SET quotes = list_append(if_not_exists(quotes, :none), :new)")
            .value(":none", AttributeValue::L(Vec::new()))
            .value(":new", AttributeValue::L(vec![quote]))
            .number(":max", i64::from(max))
            .when("attribute_not_exists(quotes) OR size(quotes) < :max");
        match self.table.update(&keys::open_quotes(buyer), updating).await? {
            Ok(_) => Ok(Ok(())),
            Err(found) => Ok(Err(found.map(record).transpose()?.unwrap_or_default())),
        }
    }

    /// Replaces the noted open quotes by those that are still open, where nobody has changed them meanwhile.
    ///
    /// # Errors
    /// Where DynamoDB does not answer.
    pub async fn prune_open_quotes(&self, buyer: ProfileId, seen: &OpenQuotes, open: &OpenQuotes) -> Result<(), StoreError> {
        let list = |quotes: &OpenQuotes| {
            AttributeValue::L(
                quotes
                    .quotes
                    .iter()
                    .map(|(home, until)| AttributeValue::L(vec![AttributeValue::S(home.clone()), n(until)]))
                    .collect(),
            )
        };
        let updating =
            Updating::new("SET quotes = :open").value(":open", list(open)).value(":seen", list(seen)).when("quotes = :seen");
        self.table.update(&keys::open_quotes(buyer), updating).await.map(drop)
    }
}
