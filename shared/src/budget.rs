//! What this deployment asks of the payment provider, per minute.
//!
//! The provider limits a deployment as a whole. So no buyer gets more than half of what the others leave. The sweeper gets as much, and a
//! quarter in any case while there is room. The counts are exact, over all instances.

use std::sync::Arc;

use crochet_domain::ids::ProfileId;
use crochet_domain::share::{Held, Holder};
use quick_cache::sync::Cache;
use time::OffsetDateTime;

use crate::config::Config;
use crate::limits::QUOTES_PER_BUYER;
use crate::store::{Store, StoreError};

/// Maximum number of remembered refusals.
const REMEMBERED: usize = 1_000;
/// Time for which a refusal is repeated without counting again (milliseconds).
const REFUSED_MS: i64 = 2_000;

/// The budgets of a deployment. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct ProviderBudget {
    store: Store,
    quotes: Budget,
    questions: Budget,
    /// Quotes that one buyer may ask for in a minute, whatever the others do.
    quotes_per_buyer: u32,
    /// Until when a holder is refused without counting (Unix milliseconds), so that a flood costs no writes: by budget and the
    /// holder's own limit.
    refused: Arc<Cache<(&'static str, u32, Holder), i64>>,
}

#[derive(Debug, Clone, Copy)]
struct Budget {
    name: &'static str,
    per_minute: u32,
}

/// For whom the provider is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// A buyer, or a seller that pays back.
    Buyer(ProfileId),
    /// The sweeper.
    Sweeper,
}

/// Whether the provider may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Grant {
    /// It may, and this is counted.
    Granted,
    /// It may not, and nothing is counted.
    Refused {
        /// Seconds until the next minute.
        retry_after_seconds: u64,
    },
}

impl ProviderBudget {
    /// The budgets that `config` sets.
    #[must_use]
    pub fn new(store: Store, config: &Config) -> Self {
        let budget = |name, per_minute: u32| Budget { name, per_minute: per_minute.saturating_mul(config.limit_factor) };
        Self {
            store,
            quotes: budget("quotes", config.provider_quotes_per_minute),
            questions: budget("questions", config.provider_questions_per_minute),
            quotes_per_buyer: QUOTES_PER_BUYER.quota.saturating_mul(config.limit_factor),
            refused: Arc::new(Cache::new(REMEMBERED)),
        }
    }

    /// Asks for one quote for `buyer`, within the buyer's own limit.
    pub async fn quote(&self, buyer: ProfileId, now: OffsetDateTime) -> Result<Grant, StoreError> {
        self.spend(self.quotes, Asker::Buyer(buyer), 1, self.quotes_per_buyer, now).await
    }

    /// Asks for one quote that pays back what is owed. The limit of a buyer does not count here, only the share.
    pub async fn refund_quote(&self, asker: Asker, now: OffsetDateTime) -> Result<Grant, StoreError> {
        self.spend(self.quotes, asker, 1, u32::MAX, now).await
    }

    /// Gives back a quote that was granted and not asked for.
    pub async fn give_back_quote(&self, buyer: ProfileId, now: OffsetDateTime) -> Result<(), StoreError> {
        let minute = now.unix_timestamp().div_euclid(60);
        self.store.spend(self.quotes.name, minute, &Holder::of(buyer), -1).await.map(drop)
    }

    /// Asks for `count` questions about payments. All of them are granted, or none.
    pub async fn questions(&self, asker: Asker, count: u32, now: OffsetDateTime) -> Result<Grant, StoreError> {
        self.spend(self.questions, asker, count, u32::MAX, now).await
    }

    /// Whether this instance has just been refused questions for `asker`. Nothing is counted.
    #[must_use]
    pub fn is_out_of_questions(&self, asker: Asker, now: OffsetDateTime) -> bool {
        let now_ms = crochet_domain::timestamp::unix_ms(now);
        self.refused.get(&(self.questions.name, u32::MAX, asker.holder())).is_some_and(|until_ms| now_ms < until_ms)
    }

    async fn spend(&self, budget: Budget, asker: Asker, count: u32, own: u32, now: OffsetDateTime) -> Result<Grant, StoreError> {
        let (now_s, now_ms) = (now.unix_timestamp(), crochet_domain::timestamp::unix_ms(now));
        let minute = now_s.div_euclid(60);
        let retry_after_seconds = u64::try_from(60 - now_s.rem_euclid(60)).unwrap_or(60);
        let refused = Grant::Refused { retry_after_seconds };
        let holder = asker.holder();
        let known = (budget.name, own, holder.clone());
        if self.refused.get(&known).is_some_and(|until_ms| now_ms < until_ms) {
            return Ok(refused);
        }
        let spent = self.store.spend(budget.name, minute, &holder, count.into()).await?;
        if spent.by(&holder) <= own && asker.may_have(&spent, budget.per_minute, &holder) {
            return Ok(Grant::Granted);
        }
        // If this fails, the holder gets less until the minute ends.
        if let Err(e) = self.store.spend(budget.name, minute, &holder, -i64::from(count)).await {
            tracing::warn!(cause = %e, "a refused question to the payment provider stays counted");
        }
        let ends_ms = (minute + 1) * 60_000;
        self.refused.insert(known, ends_ms.min(now_ms + REFUSED_MS));
        Ok(refused)
    }
}

impl Asker {
    fn holder(self) -> Holder {
        match self {
            Self::Buyer(profile) => Holder::of(profile),
            Self::Sweeper => Holder::stored("sweeper"),
        }
    }

    /// Whether `spent`, which includes what is asked for now, is within this asker's share.
    fn may_have(self, spent: &Held, limit: u32, holder: &Holder) -> bool {
        let own = spent.by(holder);
        match self {
            Self::Buyer(_) => spent.allows(limit, holder, own),
            Self::Sweeper => spent.allows_sweeper(limit, holder, own),
        }
    }
}
