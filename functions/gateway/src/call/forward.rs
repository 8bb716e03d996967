//! One delivery attempt and its outcome. Buyers learn only the class of a failure; a seller's own test call says more.

use std::time::{Duration, Instant};

use crochet::endpoint_secrets::EndpointSecret;
use crochet::http::{ApiError, Result};
use crochet::outbound::{FailedAttempt, SellerFault};
use crochet::seller_request::{SellerCall, SellerCallError};
use crochet_domain::breaker::Observation;
use crochet_domain::call::outcome::{Outcome, Unreadable, classify_response, classify_status};
use crochet_domain::call::{AttemptReport, Call};

use super::breaker_permit::BreakerPermit;
use super::in_flight::InFlightSlot;
use super::{CallContext, RESERVE};

/// An attempt that has ended.
pub(super) struct AttemptOutcome {
    pub(super) report: AttemptReport,
    /// The JSON to deliver; empty if there is none.
    pub(super) body: Vec<u8>,
}

impl CallContext<'_> {
    /// Sends a call to the seller, within the endpoint's timeout or the time that is left, whichever is shorter. Tells slot and
    /// permit what happened.
    pub(super) async fn forward(
        &self,
        slot: &InFlightSlot<'_>,
        permit: &BreakerPermit<'_>,
        call: &Call,
        secret: &EndpointSecret,
    ) -> Result<AttemptOutcome> {
        let Some(endpoint) = &self.listing.endpoint else { return Err(ApiError::internal("a call without an endpoint")) };
        let body = self.request.json()?;
        let began = Instant::now();
        let attempt = call.attempts.last().map_or(1, |attempt| attempt.n);
        let seller_call =
            SellerCall { id: call.id, listing: call.listing.id, buyer: call.buyer, attempt, is_test: false, body: &body.bytes };
        let now = self.state.app.clock.now();
        let whole = Duration::from_millis(endpoint.timeout_ms.into());
        let timeout = whole.min(self.time_left().saturating_sub(RESERVE));
        let answered = match seller_call.send(&self.state.outbound, endpoint, secret, now, timeout).await {
            Ok(answered) => Ok(answered),
            Err(SellerCallError::Failed(failed)) => Err(failed),
            Err(error @ SellerCallError::InvalidHeader) => return Err(ApiError::internal(error)),
        };
        slot.mark_used();
        let latency_ms = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
        let (report, body, observation) = match answered {
            Ok(answered) => {
                let read = classify_response(answered.status, attempt, &answered.body);
                let outcome = read.outcome;
                let report = AttemptReport {
                    latency_ms,
                    response_bytes: Some(answered.body.len() as u64),
                    seller_status_code: Some(answered.status),
                    outcome,
                    unreadable: read.json_fault.map(Unreadable::Json),
                };
                (report, read.json.to_vec(), observation_of(outcome, true))
            }
            Err(FailedAttempt { fault, body_may_be_seen }) => {
                let (outcome, seller_status_code) = outcome_of(fault, attempt);
                let was_cut_short = fault == SellerFault::Timeout && timeout < whole;
                let observation = if was_cut_short { Observation::Inconclusive } else { observation_of(outcome, body_may_be_seen) };
                let unreadable = unreadable_of(fault, outcome);
                let report = AttemptReport { latency_ms, response_bytes: None, seller_status_code, outcome, unreadable };
                (report, Vec::new(), observation)
            }
        };
        permit.observe(observation);
        Ok(AttemptOutcome { report, body })
    }
}

/// What an outcome says about the endpoint. If a connection broke after the body may have been seen, the body may be the cause.
fn observation_of(outcome: Outcome, body_may_be_seen: bool) -> Observation {
    match outcome {
        Outcome::SellerTimeout => Observation::NoResponse,
        Outcome::SellerUnreachable | Outcome::SellerTls if body_may_be_seen => Observation::NoResponse,
        Outcome::SellerUnreachable | Outcome::SellerTls => Observation::NoConnection,
        Outcome::SellerError => Observation::ServerError,
        Outcome::GatewayInterrupted => Observation::Inconclusive,
        Outcome::Delivered | Outcome::SellerRefused | Outcome::SellerInvalidJson | Outcome::SellerResponseTooLarge => {
            Observation::Healthy
        }
    }
}

/// The outcome of an attempt without a complete response, and the status, if it was read. If the status alone is a failure, it
/// determines the outcome, whatever is wrong with the body.
fn outcome_of(fault: SellerFault, attempt: u32) -> (Outcome, Option<u16>) {
    let by_fault = match fault {
        SellerFault::Timeout => Outcome::SellerTimeout,
        SellerFault::Unreachable | SellerFault::RefusedAddress => Outcome::SellerUnreachable,
        SellerFault::Tls => Outcome::SellerTls,
        // It answered, so it is not a seller that nobody can reach.
        SellerFault::Malformed { .. } => Outcome::SellerError,
        SellerFault::Encoded { .. } => Outcome::SellerInvalidJson,
        SellerFault::TooLarge { .. } => Outcome::SellerResponseTooLarge,
    };
    let by_status = fault.status().map(|status| classify_status(status, attempt));
    (by_status.filter(|outcome| *outcome != Outcome::Delivered).unwrap_or(by_fault), fault.status())
}

fn unreadable_of(fault: SellerFault, outcome: Outcome) -> Option<Unreadable> {
    match (fault, outcome) {
        (SellerFault::Malformed { .. }, Outcome::SellerError) => Some(Unreadable::MalformedHttp),
        (SellerFault::Encoded { .. }, Outcome::SellerInvalidJson) => Some(Unreadable::Compressed),
        _ => None,
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
            (SellerFault::Malformed { status: None }, FailureClass::MalformedHttp, Outcome::SellerError),
            (SellerFault::Malformed { status: Some(200) }, FailureClass::MalformedHttp, Outcome::SellerError),
            (SellerFault::TooLarge { status: None }, FailureClass::TooLarge, Outcome::SellerResponseTooLarge),
            (SellerFault::TooLarge { status: Some(200) }, FailureClass::TooLarge, Outcome::SellerResponseTooLarge),
            (SellerFault::Encoded { status: 200 }, FailureClass::NotJson, Outcome::SellerInvalidJson),
        ];
        for (fault, class, outcome) in faults {
            assert_eq!((fault.class(), outcome_of(fault, 1).0), (class, outcome), "{fault:?}");
        }
        let told: Vec<FailureClass> = faults.iter().map(|(_, class, _)| *class).collect();
        // The remaining class is for a complete response, which `classify_response` handles.
        assert!(FailureClass::ALL.iter().all(|class| told.contains(class) || *class == FailureClass::Status));
    }

    #[test]
    fn only_what_no_body_can_cause_is_a_seller_without_connection() {
        assert_eq!(observation_of(Outcome::SellerTimeout, true), Observation::NoResponse);
        for outcome in [Outcome::SellerUnreachable, Outcome::SellerTls] {
            assert_eq!(
                (observation_of(outcome, true), observation_of(outcome, false)),
                (Observation::NoResponse, Observation::NoConnection),
                "{outcome:?}"
            );
        }
        assert_eq!(observation_of(Outcome::SellerError, true), Observation::ServerError);
        for outcome in [Outcome::Delivered, Outcome::SellerRefused, Outcome::SellerInvalidJson, Outcome::SellerResponseTooLarge] {
            assert_eq!(observation_of(outcome, true), Observation::Healthy, "{outcome:?}");
        }
    }

    #[test]
    fn a_failing_status_is_told_whatever_its_body_is() {
        for (status, outcome) in [(500, Outcome::SellerError), (503, Outcome::SellerError), (403, Outcome::SellerRefused)] {
            let status_read = Some(status);
            for fault in [
                SellerFault::TooLarge { status: status_read },
                SellerFault::Malformed { status: status_read },
                SellerFault::Encoded { status },
            ] {
                assert_eq!(outcome_of(fault, 1), (outcome, Some(status)), "{fault:?}");
            }
        }
    }
}
