//! The loop of a refund: decide, carry out the step, until the step is a reply or asks for a quote.

use crochet::budget::{Asker, Grant};
use crochet::http::{ApiError, Result};
use crochet::payments::RecordWanted;
use crochet::store::StoreError;
use crochet_domain::call::CallKey;
use crochet_domain::ids::{ProfileId, RefundId};
use crochet_domain::money::Micros;
use crochet_domain::refund::decide::{RefundStep, RefundView, decide};
use crochet_domain::refund::{PaidRefund, RefundKey, RefundedCall};
use crochet_domain::timestamp::unix_ms;
use futures::future::try_join_all;

use crate::fact::{PaymentOf, ask_about};
use crate::out_of_budget::out_of_questions;
use crate::state::State;

/// Maximum steps of one run. A record lists at most some twenty payments, and each may have to be moved once.
const MAX_STEPS: usize = 40;
/// Maximum number of debts to one buyer that are looked at. One payment takes the oldest of them.
const MAX_DEBTS: i32 = 1_000;

/// A refund, and what is known about it.
pub(super) struct Refunding<'a> {
    pub(super) state: &'a State,
    pub(super) key: RefundKey,
    pub(super) view: RefundView,
    /// Why the provider gave no answer, for the reply.
    pub(super) failure: Option<ApiError>,
    /// The call that is refunded by good will.
    call: Option<CallKey>,
    /// For whom the provider is asked.
    asker: Asker,
}

/// Where a run ended.
pub(super) enum Next {
    /// A payment was filled, and its calls are settled.
    Paid(Box<PaidRefund>),
    /// A step that is a reply, or asks for a quote.
    Step(RefundStep),
}

impl<'a> Refunding<'a> {
    /// Reads what was offered and what is owed. `call` is the call that is refunded by good will.
    pub(super) async fn read(state: &'a State, key: RefundKey, call: Option<CallKey>, asker: Asker) -> Result<Self> {
        let now_ms = unix_ms(state.app.clock.now());
        let store = &state.app.store;
        let (record, owed) = tokio::try_join!(store.refund_record(key), owed(state, key, call.as_ref()))?;
        let view = RefundView { record, facts: Vec::new(), owed, now_ms };
        Ok(Self { state, key, view, failure: None, call, asker })
    }

    /// Reads everything again after something has changed. What the provider said stays.
    pub(super) async fn read_again(&mut self) -> Result<()> {
        let facts = std::mem::take(&mut self.view.facts);
        let failure = self.failure.take();
        *self = Self::read(self.state, self.key, self.call.clone(), self.asker).await?;
        self.view.facts = facts;
        self.failure = failure;
        Ok(())
    }

    /// Whether the debts are still those that were read. The record may be newer than the debts that were read beside it: then they
    /// include what it has settled, which must not be offered again. A later settlement changes the record, and no offer is written.
    pub(super) async fn is_still_owed(&self) -> Result<bool> {
        Ok(owed(self.state, self.key, self.call.as_ref()).await? == self.view.owed)
    }

    /// Carries out steps as long as they lead to further ones.
    pub(super) async fn go_on(&mut self) -> Result<Next> {
        let store = &self.state.app.store;
        for _ in 0..MAX_STEPS {
            match decide(&self.view) {
                RefundStep::AskProvider(ids) => self.ask(&ids).await?,
                RefundStep::Move(id, to) => {
                    let moved = self.view.record.clone().moved(&id, to, self.view.now_ms);
                    if store.put_refund_record(&moved, self.view.now_ms).await? {
                        self.view.record = moved;
                    } else {
                        self.read_again().await?;
                    }
                }
                RefundStep::Settle(id) => match self.settle(&id).await? {
                    Some(paid) => return Ok(Next::Paid(Box::new(paid))),
                    None => self.read_again().await?,
                },
                step => return Ok(Next::Step(step)),
            }
        }
        Err(ApiError::internal("a refund did not reach a reply").alarm())
    }

    /// Asks the provider about these payments, all at the same time.
    async fn ask(&mut self, ids: &[String]) -> Result<()> {
        let payments: Vec<_> = ids.iter().filter_map(|id| self.view.record.payment(id)).collect();
        let questions = payments
            .iter()
            .map(|offered| ask_about(self.state, PaymentOf::Refund(&self.key), &offered.payment, RecordWanted::OnSuccess));
        // They are counted while they are asked, to save a round trip.
        let (budget, now) = (&self.state.app.provider_budget, self.state.app.clock.now());
        if budget.is_out_of_questions(self.asker, now) {
            return Err(out_of_questions(1));
        }
        let count = u32::try_from(payments.len()).unwrap_or(u32::MAX);
        let (replies, granted) = tokio::join!(try_join_all(questions), budget.questions(self.asker, count, now));
        if let Grant::Refused { retry_after_seconds } = granted? {
            return Err(out_of_questions(retry_after_seconds));
        }
        let replies = replies?;
        let known: Vec<String> = payments.iter().map(|offered| offered.payment.id.clone()).collect();
        for (id, asked) in known.into_iter().zip(replies) {
            self.failure = asked.failure.or(self.failure.take());
            self.view.facts.push((id, asked.fact));
        }
        Ok(())
    }

    /// Settles the calls of a filled payment. `None` if something has changed meanwhile.
    async fn settle(&self, id: &str) -> Result<Option<PaidRefund>> {
        let paid = self.state.app.store.settle_refund(&self.view.record, id, self.view.now_ms).await?;
        if let Some(paid) = &paid {
            if paid.unused > Micros::ZERO {
                tracing::error!(alarm = true, refund = %paid.id, unused = paid.unused.0, "a seller has paid a buyer twice");
            }
            show(self.state, paid).await;
        }
        Ok(paid)
    }
}

/// Makes the seller's profile and listings show that a refund is paid. If that fails, the refund stays due, and it is done later.
async fn show(state: &State, paid: &PaidRefund) {
    if let Err(error) = try_show(state, paid.key.seller, paid.id).await {
        tracing::warn!(refund = %paid.id, %error, "what a seller owes is not shown yet");
    }
}

/// Like [`show`], for a caller that tries again.
pub(super) async fn try_show(state: &State, seller: ProfileId, id: RefundId) -> Result<(), StoreError> {
    let store = &state.app.store;
    store.refresh_standing(seller, &[], state.app.clock.now()).await?;
    store.refund_is_shown(seller, id).await
}

/// What may be paid back, oldest first.
async fn owed(state: &State, key: RefundKey, call: Option<&CallKey>) -> Result<Vec<RefundedCall>, StoreError> {
    let store = &state.app.store;
    if key.good_will.is_none() {
        let debts = store.debts_to(key.seller, key.buyer, MAX_DEBTS).await?;
        return Ok(debts.iter().map(RefundedCall::from).collect());
    }
    let calls = match call {
        Some(call) => store.calls(std::slice::from_ref(call)).await?,
        None => Vec::new(),
    };
    Ok(calls.iter().filter(|call| key.is_open(call)).map(RefundedCall::from).collect())
}
