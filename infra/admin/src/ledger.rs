//! The ledger, read from the whole table.

use crochet::store::Store;
use crochet_domain::call::CallKey;
use crochet_domain::call::ledger::{LedgerMove, LedgerRecord};

/// A ledger record, and the key of its call.
pub(crate) type Recorded = (CallKey, LedgerRecord);

/// Whether a record says what is owed, or that it is not any more.
pub(crate) fn is_adjustment(record: &LedgerRecord) -> bool {
    !matches!(record.of, LedgerMove::Settlement | LedgerMove::Reversal)
}

/// All records for which `keep` is true, oldest first.
///
/// # Errors
/// One sentence, if the table cannot be read.
pub(crate) async fn read(store: &Store, keep: impl Fn(&LedgerRecord) -> bool) -> Result<Vec<Recorded>, String> {
    let (mut records, mut from) = (Vec::new(), None);
    loop {
        let (page, next) = store.all_ledger_records(from).await.map_err(|error| format!("The table cannot be read: {error}."))?;
        records.extend(page.into_iter().filter(|(_, record)| keep(record)));
        if next.is_none() {
            break;
        }
        from = next;
    }
    records.sort_by_key(|(_, record)| record.created_ms);
    Ok(records)
}
