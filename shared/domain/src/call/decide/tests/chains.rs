//! Quotes that replace one another. Whichever of them is paid, nobody is led to pay twice.

use super::asking::{Asking, asking};
use super::calls::{
    FILLED, NOW, closing, delivered, delivering, failed, failed_fact, free, free_key, key, overdue, pending, quoted, settled,
    undelivered,
};
use crate::call::step::{NewCall, OfferReason, PaymentMove, Refusal, Step};
use crate::call::view::{Fact, ListingClosed, Payout, SchemaCheck, TrafficRefusal};
use crate::call::{Call, CallState, IdempotencyKey, PaymentState};
use crate::currency::OriginCurrency;

/// A request that leads to the quote `p2`, which nobody has paid and which replaces `p1`.
fn meets_second(asked: Asking) -> Asking {
    asked.that_meets(quoted("p2").replacing("p1")).provider_says(Fact::Waiting)
}

/// A request that leads to the failed payment `p1`.
fn meets_failed(asked: Asking) -> Asking {
    asked.that_meets(failed("p1")).provider_says(failed_fact())
}

fn each_way() -> [Asking; 3] {
    [asking(), asking().with_key("k"), asking().with_payment_id()]
}

fn why_replaced() -> OfferReason {
    OfferReason::Replaces { call: key("p1"), how: PaymentState::Failed, provider_reason: Some("no liquidity".into()) }
}

fn replacement(name: Option<&str>) -> NewCall {
    NewCall {
        key: name.map(|name| IdempotencyKey::Client(name.into())),
        currency: Some(OriginCurrency::Sol),
        replaces: Some(key("p1")),
        reason: why_replaced(),
    }
}

#[test]
fn before_a_replacement_is_offered_again_the_quote_before_it_is_read_and_asked_about() {
    for asked in each_way() {
        let asked = meets_second(asked);
        assert_eq!(asked.decide(), Step::Load(key("p1")));
        assert_eq!(asked.and_knows(failed("p1")).decide(), Step::AskProvider(vec![key("p1")]));
    }
}

#[test]
fn a_replacement_is_offered_again_once_nothing_was_paid_before_it() {
    for fact in [Fact::Waiting, failed_fact()] {
        let asked = meets_second(asking().with_key("k")).and_knows(failed("p1")).provider_says(fact);
        assert_eq!(asked.decide(), Step::Offer(key("p2"), OfferReason::NotSeen { by_payment_id: false }));
    }
}

#[test]
fn a_failed_quote_that_was_paid_after_all_is_delivered_to_whoever_repeats_the_call() {
    for asked in each_way() {
        let asked = meets_second(asked).and_knows(failed("p1")).provider_says(FILLED);
        assert_eq!(asked.decide(), Step::Deliver { call: key("p1"), settle: true });
    }
}

#[test]
fn a_failed_quote_whose_deposit_is_seen_after_all_is_waited_for() {
    for asked in each_way() {
        let asked = meets_second(asked).and_knows(failed("p1")).provider_says(Fact::Pending);
        assert_eq!(asked.decide(), Step::Move(key("p1"), PaymentMove::DepositSeen));
    }
    for asked in each_way() {
        let asked = meets_second(asked).and_knows(pending("p1")).provider_says(Fact::Pending);
        assert_eq!(asked.decide(), Step::Wait(key("p1")));
    }
}

#[test]
fn a_fill_of_the_quote_before_that_is_not_recorded_or_differs_offers_nothing() {
    for asked in each_way() {
        let asked = meets_second(asked).and_knows(failed("p1")).provider_says(Fact::Filled(Payout::NotRecorded));
        assert_eq!(asked.decide(), Step::Refuse(Refusal::PayoutNotRecorded));
    }
    for asked in each_way() {
        let asked = meets_second(asked).and_knows(pending("p1")).provider_says(Fact::Filled(Payout::Differs));
        assert_eq!(asked.decide(), Step::Refuse(Refusal::PaymentMismatch(key("p1"))));
    }
}

#[test]
fn where_the_provider_does_not_answer_about_the_quote_before_nothing_is_offered() {
    for asked in each_way() {
        let asked = meets_second(asked).and_knows(failed("p1")).provider_says(Fact::Unreachable);
        assert_eq!(asked.decide(), Step::Refuse(Refusal::ProviderUnavailable));
    }
}

#[test]
fn a_quote_before_that_has_settled_is_gone_on_with_and_nobody_is_asked() {
    for asked in each_way() {
        assert_eq!(meets_second(asked).and_knows(settled("p1")).decide(), Step::Deliver { call: key("p1"), settle: false });
    }
    for asked in each_way() {
        let in_progress = Step::Refuse(Refusal::InProgress(key("p1")));
        assert_eq!(meets_second(asked).and_knows(delivering("p1", NOW + 1)).decide(), in_progress);
    }
    for asked in each_way() {
        assert_eq!(meets_second(asked).and_knows(overdue("p1")).decide(), Step::Close(key("p1")));
    }
}

#[test]
fn a_quote_before_that_was_delivered_is_the_stored_answer_by_id_and_key_and_the_past_by_body() {
    for asked in [asking().with_key("k"), asking().with_payment_id()] {
        assert_eq!(meets_second(asked).and_knows(delivered("p1")).decide(), Step::Replay(key("p1")));
    }
    let by_body = meets_second(asking()).and_knows(delivered("p1"));
    assert_eq!(by_body.decide(), Step::Offer(key("p2"), OfferReason::AfterDelivered(key("p1"))));
}

#[test]
fn a_quote_before_that_closed_as_undelivered_is_refused_by_id_and_key_and_the_past_by_body() {
    for asked in [asking().with_key("k"), asking().with_payment_id()] {
        let refused = Step::Refuse(Refusal::Undelivered(key("p1")));
        assert_eq!(meets_second(asked).and_knows(undelivered("p1")).decide(), refused);
    }
    let by_body = meets_second(asking()).and_knows(undelivered("p1"));
    assert_eq!(by_body.decide(), Step::Offer(key("p2"), OfferReason::AfterUndelivered(key("p1"))));
}

#[test]
fn a_quote_before_that_is_not_there_does_not_stop_the_replacement() {
    let mut asked = meets_second(asking().with_key("k"));
    asked.view.put(&key("p1"), None);
    assert_eq!(asked.decide(), Step::Offer(key("p2"), OfferReason::NotSeen { by_payment_id: false }));
}

#[test]
fn a_deposit_of_the_replacement_itself_counts_before_the_quote_before_it_is_looked_at() {
    for asked in each_way() {
        let asked = asked.that_meets(quoted("p2").replacing("p1")).provider_says(FILLED);
        assert_eq!(asked.decide(), Step::Deliver { call: key("p2"), settle: true });
    }
}

#[test]
fn payment_failed_or_refunded_asks_who_has_taken_the_names_over() {
    for asked in each_way() {
        assert_eq!(meets_failed(asked).decide(), Step::FindSuccessor(key("p1")));
    }
}

#[test]
fn payment_failed_or_refunded_is_a_new_quote_with_the_reason() {
    let by_body = meets_failed(asking().that_fits()).succeeded(key("p1"), Some(key("p1")));
    assert_eq!(by_body.decide(), Step::Quote(replacement(None)));
    let by_key = meets_failed(asking().with_key("k").that_fits()).succeeded(key("p1"), Some(key("p1")));
    assert_eq!(by_key.decide(), Step::Quote(replacement(Some("k"))));
    let by_id = meets_failed(asking().with_payment_id().that_fits()).succeeded(key("p1"), None);
    assert_eq!(by_id.decide(), Step::Quote(replacement(None)));
}

#[test]
fn the_replacement_of_a_call_with_a_key_keeps_the_key_also_by_its_id() {
    let call = failed("p1").with_idempotency_key("k");
    let asked = asking().with_payment_id().that_fits().that_meets(call).provider_says(failed_fact());
    assert_eq!(asked.succeeded(key("p1"), Some(key("p1"))).decide(), Step::Quote(replacement(Some("k"))));
}

#[test]
fn a_replacement_keeps_the_currency_of_the_quote_before_it() {
    let call = || failed("p1").in_currency(OriginCurrency::Eth);
    let asked = asking().with_payment_id().in_an_unsupported_currency().that_fits();
    let Step::Quote(new) = asked.that_meets(call()).provider_says(failed_fact()).succeeded(key("p1"), None).decide() else {
        panic!("a new quote")
    };
    assert_eq!(new.currency, Some(OriginCurrency::Eth));
}

#[test]
fn a_replacement_is_held_to_what_holds_for_every_new_call() {
    let replaced = || meets_failed(asking()).succeeded(key("p1"), None);
    assert_eq!(replaced().decide(), Step::CheckSchema);
    assert_eq!(replaced().checked(SchemaCheck::Fails).decide(), Step::Refuse(Refusal::SchemaMismatch));
    let why = ListingClosed::Paused;
    assert_eq!(replaced().while_closed(why).decide(), Step::Refuse(Refusal::ListingClosed { why, keep_payment: false }));
    let breaker = replaced().that_fits().with_open_breaker(30);
    assert_eq!(breaker.decide(), Step::Refuse(Refusal::BreakerOpen { retry_after: 30 }));
    let limited = replaced().that_fits().under_traffic(TrafficRefusal::RateLimited);
    assert_eq!(limited.decide(), Step::Refuse(Refusal::Traffic(TrafficRefusal::RateLimited)));
}

/// By the id of a failed quote: what the call that has taken its names over leads to.
fn by_first_id(successor: Call) -> Asking {
    let by = successor.key();
    meets_failed(asking().with_payment_id().that_fits()).succeeded(key("p1"), Some(by)).and_knows(successor)
}

#[test]
fn the_id_of_a_failed_quote_leads_to_what_replaced_it_and_never_to_a_third() {
    let second = || by_first_id(quoted("p2").replacing("p1"));
    assert_eq!(second().decide(), Step::AskProvider(vec![key("p2")]));
    assert_eq!(second().provider_says(Fact::Waiting).decide(), Step::Offer(key("p2"), why_replaced()));
    assert_eq!(second().provider_says(FILLED).decide(), Step::Deliver { call: key("p2"), settle: true });
    assert_eq!(by_first_id(settled("p2")).decide(), Step::Deliver { call: key("p2"), settle: false });
    assert_eq!(by_first_id(delivered("p2")).decide(), Step::Replay(key("p2")));
    assert_eq!(by_first_id(undelivered("p2")).decide(), Step::Refuse(Refusal::Undelivered(key("p2"))));
}

#[test]
fn the_id_of_a_failed_quote_leads_to_a_new_one_when_what_replaced_it_has_expired() {
    assert_eq!(by_first_id(failed("p2").replacing("p1")).decide(), Step::Quote(replacement(None)));
}

#[test]
fn what_replaced_it_is_replaced_in_its_turn_when_it_closes() {
    let asked = by_first_id(closing("p2").replacing("p1")).provider_says(Fact::Waiting);
    assert_eq!(asked.decide(), Step::FindSuccessor(key("p2")));
    let Step::Quote(new) = asked.succeeded(key("p2"), Some(key("p2"))).decide() else { panic!("a new quote") };
    assert_eq!(new.replaces, Some(key("p2")));
}

#[test]
fn a_free_call_that_replaced_a_quote_is_gone_on_with() {
    assert_eq!(by_first_id(free()).for_free().decide(), Step::Deliver { call: free_key(), settle: false });
    let delivered = Call { state: CallState::Delivered { response: None }, ..free() };
    assert_eq!(by_first_id(delivered).for_free().decide(), Step::Replay(free_key()));
}
