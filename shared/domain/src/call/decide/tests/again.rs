//! The same body again, after a call with it has ended.

use super::asking::{Asking, asking};
use super::calls::{HOUR, NOW, delivered, failed, failed_fact, free_and_delivered, key, quoted, settled, undelivered};
use super::steps::{EVERY_CLOSED, body_name, closed, delivers, offers, quote_of};
use crate::call::step::{NewCall, Offer, OfferReason, Refusal, Step};
use crate::call::view::Fact;
use crate::call::{Call, CallKey, PaymentState, RESPONSE_KEPT_MS};
use crate::currency::OriginCurrency;

/// A request by body after a delivery 47 hours ago.
fn after_delivery() -> Asking {
    asking().that_fits().that_meets(delivered("p1").delivered_at(NOW - 47 * HOUR))
}

fn another(delivered: Option<CallKey>) -> NewCall {
    NewCall { name: Some(body_name()), round: 1, currency: None, reason: OfferReason::First, delivered }
}

/// The open quote for buying the body again, and the delivered call.
fn asked_again(currency: OriginCurrency) -> Asking {
    let open = quoted("p2").in_round(1).in_currency(currency);
    asking().that_fits().that_meets(open).provider_says(Fact::Waiting).that_meets(delivered("p1").delivered_at(NOW - 47 * HOUR))
}

#[test]
fn same_body_after_delivery_with_neither_id_nor_key_is_a_new_call_that_names_the_delivered_one() {
    assert_eq!(asking().that_meets(delivered("p1")).decide(), Step::CheckSchema, "like any other new call");
    assert_eq!(quote_of(&after_delivery()), another(Some(key("p1"))));
}

#[test]
fn the_delivered_call_is_named_on_every_repeat() {
    let repeat =
        |by_payment_id| Offer { call: key("p2"), reason: OfferReason::NotSeen { by_payment_id }, delivered: Some(key("p1")) };
    assert_eq!(asked_again(OriginCurrency::Sol).decide(), Step::Offer(repeat(false)));
    let by_id = asked_again(OriginCurrency::Sol).with_payment_id(&key("p2"));
    let Step::LoadRecord(_) = by_id.decide() else { panic!("the record is read") };
    let by_id = asking().with_payment_id(&key("p2")).that_meets(quoted("p2").in_round(1)).provider_says(Fact::Waiting);
    assert_eq!(by_id.that_meets(delivered("p1")).decide(), Step::Offer(repeat(true)));
}

#[test]
fn the_delivered_call_is_named_in_every_currency() {
    for currency in OriginCurrency::ALL {
        assert_eq!(quote_of(&after_delivery().in_currency(currency)).delivered, Some(key("p1")));
        let Step::Offer(offer) = asked_again(currency).in_currency(currency).decide() else { panic!("an offer") };
        assert_eq!(offer.delivered, Some(key("p1")));
        if currency != OriginCurrency::Sol {
            let other = quote_of(&asked_again(OriginCurrency::Sol).in_currency(currency));
            assert_eq!((other.round, other.currency, other.delivered), (1, Some(currency), Some(key("p1"))));
        }
    }
}

#[test]
fn the_delivered_call_is_named_in_a_replacement() {
    let asked = asking().that_fits().that_meets(failed("p2").in_round(1)).provider_says(failed_fact());
    let new = quote_of(&asked.that_meets(delivered("p1")));
    assert_eq!((new.round, new.delivered), (1, Some(key("p1"))));
    assert!(matches!(new.reason, OfferReason::Replaces { call, how: PaymentState::Failed, .. } if call == key("p2")));
}

#[test]
fn the_delivered_call_is_named_for_48_h() {
    let asked = |now_ms| asking().that_fits().that_meets(delivered("p1").delivered_at(NOW)).at(now_ms);
    assert_eq!(quote_of(&asked(NOW + RESPONSE_KEPT_MS - 1)), another(Some(key("p1"))));
    assert_eq!(quote_of(&asked(NOW + RESPONSE_KEPT_MS)), another(None));
}

#[test]
fn a_free_delivery_is_not_named_as_one_that_was_paid_for() {
    assert_eq!(quote_of(&asking().that_fits().that_meets(free_and_delivered())), another(None));
}

#[test]
fn the_quote_of_the_new_call_is_met_by_every_repeat_though_the_old_call_is_listed() {
    let Step::Offer(offer) = asked_again(OriginCurrency::Sol).decide() else { panic!("the same quote again") };
    assert_eq!(offer.call, key("p2"));
    let paid = asking().that_meets(settled("p2").in_round(1)).that_meets(delivered("p1"));
    assert_eq!(paid.decide(), delivers("p2"));
}

#[test]
fn a_call_with_another_round_than_the_current_one_is_the_past() {
    let both = asking().that_fits().that_meets(delivered("p2").in_round(1)).that_meets(delivered("p1"));
    let new = quote_of(&both);
    assert_eq!((new.round, new.delivered), (2, Some(key("p2"))));
}

#[test]
fn same_body_after_delivery_at_a_closed_listing_is_refused() {
    for why in EVERY_CLOSED {
        assert_eq!(after_delivery().while_closed(why).decide(), closed(why, None));
    }
}

#[test]
fn the_same_body_after_a_call_that_closed_as_undelivered_is_a_new_call_that_says_so() {
    let new = NewCall { reason: OfferReason::AfterUndelivered(key("p1")), ..another(None) };
    assert_eq!(quote_of(&asking().that_fits().that_meets(undelivered("p1"))), new);
}

#[test]
fn by_id_and_key_a_call_that_has_ended_is_never_a_new_one() {
    let asked =
        |call: Call| [asking().with_key("k").that_meets(call.clone()), asking().with_payment_id(&key("p1")).and_knows(call)];
    for asked in asked(delivered("p1")) {
        assert_eq!(asked.decide(), Step::Replay(key("p1")));
    }
    for asked in asked(undelivered("p1")) {
        assert_eq!(asked.decide(), Step::Refuse(Refusal::Undelivered(key("p1"))));
    }
}

#[test]
fn the_open_quote_of_a_call_by_key_says_nothing_of_what_was_delivered_before() {
    let open = quoted("p2").with_idempotency_key("k");
    let asked = asking().with_key("k").that_meets(open).provider_says(Fact::Waiting);
    assert_eq!(asked.decide(), offers("p2", OfferReason::NotSeen { by_payment_id: false }));
}
