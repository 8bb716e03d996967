//! A call that exists already: where it stands, and where its payment stands at the provider.

use crochet::http::{ApiError, Code, Result};
use crochet::payments::{ProviderPayment, ProviderStatus};
use crochet::store::call::{Moved, next_version};
use crochet_domain::call::{Call, PaymentState, State};

use super::breaker::Wait;
use super::offer::{Occasion, offer};
use super::{Passage, answer};

/// How a request came to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Approach {
    /// By the id of its payment: whoever sends that says that it was paid.
    Id,
    /// By an Idempotency-Key.
    Key,
    /// By listing and body: once the call has ended, the same body is a new call.
    Body,
    /// By the id or key of another call, whose quote came to nothing and which this one replaces.
    Instead(Occasion),
}

impl Passage<'_> {
    /// Goes on with a call that exists.
    pub(crate) async fn proceed(self, call: Call, approach: Approach) -> Result {
        let request_id = call.id.to_string();
        // The ways that lead on are boxed: together they would make one future of many kilobytes, copied at every turn.
        match &call.state {
            State::Delivered { .. } if approach == Approach::Body => {
                Box::pin(self.start_anew(Occasion::AfterDelivered { request_id })).await
            }
            State::Undelivered if approach == Approach::Body => {
                Box::pin(self.start_anew(Occasion::AfterUndelivered { request_id })).await
            }
            State::Delivered { answer } => self.replay(&call, answer.as_ref()).await,
            State::Undelivered => Err(answer::undelivered(&call)),
            State::Delivering { lease_until_ms, .. } if self.now_ms() < *lease_until_ms => Err(answer::in_progress(&call)),
            State::Delivering { .. } | State::Settled => Box::pin(self.deliver(call, false)).await,
            State::Quoted | State::Pending | State::Expired => Box::pin(self.ask_about_payment(call, approach)).await,
        }
    }

    async fn ask_about_payment(self, call: Call, approach: Approach) -> Result {
        let Some(payment) = &call.payment else { return Err(ApiError::internal("a free call waits for a payment").alarm()) };
        // The seller's secret will be needed if it is paid; an instance that has not read it yet does so meanwhile.
        let (asked, ()) = tokio::join!(self.state.provider.payment(&payment.id), self.prefetch_secret());
        let asked = asked.map_err(|e| ApiError::new(Code::PaymentProviderUnavailable).retry_after(2).cause(e))?;
        let now_ms = self.now_ms();
        let ttl_ms = payment.ttl_ms;
        match asked.status {
            ProviderStatus::Success => Box::pin(self.paid(call, &asked)).await,
            ProviderStatus::Pending => {
                self.move_on(&call, call.clone().deposit_seen(now_ms)).await?;
                answer::pending(&call)
            }
            ProviderStatus::Waiting if now_ms < payment.expires_ms && call.state != State::Expired => {
                let by_id = approach == Approach::Id;
                let occasion = match (self.paid_predecessor(&call).await?, approach) {
                    // What has ended is the past for a request that names neither payment nor key.
                    (Some(Call { id, state: State::Delivered { .. }, .. }), Approach::Body) => {
                        Occasion::AfterDelivered { request_id: id.to_string() }
                    }
                    (Some(Call { id, state: State::Undelivered, .. }), Approach::Body) => {
                        Occasion::AfterUndelivered { request_id: id.to_string() }
                    }
                    (Some(paid), _) => return Box::pin(self.proceed(paid, Approach::Id)).await,
                    (None, Approach::Instead(occasion)) => occasion,
                    (None, _) => Occasion::NotSeen,
                };
                if let Err(e) = self.check_state() {
                    return Err(if by_id { kept_for_a_payment(e) } else { e });
                }
                let offered = offer(&call, &occasion);
                Err(match self.breaker_wait() {
                    Some(wait) => better_later(offered, wait),
                    None => offered,
                })
            }
            // No longer offered, but it settles if it is paid, and whoever sends its id says so.
            ProviderStatus::Waiting if now_ms < ttl_ms && call.state != State::Expired && approach == Approach::Id => {
                let ends_in_seconds = u64::try_from((ttl_ms - now_ms) / 1_000).unwrap_or(1);
                Err(offer(&call, &Occasion::NotSeenAndOver { ends_in_seconds }))
            }
            ProviderStatus::Waiting => {
                if now_ms >= ttl_ms {
                    self.move_on(&call, call.clone().expired(PaymentState::Waiting, now_ms)).await?;
                }
                self.replace(call, approach, "quote_expired", None).await
            }
            ProviderStatus::Failed => {
                self.move_on(&call, call.clone().expired(PaymentState::Failed, now_ms)).await?;
                self.replace(call, approach, "payment_failed", asked.fail_reason).await
            }
            ProviderStatus::Refunded => {
                self.move_on(&call, call.clone().expired(PaymentState::Refunded, now_ms)).await?;
                self.replace(call, approach, "payment_refunded", asked.fail_reason).await
            }
        }
    }

    /// The call whose quote this one replaces, where it turns out to be paid after all: nobody shall pay twice.
    async fn paid_predecessor(&self, call: &Call) -> Result<Option<Call>> {
        let Some(home) = &call.replaces else { return Ok(None) };
        let Some(before) = self.state.app.store.calls(std::slice::from_ref(home)).await?.pop() else { return Ok(None) };
        let is_paid = match (&before.state, &before.payment) {
            (State::Quoted | State::Pending | State::Expired, Some(payment)) => {
                let asked = self.state.provider.payment(&payment.id).await;
                let asked = asked.map_err(|e| ApiError::new(Code::PaymentProviderUnavailable).retry_after(2).cause(e))?;
                matches!(asked.status, ProviderStatus::Success | ProviderStatus::Pending)
            }
            _ => true,
        };
        Ok(is_paid.then_some(before))
    }

    /// The provider says that it is paid. Its record must say that it paid what was quoted, to whom it was quoted.
    async fn paid(self, call: Call, asked: &ProviderPayment) -> Result {
        let Some(payment) = &call.payment else { return Err(ApiError::internal("a free call was paid").alarm()) };
        let Some(paid_out) = &asked.paid_out else {
            let lag = "the provider says success, but its record shows no output yet";
            return Err(ApiError::new(Code::PaymentProviderUnavailable).retry_after(2).cause(lag));
        };
        if !paid_out.matches(&payment.expected) {
            // The history shows that something was paid; the provider is asked again each time.
            self.move_on(&call, call.clone().deposit_seen(self.now_ms())).await?;
            return Err(ApiError::new(Code::PaymentMismatch)
                .detail("request_id", call.id.to_string())
                .detail("relay_request_id", payment.id.clone())
                .cause("recipient, chain, currency or output of a settled payment differ from its quote")
                .alarm());
        }
        Box::pin(self.deliver(call, true)).await
    }

    async fn replace(self, call: Call, approach: Approach, reason: &'static str, provider_reason: Option<String>) -> Result {
        let relay_request_id = call.payment.as_ref().map(|payment| payment.id.clone()).unwrap_or_default();
        Box::pin(self.requote(call, approach, Occasion::Replaces { relay_request_id, reason, provider_reason })).await
    }

    /// Writes a move that somebody else may have made too. Losing is no harm: the call is read again with the next request.
    async fn move_on(&self, before: &Call, after: Call) -> Result<()> {
        if after == *before {
            return Ok(());
        }
        match self.state.app.store.move_call(&next_version(after), &[]).await? {
            Moved::Done => Ok(()),
            // Somebody is settling it, perhaps: nothing may be offered before that is known.
            Moved::Conflict => Err(answer::in_progress(before)),
            Moved::Lost(found) => match *found {
                // A parallel request has seen it paid: the caller must not be told to pay again.
                Some(found) if !matches!(found.state, State::Quoted | State::Pending | State::Expired) => {
                    Err(answer::in_progress(&found))
                }
                _ => Ok(()),
            },
        }
    }

    /// Reads the seller's secret into this instance's memory; a failure shows when it is needed.
    async fn prefetch_secret(&self) {
        if let Some(endpoint) = &self.listing.endpoint {
            let _ = self.state.secrets.read(self.listing_id(), endpoint.secret_version.clone()).await;
        }
    }
}

/// The quote is honoured, but nobody should pay for an answer that the seller cannot give just now.
fn better_later(offered: ApiError, wait: Wait) -> ApiError {
    offered
        .retry_after(wait.0)
        .detail("seller_available", false)
        .recovery("next_action", "wait_and_retry")
        .recovery("summary", "The seller does not answer right now. The quote stays open until data.payment.expires_at: better wait retry_after_seconds, send the same request again, and pay when details.seller_available is gone. If you have paid, do not pay twice: keep relay_request_id and send the same request again with it.")
}

/// The listing takes no calls, but whoever sends an id may have paid: a deposit that is seen later is still delivered.
fn kept_for_a_payment(error: ApiError) -> ApiError {
    error
        .detail("payment_seen", false)
        .recovery("retryable", true)
        .recovery("preserve", serde_json::json!(["relay_request_id", "body"]))
        .recovery("summary", "Do not pay this quote any more. If you have paid it, keep relay_request_id and send the same request again: once the deposit is seen, the call is delivered.")
}
