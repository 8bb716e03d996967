//! `POST /listings/{id}/endpoint/test`: one signed test call, requested by the owner.
//!
//! The result goes only to the owner, so drafts, paused endpoints and endpoints with an open breaker are called too, and the call
//! does not count as one of the listing's calls.

use std::time::{Duration, Instant};

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, State};
use crochet::http::limited::count_request;
use crochet::http::request::JsonOrNothing;
use crochet::http::trace::RequestTrace;
use crochet::http::{ApiError, Code, Reply, Result};
use crochet::limits;
use crochet::outbound::{FailureClass, SellerFault, SellerResponse};
use crochet::seller_request::{SellerCall, SellerCallError};
use crochet::store::StoreError;
use crochet::store::retry::Attempts;
use crochet::wire::endpoint::EndpointTestView;
use crochet_domain::call::outcome::{Outcome, classify_response};
use crochet_domain::ids::{CallId, ListingId, ProfileId};
use crochet_domain::json::JsonFault;
use crochet_domain::listing::{Endpoint, EndpointTest, EndpointTestFailure, Listing};
use crochet_domain::timestamp::unix_ms;
use crochet_domain::unknown::Unknown;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::seller::{SellerAgent, owned};

/// Request body if the listing has no `example_request`.
const DEFAULT_BODY: &[u8] = br#"{"crochet_test":true}"#;

/// Time budget of one invocation. The function is stopped at 29 s, and the reply has to get out before.
const BUDGET: Duration = Duration::from_millis(28_500);
/// Time reserved for recording the result after the call.
const RESERVE: Duration = Duration::from_secs(2);

/// Empty: a test call takes no parameters.
#[derive(Default, Deserialize, ToSchema)]
pub(crate) struct TestOrder {}

/// `data` of a test call.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TestReport {
    /// The result of the test call.
    test: EndpointTestView,
}

crochet::error_list!(
    TestEndpointErrors: SellerAgent, Path<String>, JsonOrNothing<TestOrder>;
    ListingNotFound, NotListingOwner, EndpointNotFound
);

/// Call your own endpoint once, signed like every call, with the header `X-Crochet-Test: 1`.
///
/// The body is the listing's `example_request`, or `{"crochet_test":true}` if it has none. Drafts and paused endpoints are called
/// too. If the endpoint fails, the status is still 200, and `test.failure` says why.
#[utoipa::path(post, path = "/api/v1/listings/{id}/endpoint/test", operation_id = "test_endpoint", tag = "Listings", security(("api_key" = ["write"])),
    params(("id" = String, Path, description = "UUID or slug of the listing")), request_body = Option<TestOrder>,
    responses((status = 200, body = TestReport, description = "The result of the test call."), TestEndpointErrors))]
pub(crate) async fn test_endpoint(
    State(state): State<crate::state::State>,
    SellerAgent(owner): SellerAgent,
    Extension(trace): Extension<RequestTrace>,
    Path(id): Path<String>,
    JsonOrNothing(TestOrder {}): JsonOrNothing<TestOrder>,
) -> Result {
    let invoked = Instant::now();
    let app = &state.app;
    let listing = owned(app, owner, &id).await?;
    let endpoint = listing.endpoint.as_ref().ok_or(Code::EndpointNotFound)?;
    count_request(app, &trace, limits::ENDPOINT_TESTS, &listing.id.to_string()).await?;
    let test = call(&state, owner, &listing, endpoint, invoked).await?;
    record_result(&state, &listing, endpoint, &test).await;
    Reply::ok(TestReport { test: EndpointTestView::from(&test) })
}

/// Makes the call, within the endpoint's timeout and the time left of the invocation, which began at `invoked`. If less than the
/// endpoint's timeout was left, a timeout is the service's failure, not the seller's.
async fn call(
    state: &crate::state::State,
    owner: ProfileId,
    listing: &Listing,
    endpoint: &Endpoint,
    invoked: Instant,
) -> Result<EndpointTest> {
    let secret = state.secrets.read(listing.id, endpoint).await?;
    let now = state.app.clock.now();
    let body = listing.example_request.clone().map_or(Bytes::from_static(DEFAULT_BODY), Bytes::from);
    let request =
        SellerCall { id: CallId::generate(now), listing: listing.id, buyer: owner, attempt: 1, is_test: true, body: &body };
    let sent = Instant::now();
    let timeout_ms = time_for_seller(endpoint.timeout_ms, invoked.elapsed());
    let timeout = Duration::from_millis(timeout_ms.into());
    let result = match request.send(&state.outbound, endpoint, &secret, now, timeout).await {
        Ok(response) => Ok(response),
        Err(SellerCallError::Failed(failed)) => Err(failed.fault),
        Err(error @ SellerCallError::InvalidHeader) => return Err(ApiError::internal(error)),
    };
    if matches!(result, Err(SellerFault::Timeout)) && timeout_ms < endpoint.timeout_ms {
        return Err(ApiError::new(Code::ServiceUnavailable).cause("too little time was left for a test call"));
    }
    let (seller_status_code, response_bytes, failure) = verdict(&result);
    Ok(EndpointTest {
        request_id: request.id,
        seller_status_code,
        latency_ms: i64::try_from(sent.elapsed().as_millis()).unwrap_or(i64::MAX),
        response_bytes,
        failure,
        tested_ms: unix_ms(now),
        unknown: Unknown::default(),
    })
}

/// The seller's timeout in milliseconds: the endpoint's own, or less if the invocation has less time left.
fn time_for_seller(timeout_ms: u32, spent: Duration) -> u32 {
    let left = BUDGET.saturating_sub(RESERVE).saturating_sub(spent);
    timeout_ms.min(u32::try_from(left.as_millis()).unwrap_or(u32::MAX))
}

/// Status and size of the response, and why the test failed. Only 2xx is a success: Crochet delivers some other statuses too, but they
/// reject the request.
fn verdict(result: &std::result::Result<SellerResponse, SellerFault>) -> (Option<u16>, Option<u64>, Option<EndpointTestFailure>) {
    let response = match result {
        Ok(response) => response,
        Err(fault) => {
            return (fault.status(), None, Some(failure(fault.class(), fault.class().seller_message().to_owned())));
        }
    };
    let read = classify_response(response.status, 1, &response.body);
    let failure = match read.outcome {
        Outcome::SellerInvalidJson => Some(failure(FailureClass::NotJson, not_json_message(read.json_fault))),
        Outcome::Delivered if (200..300).contains(&response.status) => None,
        Outcome::Delivered => Some(failure(FailureClass::Status, rejected_message(response.status))),
        _ => Some(failure(FailureClass::Status, FailureClass::Status.seller_message().to_owned())),
    };
    (Some(response.status), Some(response.body.len() as u64), failure)
}

fn failure(class: FailureClass, message: String) -> EndpointTestFailure {
    EndpointTestFailure { class: class.as_str().to_owned(), message }
}

fn not_json_message(fault: Option<JsonFault>) -> String {
    let general = FailureClass::NotJson.seller_message();
    match fault {
        Some(fault) => general.replacen(':', &format!(" ({}: {}):", fault.as_str(), fault.clause()), 1),
        None => general.to_owned(),
    }
}

fn rejected_message(status: u16) -> String {
    format!(
        "The endpoint returned {status}, which rejects the request: a buyer would receive this response and be charged for it. \
         Give the listing an example_request that works, or check the path of private_endpoint_url."
    )
}

/// Records the result, and closes an open breaker if the test succeeded. A failure to write does not fail the request: the seller
/// still gets the result.
async fn record_result(state: &crate::state::State, listing: &Listing, endpoint: &Endpoint, test: &EndpointTest) {
    let close = async {
        if test.failure.is_none() {
            close_breaker(state, listing.id).await;
        }
    };
    let (recorded, ()) = tokio::join!(record(state, listing.clone(), &endpoint.secret_version, test), close);
    if let Err(error) = recorded {
        tracing::warn!(listing = %listing.id, %error, "the result of a test call was not recorded");
    }
}

/// Writes the result, unless the endpoint has been changed meanwhile. Another change of the listing is read, and the result is written
/// after it.
async fn record(
    state: &crate::state::State,
    mut listing: Listing,
    secret_version: &str,
    test: &EndpointTest,
) -> std::result::Result<(), StoreError> {
    let store = &state.app.store;
    let mut attempts = Attempts::default();
    while !store.record_endpoint_test(&listing, secret_version, test).await? {
        attempts.next_or(StoreError::Conflict).await?;
        let Some(current) = store.listing(listing.id).await? else { return Ok(()) };
        if current.endpoint.as_ref().is_none_or(|endpoint| endpoint.secret_version != secret_version) {
            return Ok(());
        }
        listing = current;
    }
    Ok(())
}

/// Closes the breaker, so that calls pass again. If that cannot be written, the breaker still closes after a successful probe.
pub(super) async fn close_breaker(state: &crate::state::State, listing: ListingId) {
    if let Err(error) = state.app.store.close_breaker(listing).await {
        tracing::warn!(%listing, %error, "a breaker was not closed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class_of(status: u16, body: &'static [u8]) -> Option<String> {
        let response = SellerResponse { status, body: Bytes::from_static(body), latency: Duration::ZERO };
        verdict(&Ok(response)).2.map(|failure| failure.class)
    }

    #[test]
    fn only_2xx_with_json_or_an_empty_body_is_a_success() {
        for (status, body) in
            [(200, &b"{}"[..]), (201, b"null"), (204, b""), (202, b" 1 "), (200, b" \n"), (200, b"\xef\xbb\xbf{}")]
        {
            assert_eq!(class_of(status, body), None, "{status}");
        }
        for status in [301, 307, 400, 401, 404, 409, 422, 429, 500, 503, 599] {
            assert_eq!(class_of(status, b"{}").as_deref(), Some("status"), "{status}");
        }
        assert_eq!(class_of(200, b"<html>").as_deref(), Some("not_json"));
    }

    #[test]
    fn the_failure_names_the_broken_rule_in_one_sentence_without_the_text() {
        for fault in JsonFault::ALL {
            let message = not_json_message(Some(fault));
            assert!(message.contains(fault.as_str()) && message.contains(fault.clause()), "{message}");
            assert!(message.ends_with('.') && !message.contains(". "), "{message}");
        }
        let response = SellerResponse { status: 200, body: Bytes::from_static(br#"{"hush":1,"hush":2}"#), latency: Duration::ZERO };
        let message = verdict(&Ok(response)).2.expect("a failure").message;
        assert!(message.contains("duplicate_key") && !message.contains("hush"), "{message}");
    }

    #[test]
    fn a_test_leaves_time_to_record_its_result() {
        let after = |spent_ms| time_for_seller(25_000, Duration::from_millis(spent_ms));
        assert_eq!((after(0), after(1_500), after(1_501), after(26_400)), (25_000, 25_000, 24_999, 100));
        assert_eq!((after(26_500), after(60_000)), (0, 0));
        assert_eq!(time_for_seller(1_000, Duration::from_secs(25)), 1_000);
    }

    #[test]
    fn faults_keep_their_class_and_status() {
        for (fault, status, class) in [
            (SellerFault::Timeout, None, "timeout"),
            (SellerFault::Unreachable, None, "unreachable"),
            (SellerFault::RefusedAddress, None, "refused_address"),
            (SellerFault::Tls, None, "tls"),
            (SellerFault::Malformed { status: None }, None, "malformed_http"),
            (SellerFault::TooLarge { status: Some(200) }, Some(200), "too_large"),
            (SellerFault::Encoded { status: 203 }, Some(203), "not_json"),
        ] {
            let (status_code, bytes, failure) = verdict(&Err(fault));
            assert_eq!((status_code, bytes, failure.expect("a failure").class.as_str()), (status, None, class));
        }
    }
}
