//! Calls that are paid for: delivered, replayed, held back, closed.

use super::asking::{Asking, asking};
use super::calls::{FILLED, HOUR, NOW, delivered, delivering, key, overdue, quoted, settled, undelivered};
use crate::call::step::{NewCall, OfferReason, Refusal, Step};
use crate::call::view::{ListingClosed, Obstacle, SchemaCheck, TrafficRefusal};
use crate::call::{Call, CallState, MAX_ATTEMPTS, REDELIVER_MS};

const SETTLED_BEFORE: bool = false;
const SETTLES_NOW: bool = true;

fn delivers(settle: bool) -> Step {
    Step::Deliver { call: key("p1"), settle }
}

fn unavailable(retry_after: Option<u64>) -> Step {
    Step::Refuse(Refusal::SellerUnavailable { call: key("p1"), retry_after })
}

/// The three ways in which a request leads to a call.
fn each_way(call: &Call) -> [Asking; 3] {
    [asking(), asking().with_key("k"), asking().with_payment_id()].map(|asked| asked.that_meets(call.clone()))
}

fn every_attempt_failed(times: usize) -> Call {
    settled("p1").attempted(u32::try_from(times).expect("few"))
}

#[test]
fn settled_is_forwarded_without_asking_the_provider_again() {
    for asked in each_way(&settled("p1")) {
        assert_eq!(asked.decide(), delivers(SETTLED_BEFORE));
    }
}

#[test]
fn a_paid_id_may_be_retried_without_paying_again_after_the_seller_failed() {
    for asked in each_way(&settled("p1").attempted(3)) {
        assert_eq!(asked.decide(), delivers(SETTLED_BEFORE));
    }
}

#[test]
fn a_settled_call_is_delivered_whatever_the_listing_says_today() {
    for asked in each_way(&settled("p1")) {
        let asked = asked.while_closed(ListingClosed::NotActive).for_free().checked(SchemaCheck::Fails);
        assert_eq!(asked.under_traffic(TrafficRefusal::RateLimited).decide(), delivers(SETTLED_BEFORE));
    }
}

#[test]
fn less_time_left_than_the_seller_needs_settles_and_waits() {
    for asked in each_way(&quoted("p1")) {
        assert_eq!(asked.provider_says(FILLED).held_back_by(Obstacle::NoTime).decide(), Step::Settle(key("p1")));
    }
    for asked in each_way(&settled("p1")) {
        assert_eq!(asked.held_back_by(Obstacle::NoTime).decide(), Step::Wait(key("p1")));
    }
}

#[test]
fn a_paused_or_missing_endpoint_is_a_seller_failure_of_a_settled_call() {
    for why in [ListingClosed::Paused, ListingClosed::NoEndpoint] {
        for asked in each_way(&quoted("p1")) {
            assert_eq!(asked.provider_says(FILLED).while_closed(why).decide(), Step::Settle(key("p1")));
        }
        for asked in each_way(&settled("p1")) {
            assert_eq!(asked.while_closed(why).decide(), unavailable(None));
        }
    }
}

#[test]
fn an_open_breaker_is_seller_unavailable_and_nothing_is_lost() {
    for asked in each_way(&quoted("p1")) {
        assert_eq!(asked.provider_says(FILLED).with_open_breaker(30).decide(), Step::Settle(key("p1")));
    }
    for asked in each_way(&settled("p1")) {
        assert_eq!(asked.with_open_breaker(30).decide(), unavailable(Some(30)));
    }
    for asked in each_way(&settled("p1")) {
        assert_eq!(asked.held_back_by(Obstacle::BreakerOpen(5)).decide(), unavailable(Some(5)), "it opened meanwhile");
    }
}

#[test]
fn a_failure_of_ours_before_the_claim_settles_first() {
    for asked in each_way(&quoted("p1")) {
        assert_eq!(asked.provider_says(FILLED).held_back_by(Obstacle::Failed).decide(), Step::Settle(key("p1")));
    }
    for asked in each_way(&settled("p1")) {
        assert_eq!(asked.held_back_by(Obstacle::Failed).decide(), Step::Refuse(Refusal::Failed));
    }
}

#[test]
fn the_same_id_while_it_is_being_delivered_is_call_in_progress() {
    for asked in each_way(&delivering("p1", NOW + 1)) {
        assert_eq!(asked.decide(), Step::Refuse(Refusal::InProgress(key("p1"))));
    }
}

#[test]
fn an_attempt_whose_lease_is_over_is_tried_again() {
    for asked in each_way(&delivering("p1", NOW)) {
        assert_eq!(asked.decide(), delivers(SETTLED_BEFORE));
    }
}

#[test]
fn the_same_id_or_key_again_after_delivery_is_the_stored_answer() {
    let replayed = Step::Replay(key("p1"));
    assert_eq!(asking().with_payment_id().that_meets(delivered("p1")).decide(), replayed);
    assert_eq!(asking().with_key("k").that_meets(delivered("p1")).decide(), replayed);
    let closed = asking().with_key("k").that_meets(delivered("p1")).while_closed(ListingClosed::NotActive);
    assert_eq!(closed.decide(), replayed, "whatever became of the listing");
}

#[test]
fn the_same_body_after_delivery_with_neither_id_nor_key_is_a_new_call() {
    assert_eq!(asking().that_meets(delivered("p1")).decide(), Step::CheckSchema, "like any other new call");
    let reason = OfferReason::AfterDelivered(key("p1"));
    let new = NewCall { key: None, currency: None, replaces: None, reason };
    assert_eq!(asking().that_fits().that_meets(delivered("p1")).decide(), Step::Quote(new));
}

#[test]
fn the_same_body_after_a_call_that_closed_as_undelivered_is_not_announced_as_delivered() {
    let reason = OfferReason::AfterUndelivered(key("p1"));
    let new = NewCall { key: None, currency: None, replaces: None, reason };
    assert_eq!(asking().that_fits().that_meets(undelivered("p1")).decide(), Step::Quote(new));
}

#[test]
fn the_same_body_after_delivery_at_a_closed_listing_is_refused() {
    let asked = asking().that_fits().that_meets(delivered("p1")).while_closed(ListingClosed::Paused);
    let why = ListingClosed::Paused;
    assert_eq!(asked.decide(), Step::Refuse(Refusal::ListingClosed { why, keep_payment: false }));
}

#[test]
fn call_undelivered_from_then_on() {
    let refused = Step::Refuse(Refusal::Undelivered(key("p1")));
    assert_eq!(asking().with_payment_id().that_meets(undelivered("p1")).decide(), refused);
    assert_eq!(asking().with_key("k").that_meets(undelivered("p1")).decide(), refused);
}

#[test]
fn still_undelivered_24_h_after_the_first_failed_attempt_closes_the_call() {
    let tried_at = |started_ms| settled("p1").attempted_from(1, started_ms);
    for asked in each_way(&tried_at(NOW - REDELIVER_MS)) {
        assert_eq!(asked.decide(), Step::Close(key("p1")));
    }
    for asked in each_way(&tried_at(NOW - REDELIVER_MS + 1)) {
        assert_eq!(asked.decide(), delivers(SETTLED_BEFORE));
    }
}

#[test]
fn a_call_that_nobody_presents_for_30_days_closes() {
    for asked in each_way(&overdue("p1")) {
        assert_eq!(asked.decide(), Step::Close(key("p1")));
    }
}

#[test]
fn at_most_20_attempts() {
    for asked in each_way(&every_attempt_failed(MAX_ATTEMPTS)) {
        assert_eq!(asked.decide(), Step::Close(key("p1")));
    }
    for asked in each_way(&every_attempt_failed(MAX_ATTEMPTS - 1)) {
        assert_eq!(asked.decide(), delivers(SETTLED_BEFORE));
    }
}

#[test]
fn an_overdue_call_closes_even_where_the_endpoint_is_paused_or_kept_away() {
    for asked in each_way(&overdue("p1")) {
        assert_eq!(asked.while_closed(ListingClosed::Paused).decide(), Step::Close(key("p1")));
    }
    for asked in each_way(&overdue("p1")) {
        assert_eq!(asked.with_open_breaker(30).decide(), Step::Close(key("p1")));
    }
}

#[test]
fn an_abandoned_attempt_that_is_overdue_closes_once_its_lease_is_over() {
    let abandoned = |lease_until_ms| Call {
        state: CallState::Delivering { lease_until_ms, token: "attempt".into() },
        ..settled("p1").attempted_from(1, NOW - 25 * HOUR)
    };
    for asked in each_way(&abandoned(NOW)) {
        assert_eq!(asked.decide(), Step::Close(key("p1")));
    }
    for asked in each_way(&abandoned(NOW + 1)) {
        assert_eq!(asked.decide(), Step::Refuse(Refusal::InProgress(key("p1"))));
    }
}

#[test]
fn who_is_first_to_see_the_payment_settles_with_the_delivery() {
    for asked in each_way(&quoted("p1")) {
        assert_eq!(asked.provider_says(FILLED).decide(), delivers(SETTLES_NOW));
    }
}
