//! The terms of a refund: what is paid from which of the seller's wallets to which of the buyer's, and in which currency.

use crochet::http::{ApiError, Code, Result};
use crochet_domain::call::{Call, ExpectedPayout};
use crochet_domain::currency::{OriginCurrency, payout_token};
use crochet_domain::ids::CallId;
use crochet_domain::money::Micros;
use crochet_domain::profile::{Capability, Profile, Wallet, WalletStatus};
use crochet_domain::refund::{MAX_CALLS, RefundedCall};
use crochet_domain::wallet::WalletAddress;
use serde_json::json;

/// What one payment pays back: the call that the request names, and the oldest of the others.
pub(super) fn chosen(owed: &[RefundedCall], named: CallId) -> Vec<RefundedCall> {
    let (mut first, others): (Vec<_>, Vec<_>) = owed.iter().cloned().partition(|call| call.id == named);
    first.extend(others);
    first.truncate(MAX_CALLS);
    first
}

/// The wallet that is paid: the one that paid for the call, or, if that is not in use any more, the buyer's payment wallet. A buyer that
/// was erased has no wallets: the call still names the address that paid.
pub(super) fn recipient(buyer: &Profile, call: &Call) -> Option<WalletAddress> {
    let pay_from = &call.payment.as_ref()?.pay_from;
    if buyer.wallets.is_empty() {
        return WalletAddress::parse(&pay_from.address).ok();
    }
    let in_use = buyer.wallet(pay_from.wallet_id).filter(|wallet| wallet.status == WalletStatus::Active);
    let payment = || buyer.payment_chain().and_then(|chain| buyer.wallet_for(Capability::Payment, chain));
    in_use.or_else(payment).map(|wallet| wallet.address.clone())
}

/// The payout of `amount` to this wallet, in USDC.
pub(super) fn expected(recipient: &WalletAddress, amount: Micros) -> Result<ExpectedPayout> {
    let token = payout_token(recipient.chain());
    Ok(ExpectedPayout {
        recipient: recipient.as_str().to_owned(),
        chain_id: token.chain_id,
        currency: token.address.to_owned(),
        // USDC has six decimals: its smallest unit is a micro-dollar.
        output: u64::try_from(amount.0).map_err(ApiError::internal)?,
    })
}

/// The currencies that the seller can pay in, with the wallets that pay: the requested one alone or, without one, all, the default
/// first.
///
/// # Errors
/// `PAYMENT_WALLET_REQUIRED`.
pub(super) fn ways_to_pay(seller: &Profile, requested: Option<OriginCurrency>) -> Result<Vec<(OriginCurrency, Wallet)>> {
    let wallet = |currency: OriginCurrency| seller.wallet_for(Capability::Payment, currency.chain()).cloned();
    let ways = |currencies: &[OriginCurrency]| -> Vec<(OriginCurrency, Wallet)> {
        currencies.iter().filter_map(|currency| Some((*currency, wallet(*currency)?))).collect()
    };
    let all = ways(&OriginCurrency::ALL);
    let found = requested.map_or_else(|| all.clone(), |requested| ways(&[requested]));
    if !found.is_empty() {
        return Ok(found);
    }
    let missing = requested.unwrap_or(OriginCurrency::Sol);
    Err(ApiError::new(Code::PaymentWalletRequired)
        .detail("origin_currency", missing.as_str())
        .detail("chain", missing.chain().as_str())
        .detail("payable_with_your_wallets", names(&all)))
}

/// The buyer has no wallet that could be paid.
pub(super) fn no_recipient() -> ApiError {
    cannot_be_paid(ApiError::new(Code::PaymentRouteUnavailable), "The buyer has no active wallet that could be paid.")
        .message("The buyer has no active wallet that could be paid; nothing has to be done now.")
}

/// The provider has no route in the requested currency or, without one, in any. `is_minimum` says that the amount is too small.
pub(super) fn no_route(requested: Option<OriginCurrency>, others: &[(OriginCurrency, Wallet)], is_minimum: bool) -> ApiError {
    let code = if is_minimum { Code::PaymentRouteMinimumNotMet } else { Code::PaymentRouteUnavailable };
    let error = ApiError::new(code).message("No payment route carries this refund in that currency.");
    let Some(requested) = requested else {
        return cannot_be_paid(error, "No payment route carries this refund in any currency that your wallets can pay.")
            .message("No payment route carries this refund; nothing has to be done now.");
    };
    error
        .detail("origin_currency", requested.as_str())
        .detail("origin_currencies", names(others))
        .recovery("retryable", true)
        .recovery("retry_same_route", false)
        .recovery("next_action", "leave_currency_out")
        .recovery("preserve", json!([]))
        .recovery("discard", json!(["origin_currency"]))
        .recovery(
            "summary",
            "Send the same request without X-Crochet-Origin-Currency: the first currency that works is chosen from those that your wallets can pay.",
        )
}

/// Nobody can pay this now, and nobody has to.
fn cannot_be_paid(error: ApiError, why: &str) -> ApiError {
    error
        .detail("origin_currencies", json!([]))
        .recovery("retryable", false)
        .recovery("retry_same_route", false)
        .recovery("next_action", "no_action_needed")
        .recovery("preserve", json!([]))
        .recovery("discard", json!([]))
        .recovery(
            "summary",
            format!("{why} It does not become overdue meanwhile, and is joined with what you owe the same buyer later. You can ask again at any time."),
        )
}

fn names(ways: &[(OriginCurrency, Wallet)]) -> Vec<&'static str> {
    ways.iter().map(|(currency, _)| currency.as_str()).collect()
}
