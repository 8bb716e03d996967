//! A call that exists already: where it stands, and where its payment stands at the provider.

use crochet::domain::call::{Call, PaymentState, State};
use crochet::http::{ApiError, Code, Result};
use crochet::payments::{ProviderPayment, ProviderStatus};
use crochet::store::call::{Moved, next_version};

use super::offer::{Occasion, offer};
use super::{Passage, answer};

impl Passage<'_> {
    /// Goes on with a call. Without an id and without a key (`anonymous`) a finished call is the past: the same body is a
    /// new call then.
    pub(crate) async fn proceed(self, call: Call, anonymous: bool) -> Result {
        match &call.state {
            State::Delivered { .. } | State::Undelivered if anonymous => {
                let delivered_request_id = call.id.to_string();
                self.start_anew(Occasion::After { delivered_request_id }).await
            }
            State::Delivered { answer } => self.replay(&call, answer.as_ref()).await,
            State::Undelivered => Err(answer::undelivered(&call)),
            State::Delivering { lease_until_ms, .. } if self.now_ms() < *lease_until_ms => Err(answer::in_progress(&call)),
            State::Delivering { .. } | State::Settled => self.deliver(call, false).await,
            State::Quoted | State::Pending | State::Expired => self.ask_about_payment(call).await,
        }
    }

    async fn ask_about_payment(self, call: Call) -> Result {
        let Some(payment) = &call.payment else { return Err(ApiError::internal("a free call waits for a payment").alarm()) };
        // The seller's secret will be needed if it is paid; an instance that has not read it yet does so meanwhile.
        let (asked, ()) = tokio::join!(self.state.provider.payment(&payment.id), self.prefetch_secret());
        let asked = asked.map_err(|e| ApiError::new(Code::PaymentProviderUnavailable).retry_after(2).because(e))?;
        let now_ms = self.now_ms();
        match asked.status {
            ProviderStatus::Success => self.paid(call, &asked).await,
            ProviderStatus::Pending => {
                self.move_on(&call, call.clone().deposit_seen(now_ms)).await?;
                answer::pending(&call)
            }
            ProviderStatus::Waiting if now_ms < payment.expires_ms && call.state != State::Expired => {
                self.check_state()?;
                Err(offer(&call, &Occasion::NotSeen))
            }
            ProviderStatus::Waiting => {
                // Between the end of the offer and the provider's own limit it may still be paid: it is not closed yet.
                if now_ms >= payment.ttl_ms {
                    self.move_on(&call, call.clone().expired(PaymentState::Waiting, now_ms)).await?;
                }
                self.replace(call, "quote_expired", None).await
            }
            ProviderStatus::Failed => {
                self.move_on(&call, call.clone().expired(PaymentState::Failed, now_ms)).await?;
                self.replace(call, "payment_failed", asked.fail_reason).await
            }
            ProviderStatus::Refunded => {
                self.move_on(&call, call.clone().expired(PaymentState::Refunded, now_ms)).await?;
                self.replace(call, "payment_refunded", asked.fail_reason).await
            }
        }
    }

    /// The provider says that it is paid. Its record must say that it paid what was quoted, to whom it was quoted.
    async fn paid(self, call: Call, asked: &ProviderPayment) -> Result {
        let Some(payment) = &call.payment else { return Err(ApiError::internal("a free call was paid").alarm()) };
        let Some(paid_out) = &asked.paid_out else {
            let lag = "the provider says success, but its record shows no output yet";
            return Err(ApiError::new(Code::PaymentProviderUnavailable).retry_after(2).because(lag));
        };
        if !paid_out.matches(&payment.expected) {
            return Err(ApiError::new(Code::PaymentMismatch)
                .detail("request_id", call.id.to_string())
                .detail("relay_request_id", payment.id.clone())
                .because("recipient, chain, currency or output of a settled payment differ from its quote")
                .alarm());
        }
        self.deliver(call, true).await
    }

    async fn replace(self, call: Call, reason: &'static str, provider_reason: Option<String>) -> Result {
        let relay_request_id = call.payment.as_ref().map(|payment| payment.id.clone()).unwrap_or_default();
        self.requote(call, Occasion::Replaces { relay_request_id, reason, provider_reason }).await
    }

    /// Writes a move that somebody else may have made too. Losing is no harm: the call is read again with the next request.
    async fn move_on(&self, before: &Call, after: Call) -> Result<()> {
        if after == *before {
            return Ok(());
        }
        match self.state.app.store.move_call(&next_version(after), &[]).await? {
            Moved::Done | Moved::Conflict => Ok(()),
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
