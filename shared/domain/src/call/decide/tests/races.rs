//! What a parallel request did while this one ran.

use super::asking::{Asking, asking};
use super::calls::{FILLED, NOW, delivered, delivering, failed, failed_fact, key, quoted, settled};
use crate::call::step::{OfferReason, PaymentMove, Refusal, Step};
use crate::call::view::{Fact, Race};
use crate::currency::OriginCurrency;

fn each_way() -> [Asking; 3] {
    [asking(), asking().with_key("k"), asking().with_payment_id()]
}

fn in_progress() -> Step {
    Step::Refuse(Refusal::InProgress(key("p1")))
}

#[test]
fn a_call_that_another_request_has_just_settled_or_tried_is_in_progress() {
    for call in [settled("p1"), delivering("p1", NOW + 1), delivering("p1", NOW)] {
        for asked in each_way() {
            assert_eq!(asked.that_meets(call.clone()).after(Race::Moved).decide(), in_progress());
        }
    }
}

#[test]
fn a_call_that_another_request_has_just_delivered_is_the_stored_answer() {
    for asked in [asking().with_key("k"), asking().with_payment_id()] {
        assert_eq!(asked.that_meets(delivered("p1")).after(Race::Moved).decide(), Step::Replay(key("p1")));
    }
}

#[test]
fn a_call_that_another_request_moved_short_of_its_settlement_still_settles() {
    for asked in each_way() {
        let asked = asked.that_meets(failed("p1")).provider_says(FILLED).after(Race::Moved);
        assert_eq!(asked.decide(), Step::Deliver { call: key("p1"), settle: true });
    }
}

#[test]
fn a_paid_call_that_another_request_has_just_expired_counts_before_another_open_quote() {
    let eth = || quoted("eth").in_currency(OriginCurrency::Eth);
    let asked = |fact| {
        let asked = asking().that_meets(eth()).provider_says(Fact::Waiting);
        asked.that_meets(failed("p1")).provider_says(fact).after(Race::Moved)
    };
    assert_eq!(asked(FILLED).decide(), Step::Deliver { call: key("p1"), settle: true });
    assert_eq!(asked(Fact::Pending).decide(), Step::Move(key("p1"), PaymentMove::DepositSeen));
}

#[test]
fn a_paid_replacement_that_another_request_has_just_expired_is_not_replaced() {
    let asked = |fact| {
        let asked = asking().with_payment_id().that_fits().that_meets(failed("p0")).provider_says(failed_fact());
        let asked = asked.succeeded(key("p0"), Some(key("p1"))).and_knows(failed("p1").replacing("p0"));
        asked.provider_says(fact).after(Race::Moved)
    };
    assert_eq!(asked(FILLED).decide(), Step::Deliver { call: key("p1"), settle: true });
    assert_eq!(asked(Fact::Pending).decide(), Step::Move(key("p1"), PaymentMove::DepositSeen));
}

#[test]
fn quotes_of_parallel_first_calls_are_one() {
    for asked in [asking(), asking().with_key("k")] {
        let asked = asked.that_meets(quoted("p1")).provider_says(Fact::Waiting).after(Race::Created);
        assert_eq!(asked.decide(), Step::Offer(key("p1"), OfferReason::First));
    }
}

#[test]
fn replacements_of_parallel_requests_are_one() {
    let asked = asking().with_payment_id().that_meets(failed("p1")).provider_says(failed_fact());
    let asked = asked.succeeded(key("p1"), Some(key("p2")));
    let asked = asked.and_knows(quoted("p2").replacing("p1")).provider_says(Fact::Waiting).after(Race::Created);
    assert!(matches!(asked.decide(), Step::Offer(offered, OfferReason::Replaces { .. }) if offered == key("p2")));
}

#[test]
fn while_a_parallel_request_is_still_writing_its_quote_nothing_is_quoted() {
    for asked in [asking(), asking().with_key("k")] {
        assert_eq!(asked.that_fits().after(Race::Created).decide(), Step::Refuse(Refusal::QuoteInProgress));
    }
    let replaced = asking().that_fits().that_meets(failed("p1")).provider_says(failed_fact());
    let replaced = replaced.succeeded(key("p1"), Some(key("p1"))).after(Race::Created);
    assert_eq!(replaced.decide(), Step::Refuse(Refusal::QuoteInProgress));
}

#[test]
fn a_parallel_free_call_that_has_not_arrived_yet_does_not_stop_this_one() {
    assert!(matches!(asking().for_free().that_fits().after(Race::Created).decide(), Step::CallFree(_)));
}

#[test]
fn a_call_that_a_parallel_request_made_and_settled_goes_on() {
    let asked = asking().with_key("k").that_meets(settled("p1")).after(Race::Created);
    assert_eq!(asked.decide(), Step::Deliver { call: key("p1"), settle: false });
}
