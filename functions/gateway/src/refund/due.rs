//! What becomes of debts and refunds without a request: they are shown, become overdue, or are settled. Everything here may be done
//! again, late, or in parallel.

use std::collections::BTreeMap;

use crochet::budget::{Asker, Grant};
use crochet::http::Result;
use crochet::payments::{QuoteFailure, QuoteRequest};
use crochet::store::debt::DueDebt;
use crochet::telemetry::metrics::{self, Metric};
use crochet_domain::call::CallKey;
use crochet_domain::currency::OriginCurrency;
use crochet_domain::debt::Debt;
use crochet_domain::ids::ProfileId;
use crochet_domain::money::Micros;
use crochet_domain::refund::decide::{RefundRefusal, RefundStep};
use crochet_domain::refund::{MAX_CALLS, RefundKey};
use crochet_domain::timestamp::unix_ms;
use crochet_domain::wallet::WalletAddress;

use super::run::{Next, Refunding, try_show};
use super::terms::{expected, recipient};
use crate::call::QUOTE_TTL_SECONDS;
use crate::state::State;
use crate::turn::in_turn;

/// Does what is due.
///
/// # Errors
/// Those of the store. What was not done stays due.
pub(crate) async fn look_at(state: &State, due: DueDebt) -> Result<()> {
    match due {
        DueDebt::Debts(seller) => debts_due(state, seller).await,
        DueDebt::Refund(key) => refund_due(state, key).await,
        // The process died before the seller's profile and listings showed it.
        DueDebt::Paid(seller, id) => Ok(try_show(state, seller, id).await?),
    }
}

/// Debts of this seller are due: its profile and listings are made to show what it owes, and what was not paid within seven days
/// becomes overdue, if a payment route carries it.
///
/// # Errors
/// Those of the store. Debts about which the provider gives no answer, or may not be asked in this minute, stay due.
async fn debts_due(state: &State, seller: ProfileId) -> Result<()> {
    let (store, now) = (&state.app.store, state.app.clock.now());
    let now_ms = unix_ms(now);
    let mut by_buyer: BTreeMap<ProfileId, Vec<Debt>> = BTreeMap::new();
    for debt in store.debts_of(seller).await? {
        by_buyer.entry(debt.buyer).or_default().push(debt);
    }
    let (mut looked_at, mut before) = (Vec::new(), Vec::new());
    let mut is_answered = true;
    for debts in in_turn(by_buyer.into_values().collect(), now_ms) {
        let is_due = |debt: &&Debt| now_ms >= debt.due_ms;
        let is_late = debts.iter().filter(is_due).any(|debt| debt.is_late(now_ms));
        let has_route = match is_late {
            false => Some(true),
            // A provider that has given no answer is not asked about the next buyer: that would take as long again. Another buyer is the
            // first in the next minute, because the seller may be the cause.
            true if is_answered => has_route(state, &debts).await?,
            true => None,
        };
        is_answered &= has_route.is_some();
        if let Some(has_route) = has_route {
            looked_at.extend(debts.iter().filter(is_due).map(|debt| debt.clone().looked_at(has_route, now_ms)));
            before.extend(debts.iter().filter(is_due).cloned());
        }
    }
    store.refresh_standing(seller, &looked_at, now).await?;
    // One that is overdue is looked at each day, and tells nobody anything new.
    let overdue = looked_at.iter().zip(&before).filter(|(after, before)| after.overdue && !before.overdue).count();
    metrics::emit(&[(Metric::DebtsOverdue, i64::try_from(overdue).unwrap_or(i64::MAX))]);
    // Only now: until the profile shows them, they stay due.
    let mut is_first = true;
    for (debt, before) in looked_at.iter().zip(before) {
        is_first &= store.put_debt(debt, before.due_ms).await?;
    }
    if !is_first {
        // A parallel sweep may have had another answer, and what is stored is its own. The profile shows that.
        store.refresh_standing(seller, &[], now).await?;
    }
    Ok(())
}

/// A payment that was offered for this refund may have been filled: asks the provider, and settles it.
///
/// # Errors
/// Those of the store. A payment about which the provider gives no answer stays due.
async fn refund_due(state: &State, key: RefundKey) -> Result<()> {
    let mut refunding = Refunding::read(state, key, None, Asker::Sweeper).await?;
    // Each payment of the record can be filled.
    let last = loop {
        match refunding.go_on().await? {
            Next::Paid(_) => refunding.read_again().await?,
            Next::Step(step) => break step,
        }
    };
    if let RefundStep::Refuse(RefundRefusal::PaymentMismatch(_)) = last {
        tracing::error!(alarm = true, cause = "what was paid for a refund differs from its quote", "a refund needs an operator");
    }
    let view = &refunding.view;
    let is_unanswered = refunding.failure.is_some();
    if !is_unanswered && view.record.payments.iter().any(|offered| view.fact(&offered.payment.id).is_some()) {
        let next = view.record.clone().asked(view.now_ms);
        // Whoever was first has set the time at which it is due.
        state.app.store.put_refund_record(&next, view.now_ms).await?;
    }
    Ok(())
}

/// Whether a payment route carries the oldest of these debts, all to one buyer, to the buyer. `None` if none is known to, and the provider
/// gave no answer about one, or may not be asked in this minute.
async fn has_route(state: &State, debts: &[Debt]) -> Result<Option<bool>> {
    let store = &state.app.store;
    let Some(oldest) = debts.first() else { return Ok(Some(false)) };
    let calls: [CallKey; 1] = [oldest.call.clone()];
    let (calls, seller, buyer) = tokio::try_join!(store.calls(&calls), store.profile(oldest.seller), store.profile(oldest.buyer))?;
    let (Some(call), Some(seller), Some(buyer)) = (calls.first(), seller, buyer) else { return Ok(Some(false)) };
    let Some(to) = recipient(&buyer, call) else { return Ok(Some(false)) };
    let amount: Micros = debts.iter().take(MAX_CALLS).map(|debt| debt.amount).sum();
    let expected = expected(&to, amount)?;
    let mut is_answered = true;
    for currency in OriginCurrency::ALL {
        // A seller that has no wallet to pay with can link one. The buyer's own address shows whether there is a route.
        let is_of_chain = |address: &&WalletAddress| address.chain() == currency.chain();
        let wallets = seller.wallets.iter().chain(&buyer.wallets).map(|wallet| &wallet.address);
        let Some(payer) = wallets.chain([&to]).find(is_of_chain) else { continue };
        let request = QuoteRequest {
            reference: oldest.id.to_string(),
            payer: payer.as_str().to_owned(),
            origin: currency.token(),
            expected: expected.clone(),
            fee_wallet: state.app.config.fee_wallet.clone(),
            fee: Micros::ZERO,
            ttl_seconds: QUOTE_TTL_SECONDS,
        };
        if !matches!(state.app.provider_budget.refund_quote(Asker::Sweeper, state.app.clock.now()).await?, Grant::Granted) {
            return Ok(None);
        }
        match state.provider.quote(request).await {
            Ok(_) => return Ok(Some(true)),
            Err(QuoteFailure::MinimumNotMet | QuoteFailure::NoRoute) => {}
            Err(QuoteFailure::NotAsAsked(_) | QuoteFailure::Unavailable(_)) => is_answered = false,
        }
    }
    Ok(is_answered.then_some(false))
}
