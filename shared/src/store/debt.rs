//! Open debts of sellers: written when a paid call closes, removed when it is paid back.

use aws_sdk_dynamodb::types::AttributeValue;
use time::OffsetDateTime;

use super::call::{PutCallError, call_put, ledger_put};
use super::conditional::WriteError;
use super::item::{n, record};
use super::keys::Key;
use super::read::Range;
use super::retry::retry_on_conflict;
use super::write::{Condition, Put, Update};
use super::{Store, StoreError, keys};
use crate::telemetry::metrics::{self, Metric};
use crochet_domain::call::Call;
use crochet_domain::call::ledger::undelivered;
use crochet_domain::debt::{Debt, standing};
use crochet_domain::ids::{ProfileId, RefundId};
use crochet_domain::profile::Profile;
use crochet_domain::refund::RefundKey;
use crochet_domain::timestamp::{from_unix_ms, unix_ms};

/// Debts per page of a read.
const PAGE: i32 = 1_000;

/// What needs attention of a seller's debts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DueDebt {
    /// Debts of this seller.
    Debts(ProfileId),
    /// A refund of which a payment may have been filled.
    Refund(RefundKey),
    /// A refund that this seller has paid, and that its profile does not show yet.
    Paid(ProfileId, RefundId),
}

impl DueDebt {
    /// What the due item at this key is; `None` for a call.
    #[must_use]
    pub fn of(key: &Key) -> Option<Self> {
        let debts = || keys::debtor_of_partition(&key.pk).map(Self::Debts);
        let paid = || keys::parse_paid_refund(key).map(|(seller, id)| Self::Paid(seller, id));
        debts().or_else(|| keys::parse_refund(key).map(Self::Refund)).or_else(paid)
    }
}

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
        self.transact_move(operations, &closed.write_token).await?;
        metrics::emit(&[(Metric::CallsUndelivered, 1), (Metric::MoneyOwed, closed.split.price.0)]);
        Ok(())
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

    /// Makes a seller's profile and listings show what the seller owes: its listings are suspended while a debt is overdue.
    /// `looked_at` are debts as they are about to be stored.
    ///
    /// The profile is read before the debts, and written over the version that was read: of parallel writers, the last has seen the
    /// newest debts.
    pub async fn refresh_standing(&self, seller: ProfileId, looked_at: &[Debt], now: OffsetDateTime) -> Result<(), StoreError> {
        let profile = retry_on_conflict(|| async {
            let Some(profile) = self.profile(seller).await? else { return Ok(None) };
            let mut debts = self.debts_of(seller).await?;
            for debt in &mut debts {
                if let Some(looked_at) = looked_at.iter().find(|looked_at| looked_at.id == debt.id) {
                    debt.clone_from(looked_at);
                }
            }
            let profile = profile.with_standing(standing(&debts));
            self.save_standing(&profile).await?;
            Ok::<_, StoreError>(Some(profile))
        })
        .await?;
        match profile {
            Some(profile) => self.try_refresh_seller_summaries(&profile, unix_ms(now)).await,
            None => Ok(()),
        }
    }

    /// Writes the standing of version `profile.version - 1` of a profile, and nothing else of it.
    async fn save_standing(&self, profile: &Profile) -> Result<(), StoreError> {
        let standing = serde_dynamo::to_attribute_value(profile.standing).map_err(StoreError::defect)?;
        let update = Update::new("SET standing = :standing, summaries_stale = :stale, version = :next")
            .when("version = :seen")
            .value(":standing", standing)
            .value(":stale", AttributeValue::Bool(profile.summaries_stale))
            .value(":next", n(profile.version))
            .value(":seen", n(profile.version.saturating_sub(1)));
        match self.table.update(&keys::profile(profile.id), update).await {
            Ok(_) => Ok(()),
            Err(error) => {
                // If the stored profile equals ours, the reply to our own write was lost.
                let found = error.found()?.map(record::<Profile>).transpose()?;
                if found.is_some_and(|found| found == *profile) { Ok(()) } else { Err(StoreError::Conflict) }
            }
        }
    }

    /// Stores a debt after it was looked at. `due_ms` is when it was due before. `false` if it has been paid, or looked at by another
    /// sweep, meanwhile.
    pub async fn put_debt(&self, debt: &Debt, due_ms: i64) -> Result<bool, StoreError> {
        let unchanged = Condition::equals("due_ms", n(due_ms));
        match self.table.put(debt_put(debt)?.when(unchanged)).await {
            Ok(()) => Ok(true),
            // The SDK retries after a lost reply. An item equal to ours is the result of our first try.
            Err(WriteError::ConditionFailed(found)) => {
                Ok(found.map(record::<Debt>).transpose()?.is_some_and(|found| found == *debt))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The oldest open debts of a seller to one buyer, at most `limit`.
    pub async fn debts_to(&self, seller: ProfileId, buyer: ProfileId, limit: i32) -> Result<Vec<Debt>, StoreError> {
        let range = keys::debts_to(seller, buyer);
        let page = self.table.query(&Range::of(&range, limit)).await?;
        page.into_iter().map(record).collect()
    }
}
