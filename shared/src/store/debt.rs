//! Open debts of sellers: written when a paid call closes, removed when it is paid back.

use super::call::{PutCallError, call_put, ledger_put};
use super::item::record;
use super::read::Range;
use super::write::{Condition, Put};
use super::{Store, StoreError, keys};
use crochet_domain::call::Call;
use crochet_domain::call::ledger::undelivered;
use crochet_domain::debt::Debt;
use crochet_domain::ids::ProfileId;
use crochet_domain::timestamp::from_unix_ms;

/// Debts per page of a read.
const PAGE: i32 = 1_000;

fn debt_put(debt: &Debt) -> Result<Put, StoreError> {
    Ok(Put::new(&keys::debt(debt.seller, debt.buyer, debt.id), "debt", debt)?
        .indexed(Some(keys::debt_due(debt.id, from_unix_ms(debt.due_ms)))))
}

impl Store {
    /// Writes a call's next version, in which it is closed. If it was paid, the same transaction records what seller and operator
    /// owe, and the seller's debt.
    pub async fn close_call(&self, closed: &Call) -> Result<(), PutCallError> {
        if closed.payment.is_none() {
            return self.put_call(closed).await;
        }
        let (key, now_ms) = (closed.key(), closed.updated_ms);
        let mut operations = vec![call_put(closed)?.into_transact_item(&self.table)?];
        for owed in undelivered(closed, now_ms) {
            operations.push(ledger_put(&key, &owed)?.into_transact_item(&self.table)?);
        }
        if let Some(debt) = Debt::of(closed, now_ms) {
            operations.push(debt_put(&debt)?.when(Condition::absent()).into_transact_item(&self.table)?);
        }
        self.transact_move(operations, &closed.write_token).await
    }

    /// All open debts of a seller.
    pub async fn debts_of(&self, seller: ProfileId) -> Result<Vec<Debt>, StoreError> {
        let mut debts: Vec<Debt> = Vec::new();
        let mut range = keys::debts_of(seller);
        loop {
            let page = self.table.query(&Range::of(&range, PAGE)).await?;
            if page.is_empty() {
                return Ok(debts);
            }
            for item in page {
                debts.push(record(item)?);
            }
            if let Some(last) = debts.last() {
                range = range.after(&keys::debt(seller, last.buyer, last.id).sk);
            }
        }
    }

    /// The oldest open debts of a seller to one buyer, at most `limit`.
    pub async fn debts_to(&self, seller: ProfileId, buyer: ProfileId, limit: i32) -> Result<Vec<Debt>, StoreError> {
        let range = keys::debts_to(seller, buyer);
        let page = self.table.query(&Range::of(&range, limit)).await?;
        page.into_iter().map(record).collect()
    }
}
