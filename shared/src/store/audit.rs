//! Reads of the whole ledger, of all calls and of all listings, for the operator. They scan the table, and no request of a client does.

use aws_sdk_dynamodb::types::AttributeValue;

use super::call_item::{CallOrPointer, read_call};
use super::item::{Item, record};
use super::keys::{self, KIND, PK};
use super::table::Table;
use super::{Store, StoreError};
use crochet_domain::call::ledger::LedgerRecord;
use crochet_domain::call::{Call, CallKey};
use crochet_domain::listing::Listing;

/// Where a scan goes on.
#[derive(Debug, Clone)]
pub struct ScanPosition(Item);

impl Table {
    /// One page of a scan for items of a kind, in no particular order, and where the next page begins.
    pub async fn scan(&self, kind: &str, from: Option<ScanPosition>) -> Result<(Vec<Item>, Option<ScanPosition>), StoreError> {
        let reply = self
            .client
            .scan()
            .table_name(&self.name)
            .filter_expression("#kind = :kind")
            .expression_attribute_names("#kind", KIND)
            .expression_attribute_values(":kind", AttributeValue::S(kind.to_owned()))
            .set_exclusive_start_key(from.map(|from| from.0))
            .send()
            .await
            .map_err(StoreError::sdk)?;
        let next = reply.last_evaluated_key.filter(|key| !key.is_empty()).map(ScanPosition);
        Ok((reply.items.unwrap_or_default(), next))
    }
}

impl Store {
    /// One page of all ledger records with the keys of their calls, in no particular order, and where the next page begins. A page
    /// may be empty.
    pub async fn all_ledger_records(
        &self,
        from: Option<ScanPosition>,
    ) -> Result<(Vec<(CallKey, LedgerRecord)>, Option<ScanPosition>), StoreError> {
        let (items, next) = self.table.scan("ledger", from).await?;
        let mut records = Vec::with_capacity(items.len());
        for item in items {
            let call = item.get(PK).and_then(|pk| pk.as_s().ok()).and_then(|pk| keys::call_of_partition(pk));
            let call = call.ok_or_else(|| StoreError::Defect("a ledger record belongs to no call".into()))?;
            records.push((call, record(item)?));
        }
        Ok((records, next))
    }

    /// One page of all listings, in no particular order, and where the next page begins. A page may be empty.
    pub async fn all_listings(&self, from: Option<ScanPosition>) -> Result<(Vec<Listing>, Option<ScanPosition>), StoreError> {
        let (items, next) = self.table.scan("listing", from).await?;
        Ok((items.into_iter().map(record).collect::<Result<_, _>>()?, next))
    }

    /// One page of all calls, in no particular order, and where the next page begins. A page may be empty.
    pub async fn all_calls(&self, from: Option<ScanPosition>) -> Result<(Vec<Call>, Option<ScanPosition>), StoreError> {
        let (items, next) = self.table.scan("call", from).await?;
        let mut calls = Vec::with_capacity(items.len());
        for item in items {
            if let CallOrPointer::Call(call) = read_call(item)? {
                calls.push(*call);
            }
        }
        Ok((calls, next))
    }
}
