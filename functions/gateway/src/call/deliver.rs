//! Delivery: claim the call, forward it once, write what came of it.
//!
//! The claim is a conditional write, and the first one writes the settlement with it: of any number of parallel requests one
//! goes on. The outcome is written over the claimed version only, so a late writer from an expired lease changes nothing.

use std::sync::Arc;
use std::time::Duration;

use crochet::endpoint_secrets::EndpointSecret;
use crochet::http::Result;
use crochet::store::StoreError;
use crochet::store::answer::PackedAnswer;
use crochet::store::call::{Moved, fresh_writer, next_version};
use crochet_domain::breaker::Observation;
use crochet_domain::call::entry::{settlement, undelivered};
use crochet_domain::call::outcome::Outcome;
use crochet_domain::call::{ANSWER_KEPT_MS, Call, State};
use crochet_domain::listing::{Endpoint, EndpointStatus};
use crochet_domain::timestamp::unix_ms;

use super::breaker::{BreakerPermit, Wait};
use super::forward::Attempted;
use super::incoming::JsonBody;
use super::{Passage, answer};

/// A write that meets another transaction, or no answer, is tried so often.
const WRITE_TRIES: u32 = 5;

/// What came of writing an outcome.
struct Finished {
    written: Result<Option<Call>>,
    /// How long the seller's breaker keeps the next call away.
    kept_away: Option<Wait>,
}

impl Passage<'_> {
    /// Delivers a call that is paid for; with `settles` this request is the first to see that it is.
    pub(crate) async fn deliver(self, call: Call, settles: bool) -> Result {
        let body = self.incoming.json()?.clone();
        let now_ms = self.now_ms();
        if !settles && call.is_overdue(now_ms) {
            return self.close(call).await;
        }
        if call.payment.is_none() {
            // Nothing is owed to a free call: it is held to the listing's state and limits like any other.
            self.check_state()?;
            self.check_traffic(None)?;
        }
        let Some(endpoint) = self.listing.endpoint.clone().filter(|endpoint| endpoint.status == EndpointStatus::Active) else {
            let call = self.held_back(call, settles).await?;
            return Err(answer::seller_unavailable(&call, answer::NO_ENDPOINT_RETRY));
        };
        if let Some(wait) = self.breaker_wait() {
            return Err(answer::seller_unavailable(&self.held_back(call, settles).await?, wait));
        }
        let timeout = Duration::from_millis(endpoint.timeout_ms.into());
        // Before the claim: an attempt that cannot be signed is none.
        let secret = match self.secret(&endpoint).await {
            Ok(secret) => secret,
            Err(e) => {
                self.held_back(call, settles).await?;
                return Err(e);
            }
        };
        // A secret that had to be fetched, and a slow provider, have taken their time.
        if !self.time_for_seller(timeout) {
            return answer::pending(&self.held_back(call, settles).await?);
        }
        let passed = match self.pass_breaker(&endpoint).await {
            Ok(Ok(passed)) => passed,
            Ok(Err(wait)) => return Err(answer::seller_unavailable(&self.held_back(call, settles).await?, wait)),
            Err(e) => {
                self.held_back(call, settles).await?;
                return Err(e);
            }
        };
        let settled = if settles { call.settled(now_ms) } else { call };
        let entries = if settles { settlement(&settled, now_ms).to_vec() } else { Vec::new() };
        let claim = next_version(settled.begun(fresh_writer(), self.lease_until_ms(), body.bytes.len() as u64, now_ms));
        let store = &self.state.app.store;
        let (moved, started) = tokio::join!(store.move_call(&claim, &entries), store.call_starts(self.listing_id(), self.minute()));
        // A count that was missed is no reason to leave a claimed call with nobody.
        if let Err(e) = started {
            tracing::warn!(cause = %e, "a call is not counted at its listing");
        }
        match moved? {
            Moved::Done => self.forward_claimed(claim, body, &secret, &passed).await,
            Moved::Lost(found) => {
                self.release_probe(&passed).await;
                self.not_made().await?;
                self.follow(*found, &claim).await
            }
            Moved::Conflict => {
                self.release_probe(&passed).await;
                self.not_made().await?;
                let found = store.calls(&[claim.home()]).await?.pop();
                self.follow(found, &claim).await
            }
        }
    }

    /// What the seller is called with.
    pub(crate) async fn secret(&self, endpoint: &Endpoint) -> Result<Arc<EndpointSecret>> {
        Ok(self.state.secrets.read(self.listing_id(), endpoint.secret_version.clone()).await?)
    }

    /// Another request was first: its result is the call's.
    async fn follow(&self, found: Option<Call>, mine: &Call) -> Result {
        let call = found.unwrap_or_else(|| mine.clone());
        match &call.state {
            State::Delivered { answer } => self.replay(&call, answer.as_ref()).await,
            State::Undelivered => Err(answer::undelivered(&call)),
            _ => Err(answer::in_progress(&call)),
        }
    }

    /// Until when this request may still write an outcome.
    pub(crate) fn lease_until_ms(&self) -> i64 {
        let now = unix_ms(self.state.app.clock.now());
        now + i64::try_from(self.time_left().as_millis()).unwrap_or(0)
    }

    /// The call as it stands when it is not delivered now: where this request is the first to see that it is paid, the
    /// settlement is written.
    async fn held_back(&self, call: Call, settles: bool) -> Result<Call> {
        if settles { self.settle_only(call).await } else { Ok(call) }
    }

    /// Writes the settlement and nothing else: there is no time, or no endpoint, for a delivery.
    async fn settle_only(&self, call: Call) -> Result<Call> {
        let call = next_version(call.settled(self.now_ms()));
        let entries = settlement(&call, self.now_ms());
        match self.state.app.store.move_call(&call, &entries).await? {
            Moved::Done => Ok(call),
            Moved::Lost(found) => Ok((*found).unwrap_or(call)),
            Moved::Conflict => Err(answer::in_progress(&call)),
        }
    }

    /// A call that may not be tried any more: the ledger says what is owed.
    async fn close(&self, call: Call) -> Result {
        let call = next_version(call.closed(self.now_ms()));
        let owed = if call.payment.is_some() { undelivered(&call, self.now_ms()).to_vec() } else { Vec::new() };
        match self.state.app.store.move_call(&call, &owed).await? {
            Moved::Done => Err(answer::undelivered(&call)),
            Moved::Lost(found) => self.follow(*found, &call).await,
            Moved::Conflict => Err(answer::in_progress(&call)),
        }
    }

    /// Forwards a call that this request has claimed, and writes what came of it.
    pub(crate) async fn forward_claimed(
        &self,
        call: Call,
        body: JsonBody,
        secret: &EndpointSecret,
        passed: &BreakerPermit,
    ) -> Result {
        let Attempted { report, body: seller_body, sign } = self.forward(&call, &body, secret).await?;
        let now_ms = unix_ms(self.state.app.clock.now());
        if report.outcome != Outcome::Delivered {
            let ended = next_version(call.ended(&report, None, now_ms));
            let Finished { written, kept_away } = self.finish(&ended, None, passed, sign).await;
            written?;
            return Err(answer::seller_failure(&ended, report.outcome, kept_away));
        }
        let reply = answer::delivered(&call, report.seller_status_code.unwrap_or(200), &seller_body)?;
        let attempt = call.attempts.last().map_or(1, |attempt| attempt.n);
        let packed = PackedAnswer::pack(reply.body(), attempt, now_ms + ANSWER_KEPT_MS)?;
        let ended = next_version(call.ended(&report, Some(packed.stored()), now_ms));
        match self.finish(&ended, Some(&packed), passed, sign).await.written? {
            None => Ok(reply),
            Some(other) => self.follow(Some(other), &ended).await,
        }
    }

    /// Forwards a free call that nobody can ask for again: one write says what came of it.
    pub(crate) async fn forward_free(&self, call: Call, body: JsonBody, secret: &EndpointSecret, passed: &BreakerPermit) -> Result {
        let Attempted { report, body: seller_body, sign } = self.forward(&call, &body, secret).await?;
        let now_ms = unix_ms(self.state.app.clock.now());
        let mut ended = call.ended(&report, None, now_ms);
        if report.outcome != Outcome::Delivered {
            ended = ended.closed(now_ms);
        }
        let Finished { written, kept_away } = self.finish(&ended, None, passed, sign).await;
        written?;
        if report.outcome == Outcome::Delivered {
            answer::delivered(&ended, report.seller_status_code.unwrap_or(200), &seller_body)
        } else {
            Err(answer::seller_failure(&ended, report.outcome, kept_away))
        }
    }

    /// Writes an outcome, and at the same time what it says about listing and seller.
    async fn finish(&self, ended: &Call, answer: Option<&PackedAnswer>, passed: &BreakerPermit, sign: Observation) -> Finished {
        let store = &self.state.app.store;
        let (written, uncounted, kept_away) = tokio::join!(
            self.write_outcome(ended, answer),
            store.call_ends(self.listing_id(), self.minute()),
            self.record_observation(passed, sign),
        );
        // A count that is not taken back ends with its minute; the outcome is what matters.
        if let Err(e) = uncounted {
            tracing::warn!(cause = %e, "a finished call is still counted");
        }
        Finished { written, kept_away }
    }

    /// Gives the call as it stands where another attempt has taken it over meanwhile.
    async fn write_outcome(&self, ended: &Call, answer: Option<&PackedAnswer>) -> Result<Option<Call>> {
        let store = &self.state.app.store;
        let mut failure = StoreError::Conflict;
        for attempt in 0..WRITE_TRIES {
            if attempt > 0 {
                tokio::time::sleep(Duration::from_millis(20 << attempt)).await;
            }
            if let Some(answer) = answer
                && let Err(e) = store.store_answer(ended.id, answer).await
            {
                failure = e;
                continue;
            }
            match store.finish_call(ended, answer).await {
                Ok(Moved::Done) => return Ok(None),
                Ok(Moved::Lost(found)) => return Ok(Some((*found).unwrap_or_else(|| ended.clone()))),
                Ok(Moved::Conflict) => {
                    // Ours from an earlier try, or another attempt's: the call itself says.
                    match store.calls(&[ended.home()]).await {
                        Ok(mut found) => match found.pop() {
                            Some(found) if found.writer == ended.writer => return Ok(None),
                            Some(found) if found.version >= ended.version => return Ok(Some(found)),
                            _ => {}
                        },
                        Err(e) => failure = e,
                    }
                }
                Err(e) => failure = e,
            }
        }
        Err(failure.into())
    }
}
