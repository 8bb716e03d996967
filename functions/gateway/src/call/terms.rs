//! The terms of a quote: currency and wallets, and the errors if there is no route.

use crochet::http::{ApiError, Code, Result};
use crochet::payments::QuoteFailure;
use crochet_domain::call::ExpectedPayout;
use crochet_domain::currency::{OriginCurrency, payable_with, payout_chain, payout_token};
use crochet_domain::money::PriceSplit;
use crochet_domain::profile::{Capability, Profile, Wallet};
use crochet_domain::wallet::Chain;

use super::CallContext;

/// The buyer and the seller of a call.
#[derive(Clone)]
pub(super) struct Parties {
    pub(super) buyer: Option<Profile>,
    pub(super) seller: Option<Profile>,
}

impl CallContext<'_> {
    /// The terms in the requested currency or, without one, in the buyer's default currency.
    ///
    /// # Errors
    /// `PAYMENT_WALLET_REQUIRED`, `PAYMENT_ROUTE_UNAVAILABLE`.
    pub(super) fn terms(&self, parties: &Parties, asked: Option<OriginCurrency>) -> Result<Terms> {
        let missing = |who: &str| ApiError::internal(format!("the {who}'s profile does not exist")).alarm();
        let buyer = parties.buyer.as_ref().ok_or_else(|| missing("buyer"))?;
        let seller = parties.seller.as_ref().ok_or_else(|| missing("seller"))?;
        let currency = asked.or_else(|| default_currency(Some(buyer))).unwrap_or(OriginCurrency::Sol);
        let payable = payable_with(self.listing.price, &seller.payout_chains());
        let names = |currencies: &[OriginCurrency]| currencies.iter().map(|c| c.as_str()).collect::<Vec<_>>();
        let Some(pay_from) = buyer.wallet_for(Capability::Payment, currency.chain()) else {
            let with_wallets: Vec<OriginCurrency> =
                payable.iter().copied().filter(|c| buyer.wallet_for(Capability::Payment, c.chain()).is_some()).collect();
            return Err(ApiError::new(Code::PaymentWalletRequired)
                .detail("origin_currency", currency.as_str())
                .detail("chain", currency.chain().as_str())
                .detail("payable_with_your_wallets", names(&with_wallets)));
        };
        let route = payout_chain(currency, &seller.payout_chains());
        let Some((payout, chain)) = route.and_then(|chain| Some((seller.wallet_for(Capability::Payout, chain)?, chain))) else {
            return Err(route_unavailable(currency, &names(&payable)));
        };
        let split = PriceSplit::of(self.listing.price, self.state.app.config.fee_rate);
        Ok(Terms { currency, pay_from: pay_from.clone(), expected: expected(payout, chain, split)?, split, payable })
    }
}

/// The terms of a quote.
pub(super) struct Terms {
    pub(super) currency: OriginCurrency,
    pub(super) pay_from: Wallet,
    pub(super) expected: ExpectedPayout,
    pub(super) split: PriceSplit,
    pub(super) payable: Vec<OriginCurrency>,
}

pub(super) fn default_currency(buyer: Option<&Profile>) -> Option<OriginCurrency> {
    buyer?.payment_chain().map(OriginCurrency::default_of)
}

fn expected(payout: &Wallet, chain: Chain, split: PriceSplit) -> Result<ExpectedPayout> {
    let token = payout_token(chain);
    Ok(ExpectedPayout {
        recipient: payout.address.as_str().to_owned(),
        chain_id: token.chain_id,
        currency: token.address.to_owned(),
        // USDC has six decimals: its smallest unit is a micro-dollar.
        output: u64::try_from(split.seller_receives.0).map_err(ApiError::internal)?,
    })
}

fn route_unavailable(currency: OriginCurrency, working: &[&str]) -> ApiError {
    let error = ApiError::new(Code::PaymentRouteUnavailable)
        .detail("origin_currency", currency.as_str())
        .detail("origin_currencies", working.to_vec())
        .detail("seller_endpoint_called", false)
        .recovery("retry_same_route", false)
        .recovery("use_new_idempotency_key", true);
    if !working.is_empty() {
        return error;
    }
    error
        .recovery("next_action", "choose_another_listing")
        .recovery("summary", "No currency can pay this seller right now: find another listing with GET /listings.")
        .recovery("retryable", false)
}

pub(super) fn quote_failure(failure: QuoteFailure, terms: &Terms) -> ApiError {
    let names: Vec<&str> = terms.payable.iter().filter(|c| **c != terms.currency).map(|c| c.as_str()).collect();
    match failure {
        QuoteFailure::MinimumNotMet => minimum_not_met(terms),
        QuoteFailure::NoRoute => route_unavailable(terms.currency, &names),
        QuoteFailure::NotAsAsked(why) => ApiError::new(Code::PaymentProviderUnavailable).retry_after(2).cause(why).alarm(),
        QuoteFailure::Unavailable(why) => ApiError::new(Code::PaymentProviderUnavailable).retry_after(2).cause(why),
    }
}

/// SOL is recommended, unless SOL itself was refused or cannot reach this seller. Then no currency is.
fn minimum_not_met(terms: &Terms) -> ApiError {
    let error = ApiError::new(Code::PaymentRouteMinimumNotMet)
        .detail("seller_endpoint_called", false)
        .detail("origin_currency", terms.currency.as_str())
        .recovery("retry_same_route", false)
        .recovery("use_new_idempotency_key", true);
    if terms.currency != OriginCurrency::Sol && terms.payable.contains(&OriginCurrency::Sol) {
        error
            .detail("recommended_origin_currency", "SOL")
            .detail("recommended_gateway_headers", serde_json::json!({ "X-Crochet-Origin-Currency": "SOL" }))
    } else {
        error
            .detail("recommended_origin_currency", serde_json::Value::Null)
            .recovery("next_action", "choose_another_listing")
            .recovery("retryable", false)
            .recovery("summary", "No payment route supports a price this low; find another listing with GET /listings.")
    }
}
