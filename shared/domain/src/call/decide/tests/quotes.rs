//! Before there is a payment: refusals, the price probe, the first quote, and the same quote again.

use super::asking::asking;
use super::calls::{FILLED, closing, key, never_paid, quoted, timed_out};
use crate::call::step::{NewCall, OfferReason, PaymentMove, Refusal, Step};
use crate::call::view::{BodyView, Fact, ListingClosed, SchemaCheck, TrafficRefusal};
use crate::call::{IdempotencyKey, PaymentState};

const EVERY_CLOSED: [ListingClosed; 3] = [ListingClosed::NotActive, ListingClosed::NoEndpoint, ListingClosed::Paused];

fn first(key: Option<&str>) -> NewCall {
    let key = key.map(|key| IdempotencyKey::Client(key.into()));
    NewCall { key, currency: None, replaces: None, reason: OfferReason::First }
}

fn listing_closed(why: ListingClosed) -> Step {
    Step::Refuse(Refusal::ListingClosed { why, keep_payment: false })
}

fn not_seen(by_payment_id: bool) -> Step {
    Step::Offer(key("p1"), OfferReason::NotSeen { by_payment_id })
}

#[test]
fn not_active_endpoint_paused_and_no_endpoint_are_refused() {
    for why in EVERY_CLOSED {
        assert_eq!(asking().while_closed(why).decide(), listing_closed(why));
        assert_eq!(asking().with_key("k").while_closed(why).decide(), listing_closed(why));
        assert_eq!(asking().for_free().while_closed(why).decide(), listing_closed(why));
    }
}

#[test]
fn a_closed_listing_is_named_before_a_bad_body() {
    for why in EVERY_CLOSED {
        for body in [BodyView::Empty, BodyView::Invalid] {
            assert_eq!(asking().while_closed(why).with_body(body).decide(), listing_closed(why));
        }
    }
}

#[test]
fn a_body_that_is_not_json_is_invalid_json() {
    let refused = Step::Refuse(Refusal::InvalidBody);
    assert_eq!(asking().with_body(BodyView::Invalid).decide(), refused);
    assert_eq!(asking().with_key("k").with_body(BodyView::Invalid).decide(), refused);
    assert_eq!(asking().for_free().with_body(BodyView::Invalid).decide(), refused);
    assert_eq!(asking().with_payment_id().that_meets(quoted("p1")).with_body(BodyView::Invalid).decide(), refused);
}

#[test]
fn a_body_that_fails_input_schema_is_refused() {
    assert_eq!(asking().checked(SchemaCheck::Fails).decide(), Step::Refuse(Refusal::SchemaMismatch));
    assert_eq!(asking().for_free().checked(SchemaCheck::Fails).decide(), Step::Refuse(Refusal::SchemaMismatch));
}

#[test]
fn a_call_is_checked_before_it_is_asked_for_money() {
    assert_eq!(asking().decide(), Step::CheckSchema);
    assert_eq!(asking().with_open_breaker(9).under_traffic(TrafficRefusal::RateLimited).decide(), Step::CheckSchema);
}

#[test]
fn a_zero_byte_body_is_a_price_probe_and_on_a_free_listing_invalid_json() {
    let probe = || asking().with_body(BodyView::Empty);
    assert_eq!(probe().decide(), Step::Probe);
    assert_eq!(probe().with_key("k").decide(), Step::Probe);
    assert_eq!(probe().for_free().decide(), Step::Refuse(Refusal::InvalidBody));
}

#[test]
fn a_zero_byte_body_with_a_payment_id_is_invalid_json() {
    let step = asking().with_payment_id().that_meets(quoted("p1")).with_body(BodyView::Empty).decide();
    assert_eq!(step, Step::Refuse(Refusal::InvalidBody));
}

#[test]
fn a_paid_listing_without_payment_is_quoted() {
    assert_eq!(asking().that_fits().decide(), Step::Quote(first(None)));
    assert_eq!(asking().with_key("k").that_fits().decide(), Step::Quote(first(Some("k"))));
}

#[test]
fn a_new_call_in_an_unsupported_currency_is_refused() {
    assert_eq!(asking().in_an_unsupported_currency().that_fits().decide(), Step::Refuse(Refusal::UnsupportedCurrency));
}

#[test]
fn asked_again_without_the_id_or_with_it_the_provider_is_asked_first() {
    let ask = Step::AskProvider(vec![key("p1")]);
    assert_eq!(asking().that_meets(quoted("p1")).decide(), ask);
    assert_eq!(asking().with_key("k").that_meets(quoted("p1")).decide(), ask);
    assert_eq!(asking().with_payment_id().that_meets(quoted("p1")).decide(), ask);
}

#[test]
fn the_same_call_again_while_the_quote_is_valid_gets_the_same_one_and_hears_that_no_payment_was_seen() {
    assert_eq!(asking().that_meets(quoted("p1")).provider_says(Fact::Waiting).decide(), not_seen(false));
    assert_eq!(asking().with_key("k").that_meets(quoted("p1")).provider_says(Fact::Waiting).decide(), not_seen(false));
    assert_eq!(asking().with_payment_id().that_meets(quoted("p1")).provider_says(Fact::Waiting).decide(), not_seen(true));
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
    assert_eq!(step, not_seen(false));
}

#[test]
fn a_deposit_that_is_seen_without_the_id_counts_as_if_the_id_had_been_sent() {
    for asked in [asking(), asking().with_key("k"), asking().with_payment_id()] {
        let asked = asked.that_meets(quoted("p1")).provider_says(FILLED);
        assert_eq!(asked.decide(), Step::Deliver { call: key("p1"), settle: true });
    }
    for asked in [asking(), asking().with_key("k"), asking().with_payment_id()] {
        let asked = asked.that_meets(quoted("p1")).provider_says(Fact::Pending);
        assert_eq!(asked.decide(), Step::Move(key("p1"), PaymentMove::DepositSeen));
    }
}

#[test]
fn an_open_quote_is_honoured_before_the_listings_state_is_held_against_the_buyer() {
    for why in EVERY_CLOSED {
        for asked in [asking(), asking().with_key("k"), asking().with_payment_id()] {
            assert_eq!(asked.that_meets(quoted("p1")).while_closed(why).decide(), Step::AskProvider(vec![key("p1")]));
        }
    }
}

#[test]
fn an_open_quote_of_a_closed_listing_is_not_offered_and_who_sends_its_id_is_told_to_keep_it() {
    for why in EVERY_CLOSED {
        let closed = |keep_payment| Step::Refuse(Refusal::ListingClosed { why, keep_payment });
        let meets = |asked: super::asking::Asking| asked.that_meets(quoted("p1")).provider_says(Fact::Waiting).while_closed(why);
        assert_eq!(meets(asking()).decide(), closed(false));
        assert_eq!(meets(asking().with_key("k")).decide(), closed(false));
        assert_eq!(meets(asking().with_payment_id()).decide(), closed(true));
    }
}

#[test]
fn a_quote_between_expires_at_and_its_ttl_is_no_longer_offered_but_settles_if_it_is_paid() {
    let by_id = || asking().with_payment_id().that_meets(closing("p1"));
    let is_closing = OfferReason::NotSeenAndClosing { ends_in_ms: 60_000 };
    assert_eq!(by_id().provider_says(Fact::Waiting).decide(), Step::Offer(key("p1"), is_closing));
    assert_eq!(by_id().provider_says(FILLED).decide(), Step::Deliver { call: key("p1"), settle: true });
    for asked in [asking(), asking().with_key("k")] {
        let asked = asked.that_meets(closing("p1")).provider_says(Fact::Waiting);
        assert_eq!(asked.decide(), Step::FindSuccessor(key("p1")), "without its id it is replaced");
    }
}

#[test]
fn an_open_quote_stands_at_a_listing_that_became_free() {
    let asked = asking().for_free().that_meets(quoted("p1"));
    assert_eq!(asked.decide(), Step::AskProvider(vec![key("p1")]));
    assert_eq!(asked.provider_says(Fact::Waiting).decide(), not_seen(false));
}

#[test]
fn ttl_over_and_nothing_paid_expires_the_quote_and_a_new_one_says_why() {
    let never = PaymentMove::Expired(PaymentState::Waiting);
    for asked in [asking(), asking().with_key("k"), asking().with_payment_id()] {
        let asked = asked.that_meets(timed_out("p1")).provider_says(Fact::Waiting);
        assert_eq!(asked.decide(), Step::Move(key("p1"), never));
    }
    let asked = asking().that_fits().that_meets(never_paid("p1")).provider_says(Fact::Waiting).succeeded(key("p1"), None);
    let Step::Quote(new) = asked.decide() else { panic!("a new quote") };
    let reason = OfferReason::Replaces { call: key("p1"), how: PaymentState::Waiting, provider_reason: None };
    assert_eq!((new.replaces, new.reason), (Some(key("p1")), reason));
}

#[test]
fn the_sellers_rate_limit_and_too_many_calls_at_once_refuse_before_anything_is_quoted() {
    for why in [TrafficRefusal::RateLimited, TrafficRefusal::Busy { in_flight: 20 }] {
        assert_eq!(asking().that_fits().under_traffic(why).decide(), Step::Refuse(Refusal::Traffic(why)));
        assert_eq!(asking().for_free().that_fits().under_traffic(why).decide(), Step::Refuse(Refusal::Traffic(why)));
    }
}

#[test]
fn while_the_breaker_is_open_nothing_is_quoted() {
    let refused = Step::Refuse(Refusal::BreakerOpen { retry_after: 30 });
    assert_eq!(asking().that_fits().with_open_breaker(30).decide(), refused);
    assert_eq!(asking().for_free().that_fits().with_open_breaker(30).decide(), refused);
}
