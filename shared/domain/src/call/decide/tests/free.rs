//! Free calls, and listings that became free.

use super::asking::asking;
use super::calls::{FILLED, NOW, failed, failed_fact, free, free_key, key, never_paid, quoted};
use crate::call::step::{NewCall, OfferReason, Refusal, Step};
use crate::call::view::{Fact, ListingClosed, TrafficRefusal};
use crate::call::{Call, CallState, IdempotencyKey, MAX_ATTEMPTS};

fn in_state(state: CallState) -> Call {
    Call { state, ..free() }
}

#[test]
fn a_free_call_is_forwarded_and_each_is_a_call_of_its_own_unless_a_key_names_it() {
    let new = |key| NewCall { key, currency: None, replaces: None, reason: OfferReason::First };
    assert_eq!(asking().for_free().decide(), Step::CheckSchema);
    assert_eq!(asking().for_free().that_fits().decide(), Step::CallFree(new(None)));
    let named = Some(IdempotencyKey::Client("k".into()));
    assert_eq!(asking().for_free().with_key("k").that_fits().decide(), Step::CallFree(new(named)));
}

#[test]
fn the_currency_of_a_new_free_call_does_not_matter() {
    assert!(matches!(asking().for_free().in_an_unsupported_currency().that_fits().decide(), Step::CallFree(_)));
}

#[test]
fn the_same_key_again_after_a_free_delivery_is_the_stored_answer() {
    let asked = asking().for_free().with_key("k").that_meets(in_state(CallState::Delivered { response: None }));
    assert_eq!(asked.decide(), Step::Replay(free_key()));
}

#[test]
fn a_failed_free_call_is_tried_again_under_its_key_and_the_provider_is_not_asked() {
    let asked = asking().for_free().with_key("k").that_meets(free());
    assert_eq!(asked.decide(), Step::Deliver { call: free_key(), settle: false });
}

#[test]
fn a_free_call_with_a_key_is_held_to_the_listings_state_and_limits() {
    let again = || asking().for_free().with_key("k").that_meets(free());
    for why in [ListingClosed::NotActive, ListingClosed::NoEndpoint, ListingClosed::Paused] {
        let closed = Step::Refuse(Refusal::ListingClosed { why, keep_payment: false });
        assert_eq!(again().while_closed(why).decide(), closed);
    }
    for why in [TrafficRefusal::RateLimited, TrafficRefusal::Busy { in_flight: 20 }] {
        assert_eq!(again().under_traffic(why).decide(), Step::Refuse(Refusal::Traffic(why)));
    }
}

#[test]
fn a_free_call_is_tried_at_most_20_times() {
    let times = u32::try_from(MAX_ATTEMPTS).expect("few");
    let asked = asking().for_free().with_key("k").that_meets(free().attempted(times - 1));
    assert_eq!(asked.decide(), Step::Close(free_key()));
    let closed = asking().for_free().with_key("k").that_meets(in_state(CallState::Undelivered));
    assert_eq!(closed.decide(), Step::Refuse(Refusal::Undelivered(free_key())));
}

#[test]
fn a_free_call_that_is_with_the_seller_is_in_progress_until_its_lease_is_over() {
    let delivering = |lease_until_ms| in_state(CallState::Delivering { lease_until_ms, token: "attempt".into() });
    let again = |call| asking().for_free().with_key("k").that_meets(call).decide();
    assert_eq!(again(delivering(NOW + 1)), Step::Refuse(Refusal::InProgress(free_key())));
    assert_eq!(again(delivering(NOW)), Step::Deliver { call: free_key(), settle: false });
}

#[test]
fn a_paid_call_of_a_listing_that_became_free_is_still_the_paid_call() {
    for asked in [asking(), asking().with_key("k"), asking().with_payment_id()] {
        let asked = asked.for_free().that_meets(quoted("p1")).provider_says(FILLED);
        assert_eq!(asked.decide(), Step::Deliver { call: key("p1"), settle: true });
    }
}

#[test]
fn a_failed_payment_of_a_listing_that_became_free_is_replaced_by_one_free_call_that_the_id_names() {
    let asked = asking().with_payment_id().for_free().that_fits().that_meets(failed("p1")).provider_says(failed_fact());
    let Step::CallFree(new) = asked.succeeded(key("p1"), None).decide() else { panic!("a free call") };
    assert_eq!((new.key, new.replaces), (Some(IdempotencyKey::Payment(key("p1"))), Some(key("p1"))));
    let asked = asking().with_payment_id().for_free().that_meets(failed("p1")).provider_says(failed_fact());
    let delivered = in_state(CallState::Delivered { response: None });
    let asked = asked.succeeded(key("p1"), Some(free_key())).and_knows(delivered);
    assert_eq!(asked.decide(), Step::Replay(free_key()), "not called twice");
}

#[test]
fn a_body_whose_quote_ended_is_a_new_free_call_each_time_once_the_listing_is_free() {
    let asked = asking().for_free().that_fits().that_meets(never_paid("p1")).provider_says(Fact::Waiting);
    let Step::CallFree(new) = asked.succeeded(key("p1"), None).decide() else { panic!("a free call") };
    assert_eq!(new.key, None);
}

#[test]
fn a_key_whose_quote_ended_names_the_free_call_once_the_listing_is_free() {
    let ended = never_paid("p1").with_idempotency_key("k");
    let asked = asking().with_key("k").for_free().that_fits().that_meets(ended).provider_says(Fact::Waiting);
    let Step::CallFree(new) = asked.succeeded(key("p1"), Some(key("p1"))).decide() else { panic!("a free call") };
    assert_eq!(new.key, Some(IdempotencyKey::Client("k".into())));
}
