//! Before there is a payment: refusals, the price probe, the first quote, and the same quote again.

use super::asking::{asking, each_way, each_way_with_its_record};
use super::calls::{FILLED, NOW, closing, key, pending, quoted, timed_out};
use super::steps::{
    EVERY_CLOSED, all_come_to, asks_about, body_name, closed, first, key_name, not_seen, not_seen_by_id, quote_of, replaces,
    settles_and_delivers,
};
use crate::call::PaymentState;
use crate::call::step::{CallMove, Refusal, Step};
use crate::call::view::{BodyView, Fact, SchemaCheck, TrafficRefusal};

#[test]
fn not_active_endpoint_paused_and_no_endpoint_are_refused() {
    for why in EVERY_CLOSED {
        let asked = [asking(), asking().with_key("k"), asking().for_free().that_reads_no_record()];
        all_come_to(asked.map(|asked| asked.while_closed(why)), &closed(why, None));
    }
}

#[test]
fn a_closed_listing_is_named_before_a_bad_body() {
    for why in EVERY_CLOSED {
        for body in [BodyView::Empty, BodyView::Invalid] {
            assert_eq!(asking().while_closed(why).with_body(body).decide(), closed(why, None));
        }
    }
}

#[test]
fn a_body_that_is_not_json_is_invalid_json() {
    let asked = [asking(), asking().with_key("k"), asking().for_free()].into_iter().chain(each_way(&quoted("p1")));
    all_come_to(asked.map(|asked| asked.with_body(BodyView::Invalid)), &Step::Refuse(Refusal::InvalidBody));
}

#[test]
fn a_body_that_fails_input_schema_is_refused() {
    let asked = [asking(), asking().with_key("k"), asking().for_free()].map(|asked| asked.checked(SchemaCheck::Fails));
    all_come_to(asked, &Step::Refuse(Refusal::SchemaMismatch));
}

#[test]
fn a_call_is_checked_before_it_is_asked_for_money() {
    assert_eq!(asking().decide(), Step::CheckSchema);
    assert_eq!(asking().with_open_breaker(9).under_traffic(TrafficRefusal::RateLimited).decide(), Step::CheckSchema);
}

#[test]
fn a_zero_byte_body_is_a_price_probe_and_on_a_free_listing_invalid_json() {
    let probe = || asking().with_body(BodyView::Empty);
    all_come_to([probe(), probe().with_key("k"), probe().that_meets(quoted("p1"))], &Step::Probe);
    assert_eq!(probe().in_an_unsupported_currency().decide(), Step::Refuse(Refusal::UnsupportedCurrency));
    assert_eq!(probe().for_free().decide(), Step::Refuse(Refusal::InvalidBody));
}

#[test]
fn a_zero_byte_body_with_a_payment_id_is_invalid_json() {
    let step = asking().with_payment_id(&key("p1")).and_knows(quoted("p1")).with_body(BodyView::Empty).decide();
    assert_eq!(step, Step::Refuse(Refusal::InvalidBody));
}

#[test]
fn paid_listing_no_payment_yet_is_payment_required() {
    assert_eq!(quote_of(&asking().that_fits()), first(body_name()));
    assert_eq!(quote_of(&asking().with_key("k").that_fits()), first(key_name()));
}

#[test]
fn the_same_call_again_while_the_quote_is_valid_gets_the_same_one_and_the_provider_is_asked_first() {
    all_come_to(each_way(&quoted("p1")), &asks_about(&["p1"]));
    for last_ms in [NOW, quoted("p1").payment.expect("a quote").expires_ms - 1] {
        let [by_body, by_key, by_id] =
            each_way_with_its_record(&quoted("p1")).map(|asked| asked.provider_says(Fact::Waiting).at(last_ms));
        all_come_to([by_body, by_key], &not_seen("p1"));
        assert_eq!(by_id.decide(), not_seen_by_id("p1"));
    }
}

#[test]
fn with_an_id_for_which_no_deposit_is_seen_its_record_is_read() {
    let by_id = || asking().with_payment_id(&key("p1")).and_knows(quoted("p1")).provider_says(Fact::Waiting);
    assert_eq!(by_id().decide(), Step::LoadRecord(key("p1")));
    assert_eq!(by_id().without_a_record().decide(), not_seen_by_id("p1"));
}

#[test]
fn an_open_quote_is_offered_again_whatever_the_schema_breaker_and_traffic_say() {
    let step = asking()
        .that_meets(quoted("p1"))
        .provider_says(Fact::Waiting)
        .checked(SchemaCheck::Fails)
        .with_open_breaker(9)
        .under_traffic(TrafficRefusal::RateLimited)
        .decide();
    assert_eq!(step, not_seen("p1"));
}

#[test]
fn a_deposit_that_is_seen_without_the_id_counts_as_if_the_id_had_been_sent() {
    all_come_to(each_way(&quoted("p1")).map(|asked| asked.provider_says(FILLED)), &settles_and_delivers("p1"));
    let seen = Step::Move(key("p1"), CallMove::DepositSeen);
    all_come_to(each_way(&quoted("p1")).map(|asked| asked.provider_says(Fact::Pending)), &seen);
    all_come_to(each_way(&pending("p1")).map(|asked| asked.provider_says(Fact::Pending)), &Step::Wait(key("p1")));
}

#[test]
fn an_open_quote_is_honoured_before_the_listings_state_is_held_against_the_buyer() {
    for why in EVERY_CLOSED {
        all_come_to(each_way(&quoted("p1")).map(|asked| asked.while_closed(why)), &asks_about(&["p1"]));
    }
}

#[test]
fn the_open_quote_of_a_closed_listing_is_not_offered_but_named_by_body_key_and_id() {
    for call in [quoted("p1"), closing("p1")] {
        for why in EVERY_CLOSED {
            let asked = each_way_with_its_record(&call).map(|asked| asked.provider_says(Fact::Waiting).while_closed(why));
            all_come_to(asked, &closed(why, Some(key("p1"))));
        }
    }
}

#[test]
fn a_quote_in_another_currency_is_named_when_the_listing_is_closed() {
    use crate::currency::OriginCurrency::Eth;
    for why in EVERY_CLOSED {
        let asked = asking().in_currency(Eth).that_meets(quoted("p1")).provider_says(Fact::Waiting).while_closed(why);
        assert_eq!(asked.decide(), closed(why, Some(key("p1"))));
    }
}

#[test]
fn a_listing_that_became_cheaper_keeps_the_old_quote_until_its_closing_ends_then_the_new_price_is_quoted() {
    // The price is no part of what is decided: a new quote takes that of the listing.
    for asked in each_way_with_its_record(&quoted("p1")) {
        assert!(matches!(asked.provider_says(Fact::Waiting).decide(), Step::Offer(offer) if offer.call == key("p1")));
    }
    for asked in each_way_with_its_record(&closing("p1")) {
        assert!(matches!(asked.provider_says(Fact::Waiting).decide(), Step::Closing(..)));
    }
    for asked in each_way_with_its_record(&timed_out("p1").expired(PaymentState::Waiting, NOW)) {
        let new = quote_of(&asked.that_fits().provider_says(Fact::Waiting));
        assert_eq!(new.reason, replaces("p1", PaymentState::Waiting));
    }
}

#[test]
fn the_sellers_rate_limit_and_too_many_calls_at_once_refuse_before_anything_is_quoted() {
    for why in [TrafficRefusal::RateLimited, TrafficRefusal::Busy { in_flight: 20 }] {
        let asked = [asking(), asking().for_free()].map(|asked| asked.that_fits().under_traffic(why));
        all_come_to(asked, &Step::Refuse(Refusal::Traffic(why)));
    }
}

#[test]
fn while_the_breaker_is_open_nothing_is_quoted() {
    let asked = [asking(), asking().for_free()].map(|asked| asked.that_fits().with_open_breaker(30));
    all_come_to(asked, &Step::Refuse(Refusal::BreakerOpen { retry_after: 30 }));
}

#[test]
fn a_new_call_in_an_unsupported_currency_is_refused() {
    let refused = Step::Refuse(Refusal::UnsupportedCurrency);
    assert_eq!(asking().in_an_unsupported_currency().that_fits().decide(), refused);
}
