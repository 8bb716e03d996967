//! Calls that are paid for: delivered, replayed, held back, closed.

use super::asking::{asking, each_way};
use super::calls::{FILLED, HOUR, MINUTE, NOW, delivered, delivering, key, overdue, quoted, refunded_fact, settled, undelivered};
use super::steps::{all_come_to, asks_about, delivers, settles_and_delivers};
use crate::call::step::{CallMove, Refusal, Step};
use crate::call::view::{Fact, ListingClosed, Obstacle, SchemaCheck, TrafficRefusal};
use crate::call::{CONFIRMED_FOR_MS, Call, CallState, MAX_ATTEMPTS, REDELIVER_MS, UNPRESENTED_MS};

fn unavailable(retry_after: Option<u64>) -> Step {
    Step::Refuse(Refusal::SellerUnavailable { call: key("p1"), retry_after })
}

/// A settled call that was presented in vain before.
fn presented() -> Call {
    settled("p1").presented_in_vain(NOW - 1)
}

#[test]
fn settled_is_forwarded_without_asking_the_provider_again() {
    all_come_to(each_way(&settled("p1")), &delivers("p1"));
}

#[test]
fn who_is_first_to_see_the_payment_settles_with_the_delivery() {
    all_come_to(each_way(&quoted("p1")).map(|asked| asked.provider_says(FILLED)), &settles_and_delivers("p1"));
}

#[test]
fn a_paid_id_may_be_retried_without_paying_again_after_the_seller_failed() {
    let tried = Call { settled_ms: Some(NOW - MINUTE), ..settled("p1").attempted(3) };
    all_come_to(each_way(&tried), &delivers("p1"));
}

#[test]
fn a_settled_call_is_delivered_whatever_the_listing_says_today() {
    let asked = each_way(&settled("p1")).map(|asked| asked.while_closed(ListingClosed::NotActive).checked(SchemaCheck::Fails));
    all_come_to(asked.map(|asked| asked.under_traffic(TrafficRefusal::RateLimited)), &delivers("p1"));
}

#[test]
fn less_time_left_than_the_seller_needs_settles_and_waits() {
    let held = each_way(&quoted("p1")).map(|asked| asked.provider_says(FILLED).held_back_by(Obstacle::NoTime));
    all_come_to(held, &Step::Settle(key("p1")));
    all_come_to(each_way(&settled("p1")).map(|asked| asked.held_back_by(Obstacle::NoTime)), &Step::Wait(key("p1")));
}

#[test]
fn a_paused_or_missing_endpoint_is_then_a_seller_failure() {
    for why in [ListingClosed::Paused, ListingClosed::NoEndpoint] {
        let first = each_way(&quoted("p1")).map(|asked| asked.provider_says(FILLED).while_closed(why));
        all_come_to(first, &Step::Settle(key("p1")));
        all_come_to(each_way(&presented()).map(|asked| asked.while_closed(why)), &unavailable(None));
    }
}

#[test]
fn an_open_circuit_is_seller_unavailable_and_nothing_is_lost() {
    let first = each_way(&quoted("p1")).map(|asked| asked.provider_says(FILLED).with_open_breaker(30));
    all_come_to(first, &Step::Settle(key("p1")));
    all_come_to(each_way(&presented()).map(|asked| asked.with_open_breaker(30)), &unavailable(Some(30)));
    let meanwhile = each_way(&presented()).map(|asked| asked.held_back_by(Obstacle::BreakerOpen(5)));
    all_come_to(meanwhile, &unavailable(Some(5)));
}

#[test]
fn the_first_time_that_a_settled_call_is_presented_and_kept_from_the_seller_is_noted() {
    let noted = Step::Move(key("p1"), CallMove::PresentedInVain);
    for why in [ListingClosed::Paused, ListingClosed::NoEndpoint] {
        all_come_to(each_way(&settled("p1")).map(|asked| asked.while_closed(why)), &noted);
    }
    all_come_to(each_way(&settled("p1")).map(|asked| asked.with_open_breaker(30)), &noted);
    for obstacle in [Obstacle::BreakerOpen(5), Obstacle::SecretLost] {
        all_come_to(each_way(&settled("p1")).map(|asked| asked.held_back_by(obstacle)), &noted);
    }
}

#[test]
fn a_lost_secret_is_a_seller_that_cannot_be_reached() {
    let first = each_way(&quoted("p1")).map(|asked| asked.provider_says(FILLED).held_back_by(Obstacle::SecretLost));
    all_come_to(first, &Step::Settle(key("p1")));
    all_come_to(each_way(&presented()).map(|asked| asked.held_back_by(Obstacle::SecretLost)), &unavailable(None));
}

#[test]
fn a_failure_of_ours_before_the_lease_settles_first_and_is_not_the_sellers() {
    let first = each_way(&quoted("p1")).map(|asked| asked.provider_says(FILLED).held_back_by(Obstacle::Failed));
    all_come_to(first, &Step::Settle(key("p1")));
    all_come_to(each_way(&settled("p1")).map(|asked| asked.held_back_by(Obstacle::Failed)), &Step::Refuse(Refusal::Failed));
}

#[test]
fn same_id_while_it_is_being_delivered_is_call_in_progress() {
    all_come_to(each_way(&delivering("p1", NOW + 1)), &Step::Refuse(Refusal::InProgress(key("p1"))));
}

#[test]
fn an_attempt_whose_lease_is_over_is_tried_again() {
    all_come_to(each_way(&delivering("p1", NOW)), &delivers("p1"));
}

#[test]
fn same_id_or_key_again_after_delivery_is_the_stored_answer_and_never_a_second_charge() {
    let gone = Call { state: CallState::Delivered { response: None }, ..delivered("p1") };
    let long_ago = delivered("p1").delivered_at(NOW - 1000 * HOUR);
    for call in [delivered("p1"), gone, long_ago] {
        let [_, by_key, by_id, with_its_record] = each_way(&call).map(|asked| asked.while_closed(ListingClosed::NotActive));
        all_come_to([by_key, by_id, with_its_record], &Step::Replay(key("p1")));
    }
}

#[test]
fn call_undelivered_from_then_on() {
    let [_, by_key, by_id, with_its_record] = each_way(&undelivered("p1"));
    all_come_to([by_key, by_id, with_its_record], &Step::Refuse(Refusal::Undelivered(key("p1"))));
}

#[test]
fn still_undelivered_24_h_after_it_was_first_presented_in_vain_the_call_closes() {
    // For the seller's reason: a failed attempt, or an endpoint that is paused, missing or kept away.
    let settled = || quoted("p1").settled_at(NOW - 25 * HOUR);
    for (in_vain_ms, step) in [(NOW - REDELIVER_MS, Step::Close(key("p1"))), (NOW - REDELIVER_MS + 1, delivers("p1"))] {
        for call in [settled().attempted_at(1, in_vain_ms), settled().presented_in_vain(in_vain_ms)] {
            all_come_to(each_way(&call), &asks_about(&["p1"]));
            all_come_to(each_way(&call).map(|asked| asked.provider_says(FILLED)), &step);
        }
    }
}

#[test]
fn a_call_that_nobody_presents_for_30_days_closes() {
    all_come_to(each_way(&overdue("p1")), &asks_about(&["p1"]));
    all_come_to(each_way(&overdue("p1")).map(|asked| asked.provider_says(FILLED)), &Step::Close(key("p1")));
    let in_time = quoted("p1").settled_at(NOW - UNPRESENTED_MS + 1);
    all_come_to(each_way(&in_time).map(|asked| asked.provider_says(FILLED)), &delivers("p1"));
}

#[test]
fn at_most_20_attempts_interrupted_ones_not_counted() {
    let failed = |times: usize| settled("p1").attempted(u32::try_from(times).expect("few"));
    all_come_to(each_way(&failed(MAX_ATTEMPTS)), &Step::Close(key("p1")));
    all_come_to(each_way(&failed(MAX_ATTEMPTS - 1)), &delivers("p1"));
    let interrupted = (0..MAX_ATTEMPTS + 5).fold(failed(MAX_ATTEMPTS - 1), |call, n| call.begun(n.to_string(), NOW, 2, NOW - 1));
    all_come_to(each_way(&interrupted), &delivers("p1"));
}

#[test]
fn an_overdue_call_closes_even_where_the_endpoint_is_paused_or_kept_away() {
    let confirmed = || each_way(&overdue("p1")).map(|asked| asked.provider_says(FILLED));
    all_come_to(confirmed().map(|asked| asked.while_closed(ListingClosed::Paused)), &Step::Close(key("p1")));
    all_come_to(confirmed().map(|asked| asked.with_open_breaker(30)), &Step::Close(key("p1")));
}

#[test]
fn an_abandoned_attempt_that_is_overdue_closes_once_its_lease_is_over() {
    let abandoned = |lease_until_ms| Call {
        state: CallState::Delivering { lease_until_ms, token: "attempt".into() },
        ..settled("p1").attempted_at(1, NOW - 25 * HOUR)
    };
    all_come_to(each_way(&abandoned(NOW)), &Step::Close(key("p1")));
    all_come_to(each_way(&abandoned(NOW + 1)), &Step::Refuse(Refusal::InProgress(key("p1"))));
}

/// A call that settled as long ago as a settlement is believed.
fn settled_long_ago() -> Call {
    quoted("p1").settled_at(NOW - CONFIRMED_FOR_MS)
}

#[test]
fn a_settlement_that_was_not_delivered_within_10_minutes_is_asked_about_once_more_before_it_is() {
    all_come_to(each_way(&quoted("p1").settled_at(NOW - CONFIRMED_FOR_MS + 1)), &delivers("p1"));
    all_come_to(each_way(&settled_long_ago()), &asks_about(&["p1"]));
    all_come_to(each_way(&settled_long_ago().begun("attempt".into(), NOW, 2, NOW - 1)), &asks_about(&["p1"]));
    all_come_to(each_way(&settled_long_ago()).map(|asked| asked.provider_says(FILLED)), &delivers("p1"));
}

#[test]
fn refunded_without_a_fill_it_is_reversed() {
    let reversed = Step::Move(key("p1"), CallMove::Reversed);
    for call in [settled_long_ago(), overdue("p1")] {
        all_come_to(each_way(&call).map(|asked| asked.provider_says(refunded_fact())), &reversed);
    }
    let after = settled_long_ago().reversed(NOW);
    let [by_body, by_key, _, by_id] = each_way(&after).map(|asked| asked.that_fits().provider_says(refunded_fact()));
    for asked in [by_body, by_key, by_id] {
        assert!(matches!(asked.decide(), Step::Quote(_)), "it goes on as a call whose payment was refunded");
    }
}

#[test]
fn where_the_provider_gives_no_answer_about_a_settlement_it_is_delivered() {
    for fact in [Fact::Unreachable, Fact::Unknown, Fact::Waiting, Fact::Pending] {
        all_come_to(each_way(&settled_long_ago()).map(|asked| asked.provider_says(fact.clone())), &delivers("p1"));
    }
}

#[test]
fn an_overdue_call_is_not_closed_while_the_provider_does_not_answer_and_another_that_is_paid_wins_over_it() {
    for fact in [Fact::Unknown, Fact::Waiting, Fact::Pending] {
        all_come_to(each_way(&overdue("p1")).map(|asked| asked.provider_says(fact.clone())), &Step::Close(key("p1")));
    }
    let in_doubt = || each_way(&overdue("p1")).map(|asked| asked.provider_says(Fact::Unreachable));
    all_come_to(in_doubt(), &Step::Refuse(Refusal::ProviderUnavailable));
    let [by_body, ..] = in_doubt();
    all_come_to([by_body.that_meets(settled("p2"))], &delivers("p2"));
}

#[test]
fn a_free_call_is_not_asked_about_however_long_ago_it_was_made() {
    let free = Call { created_ms: NOW - 24 * HOUR, ..super::calls::free() };
    let asked = asking().for_free().with_key("k").that_meets(free);
    assert!(matches!(asked.decide(), Step::Deliver { settle: false, .. }));
}
