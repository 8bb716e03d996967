//! Free calls, and listings that became free.

use super::asking::{Asking, asking, each_way_with_its_record};
use super::calls::{NOW, closing, failed, failed_fact, free, free_and_delivered, free_key, key, never_paid, quoted};
use super::steps::{EVERY_CLOSED, all_come_to, asks_about, body_name, closed, first, free_call_of, key_name, quote_of};
use crate::call::step::{CallMove, NewCall, Refusal, Step};
use crate::call::view::{Fact, Race, TrafficRefusal};
use crate::call::{Call, CallState, MAX_ATTEMPTS, PaymentState};

fn in_state(state: CallState) -> Call {
    Call { state, ..free() }
}

/// A request with a key at a free listing that leads to this call.
fn again(call: Call) -> Asking {
    asking().for_free().with_key("k").that_meets(call)
}

#[test]
fn a_free_call_without_a_key_is_a_call_of_its_own_that_is_not_recorded() {
    let asked = || asking().for_free().that_reads_no_record();
    assert_eq!(asked().decide(), Step::CheckSchema);
    assert_eq!(free_call_of(&asked().that_fits()), NewCall { name: None, ..first(body_name()) });
}

#[test]
fn a_free_call_is_recorded_under_its_key_and_under_its_body_where_a_quote_may_be_open() {
    assert_eq!(free_call_of(&asking().for_free().with_key("k").that_fits()), first(key_name()));
    assert_eq!(free_call_of(&asking().for_free().that_fits()), first(body_name()));
}

#[test]
fn the_currency_of_a_new_free_call_does_not_matter() {
    free_call_of(&asking().for_free().in_an_unsupported_currency().that_fits());
}

#[test]
fn the_same_key_again_after_a_free_delivery_is_the_stored_answer() {
    assert_eq!(again(free_and_delivered()).decide(), Step::Replay(free_key()));
}

#[test]
fn the_same_body_again_after_a_free_delivery_is_a_new_free_call() {
    let new = free_call_of(&asking().for_free().that_fits().that_meets(free_and_delivered()));
    assert_eq!((new.name, new.round, new.delivered), (Some(body_name()), 1, None));
}

#[test]
fn a_failed_free_call_is_tried_again_under_its_key_and_the_provider_is_not_asked() {
    assert_eq!(again(free()).decide(), Step::Deliver { call: free_key(), settle: false });
}

#[test]
fn a_failed_free_call_is_over_when_the_listing_has_a_price() {
    let over = Step::Move(free_key(), CallMove::Expired(PaymentState::Waiting));
    let ask = |call: Call| [asking().with_key("k"), asking()].map(|asked| asked.that_fits().that_meets(call.clone()));
    all_come_to(ask(free()), &over);
    all_come_to(ask(in_state(CallState::Delivering { lease_until_ms: NOW, token: "attempt".into() })), &over);
    for asked in ask(free().expired(PaymentState::Waiting, NOW)) {
        assert_eq!(NewCall { name: None, ..quote_of(&asked) }, NewCall { name: None, ..first(body_name()) });
    }
}

#[test]
fn a_free_call_with_a_key_is_held_to_the_listings_state_and_limits() {
    for why in EVERY_CLOSED {
        assert_eq!(again(free()).while_closed(why).decide(), closed(why, None));
    }
    for why in [TrafficRefusal::RateLimited, TrafficRefusal::Busy { in_flight: 20 }] {
        assert_eq!(again(free()).under_traffic(why).decide(), Step::Refuse(Refusal::Traffic(why)));
    }
    let unavailable = Step::Refuse(Refusal::SellerUnavailable { call: free_key(), retry_after: Some(30) });
    assert_eq!(again(free()).with_open_breaker(30).decide(), unavailable, "nothing is owed, so nothing is noted");
}

#[test]
fn a_free_call_is_tried_at_most_20_times() {
    let times = u32::try_from(MAX_ATTEMPTS).expect("few");
    assert_eq!(again(free().attempted(times - 1)).decide(), Step::Close(free_key()));
    assert_eq!(again(in_state(CallState::Undelivered)).decide(), Step::Refuse(Refusal::Undelivered(free_key())));
}

#[test]
fn a_free_call_that_is_with_the_seller_is_in_progress_until_its_lease_is_over() {
    let delivering = |lease_until_ms| in_state(CallState::Delivering { lease_until_ms, token: "attempt".into() });
    assert_eq!(again(delivering(NOW + 1)).decide(), Step::Refuse(Refusal::InProgress(free_key())));
    assert_eq!(again(delivering(NOW)).decide(), Step::Deliver { call: free_key(), settle: false });
}

#[test]
fn a_listing_that_became_free_serves_the_call_whose_quote_nobody_has_paid() {
    for call in [quoted("p1"), closing("p1")] {
        all_come_to(each_way_with_its_record(&call).map(Asking::for_free), &asks_about(&["p1"]));
        let served = each_way_with_its_record(&call).map(|asked| asked.for_free().that_fits().provider_says(Fact::Waiting));
        for (asked, name) in served.iter().zip([body_name(), key_name(), body_name()]) {
            let new = free_call_of(asked);
            assert_eq!((new.name, new.round), (Some(name), 0), "it is the same call");
        }
    }
}

#[test]
fn a_listing_that_became_free_serves_the_call_whose_payment_came_to_nothing() {
    for (call, fact) in [(failed("p1"), failed_fact()), (never_paid("p1"), Fact::Waiting)] {
        for asked in each_way_with_its_record(&call) {
            let new = free_call_of(&asked.for_free().that_fits().provider_says(fact.clone()));
            assert_eq!(new.round, 0);
        }
    }
}

#[test]
fn where_the_provider_does_not_answer_about_an_old_quote_of_a_free_listing_nothing_is_called() {
    let asked = each_way_with_its_record(&quoted("p1"));
    let asked = asked.map(|asked| asked.for_free().that_fits().provider_says(Fact::Unreachable));
    all_come_to(asked, &Step::Refuse(Refusal::ProviderUnavailable));
}

#[test]
fn the_id_of_a_quote_is_served_for_free_once_and_its_answer_is_replayed() {
    let by_id = asking().with_payment_id(&key("p1")).for_free().that_meets(free_and_delivered());
    assert_eq!(by_id.that_meets(failed("p1")).provider_says(failed_fact()).decide(), Step::Replay(free_key()));
}

#[test]
fn many_payments_that_may_be_filled_do_not_stop_a_free_call() {
    let meets = |asked: Asking, n: i32| asked.that_meets(failed(&format!("p{n}"))).provider_says(failed_fact());
    free_call_of(&(0..20).fold(asking().for_free().that_fits(), meets));
}

#[test]
fn a_parallel_free_call_that_has_not_arrived_yet_does_not_stop_this_one() {
    free_call_of(&asking().for_free().that_fits().after(Race::Created));
}
