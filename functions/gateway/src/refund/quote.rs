//! Quotes a refund, and stores the payment in the record of what it is for.

use crochet::budget::{Asker, Grant};
use crochet::http::{ApiError, Code, Result};
use crochet::payments::{ProviderQuote, QuoteFailure, QuoteRequest};
use crochet::store::refund::OfferRefundError;
use crochet_domain::call::{Call, ExpectedPayout, OFFER_MARGIN_MS, PayFrom, Payment, PaymentState};
use crochet_domain::currency::OriginCurrency;
use crochet_domain::ids::RefundId;
use crochet_domain::money::Micros;
use crochet_domain::profile::{Profile, Wallet};
use crochet_domain::refund::{RefundKey, RefundPayment};
use crochet_domain::timestamp::from_unix_ms;
use crochet_domain::unknown::Unknown;

use super::run::Refunding;
use super::terms::{chosen, expected, no_recipient, no_route, recipient, ways_to_pay};
use crate::call::QUOTE_TTL_SECONDS;
use crate::out_of_budget::out_of_quotes;
use crate::state::State;

/// Result of quoting a refund.
pub(super) enum Quoted {
    /// This payment is offered, with what has to be done to pay it.
    Offered(Box<RefundPayment>, String),
    /// A parallel request has offered or settled something. Read again.
    Raced,
}

/// A quote of the provider, in a currency that it carries.
struct Carried {
    currency: OriginCurrency,
    pay_from: Wallet,
    quote: ProviderQuote,
}

/// Asks for a quote that pays back what is owed, the call `call` included. Without a requested currency, the first that works is
/// taken.
pub(super) async fn quote(refunding: &Refunding<'_>, call: &Call, requested: Option<OriginCurrency>) -> Result<Quoted> {
    let (state, now_ms) = (refunding.state, refunding.view.now_ms);
    let ((seller, buyer), is_still_owed) = tokio::try_join!(parties(state, refunding.key), refunding.is_still_owed())?;
    if !is_still_owed {
        return Ok(Quoted::Raced);
    }
    let calls = chosen(&refunding.view.owed, call.id);
    let amount: Micros = calls.iter().map(|call| call.amount).sum();
    let to = recipient(&buyer, call).ok_or_else(no_recipient)?;
    let expected = expected(&to, amount)?;
    let id = RefundId::generate(from_unix_ms(now_ms));
    let ttl_ms = now_ms + QUOTE_TTL_SECONDS * 1_000;
    let Carried { currency, pay_from, quote } = carried(state, &seller, requested, id, &expected).await?;
    let requirements = quote.requirements.get().to_owned();
    let offered = RefundPayment {
        refund: id,
        payment: Payment {
            provider: state.provider.name().to_owned(),
            id: quote.id,
            origin_currency: currency,
            pay_from: PayFrom {
                wallet_id: pay_from.id,
                address: pay_from.address.as_str().to_owned(),
                chain: pay_from.address.chain(),
            },
            expected,
            expires_ms: ttl_ms - OFFER_MARGIN_MS,
            ttl_ms,
            fee_collected: Micros::ZERO,
            state: PaymentState::Waiting,
            unknown: Unknown::default(),
        },
        calls,
        unknown: Unknown::default(),
    };
    let record = refunding.view.record.clone().offered(offered.clone(), now_ms);
    match state.app.store.offer_refund(&record, &requirements, now_ms).await {
        Ok(()) => Ok(Quoted::Offered(Box::new(offered), requirements)),
        Err(OfferRefundError::Raced) => Ok(Quoted::Raced),
        Err(OfferRefundError::PaymentIdKnown) => {
            Err(unavailable("the provider gave the id of an earlier payment to a new quote").alarm())
        }
        Err(OfferRefundError::Store(e)) => Err(e.into()),
    }
}

async fn parties(state: &State, key: RefundKey) -> Result<(Profile, Profile)> {
    let store = &state.app.store;
    let (seller, buyer) = tokio::try_join!(store.profile(key.seller), store.profile(key.buyer))?;
    let missing = || ApiError::internal("a party of a call has no profile").alarm();
    Ok((seller.ok_or_else(missing)?, buyer.ok_or_else(missing)?))
}

/// The provider's quote in the first currency that it carries.
async fn carried(
    state: &State,
    seller: &Profile,
    requested: Option<OriginCurrency>,
    id: RefundId,
    expected: &ExpectedPayout,
) -> Result<Carried> {
    let mut is_minimum = true;
    for (currency, pay_from) in ways_to_pay(seller, requested)? {
        let request = QuoteRequest {
            reference: id.to_string(),
            payer: pay_from.address.as_str().to_owned(),
            origin: currency.token(),
            expected: expected.clone(),
            fee_wallet: state.app.config.fee_wallet.clone(),
            fee: Micros::ZERO,
            ttl_seconds: QUOTE_TTL_SECONDS,
        };
        let budget = &state.app.provider_budget;
        let granted = budget.refund_quote(Asker::Buyer(seller.id), state.app.clock.now()).await?;
        if let Grant::Refused { retry_after_seconds } = granted {
            return Err(out_of_quotes(retry_after_seconds).recovery("preserve", serde_json::json!([])));
        }
        match state.provider.quote(request).await {
            Ok(quote) => return Ok(Carried { currency, pay_from, quote }),
            Err(QuoteFailure::MinimumNotMet) => {}
            Err(QuoteFailure::NoRoute) => is_minimum = false,
            Err(QuoteFailure::NotAsAsked(why)) => return Err(unavailable(&why).alarm()),
            Err(QuoteFailure::Unavailable(why)) => return Err(unavailable(&why)),
        }
    }
    let others: Vec<_> = ways_to_pay(seller, None)?.into_iter().filter(|(currency, _)| Some(*currency) != requested).collect();
    Err(no_route(requested, &others, is_minimum))
}

fn unavailable(why: &str) -> ApiError {
    ApiError::new(Code::PaymentProviderUnavailable).retry_after(2).cause(why)
}
