//! One attempt at the seller, and what it came to. Buyers are told its class alone: the seller's own test tells more.

use std::time::Instant;

use crochet::domain::call::outcome::{Outcome, judge};
use crochet::domain::call::{AttemptReport, Call};
use crochet::endpoint_secrets::EndpointSecret;
use crochet::forward::Forward;
use crochet::http::{ApiError, Result};
use crochet::outbound::SellerFault;

use super::incoming::JsonBody;
use super::{Passage, answer};

/// What a compressed body is to a reader of JSON.
const NOT_JSON: &[u8] = b"\x1f";

impl Passage<'_> {
    /// Sends a call to the seller. Gives the report about it, and the body where the seller has answered.
    pub(super) async fn forward(&self, call: &Call, body: &JsonBody, secret: &EndpointSecret) -> Result<(AttemptReport, Vec<u8>)> {
        let Some(endpoint) = &self.listing.endpoint else {
            return Err(answer::seller_unavailable(call, answer::NO_ENDPOINT_RETRY));
        };
        let began = Instant::now();
        let attempt = call.attempts.last().map_or(1, |attempt| attempt.n);
        let forward =
            Forward { id: call.id, listing: call.listing.id, buyer: call.buyer, attempt, is_test: false, body: &body.bytes };
        let now = self.state.app.clock.now();
        let answered = forward.send(&self.state.outbound, endpoint, secret, now).await.map_err(ApiError::internal)?;
        let latency_ms = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
        Ok(match answered {
            Ok(answered) => (
                AttemptReport {
                    latency_ms,
                    response_bytes: Some(answered.body.len() as u64),
                    seller_status_code: Some(answered.status),
                    outcome: judge(answered.status, attempt, &answered.body),
                },
                answered.body.to_vec(),
            ),
            Err(fault) => {
                let (outcome, seller_status_code) = outcome_of(fault, attempt);
                (AttemptReport { latency_ms, response_bytes: None, seller_status_code, outcome }, Vec::new())
            }
        })
    }
}

/// What an attempt came to that brought no whole answer, and the status that was read. A status that is a failure by itself
/// stays that one, whatever is wrong with the body under it.
fn outcome_of(fault: SellerFault, attempt: u32) -> (Outcome, Option<u16>) {
    match fault {
        SellerFault::Timeout => (Outcome::SellerTimeout, None),
        SellerFault::Unreachable | SellerFault::RefusedAddress => (Outcome::SellerUnreachable, None),
        SellerFault::Tls => (Outcome::SellerTls, None),
        SellerFault::Encoded { status } => (judge(status, attempt, NOT_JSON), Some(status)),
        SellerFault::TooLarge { status } => {
            let by_status = status.map(|status| judge(status, attempt, b""));
            let failed = by_status.filter(|outcome| *outcome != Outcome::Delivered);
            (failed.unwrap_or(Outcome::SellerResponseTooLarge), status)
        }
    }
}

#[cfg(test)]
mod tests {
    use crochet::outbound::FailureClass;

    use super::*;

    #[test]
    fn each_class_of_failure_has_its_outcome() {
        let faults = [
            (SellerFault::Timeout, FailureClass::Timeout, Outcome::SellerTimeout),
            (SellerFault::Unreachable, FailureClass::Unreachable, Outcome::SellerUnreachable),
            (SellerFault::RefusedAddress, FailureClass::RefusedAddress, Outcome::SellerUnreachable),
            (SellerFault::Tls, FailureClass::Tls, Outcome::SellerTls),
            (SellerFault::TooLarge { status: None }, FailureClass::TooLarge, Outcome::SellerResponseTooLarge),
            (SellerFault::TooLarge { status: Some(200) }, FailureClass::TooLarge, Outcome::SellerResponseTooLarge),
            (SellerFault::Encoded { status: 200 }, FailureClass::NotJson, Outcome::SellerInvalidJson),
        ];
        for (fault, class, outcome) in faults {
            assert_eq!((fault.class(), outcome_of(fault, 1).0), (class, outcome), "{fault:?}");
        }
        let told: Vec<FailureClass> = faults.iter().map(|(_, class, _)| *class).collect();
        // The remaining one is a whole answer, which `judge` reads.
        assert!(FailureClass::ALL.iter().all(|class| told.contains(class) || *class == FailureClass::Status));
    }

    #[test]
    fn a_failing_status_is_told_whatever_its_body_is() {
        for (status, outcome) in [(500, Outcome::SellerError), (503, Outcome::SellerError), (403, Outcome::SellerRefused)] {
            for fault in [SellerFault::TooLarge { status: Some(status) }, SellerFault::Encoded { status }] {
                assert_eq!(outcome_of(fault, 1), (outcome, Some(status)), "{fault:?}");
            }
        }
    }
}
