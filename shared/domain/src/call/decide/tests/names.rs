//! Payment ids and idempotency keys: what they name, and what they are bound to.

use super::asking::asking;
use super::calls::{another_buyer, another_listing, delivered, failed, failed_fact, key, quoted, settled, undelivered};
use super::steps::{body_name, quote_of};
use crate::call::step::{Differs, Refusal, Step};
use crate::call::view::{BodyView, Fact, SchemaCheck};
use crate::call::{Call, CalledListing};

fn at_another_listing(call: Call) -> Call {
    let listing = CalledListing { id: another_listing(), ..call.listing.clone() };
    Call { listing, ..call }
}

fn with_another_body(call: Call) -> Call {
    Call { body_sha256: "another body".into(), ..call }
}

fn bound_to_another(differs: Differs) -> Step {
    Step::Refuse(Refusal::BoundToAnotherRequest { call: key("p1"), differs })
}

fn reused(differs: Differs) -> Step {
    Step::Refuse(Refusal::IdempotencyKeyReused(differs))
}

#[test]
fn an_id_that_is_unknown_or_anothers_is_payment_not_found() {
    let not_found = Step::Refuse(Refusal::PaymentNotFound);
    assert_eq!(asking().with_payment_id(&key("p1")).decide(), not_found);
    let anothers = Call { buyer: another_buyer(), ..delivered("p1") };
    assert_eq!(asking().with_payment_id(&key("p1")).and_knows(anothers).decide(), not_found);
}

#[test]
fn an_anothers_id_is_not_found_before_its_listing_or_body_is_compared() {
    let anothers = Call { buyer: another_buyer(), ..at_another_listing(with_another_body(quoted("p1"))) };
    let step = asking().with_payment_id(&key("p1")).with_body(BodyView::Invalid).and_knows(anothers).decide();
    assert_eq!(step, Step::Refuse(Refusal::PaymentNotFound));
}

#[test]
fn an_id_with_another_listing_or_body_is_bound_to_another_request() {
    for call in [quoted("p1"), settled("p1"), delivered("p1")] {
        let elsewhere = at_another_listing(call.clone());
        assert_eq!(asking().with_payment_id(&key("p1")).and_knows(elsewhere).decide(), bound_to_another(Differs::Listing));
        let changed = with_another_body(call);
        assert_eq!(asking().with_payment_id(&key("p1")).and_knows(changed).decide(), bound_to_another(Differs::Body));
    }
}

#[test]
fn an_unseen_key_sent_with_a_valid_id_becomes_another_name_of_that_call() {
    for call in [quoted("p1"), settled("p1"), delivered("p1")] {
        let asked = asking().with_payment_id(&key("p1")).and_key("k").and_knows(call);
        assert_eq!(asked.decide(), Step::AddIdempotencyKey(key("p1")));
    }
    let asked = asking().with_payment_id(&key("p1")).and_key("k").and_knows(delivered("p1"));
    assert_eq!(asked.whose_key_was_added(true).decide(), Step::Replay(key("p1")));
}

#[test]
fn the_key_of_the_call_itself_is_not_added_again() {
    let asked = asking().with_payment_id(&key("p1")).and_key("k").and_knows(delivered("p1").with_idempotency_key("k"));
    assert_eq!(asked.decide(), Step::Replay(key("p1")));
}

#[test]
fn a_key_that_names_another_call_is_an_idempotency_key_conflict() {
    for call in [quoted("p1"), delivered("p1")] {
        let asked = asking().with_payment_id(&key("p1")).and_key("k").and_knows(call).whose_key_was_added(false);
        assert_eq!(asked.decide(), Step::Refuse(Refusal::IdempotencyKeyConflict));
    }
}

#[test]
fn no_key_is_added_for_a_request_that_is_refused() {
    let asked = asking().with_payment_id(&key("p1")).and_key("k").and_knows(with_another_body(quoted("p1")));
    assert_eq!(asked.decide(), bound_to_another(Differs::Body));
}

#[test]
fn the_same_key_with_another_body_or_listing_is_idempotency_key_reused() {
    for call in [quoted("p1"), settled("p1"), delivered("p1"), undelivered("p1")] {
        let elsewhere = at_another_listing(call.clone());
        assert_eq!(asking().with_key("k").that_meets(elsewhere).decide(), reused(Differs::Listing));
        let changed = with_another_body(call);
        assert_eq!(asking().with_key("k").that_meets(changed).decide(), reused(Differs::Body));
    }
}

#[test]
fn a_currency_that_is_none_is_unsupported_unless_an_id_is_sent() {
    let unsupported = Step::Refuse(Refusal::UnsupportedCurrency);
    let asked = || asking().in_an_unsupported_currency();
    assert_eq!(asked().that_fits().decide(), unsupported);
    assert_eq!(asked().that_meets(quoted("p1")).decide(), unsupported);
    assert_eq!(asked().with_key("k").that_meets(delivered("p1")).decide(), unsupported);
    assert_eq!(asked().with_payment_id(&key("p1")).and_knows(delivered("p1")).decide(), Step::Replay(key("p1")));
}

#[test]
fn a_key_binds_only_once_a_quote_or_an_attempt_is_stored() {
    let refused = asking().with_key("k").checked(SchemaCheck::Fails).decide();
    assert_eq!(refused, Step::Refuse(Refusal::SchemaMismatch));
    assert!(matches!(asking().with_key("k").that_fits().decide(), Step::Quote(_)));
}

#[test]
fn a_key_that_came_later_leads_to_the_record_of_the_call() {
    // Body first, then id and key, then the key alone.
    let asked = asking().with_key("k").that_meets(quoted("p1")).provider_says(Fact::Waiting);
    assert!(matches!(asked.decide(), Step::Offer(offer) if offer.call == key("p1")));
    let asked = asking().with_key("k").that_fits().that_meets(failed("p1")).provider_says(failed_fact());
    assert_eq!(quote_of(&asked).name, Some(body_name()), "what replaces it stands in the same record");
}

#[test]
fn a_key_that_came_later_means_the_call_that_it_was_sent_for_though_its_body_was_sent_again() {
    let by_key = |sent_for: &str| {
        let asked = asking().with_key("k").that_was_sent_for(&key(sent_for)).that_meets(quoted("p3").in_round(1));
        asked.provider_says(Fact::Waiting).that_meets(delivered("p2")).that_meets(failed("p1")).provider_says(failed_fact())
    };
    assert_eq!(by_key("p2").decide(), Step::Replay(key("p2")));
    assert_eq!(by_key("p1").decide(), Step::Replay(key("p2")));
    assert!(matches!(by_key("p3").decide(), Step::Offer(offer) if offer.call == key("p3")));
    // The record no longer lists the call that the key was sent for.
    let forgotten = asking().with_key("k").that_was_sent_for(&key("p1")).that_meets(quoted("p2").in_round(1));
    assert_eq!(forgotten.and_knows(delivered("p1")).decide(), Step::Replay(key("p1")));
    // There is no record any more.
    let gone = asking().with_key("k").that_was_sent_for(&key("p1"));
    assert_eq!(gone.and_knows(delivered("p1")).decide(), Step::Replay(key("p1")));
}

#[test]
fn a_call_of_another_buyer_or_body_in_a_record_is_none_of_this_one() {
    for other in [Call { buyer: another_buyer(), ..settled("p2") }, with_another_body(settled("p2"))] {
        let asked = asking().that_meets(quoted("p1")).provider_says(Fact::Waiting).that_meets(other);
        assert!(matches!(asked.decide(), Step::Offer(offer) if offer.call == key("p1")));
    }
}
