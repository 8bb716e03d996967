//! What a parallel request did while this one ran.

use super::asking::{Asking, asking, each_way};
use super::calls::{FILLED, NOW, delivered, delivering, failed, failed_fact, key, quoted, settled, undelivered};
use super::steps::{all_come_to, delivers, offers, quote_of, replaces, settles_and_delivers};
use crate::call::PaymentState;
use crate::call::step::{CallMove, OfferReason, Refusal, Step};
use crate::call::view::{Fact, Race};
use crate::currency::OriginCurrency;

fn in_progress() -> Step {
    Step::Refuse(Refusal::InProgress(key("p1")))
}

#[test]
fn a_call_that_another_request_has_just_settled_or_tried_is_in_progress() {
    for call in [settled("p1"), delivering("p1", NOW + 1), delivering("p1", NOW)] {
        all_come_to(each_way(&call).map(|asked| asked.after(Race::Moved)), &in_progress());
    }
}

#[test]
fn a_call_that_another_request_has_just_delivered_is_the_stored_answer_also_by_body() {
    all_come_to(each_way(&delivered("p1")).map(|asked| asked.after(Race::Moved)), &Step::Replay(key("p1")));
    let closed = Step::Refuse(Refusal::Undelivered(key("p1")));
    all_come_to(each_way(&undelivered("p1")).map(|asked| asked.after(Race::Moved)), &closed);
}

#[test]
fn a_call_that_another_request_moved_short_of_its_settlement_still_settles() {
    let asked = each_way(&failed("p1")).map(|asked| asked.provider_says(FILLED).after(Race::Moved));
    all_come_to(asked, &settles_and_delivers("p1"));
}

#[test]
fn a_paid_call_that_another_request_has_just_expired_counts_before_another_open_quote() {
    let eth = || quoted("eth").in_currency(OriginCurrency::Eth);
    let asked = |fact| {
        let asked = asking().that_meets(eth()).provider_says(Fact::Waiting);
        asked.that_meets(failed("p1")).provider_says(fact).after(Race::Moved)
    };
    assert_eq!(asked(FILLED).decide(), settles_and_delivers("p1"));
    assert_eq!(asked(Fact::Pending).decide(), Step::Move(key("p1"), CallMove::DepositSeen));
}

#[test]
fn quotes_of_parallel_first_calls_are_one() {
    for asked in [asking(), asking().with_key("k")] {
        let asked = asked.that_meets(quoted("p1")).provider_says(Fact::Waiting).after(Race::Created);
        assert_eq!(asked.decide(), offers("p1", OfferReason::First));
    }
}

#[test]
fn replacements_of_parallel_requests_are_one() {
    let by_id = asking().with_payment_id(&key("p1")).that_meets(quoted("p2")).provider_says(Fact::Waiting);
    let by_id = by_id.that_meets(failed("p1")).provider_says(failed_fact()).after(Race::Created);
    assert_eq!(by_id.decide(), offers("p2", replaces("p1", PaymentState::Failed)));
    let by_body = asking().that_meets(quoted("p2")).provider_says(Fact::Waiting);
    let by_body = by_body.that_meets(failed("p1")).provider_says(failed_fact()).after(Race::Created);
    assert_eq!(by_body.decide(), offers("p2", OfferReason::First));
}

#[test]
fn while_a_parallel_request_is_still_writing_its_quote_nothing_is_quoted() {
    let refused = Step::Refuse(Refusal::QuoteInProgress);
    for asked in [asking(), asking().with_key("k")] {
        assert_eq!(asked.that_fits().after(Race::Created).decide(), refused);
    }
    let meets = |asked: Asking| asked.that_fits().that_meets(failed("p1")).provider_says(failed_fact());
    let by_id = || asking().with_payment_id(&key("p1"));
    for asked in [asking(), asking().with_key("k"), by_id()] {
        assert_eq!(meets(asked).after(Race::Created).decide(), refused);
    }
    for asked in [asking(), asking().with_key("k"), by_id()] {
        assert_eq!(meets(asked).that_misses(&key("p2"), NOW - 5_999).decide(), refused, "the record is there before the call");
    }
}

#[test]
fn a_call_that_its_record_lists_but_that_never_arrives_was_never_offered() {
    for asked in [asking(), asking().with_key("k"), asking().with_payment_id(&key("p1"))] {
        let asked = asked.that_fits().that_meets(failed("p1")).provider_says(failed_fact());
        assert_eq!(quote_of(&asked.that_misses(&key("p2"), NOW - 6_000)).reason, replaces("p1", PaymentState::Failed));
    }
}

#[test]
fn one_payment_that_is_known_to_be_paid_wins_over_one_that_is_being_written() {
    let missing = |asked: Asking| asked.that_misses(&key("p2"), NOW);
    for asked in [asking(), asking().with_key("k")] {
        assert_eq!(missing(asked.that_meets(settled("p1"))).decide(), delivers("p1"));
    }
    for asked in [asking(), asking().with_key("k")] {
        assert_eq!(missing(asked.that_meets(failed("p1")).provider_says(FILLED)).decide(), settles_and_delivers("p1"));
    }
}

#[test]
fn a_call_that_a_parallel_request_made_and_settled_goes_on() {
    let asked = asking().with_key("k").that_meets(settled("p1")).after(Race::Created);
    assert_eq!(asked.decide(), delivers("p1"));
}
