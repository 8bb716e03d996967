//! `POST /gateway-requests/:id/refund`: the seller pays the buyer back.

use axum::extract::{Path, State as Extract};
use axum::http::HeaderMap;
use crochet::budget::Asker;
use crochet::http::caller::Agent;
use crochet::http::limited::{Limited, Refunds};
use crochet::http::request::JsonOrNothing;
use crochet::http::{ApiError, Code, Result};
use crochet::store::retry::Attempts;
use crochet::wire::payment::{PaymentRequiredEnvelope, PendingEnvelope};
use crochet::wire::refund::{NoFields, OneRefund};
use crochet::wire::schema;
use crochet_domain::call::ledger::Settlement;
use crochet_domain::call::{Call, CallKey};
use crochet_domain::currency::OriginCurrency;
use crochet_domain::ids::ProfileId;
use crochet_domain::refund::RefundKey;
use crochet_domain::refund::decide::{RefundRefusal, RefundStep};

use super::errors::RefundErrors;
use super::quote::{Quoted, quote};
use super::reply;
use super::run::{Next, Refunding};
use crate::party::{Party, call_of};
use crate::state::State;

/// The header that selects a currency.
const ORIGIN_CURRENCY: &str = "x-crochet-origin-currency";

/// Refund a call
///
/// For the seller. Returns 402 with `data.payment`: a payment of what you received for the call, from your wallet to the wallet that
/// paid. Pay it, then send the same request again until it returns 200. If the call is `undelivered`, the payment joins all that you
/// owe the same buyer, up to 20 calls; `details.request_ids` lists them. What you owe is overdue after 7 days: then your listings are
/// suspended until it is paid. A `delivered` call can be refunded by good will, once and alone. No fee is added. The marketplace fee
/// is the operator's to pay back.
#[utoipa::path(
    post,
    path = "/api/v1/gateway-requests/{id}/refund",
    tag = "Gateway and payments",
    security(("api_key" = ["write"])),
    params(
        ("id" = String, Path, description = "The call's id, `gw_req_…`.", pattern = "^gw_req_[0-9A-HJKMNP-TV-Z]{26}$"),
        ("X-Crochet-Origin-Currency" = Option<schema::OriginCurrency>, Header, description = "The currency to pay in: SOL, USDC_SOL, ETH or USDC. By default, the first that your wallets can pay and that works. While a payment is open, it is offered in its own currency."),
    ),
    request_body(content = Option<NoFields>, description = "An empty object, or nothing."),
    responses(
        (status = 200, description = "The refund is paid. A repeat returns the same.", body = OneRefund),
        (status = 202, description = "The payment is pending. Send the same request again.", body = PendingEnvelope),
        (status = 402, description = "PAYMENT_REQUIRED with data.payment. While the same payment is open, a repeat returns it again.", body = PaymentRequiredEnvelope),
        RefundErrors,
    ),
)]
pub(crate) async fn refund_call(
    Extract(state): Extract<State>,
    limited: Limited<Agent, Refunds>,
    Path(id): Path<String>,
    headers: HeaderMap,
    JsonOrNothing(NoFields {}): JsonOrNothing<NoFields>,
) -> Result {
    let seller = limited.caller.profile;
    let requested = requested_currency(&headers)?;
    let call = call_of(&state, &id, seller, Party::Seller).await?;
    if call.debts.seller != Settlement::Open {
        return settled(&state, &call, seller).await;
    }
    let key = RefundKey::of(&call).ok_or_else(|| nothing_owed(&call))?;
    // Boxed: the state of everything that may happen is large.
    Box::pin(refund(&state, key, &call, requested)).await
}

async fn refund(state: &State, key: RefundKey, call: &Call, requested: Option<OriginCurrency>) -> Result {
    let given: Option<CallKey> = key.good_will.map(|_| call.key());
    let mut refunding = Refunding::read(state, key, given, Asker::Buyer(key.seller)).await?;
    let mut attempts = Attempts::default();
    loop {
        match refunding.go_on().await? {
            Next::Paid(paid) if paid.calls.iter().any(|settled| settled.id == call.id) => return reply::paid(&paid),
            // A payment for other calls, which was open when this one became owed.
            Next::Paid(_) => {}
            Next::Step(RefundStep::Quote) => match quote(&refunding, call, requested).await? {
                Quoted::Offered(offered, requirements) => return Err(reply::offer(&offered, &requirements, false)),
                Quoted::Raced => {}
            },
            Next::Step(RefundStep::Offer(id)) => return Err(again(&refunding, &id).await?),
            Next::Step(RefundStep::Closing(id, until_ms)) => {
                let offered = refunding.view.record.payment(&id).ok_or_else(not_listed)?;
                return Err(reply::closing(offered, until_ms, refunding.view.now_ms));
            }
            Next::Step(RefundStep::Wait(id)) => return reply::pending(call.id, &id),
            Next::Step(RefundStep::Refuse(RefundRefusal::NothingOwed)) => return now_settled(state, call, key.seller).await,
            Next::Step(RefundStep::Refuse(refusal)) => return Err(reply::refused(&refunding, call.id, refusal)),
            Next::Step(RefundStep::AskProvider(_) | RefundStep::Move(..) | RefundStep::Settle(_)) => {
                return Err(ApiError::internal("a step of a refund was not carried out").alarm());
            }
        }
        attempts.next_or(ApiError::from(Code::ServiceUnavailable)).await?;
        refunding.read_again().await?;
    }
}

/// The 402 of a payment that is open.
async fn again(refunding: &Refunding<'_>, id: &str) -> Result<ApiError> {
    let store = &refunding.state.app.store;
    let offered = refunding.view.record.payment(id).ok_or_else(not_listed)?;
    let requirements = store.refund_requirements(refunding.key.seller, id).await?;
    let requirements = requirements.ok_or_else(|| ApiError::internal("an open refund without requirements").alarm())?;
    Ok(reply::offer(offered, &requirements, true))
}

/// Nothing is owed any more: a parallel request may have settled the call.
async fn now_settled(state: &State, call: &Call, seller: ProfileId) -> Result {
    let call = state.app.store.calls(&[call.key()]).await?.pop().unwrap_or_else(|| call.clone());
    settled(state, &call, seller).await
}

/// The refund of a call whose seller owes nothing any more.
async fn settled(state: &State, call: &Call, seller: ProfileId) -> Result {
    let paid = match call.debts.refund {
        Some(id) => state.app.store.paid_refund(seller, id).await?,
        None => None,
    };
    reply::paid(&paid.ok_or_else(|| nothing_owed(call))?)
}

fn nothing_owed(call: &Call) -> ApiError {
    ApiError::new(Code::NothingOwed).detail("request_id", call.id.to_string()).detail("status", call.state.as_str())
}

fn not_listed() -> ApiError {
    ApiError::internal("a step names a payment that its record does not list").alarm()
}

fn requested_currency(headers: &HeaderMap) -> Result<Option<OriginCurrency>> {
    let mut values = headers.get_all(ORIGIN_CURRENCY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let known = value.to_str().ok().map(str::trim).and_then(OriginCurrency::parse);
    match (known, values.next()) {
        (Some(currency), None) => Ok(Some(currency)),
        _ => Err(ApiError::new(Code::UnsupportedOriginCurrency)
            .detail("origin_currencies", OriginCurrency::ALL.map(OriginCurrency::as_str).to_vec())),
    }
}
