//! Two payments of one call that were both filled: the second one is unused money.

use super::asking::{Asking, asking};
use super::calls::{
    FILLED, NOW, delivered, failed, failed_fact, free_and_delivered, free_key, key, pending, quoted, settled, undelivered,
};
use super::steps::{all_come_to, already_delivered, delivers, offers, quote_of, settles_and_delivers};
use crate::call::step::{CallMove, OfferReason, Refusal, Step};
use crate::call::view::Fact;
use crate::call::{Call, CallState};
use crate::currency::OriginCurrency;

/// A delivered call, and another payment that was settled, or is filled according to the provider.
fn with_unused(asked: impl Fn() -> Asking) -> [Asking; 3] {
    let meets = || asked().that_meets(delivered("p2"));
    [
        meets().that_meets(settled("p1")),
        meets().that_meets(failed("p1")).provider_says(FILLED),
        meets().that_meets(quoted("p1").in_currency(OriginCurrency::Eth)).provider_says(FILLED),
    ]
}

#[test]
fn by_its_id_unused_money_is_delivered() {
    let [settled, failed, quoted] = with_unused(|| asking().with_payment_id(&key("p1")));
    assert_eq!(settled.decide(), delivers("p1"));
    all_come_to([failed, quoted], &settles_and_delivers("p1"));
}

#[test]
fn by_key_where_money_is_unused_the_stored_answer_comes() {
    all_come_to(with_unused(|| asking().with_key("k")), &Step::Replay(key("p2")));
}

#[test]
fn by_body_where_money_is_unused_it_is_call_already_delivered_naming_the_delivered_and_the_unused_ids() {
    let refused = already_delivered(&key("p2"), &["p1"]);
    all_come_to(with_unused(asking), &refused);
    all_come_to(with_unused(|| asking().in_currency(OriginCurrency::Usdc)), &refused);
    all_come_to(with_unused(|| asking().with_default_currency(OriginCurrency::Eth)), &refused);
    let two = asking().that_meets(settled("p3")).that_meets(delivered("p2")).that_meets(failed("p1")).provider_says(FILLED);
    assert_eq!(two.decide(), already_delivered(&key("p2"), &["p3", "p1"]));
}

#[test]
fn by_body_unused_money_is_asked_about_before_a_new_call_is_quoted() {
    let asked = asking().that_fits().that_meets(delivered("p2")).that_meets(failed("p1"));
    assert_eq!(asked.decide(), super::steps::asks_about(&["p1"]));
    let not_paid = quote_of(&asked.provider_says(failed_fact()));
    assert_eq!((not_paid.round, not_paid.delivered), (1, Some(key("p2"))));
}

#[test]
fn a_second_deposit_that_is_on_its_way_is_waited_for_and_nothing_is_quoted() {
    let asked = |call: Call| asking().that_fits().that_meets(delivered("p2")).that_meets(call).provider_says(Fact::Pending);
    assert_eq!(asked(failed("p1")).decide(), Step::Move(key("p1"), CallMove::DepositSeen));
    assert_eq!(asked(pending("p1")).decide(), Step::Wait(key("p1")));
}

#[test]
fn where_the_provider_does_not_answer_about_what_may_be_unused_nothing_is_quoted() {
    let asked = asking().that_fits().that_meets(delivered("p2")).that_meets(failed("p1")).provider_says(Fact::Unreachable);
    assert_eq!(asked.decide(), Step::Refuse(Refusal::ProviderUnavailable));
}

#[test]
fn what_is_paid_to_buy_the_body_again_is_gone_on_with_though_money_is_unused() {
    let again = || asking().that_meets(quoted("p3").in_round(1));
    let unused = |asked: Asking| asked.that_meets(delivered("p2")).that_meets(settled("p1"));
    assert_eq!(unused(again().provider_says(FILLED)).decide(), settles_and_delivers("p3"));
    assert_eq!(unused(again().provider_says(Fact::Pending)).decide(), Step::Move(key("p3"), CallMove::DepositSeen));
    assert_eq!(unused(again().provider_says(Fact::Waiting)).decide(), already_delivered(&key("p2"), &["p1"]));
    assert_eq!(unused(asking().that_meets(settled("p3").in_round(1))).decide(), delivers("p3"));
}

#[test]
fn the_id_of_the_quote_to_buy_the_body_again_is_not_offered_while_money_is_unused() {
    let by_id = asking().with_payment_id(&key("p3")).that_meets(quoted("p3").in_round(1)).provider_says(Fact::Waiting);
    let by_id = by_id.that_meets(delivered("p2")).that_meets(settled("p1"));
    assert_eq!(by_id.decide(), already_delivered(&key("p2"), &["p1"]));
}

#[test]
fn once_unused_money_was_delivered_the_body_is_a_new_call() {
    let asked = || asking().that_fits().that_meets(delivered("p2")).that_meets(delivered("p1"));
    assert_eq!((quote_of(&asked()).round, quote_of(&asked()).delivered), (1, Some(key("p2"))));
}

#[test]
fn the_second_payment_of_a_call_that_closed_as_undelivered_is_delivered_by_id_and_body() {
    let meets = |asked: Asking| asked.that_meets(undelivered("p2")).that_meets(settled("p1"));
    all_come_to([meets(asking()), meets(asking().with_payment_id(&key("p1")))], &delivers("p1"));
}

#[test]
fn a_listing_that_became_free_serves_the_call_and_an_old_quote_that_is_filled_after_that_is_owed_at_once() {
    let by_id = |call: Call| asking().for_free().with_payment_id(&key("p1")).and_knows(call);
    for call in [quoted("p1"), settled("p1")] {
        assert_eq!(by_id(call).decide(), Step::LoadRecord(key("p1")), "only the record says that it was served");
    }
    let served = |call: Call| asking().for_free().with_payment_id(&key("p1")).that_meets(free_and_delivered()).that_meets(call);
    assert_eq!(served(quoted("p1")).provider_says(FILLED).decide(), Step::Settle(key("p1")));
    assert_eq!(served(settled("p1")).decide(), Step::Close(key("p1")));
    assert_eq!(served(undelivered("p1")).decide(), Step::Refuse(Refusal::Undelivered(key("p1"))));
    assert_eq!(served(quoted("p1")).provider_says(Fact::Waiting).decide(), Step::Replay(free_key()));
    let by_key = asking().for_free().with_key("k").that_meets(free_and_delivered()).that_meets(settled("p1"));
    assert_eq!(by_key.decide(), Step::Replay(free_key()));
    let by_body = asking().for_free().that_meets(free_and_delivered()).that_meets(settled("p1"));
    assert_eq!(by_body.decide(), already_delivered(&free_key(), &["p1"]));
}

#[test]
fn a_payment_of_a_listing_that_became_free_but_has_not_served_the_call_is_delivered() {
    for asked in [asking(), asking().with_key("k"), asking().with_payment_id(&key("p1"))] {
        let asked = asked.for_free().that_meets(quoted("p1")).provider_says(FILLED);
        assert_eq!(asked.decide(), settles_and_delivers("p1"));
    }
}

#[test]
fn a_response_that_is_no_longer_stored_is_not_announced_but_its_call_counts() {
    let gone = Call { state: CallState::Delivered { response: None }, ..delivered("p2") };
    let asked = asking().that_meets(gone).that_meets(settled("p1"));
    assert_eq!(asked.decide(), already_delivered(&key("p2"), &["p1"]));
    let open = asking().that_meets(quoted("p3").in_round(1)).provider_says(Fact::Waiting).that_meets(delivered("p2"));
    let at = NOW + crate::call::RESPONSE_KEPT_MS;
    let open = open.and_knows(quoted("p3").in_round(1).whose_ttl_ends(at + 600_000)).at(at);
    assert_eq!(open.decide(), offers("p3", OfferReason::NotSeen { by_payment_id: false }));
}
