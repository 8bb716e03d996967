//! `POST /listings/{id}/endpoint/test`: one signed call, for the seller to see what comes of it.
//!
//! It is asked for by the owner and answered to nobody else, so it goes out for a draft, to a paused endpoint, and past an open
//! breaker; and it counts as no call of the listing's.

use std::time::{Duration, Instant};

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, State};
use crochet::http::limited::count_request;
use crochet::http::request::JsonOrNothing;
use crochet::http::trace::RequestTrace;
use crochet::http::{ApiError, Code, Reply, Result, limits};
use crochet::outbound::{FailureClass, SellerAnswer, SellerFault};
use crochet::seller_request::SellerCall;
use crochet::wire::endpoint::EndpointTestView;
use crochet_domain::call::outcome::{Outcome, judge};
use crochet_domain::ids::{CallId, ListingId, ProfileId};
use crochet_domain::listing::{Endpoint, EndpointTest, EndpointTestFailure, Listing};
use crochet_domain::timestamp::unix_ms;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::seller::{Seller, owned};

/// What is sent where the listing has no `example_request`.
const BODY: &[u8] = br#"{"crochet_test":true}"#;

/// What one invocation may take: the function ends at 29 s, and the answer has to get out.
const BUDGET: Duration = Duration::from_millis(28_500);
/// What is kept back after the seller's time, to note what came of it.
const RESERVE: Duration = Duration::from_secs(2);

/// Nothing: a test takes no parameters.
#[derive(Default, Deserialize, ToSchema)]
pub(crate) struct TestOrder {}

/// `data` of a test call.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TestReport {
    /// What came of it.
    test: EndpointTestView,
}

crochet::error_list!(
    TestEndpointErrors: Seller, Path<String>, JsonOrNothing<TestOrder>;
    ListingNotFound, NotListingOwner, EndpointNotFound
);

/// Call your own endpoint once, signed like every call, with `X-Crochet-Test: 1`.
///
/// The body is the listing's `example_request`, else `{"crochet_test":true}`. Drafts and paused endpoints are called too. A
/// failure of the endpoint is told in `test.failure`; the answer is 200 all the same.
#[utoipa::path(post, path = "/api/v1/listings/{id}/endpoint/test", operation_id = "test_endpoint", tag = "Listings", security(("api_key" = [])),
    params(("id" = String, Path, description = "UUID or slug of the listing")), request_body = Option<TestOrder>,
    responses((status = 200, body = TestReport, description = "What came of it."), TestEndpointErrors))]
pub(crate) async fn test_endpoint(
    State(state): State<crate::State>,
    Seller(owner): Seller,
    Extension(trace): Extension<RequestTrace>,
    Path(id): Path<String>,
    JsonOrNothing(TestOrder {}): JsonOrNothing<TestOrder>,
) -> Result {
    let began = Instant::now();
    let app = &state.app;
    let listing = owned(app, owner, &id).await?;
    let endpoint = listing.endpoint.as_ref().ok_or(Code::EndpointNotFound)?;
    count_request(app, &trace, limits::ENDPOINT_TESTS, &listing.id.to_string()).await?;
    let test = call(&state, owner, &listing, endpoint, began).await?;
    note(&state, &listing, endpoint, &test).await;
    Reply::ok(TestReport { test: EndpointTestView::from(&test) })
}

/// The exchange, within the endpoint's time and what is left of the invocation's, which began at `invoked`. A seller that was
/// given less than its time, and did not answer in it, has not failed.
async fn call(
    state: &crate::State,
    owner: ProfileId,
    listing: &Listing,
    endpoint: &Endpoint,
    invoked: Instant,
) -> Result<EndpointTest> {
    let secret = state.secrets.read(listing.id, endpoint.secret_version.clone()).await?;
    let now = state.app.clock.now();
    let body = listing.example_request.clone().map_or(Bytes::from_static(BODY), Bytes::from);
    let forward =
        SellerCall { id: CallId::generate(now), listing: listing.id, buyer: owner, attempt: 1, is_test: true, body: &body };
    let began = Instant::now();
    let given = Endpoint { timeout_ms: time_for_seller(endpoint.timeout_ms, invoked.elapsed()), ..endpoint.clone() };
    let answered = forward.send(&state.outbound, &given, &secret, now).await.map_err(ApiError::internal)?;
    if matches!(answered, Err(SellerFault::Timeout)) && given.timeout_ms < endpoint.timeout_ms {
        return Err(ApiError::new(Code::ServiceUnavailable).cause("too little time was left for a test call"));
    }
    let (seller_status_code, response_bytes, failure) = verdict(&answered);
    Ok(EndpointTest {
        request_id: forward.id,
        seller_status_code,
        latency_ms: i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX),
        response_bytes,
        failure,
        tested_ms: unix_ms(now),
    })
}

/// How long the seller may take (milliseconds) where so much is spent already: its own time, or what leaves the reserve.
fn time_for_seller(timeout_ms: u32, spent: Duration) -> u32 {
    let left = BUDGET.saturating_sub(RESERVE).saturating_sub(spent);
    timeout_ms.min(u32::try_from(left.as_millis()).unwrap_or(u32::MAX))
}

/// Status and length of an answer, and what is wrong with it. A test is a success with 2xx only: an answer that would be
/// delivered, but speaks against the request, tells a seller nothing good.
fn verdict(answered: &std::result::Result<SellerAnswer, SellerFault>) -> (Option<u16>, Option<u64>, Option<EndpointTestFailure>) {
    let answer = match answered {
        Ok(answer) => answer,
        Err(fault) => {
            let status = match fault {
                SellerFault::TooLarge { status } => *status,
                SellerFault::Encoded { status } => Some(*status),
                SellerFault::Timeout | SellerFault::Unreachable | SellerFault::RefusedAddress | SellerFault::Tls => None,
            };
            return (status, None, Some(failure(fault.class(), fault.class().seller_message().to_owned())));
        }
    };
    let failure = match judge(answer.status, 1, &answer.body) {
        Outcome::SellerInvalidJson => Some(failure(FailureClass::NotJson, FailureClass::NotJson.seller_message().to_owned())),
        Outcome::Delivered if (200..300).contains(&answer.status) => None,
        Outcome::Delivered => Some(failure(FailureClass::Status, speaks_against_the_request(answer.status))),
        _ => Some(failure(FailureClass::Status, FailureClass::Status.seller_message().to_owned())),
    };
    (Some(answer.status), Some(answer.body.len() as u64), failure)
}

fn failure(class: FailureClass, message: String) -> EndpointTestFailure {
    EndpointTestFailure { class: class.as_str().to_owned(), message }
}

fn speaks_against_the_request(status: u16) -> String {
    format!(
        "The endpoint answered {status}, which speaks against the request: a buyer's call would be delivered and charged with \
         that answer. Give the listing an example_request that works, or check the path of private_endpoint_url."
    )
}

/// Writes down what came of it, and closes an open breaker where the endpoint is seen to work. The report is the
/// answer; what cannot be written is no reason to withhold it.
async fn note(state: &crate::State, listing: &Listing, endpoint: &Endpoint, test: &EndpointTest) {
    let works = async {
        if test.failure.is_none() {
            close_breaker(state, listing.id).await;
        }
    };
    let noting = state.app.store.note_endpoint_test(listing.id, &endpoint.secret_version, test);
    let (noted, ()) = tokio::join!(noting, works);
    if let Err(error) = noted {
        tracing::warn!(listing = %listing.id, %error, "a test call is not noted");
    }
}

/// Lets calls pass again, where the breaker holds them back. If that cannot be written, time does it.
pub(super) async fn close_breaker(state: &crate::State, listing: ListingId) {
    if let Err(error) = state.app.store.close_breaker(listing).await {
        tracing::warn!(%listing, %error, "a breaker was left as it is");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class_of(status: u16, body: &'static [u8]) -> Option<String> {
        let answer = SellerAnswer { status, body: Bytes::from_static(body), latency: Duration::ZERO };
        verdict(&Ok(answer)).2.map(|failure| failure.class)
    }

    #[test]
    fn only_2xx_with_json_or_nothing_is_a_success() {
        for (status, body) in [(200, &b"{}"[..]), (201, b"null"), (204, b""), (202, b" 1 ")] {
            assert_eq!(class_of(status, body), None, "{status}");
        }
        for status in [301, 307, 400, 401, 404, 409, 422, 429, 500, 503, 599] {
            assert_eq!(class_of(status, b"{}").as_deref(), Some("status"), "{status}");
        }
        assert_eq!(class_of(200, b"<html>").as_deref(), Some("not_json"));
    }

    #[test]
    fn a_test_ends_in_time_for_its_note() {
        let after = |spent_ms| time_for_seller(25_000, Duration::from_millis(spent_ms));
        assert_eq!((after(0), after(1_500), after(1_501), after(26_400)), (25_000, 25_000, 24_999, 100));
        assert_eq!((after(26_500), after(60_000)), (0, 0));
        assert_eq!(time_for_seller(1_000, Duration::from_secs(25)), 1_000);
    }

    #[test]
    fn faults_keep_their_class_and_the_status_that_was_read() {
        for (fault, status, class) in [
            (SellerFault::Timeout, None, "timeout"),
            (SellerFault::Unreachable, None, "unreachable"),
            (SellerFault::RefusedAddress, None, "refused_address"),
            (SellerFault::Tls, None, "tls"),
            (SellerFault::TooLarge { status: Some(200) }, Some(200), "too_large"),
            (SellerFault::Encoded { status: 203 }, Some(203), "not_json"),
        ] {
            let (told, bytes, failure) = verdict(&Err(fault));
            assert_eq!((told, bytes, failure.expect("a failure").class.as_str()), (status, None, class));
        }
    }
}
