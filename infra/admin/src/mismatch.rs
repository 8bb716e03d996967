//! `crochet-admin mismatch`: whether a payment that differs from its quote counts. It pays a call, or a seller's refund.

use crochet::app::App;
use crochet::payments::PROVIDER;
use crochet::store::StoreError;
use crochet::store::call::{PutCallError, next_version};
use crochet_domain::call::ledger::{LedgerRecord, settlement};
use crochet_domain::call::{Call, CallKey, CallState, ExpectedPayout, PaymentState};
use crochet_domain::ids::{CallId, ProfileId, RefundId};
use crochet_domain::money::Micros;
use crochet_domain::refund::{RefundPayment, RefundRecord};
use crochet_domain::timestamp::unix_ms;
use serde::Serialize;

use crate::table::{json, table};

/// What the operator decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The call is settled, or the refund paid, as quoted.
    Counts,
    /// The call or the refund is as if nothing had been paid.
    DoesNotCount,
}

/// Whether the operator has declared the payment of this call void. One that the provider gave back looks the same a day later, when
/// nobody asks about it any more.
fn is_void(call: &Call) -> bool {
    let payment = call.payment.as_ref().map(|payment| payment.state);
    call.state == CallState::Expired
        && payment == Some(PaymentState::Refunded)
        && call.settled_ms.is_none()
        && call.due_ms.is_none()
}

/// The call after the verdict, and the ledger record of it. A payment that was declared void may count after all.
///
/// # Errors
/// One sentence, if nothing was paid, or the payment has been decided on already.
fn decided(call: Call, verdict: Verdict, now_ms: i64) -> Result<(Call, Option<LedgerRecord>), String> {
    let id = call.id;
    // The deposit is noted before anybody says that a payment differs from its quote.
    match call.payment.as_ref().map(|payment| payment.state) {
        Some(PaymentState::Pending) => {}
        Some(PaymentState::Refunded) if verdict == Verdict::Counts && is_void(&call) => {}
        Some(PaymentState::Waiting) => {
            return Err(format!(
                "No deposit was seen for the call {id}, so there is nothing to decide. If the provider's record shows one: calls redrive {id}, and decide after the next sweep."
            ));
        }
        _ => return Err(format!("The call {id} of this payment is {}, so there is nothing to decide.", call.state.as_str())),
    }
    Ok(match verdict {
        Verdict::Counts => {
            let settled = call.settled(None, now_ms);
            let record = settlement(&settled, now_ms);
            (settled, Some(record))
        }
        // Nobody has to ask about it any more.
        Verdict::DoesNotCount => (Call { due_ms: None, ..call.expired(PaymentState::Refunded, now_ms) }, None),
    })
}

/// What a payment pays.
enum Paid {
    Call(Box<Call>),
    /// What the refund is for, and the payment in it.
    Refund(Box<(RefundRecord, RefundPayment)>),
}

async fn find(app: &App, payment: &str) -> Result<Paid, String> {
    let text = |error: StoreError| error.to_string();
    let key = CallKey::of_payment(PROVIDER, payment);
    if let Some(call) = app.store.calls(std::slice::from_ref(&key)).await.map_err(text)?.pop() {
        return Ok(Paid::Call(Box::new(call)));
    }
    let refund = app.store.refund_of_payment(&key).await.map_err(text)?;
    let refund = refund.ok_or_else(|| format!("No call and no refund has the payment {payment}."))?;
    let record = app.store.refund_record(refund).await.map_err(text)?;
    let offered = record.payment(payment).cloned();
    let offered = offered.ok_or_else(|| {
        format!(
            "The payment {payment} of a refund by {} to {} is settled, given up or over, so there is nothing to decide.",
            refund.seller, refund.buyer
        )
    })?;
    Ok(Paid::Refund(Box::new((record, offered))))
}

/// What a payment is for, and what it must achieve.
#[derive(Debug, Serialize)]
struct Shown {
    payment_id: String,
    state: PaymentState,
    /// `None` if it pays a call.
    refund: Option<RefundId>,
    calls: Vec<CallId>,
    payer: ProfileId,
    paid: ProfileId,
    expected: ExpectedPayout,
}

/// What a payment pays, and what the provider's record of it must say to count by itself.
///
/// # Errors
/// One sentence, if nothing has this payment, or the table cannot be read.
pub(crate) async fn show(app: &App, payment: &str, as_json: bool) -> Result<String, String> {
    let shown = match find(app, payment).await? {
        Paid::Call(call) => {
            let paid_by = call.payment.ok_or_else(|| format!("The call {} is free.", call.id))?;
            Shown {
                payment_id: paid_by.id,
                state: paid_by.state,
                refund: None,
                calls: vec![call.id],
                payer: call.buyer,
                paid: call.seller,
                expected: paid_by.expected,
            }
        }
        Paid::Refund(refund) => {
            let (record, offered) = *refund;
            Shown {
                payment_id: offered.payment.id,
                state: offered.payment.state,
                refund: Some(offered.refund),
                calls: offered.calls.iter().map(|call| call.id).collect(),
                payer: record.key.seller,
                paid: record.key.buyer,
                expected: offered.payment.expected,
            }
        }
    };
    if as_json {
        return json(&shown);
    }
    let Shown { payment_id, state, refund, calls, payer, paid, expected } = shown;
    let calls: Vec<String> = calls.iter().map(ToString::to_string).collect();
    let rows = [
        ("payment", payment_id),
        ("state", state.as_str().to_owned()),
        ("refund", refund.map_or_else(|| "-".to_owned(), |id| id.to_string())),
        ("calls", calls.join(" ")),
        ("payer", payer.to_string()),
        ("paid", paid.to_string()),
        ("recipient", expected.recipient),
        ("chain", expected.chain_id.to_string()),
        ("currency", expected.currency),
        ("output", expected.output.to_string()),
    ];
    Ok(table(&rows.map(|(name, value)| vec![name.to_owned(), value])))
}

/// Records the verdict. Returns what was done, as text.
///
/// # Errors
/// One sentence that says why it was not done.
pub(crate) async fn decide(app: &App, payment: &str, verdict: Verdict) -> Result<String, String> {
    match find(app, payment).await? {
        Paid::Call(call) => decide_call(app, *call, verdict).await,
        Paid::Refund(refund) => decide_refund(app, &refund.0, &refund.1, verdict).await,
    }
}

async fn decide_call(app: &App, call: Call, verdict: Verdict) -> Result<String, String> {
    let was_void = is_void(&call);
    let (call, record) = decided(call, verdict, unix_ms(app.clock.now()))?;
    let call = next_version(call);
    match app.store.put_call_version(&call, record.as_slice()).await {
        Ok(()) => {}
        Err(PutCallError::Superseded(_) | PutCallError::Contended) => {
            return Err("Another request has just changed the call. Try again.".to_owned());
        }
        Err(PutCallError::Store(error)) => return Err(error.to_string()),
    }
    Ok(match verdict {
        // The buyer's next request may mean another quote by now.
        Verdict::Counts if was_void => {
            format!(
                "The payment counts after all: the call {} is settled, and delivered when its buyer sends the payment's id.\n",
                call.id
            )
        }
        Verdict::Counts => {
            format!("The payment counts: the call {} is settled, and delivered with the buyer's next request.\n", call.id)
        }
        Verdict::DoesNotCount => format!("The payment does not count: the buyer of {} gets another quote.\n", call.id),
    })
}

async fn decide_refund(app: &App, record: &RefundRecord, offered: &RefundPayment, verdict: Verdict) -> Result<String, String> {
    let (id, payment, now_ms) = (offered.refund, &offered.payment, unix_ms(app.clock.now()));
    if payment.state != PaymentState::Pending {
        return Err(format!("The payment of the refund {id} is {}, so there is nothing to decide.", payment.state.as_str()));
    }
    let raced = || "Another request has just changed the refund. Look at it again.".to_owned();
    match verdict {
        Verdict::Counts => {
            let paid = app.store.settle_refund(record, &payment.id, now_ms).await.map_err(|error| error.to_string())?;
            let paid = paid.ok_or_else(raced)?;
            let unused = match paid.unused {
                Micros::ZERO => String::new(),
                unused => format!("{} USD of it were paid twice: only the buyer can pay that back.\n", unused.decimal()),
            };
            let amount = paid.amount.decimal();
            Ok(format!(
                "The payment counts: the refund {id} of {amount} USD is paid. The next sweep shows it at the seller's listings.\n{unused}"
            ))
        }
        Verdict::DoesNotCount => {
            let given_up = record.clone().moved(&payment.id, PaymentState::Refunded, now_ms);
            let is_first = app.store.put_refund_record(&given_up, now_ms).await.map_err(|error| error.to_string())?;
            is_first.then_some(()).ok_or_else(raced)?;
            Ok(format!("The payment does not count: the seller of the refund {id} is offered another.\n"))
        }
    }
}
